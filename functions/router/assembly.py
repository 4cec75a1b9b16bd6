"""From what is stored and what is still needed to the series of an answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from edgeseries.core.days import days_touched
from edgeseries.core.errors import TooLarge
from edgeseries.core.limits import FORCED_DIRECT_MAX_SAMPLES
from edgeseries.core.planning import Gap
from edgeseries.core.points import PointSeries
from edgeseries.core.query import TimeseriesQuery
from edgeseries.core.samples import NO_SAMPLES, Samples, joined, within
from edgeseries.ports.blocks import KeptDays, StoredSamples
from router.ports import Ports


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """What the upstream delivered: for each gap, the series of its points."""

    gaps: tuple[tuple[Gap, tuple[PointSeries, ...]], ...]

    @property
    def sample_count(self) -> int:
        """Samples that the upstream delivered."""
        return sum(len(one.samples) for _, series in self.gaps for one in series)

    def errors(self) -> dict[str, str]:
        """Why a point could not be had, by point."""
        return {one.point: one.error for _, series in self.gaps for one in series if one.error is not None}


async def fetch(query: TimeseriesQuery, gaps: Sequence[Gap], *, deadline_ms: int, ports: Ports) -> Fetched:
    """Every gap, one call of the origin after the other; the origin bounds what runs side by side.

    Raises TooLarge once all gaps together are more than one answer may fetch.
    """
    fetched: list[tuple[Gap, tuple[PointSeries, ...]]] = []
    count = 0
    for gap in gaps:
        series = await ports.origin.fetch(query.site, gap.points, gap.span, deadline_ms=deadline_ms)
        count += sum(len(one.samples) for one in series)
        if count > FORCED_DIRECT_MAX_SAMPLES:
            raise TooLarge(
                f"more than {FORCED_DIRECT_MAX_SAMPLES} samples would have to be fetched at once; "
                "ask for a shorter range or fewer points"
            )
        fetched.append((gap, series))
    return Fetched(gaps=tuple(fetched))


def series_of(
    query: TimeseriesQuery, stored: Mapping[str, StoredSamples], fetched: Fetched
) -> tuple[PointSeries, ...]:
    """The series of every point of the query, stored and fetched parts joined and cut to the range."""
    parts: dict[str, list[Samples]] = {
        point: [stored[point].samples] if point in stored else [] for point in query.points
    }
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


def whole_days(fetched: Fetched, sealed_before_day: int) -> tuple[KeptDays, ...]:
    """The sealed whole days among what was fetched, of points that the site has."""
    return tuple(
        KeptDays(point=one.point, days=days, samples=one.samples)
        for gap, series in fetched.gaps
        if (days := tuple(day for day in days_touched(gap.span))) and days[-1] < sealed_before_day
        for one in series
        if one.error is None
    )
