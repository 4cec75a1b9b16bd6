"""The cache stays within its budget of bytes: what was not used for the longest time goes first.

Blocks and cached answers count together. A read of what has gone fetches it anew, so that no answer
is wrong meanwhile. Use is known to some minutes (`metrics/adapters/metrics_buffer.py`).
"""

from collections.abc import Sequence
from typing import Final

from edgeseries.platform_limits import R2_KEYS
from edgeseries.upkeep.ports.stored_objects import StoredObject
from janitor.duty import Duty, Outcome, Turn
from janitor.ports import Ports

ROOM_PERCENT: Final = 5
"""How much of the budget is made free once it is passed, so that not every sweep has to."""

PAGE_OBJECTS: Final = R2_KEYS.value
"""Objects of one look: what one call of the bucket removes."""

MAX_PAGES: Final = 50
"""Objects of one sweep: 50,000. The largest site we know of writes 7,327 blocks a day."""

STATEMENTS_OF_A_PAGE: Final = 3

assert 0 <= ROOM_PERCENT < 100  # noqa: PLR2004 - percent


async def hold_budget(ports: Ports, turn: Turn) -> Outcome:
    """Weigh, and remove until it fits. Nothing is remembered: the next sweep weighs again."""
    stored_bytes = await ports.objects.stored_bytes()
    summary = f"{stored_bytes} of {ports.settings.cache_budget_bytes} bytes"
    if stored_bytes <= ports.settings.cache_budget_bytes:
        return Outcome(summary=summary, count=0)
    surplus = stored_bytes - ports.settings.cache_budget_bytes * (100 - ROOM_PERCENT) // 100
    count = 0
    for _ in range(MAX_PAGES):
        found = await ports.objects.least_used(at_most=PAGE_OBJECTS)
        going = first_of(found, surplus)
        if going:
            await ports.objects.remove(going, now_ms=turn.now_ms)
        count += len(going)
        surplus -= sum(one.stored_bytes for one in going)
        if surplus <= 0 or not going or not turn.has_time(ports):
            break
    rest = f", {surplus} still over; the next sweep goes on" if surplus > 0 else ""
    return Outcome(summary=f"{summary}: {count} objects went{rest}", count=count)


def first_of(objects: Sequence[StoredObject], surplus_bytes: int) -> tuple[StoredObject, ...]:
    """As many of the first objects as take up the surplus."""
    going: list[StoredObject] = []
    for one in objects:
        if surplus_bytes <= 0:
            break
        going.append(one)
        surplus_bytes -= one.stored_bytes
    return tuple(going)


DUTY: Final = Duty(name="hold-budget", statements=1 + MAX_PAGES * STATEMENTS_OF_A_PAGE, run=hold_budget)
