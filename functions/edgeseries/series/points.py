"""Points of a site as every upstream describes them. It knows no vendor's field names."""

from collections.abc import Collection
from dataclasses import dataclass, replace

from edgeseries.errors import EdgeError
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
class Unanswered:
    """An upstream that did not list its sites, whose names begin with `prefix`. `part` is what health calls
    it.
    """

    part: str
    prefix: str
    error: EdgeError


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteListing:
    """Sites by name. Those of an upstream in `unanswered` may be there or not: nobody knows."""

    sites: tuple[Site, ...]
    unanswered: tuple[Unanswered, ...] = ()

    def seen_by(self, names: Collection[str] | None) -> "SiteListing":
        """What of it concerns who may see these sites alone; None: all. An upstream that did not answer does
        if one of the names may be its own.
        """
        if names is None:
            return self
        listed = {site.name for site in self.sites}
        missing = [name for name in names if name not in listed]
        return replace(
            self,
            sites=tuple(site for site in self.sites if site.name in names),
            unanswered=tuple(
                one for one in self.unanswered if any(name.startswith(one.prefix) for name in missing)
            ),
        )

    def complete(self) -> tuple[Site, ...]:
        """The sites, for whom a list with some of them left out is none. Raises the error of the first
        upstream that did not answer.
        """
        for one in self.unanswered:
            raise one.error
        return self.sites


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
