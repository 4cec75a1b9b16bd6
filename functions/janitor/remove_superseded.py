"""Objects that nothing has pointed to for a day go: nobody reads them any more."""

from typing import Final

from edgeseries.storage.limits import SUPERSEDED_KEEP_MS
from janitor.duty import Duty, Outcome, Turn
from janitor.ports import Ports

PAGE_OBJECTS: Final = 1_000
"""Objects of one look: what one call of the bucket removes (R2 platform limits, 2026)."""

MAX_PAGES: Final = 20
"""Objects of one sweep: 20,000. The largest site we know of supersedes 7,327 blocks a day."""

STATEMENTS_OF_A_PAGE: Final = 3
"""One look, who is pointed to, and the records, each in one parameter."""


async def remove_superseded(ports: Ports, turn: Turn) -> Outcome:
    """Page by page until none is left. Nothing is remembered: what is left is found again."""
    count = 0
    for _ in range(MAX_PAGES):
        found = await ports.objects.superseded(
            before_ms=turn.now_ms - SUPERSEDED_KEEP_MS, at_most=PAGE_OBJECTS
        )
        if found:
            await ports.objects.remove_superseded(found)
        count += len(found)
        if len(found) < PAGE_OBJECTS or not turn.has_time(ports):
            break
    return Outcome(summary=f"{count} superseded objects removed", count=count)


DUTY: Final = Duty(
    name="remove-superseded", statements=MAX_PAGES * STATEMENTS_OF_A_PAGE, run=remove_superseded
)
