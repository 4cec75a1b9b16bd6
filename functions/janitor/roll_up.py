"""Counts of requests by the minute become counts by the hour after two days. Sums stay what they are."""

from typing import Final

from edgeseries.limits import DAY_MS, HOUR_MS
from janitor.duty import Duty, Outcome, Turn
from janitor.ports import Ports

MINUTES_KEEP_MS: Final = 2 * DAY_MS
"""As long as somebody looks for the minute in which it began."""

MAX_HOURS: Final = 48
"""Hours of one sweep: two days that were missed are made up for in one."""

STATEMENTS_OF_AN_HOUR: Final = 3


async def roll_up(ports: Ports, turn: Turn) -> Outcome:
    """Hour by hour from where the last sweep stopped; what comes late for an hour stays by the minute."""
    before_ms = (turn.now_ms - MINUTES_KEEP_MS) // HOUR_MS * HOUR_MS
    from_ms = int(turn.cursor or 1)
    count = 0
    for _ in range(MAX_HOURS):
        first_ms = await ports.keeping.first_requests(from_ms=from_ms, before_ms=before_ms)
        if first_ms is None:
            from_ms = max(from_ms, before_ms)
            break
        hour_ms = first_ms // HOUR_MS * HOUR_MS
        await ports.keeping.roll_up(from_ms=hour_ms, before_ms=hour_ms + HOUR_MS, into_ms=hour_ms)
        count += 1
        from_ms = hour_ms + HOUR_MS
        if not turn.has_time(ports):
            break
    return Outcome(summary=f"{count} hours rolled up", count=count, cursor=str(from_ms))


DUTY: Final = Duty(name="roll-up", statements=MAX_HOURS * STATEMENTS_OF_AN_HOUR, run=roll_up)
