"""The upstream: where telemetry comes from when it is not stored.

Answers are in normal form (`series/samples.py`) and half-open ranges, whatever the vendor's
own rules are. Errors are of the tree in `errors.py`: Transient ones may be tried again,
a Defect may not; "no data" is an answer, not an error.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from edgeseries.origins.ports.dialect import Finding
from edgeseries.origins.ports.surplus import Surplus
from edgeseries.planning.capabilities import Capabilities
from edgeseries.series.points import Point, PointSeries, SiteListing
from edgeseries.series.timerange import TimeRange

NO_SUCH_POINT: Final = "the site has no point of this name"
"""The error of a point that is not there."""


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

    def capabilities(self, site: str) -> Capabilities:
        """What one call for a site can hold. Raises NotFound for a site that nobody serves."""
        ...

    async def sites(self, *, deadline_ms: int) -> SiteListing:
        """Every site that the credential may see, by name. Several upstreams list those of the ones that
        answer; if none does, it raises.
        """
        ...

    async def points(self, site: str, *, deadline_ms: int) -> tuple[Point, ...]:
        """Every point of a site, by name. Raises NotFound for a site that is not there."""
        ...

    async def fetch(
        self,
        site: str,
        points: Sequence[str],
        span: TimeRange,
        *,
        deadline_ms: int,
        bulk: Bulk | None = None,
        surplus: Surplus | None = None,
    ) -> tuple[PointSeries, ...]:
        """The samples of each point, in the order asked; a point the site does not have has an error.
        `surplus` takes all samples in the range of other points of the site, where the upstream delivered
        them with these.

        Raises NotFound for a site that is not there, TooLarge past the bound of one answer (or of `bulk`).
        """
        ...

    async def probe(self, site: str, point: str, span: TimeRange, *, deadline_ms: int) -> Finding:
        """What this installation does where those of its vendor differ, seen on a point with samples at both
        ends of a range; a few calls. Raises NotFound for a site or point that is not there.
        """
        ...

    async def ping(self, *, deadline_ms: int) -> None:
        """The cheapest call that proves the upstream answers and takes our credential."""
        ...
