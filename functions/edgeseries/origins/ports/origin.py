"""The upstream: where telemetry comes from when it is not stored.

Answers are in normal form (`series/samples.py`) and half-open ranges, whatever the vendor's
own rules are. Errors are of the tree in `errors.py`: Transient ones may be tried again,
a Defect may not; "no data" is an answer, not an error.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from edgeseries.series.points import Point, PointSeries, Site
from edgeseries.series.samples import Samples
from edgeseries.series.timerange import TimeRange


class Boundary(StrEnum):
    """Which ends of a range the vendor's own rule holds. Adapters cut to `[start, end)` all the same;
    a vendor that leaves the start out has to be asked from a little earlier.
    """

    START_INCLUSIVE = "start-inclusive"
    END_INCLUSIVE_ONLY = "end-inclusive-only"


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What an upstream can do, so that plans fit it."""

    selects_points: bool
    batch_points: int
    page_rows: int
    pages_by_cursor: bool
    boundary: Boundary


@dataclass(frozen=True, slots=True, kw_only=True)
class Bulk:
    """A fetch in the background. `before_call` is awaited before every upstream call, and ends the fetch
    by raising; `max_samples` bounds what it may bring. Where the points are most of the site's, pages
    of the whole site may be read.
    """

    before_call: Callable[[], Awaitable[None]]
    max_samples: int


class Origin(Protocol):
    """One vendor's API. `deadline_ms` is UTC epoch ms; past it calls end with DeadlineExceeded."""

    @property
    def capabilities(self) -> Capabilities:
        """What it can do."""
        ...

    async def sites(self, *, deadline_ms: int) -> tuple[Site, ...]:
        """Every site that the credential may see, by name."""
        ...

    async def points(self, site: str, *, deadline_ms: int) -> tuple[Point, ...]:
        """Every point of a site, by name. Raises NotFound for a site that is not there."""
        ...

    async def fetch(
        self, site: str, points: Sequence[str], span: TimeRange, *, deadline_ms: int, bulk: Bulk | None = None
    ) -> tuple[PointSeries, ...]:
        """The samples of each point, in the order asked; a point the site does not have has an error.

        Raises NotFound for a site that is not there, TooLarge past the bound of one answer (or of `bulk`).
        """
        ...

    def pages(self, site: str, span: TimeRange, *, deadline_ms: int) -> AsyncIterator[Mapping[str, Samples]]:
        """All samples of a site, page by page, each page by point. A point comes back in many pages."""
        ...

    async def ping(self, *, deadline_ms: int) -> None:
        """The cheapest call that proves the upstream answers and takes our credential."""
        ...
