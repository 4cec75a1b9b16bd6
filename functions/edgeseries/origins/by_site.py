"""The Origin port over several: each site is asked of the upstream whose prefix its name begins with.

It owns the names: what callers see carries the prefix, what the vendor sees does not.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from edgeseries.access.grants import no_such_site
from edgeseries.bounded_gather import bounded_gather
from edgeseries.errors import EdgeError, NotFound
from edgeseries.limits import UPSTREAM_CONCURRENCY
from edgeseries.origins.ports.dialect import Finding
from edgeseries.origins.ports.origin import Bulk, Origin
from edgeseries.origins.ports.surplus import Surplus
from edgeseries.origins.record import OriginRecord, record_for
from edgeseries.planning.capabilities import Capabilities
from edgeseries.series.points import Point, PointSeries, Site, SiteListing, Unanswered
from edgeseries.series.timerange import TimeRange


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedOrigin:
    """An upstream, and which sites are its own."""

    record: OriginRecord
    origin: Origin


def no_origin(records: Sequence[OriginRecord], site: str) -> NotFound:
    """The error for a site that no upstream serves."""
    prefixes = ", ".join(repr(one.prefix) for one in records)
    return NotFound(
        f"no upstream serves a site {site!r}: names of sites begin with one of {prefixes}; "
        "GET /api/sites lists the sites"
    )


class OriginsBySite:
    """Several upstreams as one. No two have the same prefix."""

    def __init__(self, placed: Sequence[PlacedOrigin]) -> None:
        assert placed
        self._by_name = {one.record.name: one for one in placed}
        self._records = tuple(one.record for one in placed)

    def capabilities(self, site: str) -> Capabilities:
        """See the port. Raises NotFound for a site that no upstream serves."""
        return self._of(site).origin.capabilities(site)

    async def sites(self, *, deadline_ms: int) -> SiteListing:
        """See the port. None waits for another that does not answer: the isolate's bound of calls holds."""
        listed, _ = await bounded_gather(
            self._by_name, partial(self._sites_of, deadline_ms=deadline_ms), at_once=len(self._by_name)
        )
        unanswered = [one for name in self._by_name if isinstance(one := listed[name], Unanswered)]
        if len(unanswered) == len(self._by_name):
            raise unanswered[0].error
        found = [
            replace(site, name=record.prefix + site.name)
            for record in self._records
            if not isinstance(own := listed[record.name], Unanswered)
            for site in own
            if record_for(self._records, record.prefix + site.name) is record
        ]
        return SiteListing(
            sites=tuple(sorted(found, key=lambda site: site.name)), unanswered=tuple(unanswered)
        )

    async def _sites_of(self, name: str, *, deadline_ms: int) -> tuple[Site, ...] | Unanswered:
        placed = self._by_name[name]
        try:
            return (await placed.origin.sites(deadline_ms=deadline_ms)).sites
        except EdgeError as error:
            return Unanswered(part=placed.record.part, prefix=placed.record.prefix, error=error)

    async def points(self, site: str, *, deadline_ms: int) -> tuple[Point, ...]:
        """See the port."""
        placed = self._of(site)
        try:
            return await placed.origin.points(placed.record.own_name(site), deadline_ms=deadline_ms)
        except NotFound as error:
            raise _renamed(error, site, placed.record) from error

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
        placed = self._of(site)
        own = placed.record.own_name(site)
        try:
            return await placed.origin.fetch(
                own, points, span, deadline_ms=deadline_ms, bulk=bulk, surplus=surplus
            )
        except NotFound as error:
            raise _renamed(error, site, placed.record) from error

    async def probe(self, site: str, point: str, span: TimeRange, *, deadline_ms: int) -> Finding:
        """See the port."""
        placed = self._of(site)
        try:
            return await placed.origin.probe(
                placed.record.own_name(site), point, span, deadline_ms=deadline_ms
            )
        except NotFound as error:
            raise _renamed(error, site, placed.record) from error

    async def ping(self, *, deadline_ms: int) -> None:
        """See the port: all of them."""
        _, error = await bounded_gather(
            self._by_name,
            lambda name: self._by_name[name].origin.ping(deadline_ms=deadline_ms),
            at_once=UPSTREAM_CONCURRENCY,
        )
        if error is not None:
            raise error

    def _of(self, site: str) -> PlacedOrigin:
        record = record_for(self._records, site)
        if record is None:
            raise no_origin(self._records, site)
        return self._by_name[record.name]


def _renamed(error: EdgeError, site: str, record: OriginRecord) -> EdgeError:
    """The vendor's word on a site, in the name that the caller knows."""
    return no_such_site(site) if record.prefix else error
