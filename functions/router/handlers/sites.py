"""`/api/sites` and `/api/sites/{site}/points`: what there is to ask for."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final

from edgeseries.access.grants import Right, require_site
from edgeseries.answers.limits import POINT_PAGE_ROWS
from edgeseries.errors import NotFound
from edgeseries.http.documents import Document, Given, Section
from edgeseries.limits import CATALOGUE_FRESH_MS
from edgeseries.planning.point_names import matches
from edgeseries.planning.query import FLAGS
from edgeseries.series.points import Point
from router.contract.answers import (
    ORIGIN,
    STORE,
    json_answer,
)
from router.contract.parameters import POINT_SEARCH
from router.endpoint import Arrival, Endpoint, Scope
from router.outcome import Outcome, json_outcome
from router.parameters import read_fields
from router.point_facts import points_of_site
from router.ports import Ports
from router.serializers import name_after, point_cursor


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteDocument(Section):
    """A site, as the upstream names it."""

    name: str
    title: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UnansweredDocument(Section):
    """An upstream whose sites are not in the list: its name in health, what its sites begin with, and why."""

    upstream: str
    prefix: str
    fault: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SitesDocument(Document):
    """The sites that the caller may see, of the upstreams that answered. Format: `docs/formats/lists.md`."""

    sites: tuple[SiteDocument, ...]
    count: int
    unanswered: tuple[UnansweredDocument, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PointDocument(Section):
    """A point, with what the upstream says of it."""

    name: str
    unit: str | None
    kind: str | None
    interval_seconds: Annotated[int, Given({"type": "integer"})] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SitePointsDocument(Document):
    """Points of a site: all that were asked for, or a page of them. Format: `docs/formats/lists.md`."""

    site: str
    points: tuple[PointDocument, ...]
    count: int
    total: int
    cursor: str | None


async def list_sites(arrival: Arrival, ports: Ports) -> Outcome:
    """Every site that the caller may see, by name, and which upstreams that may have more did not answer."""
    asked_ms = ports.clock.now_ms()
    every = await ports.origin.sites(deadline_ms=arrival.deadline_ms)
    listing = every.seen_by(arrival.grant.sites)
    for one in listing.unanswered:
        ports.journal.line(
            "warning", "an upstream does not list its sites", part=one.part, cause=one.error.detail
        )
    return json_outcome(
        SitesDocument(
            sites=tuple(SiteDocument(name=site.name, title=site.title) for site in listing.sites),
            count=len(listing.sites),
            unanswered=tuple(
                UnansweredDocument(upstream=one.part, prefix=one.prefix, fault=one.error.detail)
                for one in listing.unanswered
            ),
        ),
        origin_ms=ports.clock.now_ms() - asked_ms,
    )


async def list_points(arrival: Arrival, ports: Ports) -> Outcome:
    """Points of a site, by name, with what the upstream says of them: all of them, or those that are looked
    for, in pages.
    """
    site = arrival.path_parameters["site"]
    require_site(arrival.grant, site)
    fields = read_fields(arrival.request, arrival.endpoint.parameters)
    after = None if "cursor" not in fields else name_after(fields["cursor"])
    asked_ms = ports.clock.now_ms()
    # A list that is looked through in pages, or at every letter that somebody types, is read once.
    max_age_ms = CATALOGUE_FRESH_MS if fields else NOTHING_REMEMBERED
    listed = await points_of_site(site, ports, deadline_ms=arrival.deadline_ms, max_age_ms=max_age_ms)
    origin_ms = ports.clock.now_ms() - asked_ms
    found = [point for _, point in sorted(listed.items()) if _is_wanted(point, fields)]
    if "has_data" in fields:
        known, wanted = await ports.profiles.densities(site), FLAGS[fields["has_data"]]
        found = [point for point in found if (point.name in known) is wanted]
    page = [point for point in found if after is None or point.name > after]
    limit = fields.get("limit", POINT_PAGE_ROWS if after is not None else len(page))
    more = len(page) > limit
    page = page[:limit]
    return json_outcome(
        SitePointsDocument(
            site=site,
            points=tuple(_serialize_point(point) for point in page),
            count=len(page),
            total=len(found),
            cursor=point_cursor(page[-1].name) if more else None,
        ),
        origin_ms=origin_ms,
    )


def _is_wanted(point: Point, fields: Mapping[str, Any]) -> bool:
    """Whether a point has the words, the unit and the kind that are looked for."""
    same = all(
        name not in fields or (text or "").casefold() == fields[name].casefold()
        for name, text in (("unit", point.unit), ("kind", point.kind))
    )
    return same and matches(point.name, fields.get("q", "").casefold().split())


def _serialize_point(point: Point) -> PointDocument:
    return PointDocument(name=point.name, unit=point.unit, kind=point.kind, interval_seconds=point.interval_s)


NOTHING_REMEMBERED: Final = -1
"""A list without a filter is read anew at every call."""

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
        summary="Points of a site, by name, with what the upstream says of them; all, or those looked for.",
        right=Right.READ,
        scope=Scope.SITE,
        handler=list_points,
        parameters=POINT_SEARCH,
        answers={200: json_answer("The points.", SitePointsDocument)},
        problems=(NotFound, *ORIGIN, *STORE),
    ),
)
