"""`/api/sites` and `/api/sites/{site}/points`: what there is to ask for."""

from dataclasses import dataclass
from typing import Annotated, Final

from edgeseries.access.grants import Right, require_site
from edgeseries.errors import NotFound
from edgeseries.http.documents import Document, Given, Section
from edgeseries.series.points import Point
from router.contract.answers import (
    ORIGIN,
    json_answer,
)
from router.endpoint import Arrival, Endpoint, Scope
from router.outcome import Outcome, json_outcome
from router.ports import Ports


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteDocument(Section):
    """A site, as the upstream names it."""

    name: str
    title: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SitesDocument(Document):
    """The sites that the caller may see. Format: `docs/formats/lists.md`."""

    sites: tuple[SiteDocument, ...]
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PointDocument(Section):
    """A point, with what the upstream says of it."""

    name: str
    unit: str | None
    kind: str | None
    interval_seconds: Annotated[int, Given({"type": "integer"})] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SitePointsDocument(Document):
    """The points of a site. Format: `docs/formats/lists.md`."""

    site: str
    points: tuple[PointDocument, ...]
    count: int


async def list_sites(arrival: Arrival, ports: Ports) -> Outcome:
    """Every site that the caller may see, by name."""
    asked_ms = ports.clock.now_ms()
    every = await ports.origin.sites(deadline_ms=arrival.deadline_ms)
    sites = [site for site in every if arrival.grant.sees(site.name)]
    return json_outcome(
        SitesDocument(
            sites=tuple(SiteDocument(name=site.name, title=site.title) for site in sites), count=len(sites)
        ),
        origin_ms=ports.clock.now_ms() - asked_ms,
    )


async def list_points(arrival: Arrival, ports: Ports) -> Outcome:
    """Every point of a site, by name, with what the upstream says of it."""
    site = arrival.path_parameters["site"]
    require_site(arrival.grant, site)
    asked_ms = ports.clock.now_ms()
    points = await ports.origin.points(site, deadline_ms=arrival.deadline_ms)
    return json_outcome(
        SitePointsDocument(
            site=site, points=tuple(_serialize_point(point) for point in points), count=len(points)
        ),
        origin_ms=ports.clock.now_ms() - asked_ms,
    )


def _serialize_point(point: Point) -> PointDocument:
    return PointDocument(name=point.name, unit=point.unit, kind=point.kind, interval_seconds=point.interval_s)


ENDPOINTS: Final = (
    Endpoint(
        method="GET",
        pattern="/api/sites",
        name="listSites",
        summary="Every site, by name.",
        right=Right.READ,
        scope=Scope.SITES,
        handler=list_sites,
        answers={200: json_answer("The sites.", SitesDocument)},
        problems=(NotFound, *ORIGIN),
    ),
    Endpoint(
        method="GET",
        pattern="/api/sites/{site}/points",
        name="listPoints",
        summary="Every point of a site, by name, with what the upstream says of it.",
        right=Right.READ,
        scope=Scope.SITE,
        handler=list_points,
        answers={200: json_answer("The points.", SitePointsDocument)},
        problems=(NotFound, *ORIGIN),
    ),
)
