"""Days of points that nobody asked for: what of a surplus can be stored, and storing it.

The next question about them is then answered from blocks. It stands under the same guards as what was asked
for: whole sealed days, the generations from before the fetch, the doubt of silent days.
"""

from collections.abc import Sequence

from edgeseries.blocks.ports.blocks import Blocks, DaysToStore
from edgeseries.blocks.stamps import Stamps
from edgeseries.origins.ports.surplus import Surplus
from edgeseries.series.days import day_span, days_touched
from edgeseries.series.samples import joined


def surplus_days(surplus: Surplus, sealed_before_day: int) -> tuple[DaysToStore, ...]:
    """The sealed whole days of a surplus, each point once."""
    found: dict[str, DaysToStore] = {}
    for span, one in surplus.series:
        days = tuple(days_touched(span))
        if days[-1] >= sealed_before_day or span != day_span(days[0], days[-1]):
            continue
        before = found.get(one.point)
        if before is None:
            found[one.point] = DaysToStore(point=one.point, days=days, samples=one.samples)
        elif not set(before.days).intersection(days):
            together = tuple(sorted((*before.days, *days)))
            samples = joined([before.samples, one.samples])
            found[one.point] = DaysToStore(point=one.point, days=together, samples=samples)
    return tuple(found.values())


async def store_surplus(site: str, days: Sequence[DaysToStore], stamps: Stamps, blocks: Blocks) -> int:
    """Store days of points that nothing is held of in them; how many samples. `stamps` are those of before
    the fetch.

    The generation of the site alone is known of then. So a point is stored only if it was never purged or
    refreshed by itself: a generation that is none could not have been raised meanwhile without being seen.
    Raises StoreUnavailable.
    """
    if not days:
        return 0
    touched = sorted({day for one in days for day in one.days})
    points = [one.point for one in days]
    index = await blocks.look_up(site, points, day_span(touched[0], touched[-1]))
    unheld = [
        one
        for one in days
        if not index.stamps.of(one.point).point
        and (one.point not in index.stored or index.stored[one.point].days.held.isdisjoint(one.days))
    ]
    if not unheld:
        return 0
    outcome = await blocks.store(site, unheld, Stamps(site=stamps.site))
    return sum(len(one.samples) for one in unheld if one.point not in outcome.superseded)
