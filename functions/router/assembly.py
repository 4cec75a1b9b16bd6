"""From what is stored and what is still needed to the series of an answer."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass

from edgeseries.blocks.ports.blocks import DaysToStore, StoredSamples
from edgeseries.errors import AnswerTooLarge
from edgeseries.limits import FORCED_DIRECT_MAX_SAMPLES
from edgeseries.planning.fetch_plan import Gap, in_fitting_calls, projected_samples, with_probe
from edgeseries.planning.partial_days import PartialDay, whole_day
from edgeseries.planning.query import TimeseriesQuery
from edgeseries.planning.sample_bound import SampleBound
from edgeseries.series.days import day_span, days_touched
from edgeseries.series.points import PointSeries
from edgeseries.series.samples import NO_SAMPLES, Samples, joined, within
from router.ports import Ports

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

    def errors(self) -> dict[str, str]:
        """Why a point could not be had, by point."""
        return {one.point: one.error for _, series in self.gaps for one in series if one.error is not None}


async def deliveries(
    query: TimeseriesQuery,
    gaps: Sequence[Gap],
    *,
    density_per_day: Mapping[str, float],
    deadline_ms: int,
    bound: SampleBound,
    ports: Ports,
) -> AsyncIterator[Delivery]:
    """Every gap, one call of the origin after the other; the origin bounds what runs side by side.

    Every delivery is counted by `bound`, after it is handed over. Raises AnswerTooLarge once all gaps
    together are more than one answer may fetch. Where nobody forced a route it is raised early: the first
    day of points that nothing was learned of tells how dense they are before the rest is fetched.
    """
    forced = query.forced is not None
    fitting = in_fitting_calls(gaps, density_per_day, ports.origin.capabilities)
    waiting = fitting if forced else with_probe(fitting, density_per_day)
    done: list[tuple[Gap, int]] = []
    for place, gap in enumerate(waiting, 1):
        series = await ports.origin.fetch(query.site, gap.points, gap.span, deadline_ms=deadline_ms)
        done.append((gap, sum(len(one.samples) for one in series)))
        yield gap, series
        bound.add_fetched(done[-1][1])
        count = sum(samples for _, samples in done)
        left = 0 if forced else projected_samples(done, waiting[place:], density_per_day)
        if count > FORCED_DIRECT_MAX_SAMPLES or (left and count + left > FORCED_DIRECT_MAX_SAMPLES):
            raise AnswerTooLarge(
                f"about {count + left} samples would have to be fetched at once, "
                f"at most {FORCED_DIRECT_MAX_SAMPLES} can be; ask for a shorter range or fewer points",
                estimated_samples=count + left,
            )


def series_of(
    query: TimeseriesQuery,
    stored: Mapping[str, StoredSamples],
    known: Sequence[tuple[str, Samples]],
    fetched: Fetched,
) -> tuple[PointSeries, ...]:
    """The series of every point of the query: what blocks hold, what the isolate knows (by point) and
    what was fetched, joined and cut to the range. What was fetched wins.
    """
    parts: dict[str, list[Samples]] = {
        point: [stored[point].samples] if point in stored else [] for point in query.points
    }
    for point, samples in known:
        parts[point].append(samples)
    for _, series in fetched.gaps:
        for one in series:
            parts[one.point].append(one.samples)
    errors = fetched.errors()
    return tuple(
        PointSeries(
            point=point,
            samples=within(joined(parts[point]), query.span) if parts[point] else NO_SAMPLES,
            error=errors.get(point),
        )
        for point in query.points
    )


def whole_days(fetched: Fetched, sealed_before_day: int) -> tuple[DaysToStore, ...]:
    """The sealed whole days among what was fetched, of points that the site has."""
    return tuple(
        DaysToStore(point=one.point, days=days, samples=one.samples)
        for gap, series in fetched.gaps
        if (days := tuple(days_touched(gap.span))) and days[-1] < sealed_before_day
        if gap.span == day_span(days[0], days[-1])
        for one in series
        if one.error is None
    )


def completed_days(partial_days: Sequence[PartialDay], fetched: Fetched) -> tuple[DaysToStore, ...]:
    """The days that were made from what was known and from the rest that was fetched."""
    read: dict[str, list[Samples]] = {}
    for _, series in fetched.gaps:
        for one in series:
            read.setdefault(one.point, []).append(one.samples)
    lost = fetched.errors()
    return tuple(
        DaysToStore(
            point=partial_day.point,
            days=(partial_day.day,),
            samples=whole_day(partial_day, read.get(partial_day.point, ())),
        )
        for partial_day in partial_days
        if partial_day.point not in lost
    )
