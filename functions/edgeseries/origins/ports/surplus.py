"""Samples that an upstream delivered and that nobody asked for: of other points, on pages of a whole site.

Only what was covered whole may go in here: every sample of the point in the range, as a fetch of it would
have brought. It is kept within a budget; what does not fit is dropped, the largest series first.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from edgeseries.limits import SURPLUS_MAX_POINTS, SURPLUS_MAX_SAMPLES
from edgeseries.series.points import PointSeries
from edgeseries.series.timerange import TimeRange


@dataclass(slots=True, kw_only=True)
class Surplus:
    """Up to `max_samples` samples in up to `max_points` series with their ranges, in order of delivery.
    `besides` are points that are asked for anyway.
    """

    besides: frozenset[str] = frozenset()
    max_samples: int = SURPLUS_MAX_SAMPLES
    max_points: int = SURPLUS_MAX_POINTS
    series: list[tuple[TimeRange, PointSeries]] = field(default_factory=list)
    sample_count: int = 0

    @property
    def samples_left(self) -> int:
        """How many more there is room for."""
        return self.max_samples - self.sample_count

    def add(self, span: TimeRange, series: Iterable[PointSeries]) -> None:
        """Take all samples of some points in a range; the smallest of them that fit. A point without samples
        is none.
        """
        for one in sorted(series, key=lambda one: len(one.samples)):
            if not len(one.samples) or one.point in self.besides:
                continue
            if len(one.samples) > self.samples_left or len(self.series) >= self.max_points:
                return
            self.series.append((span, one))
            self.sample_count += len(one.samples)

    def clear(self) -> None:
        """Forget what is held."""
        self.series.clear()
        self.sample_count = 0
