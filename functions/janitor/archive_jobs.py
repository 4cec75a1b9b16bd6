"""Jobs that ended some days ago move to the history, without their batches; old history is forgotten."""

from typing import Final

from edgeseries.limits import DAY_MS
from janitor.duty import Duty, Outcome, Turn
from janitor.ports import Ports

MAX_ROUNDS: Final = 15

ROUND_JOBS: Final = 100
ROUND_BATCHES: Final = 5_000
"""Rows that one transaction removes, of which each also leaves an index; D1 gives it 30 seconds, and we
two. One job alone may have more."""

STATEMENTS_OF_A_ROUND: Final = 6

HISTORY_KEEP_MS: Final = 400 * DAY_MS
"""A year with the same days of the year before beside it."""

HISTORY_AT_MOST: Final = 5_000


async def archive_jobs(ports: Ports, turn: Turn) -> Outcome:
    """Round after round until none is left. Nothing is remembered: what is left is found again."""
    count = 0
    for _ in range(MAX_ROUNDS):
        moved = await ports.keeping.archive_jobs(
            before_ms=turn.now_ms - ports.settings.job_keep_ms, batches=ROUND_BATCHES, at_most=ROUND_JOBS
        )
        count += moved
        if not moved or not turn.has_time(ports):
            break
    pruned = await ports.keeping.prune_history(
        before_ms=turn.now_ms - HISTORY_KEEP_MS, at_most=HISTORY_AT_MOST
    )
    return Outcome(summary=f"{count} jobs archived, {pruned} forgotten", count=count + pruned)


DUTY: Final = Duty(name="archive-jobs", statements=MAX_ROUNDS * STATEMENTS_OF_A_ROUND + 1, run=archive_jobs)
