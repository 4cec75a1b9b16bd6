"""Cached answers whose time to live is over go, the longest over first."""

from typing import Final

from edgeseries.platform_limits import R2_KEYS
from janitor.duty import Duty, Outcome, Turn
from janitor.ports import Ports

PAGE_OBJECTS: Final = R2_KEYS.value
"""Objects of one look: what one call of the bucket removes."""

MAX_PAGES: Final = 20
"""Answers of one sweep: 20,000 in a quarter of an hour is 22 a second, more than one database writes."""

STATEMENTS_OF_A_PAGE: Final = 3
"""One look, and the rows in one or two parameters."""


async def expire_answers(ports: Ports, turn: Turn) -> Outcome:
    """Page by page until none is left. Nothing is remembered: what is left is found again."""
    count = 0
    for _ in range(MAX_PAGES):
        found = await ports.objects.expired(now_ms=turn.now_ms, at_most=PAGE_OBJECTS)
        if found:
            await ports.objects.remove(found, now_ms=turn.now_ms)
        count += len(found)
        if len(found) < PAGE_OBJECTS or not turn.has_time(ports):
            break
    return Outcome(summary=f"{count} answers expired", count=count)


DUTY: Final = Duty(name="expire-answers", statements=MAX_PAGES * STATEMENTS_OF_A_PAGE, run=expire_answers)
