"""The Web and Origin ports of one upstream, counted: what it was asked, what failed, what it delivered."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus

from edgeseries.errors import EdgeError
from edgeseries.http.messages import HttpCall, HttpReply
from edgeseries.metrics.adapters.upstream_counts import CALLS, FAILED_CALLS, FAILED_FETCHES, FETCHES, SAMPLES
from edgeseries.origins.adapters.guarded_web import TROUBLE
from edgeseries.origins.ports.dialect import Finding
from edgeseries.origins.ports.origin import Bulk, Origin
from edgeseries.origins.ports.surplus import Surplus
from edgeseries.planning.capabilities import Capabilities
from edgeseries.ports.web import Web
from edgeseries.series.points import Point, PointSeries, SiteListing
from edgeseries.series.timerange import TimeRange


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedWeb:
    """Calls that leave. One fails that is not answered, or by a status that says that it cannot cope."""

    web: Web
    counts: Counter[str]

    async def send(self, call: HttpCall) -> HttpReply:
        """See the port."""
        self.counts[CALLS] += 1
        try:
            reply = await self.web.send(call)
        except EdgeError:
            self.counts[FAILED_CALLS] += 1
            raise
        if reply.status >= HTTPStatus.INTERNAL_SERVER_ERROR or reply.status in TROUBLE:
            self.counts[FAILED_CALLS] += 1
        return reply


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedOrigin:
    """Fetches, whoever asks: a request, a batch of a job, a sweep; and the samples that they brought."""

    origin: Origin
    counts: Counter[str]

    def capabilities(self, site: str) -> Capabilities:
        """See the port."""
        return self.origin.capabilities(site)

    async def sites(self, *, deadline_ms: int) -> SiteListing:
        """See the port."""
        return await self.origin.sites(deadline_ms=deadline_ms)

    async def points(self, site: str, *, deadline_ms: int) -> tuple[Point, ...]:
        """See the port."""
        return await self.origin.points(site, deadline_ms=deadline_ms)

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
        """See the port."""
        self.counts[FETCHES] += 1
        try:
            found = await self.origin.fetch(
                site, points, span, deadline_ms=deadline_ms, bulk=bulk, surplus=surplus
            )
        except EdgeError:
            self.counts[FAILED_FETCHES] += 1
            raise
        self.counts[SAMPLES] += sum(len(one.samples) for one in found)
        return found

    async def probe(self, site: str, point: str, span: TimeRange, *, deadline_ms: int) -> Finding:
        """See the port."""
        return await self.origin.probe(site, point, span, deadline_ms=deadline_ms)

    async def ping(self, *, deadline_ms: int) -> None:
        """See the port."""
        await self.origin.ping(deadline_ms=deadline_ms)
