"""Counts of requests that are older than a quarter are added up into one row each, at the beginning of time.

So the table stays small, and totals never go down: a counter that does would be taken for a restart.
"""

from typing import Final

from edgeseries.limits import DAY_MS
from janitor.duty import Duty, Outcome, Turn
from janitor.ports import Ports

HOURS_KEEP_MS: Final = 92 * DAY_MS
"""Three months, as long as Analytics Engine keeps its points."""

EVER_MS: Final = 0
"""Where everything older stands."""

MAX_DAYS: Final = 30

STATEMENTS_OF_A_DAY: Final = 3


async def trim_requests(ports: Ports, turn: Turn) -> Outcome:
    """Day by day, the oldest first. Nothing is remembered: what is left is found again."""
    before_ms = (turn.now_ms - HOURS_KEEP_MS) // DAY_MS * DAY_MS
    count = 0
    for _ in range(MAX_DAYS):
        first_ms = await ports.keeping.first_requests(from_ms=EVER_MS + 1, before_ms=before_ms)
        if first_ms is None:
            break
        day_ms = first_ms // DAY_MS * DAY_MS
        await ports.keeping.roll_up(from_ms=day_ms, before_ms=day_ms + DAY_MS, into_ms=EVER_MS)
        count += 1
        if not turn.has_time(ports):
            break
    return Outcome(summary=f"{count} days trimmed", count=count)


DUTY: Final = Duty(name="trim-requests", statements=MAX_DAYS * STATEMENTS_OF_A_DAY, run=trim_requests)
