"""Alert rules against readings; each is sent once, repeated daily, and resolved when it is over.

The last duty: it judges what the others left. A message that nobody took fails the duty, which
forgets nothing and remembers nothing, so that the next sweep sends it.
"""

from collections.abc import Sequence
from typing import Final

from edgeseries.limits import DAY_MS, MINUTE_MS, PROBE_TIMEOUT_MS
from edgeseries.metrics.alerting import (
    JOB_WINDOW_MS,
    MIN_JOBS,
    MIN_REQUESTS,
    WINDOW_MS,
    Measure,
    evaluate,
    states_of,
    states_text,
)
from edgeseries.metrics.ports.health import Finding
from edgeseries.upkeep.ports.duties import SWEEP_RECORD, DutyRecord
from janitor.duty import Duty, Outcome, Turn
from janitor.ports import Ports

STATEMENTS: Final = 8
"""Three recent counts, late data, stored bytes, duties twice (a probe looks at them, too), a probe of the
database."""

NAME: Final = "raise-alerts"

PERCENT: Final = 100


async def raise_alerts(ports: Ports, turn: Turn) -> Outcome:
    """Read, evaluate, send, remember."""
    evaluation = evaluate(await readings(ports, turn.now_ms), states_of(turn.cursor), now_ms=turn.now_ms)
    if evaluation.notices:
        await ports.notifier.notify(evaluation.notices)
    firing = sum(state.notified_ms is not None for state in evaluation.states.values())
    return Outcome(
        summary=f"{firing} alerts firing, {len(evaluation.notices)} sent",
        count=len(evaluation.notices),
        cursor=states_text(evaluation.states),
    )


async def readings(ports: Ports, now_ms: int) -> dict[Measure, float]:
    """What there is to judge. What cannot be known is left out."""
    recent = await ports.statistics.recent(
        requests_from_ms=now_ms - WINDOW_MS, jobs_from_ms=now_ms - JOB_WINDOW_MS
    )
    stored_bytes = await ports.objects.stored_bytes()
    late_data = await ports.late_data.since(now_ms - DAY_MS)
    found: dict[Measure, float] = {
        Measure.DEAD_LETTERS: recent.dead_letters,
        Measure.BUDGET_PERCENT: PERCENT * stored_bytes / ports.settings.cache_budget_bytes,
        Measure.CORRECTED_DAYS: sum(one.corrected_days for one in late_data),
        **of_duties(await ports.records.read(), now_ms),
        **of_parts(await ports.health_checker.check_all(timeout_ms=PROBE_TIMEOUT_MS)),
    }
    if recent.request_count >= MIN_REQUESTS:
        found[Measure.FAILED_REQUESTS_PERCENT] = PERCENT * recent.failed_requests / recent.request_count
    if recent.job_count >= MIN_JOBS:
        found[Measure.FAILED_JOBS_PERCENT] = PERCENT * recent.failed_jobs / recent.job_count
    return found


def of_duties(records: Sequence[DutyRecord], now_ms: int) -> dict[Measure, float]:
    """From the memory of duties. Of this one itself nothing is said: its own failure would never end."""
    failed = sum(one.outcome.startswith("failed") for one in records if one.duty != NAME)
    swept = [one.ran_ms for one in records if one.duty == SWEEP_RECORD and one.ran_ms]
    age = {Measure.SWEEP_AGE_MINUTES: (now_ms - swept[0]) / MINUTE_MS} if swept else {}
    return {Measure.FAILED_DUTIES: failed, **age}


def of_parts(findings: Sequence[Finding]) -> dict[Measure, float]:
    """From the probes of the queues and the upstreams: how many of these do not answer."""
    found: dict[Measure, float] = {}
    for one in findings:
        if one.part.partition(":")[0] == "upstream":
            down = found.get(Measure.UPSTREAM_DOWN, 0.0)
            found[Measure.UPSTREAM_DOWN] = down + float(one.fault is not None)
        if one.part == "queues" and one.fault is None:
            found[Measure.BACKLOG_MESSAGES] = sum(value for _, value in one.facts)
    return found


DUTY: Final = Duty(name=NAME, statements=STATEMENTS, run=raise_alerts)
