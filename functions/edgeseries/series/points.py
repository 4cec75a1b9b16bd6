"""Points of a site as every upstream describes them. It knows no vendor's field names."""

from dataclasses import dataclass

from edgeseries.series.samples import Samples


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One BMS point. `interval_s` is what the upstream says it samples at, not a promise."""

    name: str
    unit: str | None = None
    kind: str | None = None
    interval_s: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One building, or what the upstream calls a site."""

    name: str
    title: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesName:
    """Whose values these are: a point's samples, or one aggregate of them."""

    point: str
    aggregate: str | None = None

    @property
    def label(self) -> str:
        """What heads a column: the point, and the aggregate behind a colon."""
        return self.point if self.aggregate is None else f"{self.point}:{self.aggregate}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PointSeries:
    """What an upstream gave for one point of a request: samples, or why there are none. `aggregate` is what
    the samples are of the point's own, None for those themselves; `source_count` how many those were, where
    fewer come of them.
    """

    point: str
    samples: Samples
    error: str | None = None
    aggregate: str | None = None
    source_count: int | None = None

    @property
    def name(self) -> SeriesName:
        """Whose values these are."""
        return SeriesName(point=self.point, aggregate=self.aggregate)
