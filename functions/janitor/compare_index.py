"""Bucket and index are made to agree, a stretch of keys in each sweep.

The bucket's lifecycle rules remove objects without a notice, and a writer that dies between the
bucket and the index, or that loses a race, leaves an object without a row. A row that was lost is made again
from what stands beside its object, unless something of it was purged or refreshed since.
"""

from typing import Final

from edgeseries.limits import HOUR_MS
from janitor.duty import Duty, Outcome, Turn
from janitor.ports import Ports

MAX_STRETCHES: Final = 10
"""Of up to 1,000 keys each: a cache of a million objects is walked through in a day, for 960 lists."""

STATEMENTS_OF_A_STRETCH: Final = 12
"""Looks at rows and at what is noted of objects; rows added, removed and noted, some parameters each."""

SETTLE_MS: Final = HOUR_MS
"""What is younger may still be under way between bucket and index."""


async def compare_index(ports: Ports, turn: Turn) -> Outcome:
    """Stretch after stretch from where the last sweep stopped."""
    place = turn.cursor
    adopted = dropped = orphans = strange = 0
    for _ in range(MAX_STRETCHES):
        compared = await ports.objects.compare(place, before_ms=turn.now_ms - SETTLE_MS, now_ms=turn.now_ms)
        adopted, dropped = adopted + compared.adopted, dropped + compared.dropped
        orphans, strange = orphans + compared.orphans, strange + compared.strange
        place = compared.place
        if not place or not turn.has_time(ports):
            break
    odd = f", {strange} objects that nobody can read" if strange else ""
    return Outcome(
        summary=f"{adopted} rows added, {dropped} rows removed, {orphans} objects without a row{odd}",
        count=adopted + dropped + orphans,
        cursor=place,
    )


DUTY: Final = Duty(
    name="compare-index", statements=MAX_STRETCHES * STATEMENTS_OF_A_STRETCH, run=compare_index
)
