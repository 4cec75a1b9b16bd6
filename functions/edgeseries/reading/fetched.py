"""What the upstream delivered for the gaps of a request, and what of it can be stored."""

from collections.abc import Sequence
from dataclasses import dataclass

from edgeseries.blocks.ports.blocks import DaysToStore
from edgeseries.limits import DAY_MS
from edgeseries.planning.fetch_plan import Gap
from edgeseries.planning.partial_days import PartialDay, whole_day
from edgeseries.series.days import day_span, days_touched
from edgeseries.series.points import PointSeries
from edgeseries.series.samples import Samples, within

Delivery = tuple[Gap, tuple[PointSeries, ...]]
"""A gap, and what the upstream gave for its points."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """What the upstream delivered: for each gap, the series of its points."""

    gaps: tuple[Delivery, ...] = ()

    @property
    def sample_count(self) -> int:
        """Samples that the upstream delivered."""
        return sum(len(one.samples) for _, series in self.gaps for one in series)

    def samples_by_point(self) -> dict[str, list[Samples]]:
        """All samples that were delivered of each point, in order of delivery."""
        found: dict[str, list[Samples]] = {}
        for _, series in self.gaps:
            for one in series:
                found.setdefault(one.point, []).append(one.samples)
        return found

    def errors(self) -> dict[str, str]:
        """Why a point could not be had, by point."""
        return {one.point: one.error for _, series in self.gaps for one in series if one.error is not None}


def whole_days(fetched: Fetched, sealed_before_day: int) -> tuple[DaysToStore, ...]:
    """The sealed whole days among what was fetched, of points that the site has."""
    found: list[DaysToStore] = []
    for gap, series in fetched.gaps:
        first, last = -(-gap.span.start_ms // DAY_MS), min(gap.span.end_ms // DAY_MS, sealed_before_day) - 1
        if first > last:
            continue
        days, span = tuple(range(first, last + 1)), day_span(first, last)
        found += [
            DaysToStore(
                point=one.point,
                days=days,
                samples=one.samples if span == gap.span else within(one.samples, span),
            )
            for one in series
            if one.error is None
        ]
    return tuple(found)


def touched_days(fetched: Fetched) -> tuple[DaysToStore, ...]:
    """All days that something was fetched of, whole or not, of points that the site has."""
    return tuple(
        DaysToStore(point=one.point, days=tuple(days_touched(gap.span)), samples=one.samples)
        for gap, series in fetched.gaps
        for one in series
        if one.error is None
    )


def completed_days(partial_days: Sequence[PartialDay], fetched: Fetched) -> tuple[DaysToStore, ...]:
    """The days that were made whole from what was known and from the rest that was fetched."""
    read = fetched.samples_by_point()
    lost = fetched.errors()
    return tuple(
        DaysToStore(
            point=partial_day.point,
            days=(partial_day.day,),
            samples=whole_day(partial_day, read.get(partial_day.point, ())),
        )
        for partial_day in partial_days
        if partial_day.whole and partial_day.point not in lost
    )
