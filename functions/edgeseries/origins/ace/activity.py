"""What an isolate remembers of which points of a site had samples lately, and which had none.

It decides how points are asked together, never what is answered: a batch in which nobody has a sample is
answered by 404, which settles nothing (`fetching.py`), one that names a point with samples is not. Plain
data, bounded, and it may be empty at any time. Times are UTC epoch ms.
"""

from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from math import ceil, inf

from edgeseries.limits import CATALOGUE_TTL_MS, HOUR_MS
from edgeseries.origins.ace.limits import (
    COMPANION_MAX_ROWS,
    LOUD_POINTS,
    LOUD_SITES,
    PAGE_ROWS,
    QUIET_MAX_POINTS,
    QUIET_TTL_MS,
)
from edgeseries.series.timerange import TimeRange


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """Samples of a point in a range: the instant of the last one, and how many (at least one)."""

    last_ms: int
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Loud:
    last_ms: int
    rows_per_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Quiet:
    span: TimeRange
    read_ms: int


@dataclass(slots=True)
class _Site:
    """`loud` by name. `rows_per_ms` of all points together, as its pages told at `pages_ms`."""

    loud: dict[str, _Loud] = field(default_factory=dict)
    rows_per_ms: float = 0.0
    pages_ms: int | None = None


class Activity:
    """Points without samples, QUIET_MAX_POINTS of all sites, those read the longest ago out first; and of
    LOUD_SITES sites LOUD_POINTS points with samples each.
    """

    def __init__(self) -> None:
        self._quiet: OrderedDict[tuple[str, str], _Quiet] = OrderedDict()
        self._sites: OrderedDict[str, _Site] = OrderedDict()

    def learn(
        self,
        site: str,
        span: TimeRange,
        *,
        heard: Mapping[str, Heard],
        silent: Iterable[str] = (),
        now_ms: int,
    ) -> None:
        """What a range proved to hold of some points."""
        for point in silent:
            self._quiet.pop((site, point), None)
            self._quiet[site, point] = _Quiet(span=span, read_ms=now_ms)
        while len(self._quiet) > QUIET_MAX_POINTS:
            self._quiet.popitem(last=False)
        if not heard:
            return
        loud = self._of(site).loud
        for point, one in heard.items():
            self._quiet.pop((site, point), None)
            loud[point] = _Loud(last_ms=one.last_ms, rows_per_ms=one.count / span.duration_ms)
        # Of those heard within the same hour the sparsest are the cheapest to have along.
        best = sorted(loud, key=lambda point: (-(loud[point].last_ms // HOUR_MS), loud[point].rows_per_ms))
        for point in best[LOUD_POINTS:]:
            del loud[point]

    def quiet(self, site: str, points: Iterable[str], span: TimeRange, *, now_ms: int) -> frozenset[str]:
        """Those of some points that had no sample in a range that overlaps this one, when it was read within
        QUIET_TTL_MS.
        """
        return frozenset(
            point
            for point in points
            if (one := self._quiet.get((site, point))) is not None
            and now_ms - one.read_ms <= QUIET_TTL_MS
            and one.span.start_ms < span.end_ms
            and span.start_ms < one.span.end_ms
        )

    def companion(self, site: str, span: TimeRange, *, among: Collection[str]) -> str | None:
        """A point, among some, that is likely to have samples in a range, and not many."""
        loud = self._sites[site].loud if site in self._sites else {}
        fitting = [
            point
            for point, one in loud.items()
            if point in among and one.rows_per_ms * span.duration_ms <= COMPANION_MAX_ROWS
        ]
        return min(
            fitting,
            key=lambda point: (
                not span.start_ms <= loud[point].last_ms < span.end_ms,
                loud[point].rows_per_ms,
            ),
            default=None,
        )

    def not_heard(self, site: str, points: Iterable[str]) -> None:
        """Points that did not keep a call from a 404, even if they were taken for such that have samples."""
        loud = self._sites[site].loud if site in self._sites else {}
        for point in points:
            loud.pop(point, None)

    def companion_silent(self, site: str, point: str) -> None:
        """A point that was taken for one with samples, and has none: the site may be quieter than its pages
        told.
        """
        self.not_heard(site, [point])
        if site in self._sites and self._sites[site].rows_per_ms < inf:
            self._sites[site].pages_ms = None

    def learn_pages(self, site: str, rows_per_ms: float, *, now_ms: int) -> None:
        """How many rows a millisecond of a whole site has; infinite where its pages cannot be had."""
        found = self._of(site)
        found.rows_per_ms, found.pages_ms = rows_per_ms, now_ms

    def pages(self, site: str, span: TimeRange, *, now_ms: int) -> float | None:
        """How many pages of the whole site a range is likely to take, by what was read within
        CATALOGUE_TTL_MS; None where nothing was.
        """
        found = self._sites.get(site)
        if found is None or found.pages_ms is None or now_ms - found.pages_ms > CATALOGUE_TTL_MS:
            return None
        rows = found.rows_per_ms * span.duration_ms
        return max(1, ceil(rows / PAGE_ROWS)) if rows < inf else inf

    def _of(self, site: str) -> _Site:
        found = self._sites.pop(site, None) or _Site()
        self._sites[site] = found
        while len(self._sites) > LOUD_SITES:
            self._sites.popitem(last=False)
        return found
