"""What a sweep does: every duty in its order, each under its own lease, none stopped by another.

A cron may fire twice and may be missed (the platform promises neither), so a duty that another
sweep holds is skipped, and one that failed is done by the next sweep.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from edgeseries.errors import Defect, EdgeError
from edgeseries.limits import MINUTE_MS
from edgeseries.metrics.ports.journal import SweepRecord
from edgeseries.platform_limits import WALL_MS
from edgeseries.upkeep.ports.duties import SWEEP_RECORD, DutyRecord
from janitor.duty import Duty, Outcome, Turn
from janitor.ports import Ports

PLATFORM_SWEEP_MS: Final = WALL_MS.value
"""The platform ends a run after this."""

SWEEP_MS: Final = 10 * MINUTE_MS
"""Duties begin nothing new after this; what is under way has bounds of its own, of seconds."""

LEASE_MS: Final = 14 * MINUTE_MS
"""How long a duty is held by a sweep that died: shorter than the usual pause between two sweeps."""

OUTCOME_MAX_CHARS: Final = 300
"""A sentence for people, in a row."""

assert SWEEP_MS < LEASE_MS < PLATFORM_SWEEP_MS

Guard = Callable[[Awaitable[Outcome]], Awaitable[Outcome]]
"""Awaits a duty; turns whatever is not of the error tree into a Defect. The entry's, since no other
place may catch everything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What became of one duty in one sweep: `done`, `failed`, or `held` by another sweep."""

    duty: str
    verdict: str
    summary: str
    count: int = 0


async def sweep(
    cron: str, scheduled_ms: int, ports: Ports, *, duties: Sequence[Duty], guard: Guard
) -> tuple[Run, ...]:
    """One sweep, named by its schedule and the moment it was due (UTC epoch ms)."""
    started_ms = ports.clock.now_ms()
    stop_ms = started_ms + SWEEP_MS
    runs = tuple([await perform(duty, ports, stop_ms=stop_ms, guard=guard) for duty in duties])
    failed = sum(run.verdict == "failed" for run in runs)
    await _remember(ports, f"{len(runs) - failed} of {len(runs)} duties done")
    duration_ms = ports.clock.now_ms() - started_ms
    late_ms = max(0, started_ms - scheduled_ms)
    for run in runs:
        ports.journal.line(
            "error" if run.verdict == "failed" else "info",
            f"duty {run.duty} {run.verdict}: {run.summary}",
            count=run.count,
        )
    ports.journal.line("info", "sweep", cron=cron, scheduledMs=scheduled_ms, ms=duration_ms, failed=failed)
    ports.journal.sweep(
        SweepRecord(
            duration_ms=duration_ms,
            late_ms=late_ms,
            duty_count=len(runs),
            failed_count=failed,
            held_count=sum(run.verdict == "held" for run in runs),
            changed_count=sum(run.count for run in runs),
        )
    )
    return runs


async def perform(duty: Duty, ports: Ports, *, stop_ms: int, guard: Guard) -> Run:
    """One duty under its lease. It never raises an error of the tree."""
    now_ms = ports.clock.now_ms()
    lease_until_ms = now_ms + LEASE_MS
    try:
        cursor = await ports.records.claim(duty.name, now_ms=now_ms, lease_until_ms=lease_until_ms)
    except EdgeError as error:
        return Run(duty=duty.name, verdict="failed", summary=error.detail)
    if cursor is None:
        return Run(duty=duty.name, verdict="held", summary="another sweep is at it")
    try:
        outcome = await guard(duty.run(ports, Turn(cursor=cursor, now_ms=now_ms, stop_ms=stop_ms)))
        run = Run(duty=duty.name, verdict="done", summary=outcome.summary, count=outcome.count)
    except EdgeError as error:
        # Where it stopped before is where it starts again: what it did meanwhile may be done twice.
        outcome = Outcome(summary=f"failed: {error.detail}", count=0, cursor=cursor)
        run = Run(duty=duty.name, verdict="failed", summary=_reason(error))
    record = DutyRecord(
        duty=duty.name,
        cursor=outcome.cursor,
        ran_ms=ports.clock.now_ms(),
        outcome=outcome.summary[:OUTCOME_MAX_CHARS],
    )
    try:
        await ports.records.finish(record, lease_until_ms=lease_until_ms)
    except EdgeError as error:
        return replace(run, verdict="failed", summary=f"{run.summary}; not remembered: {error.detail}")
    return run


async def _remember(ports: Ports, summary: str) -> None:
    """That a sweep came to its end, whatever became of its duties; the next one does if this cannot."""
    now_ms = ports.clock.now_ms()
    lease_until_ms = now_ms + LEASE_MS
    try:
        if await ports.records.claim(SWEEP_RECORD, now_ms=now_ms, lease_until_ms=lease_until_ms) is not None:
            record = DutyRecord(duty=SWEEP_RECORD, cursor="", ran_ms=now_ms, outcome=summary)
            await ports.records.finish(record, lease_until_ms=lease_until_ms)
    except EdgeError as error:
        ports.journal.line("error", "the sweep could not be remembered", cause=error.detail)


def _reason(error: EdgeError) -> str:
    cause = error.__cause__
    return f"{error.detail} ({cause!r})" if isinstance(error, Defect) and cause else error.detail
