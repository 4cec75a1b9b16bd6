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
class PointSeries:
    """What an upstream gave for one point of a request: samples, or why there are none."""

    point: str
    samples: Samples
    error: str | None = None
