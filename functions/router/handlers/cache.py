"""`DELETE /api/cache`: what is stored is removed, or only counted (`dry_run`)."""

from dataclasses import dataclass
from typing import Final

from edgeseries.access.grants import Right, require_site
from edgeseries.errors import NotFound
from edgeseries.http.documents import Document
from edgeseries.planning.purge_query import PURGE, PurgeQuery, purge_from_pairs
from edgeseries.planning.query import USER_ID
from edgeseries.series.days import days_touched, iso_day
from router.contract.answers import (
    SENT_BODY,
    STORE,
    json_answer,
)
from router.contract.schemas import DayRange
from router.endpoint import Arrival, Endpoint, Scope
from router.outcome import Outcome, json_outcome
from router.parameters import absolute_pairs
from router.ports import Ports


@dataclass(frozen=True, slots=True, kw_only=True)
class PurgedDocument(Document):
    """What a purge removed, or would remove. Format: `docs/formats/coverage.md`."""

    blocks: int
    stored_bytes: int
    dry_run: bool
    site: str
    point_count: int | None
    days: DayRange | None


async def purge(arrival: Arrival, ports: Ports) -> Outcome:
    """Blocks, every cached answer that holds something of these points, and what this isolate knows of the
    live edge.

    Raises StoreUnavailable when one call is not enough; the same request goes on from there.
    """
    query = purge_from_pairs(absolute_pairs(arrival.request.query, arrival))
    require_site(arrival.grant, query.site)
    if not query.dry_run:
        ports.live_cache.forget(query.site, query.points)
        ports.latest.forget(query.site)
    try:
        gone = await ports.blocks.forget(
            query.site, points=query.points, span=query.span, dry_run=query.dry_run
        )
    finally:
        # After it: a look at the index that began before may have remembered the old generations until now.
        ports.stamps.forget(query.site)
    return json_outcome(
        PurgedDocument(
            blocks=gone.blocks,
            stored_bytes=gone.stored_bytes,
            dry_run=query.dry_run,
            site=query.site,
            point_count=None if query.points is None else len(query.points),
            days=_days_of(query),
        )
    )


def _days_of(query: PurgeQuery) -> DayRange | None:
    """First and last day that is meant: a day goes whole when the range touches it."""
    if query.span is None:
        return None
    days = days_touched(query.span)
    return [iso_day(days[0]), iso_day(days[-1])]


ENDPOINTS: Final = (
    Endpoint(
        method="DELETE",
        pattern="/api/cache",
        name="purgeCache",
        summary=(
            "Remove what is stored of a site: points and times left out mean all of them. Nothing "
            "that was fetched before is stored after it."
        ),
        right=Right.PURGE,
        scope=Scope.SITE,
        handler=purge,
        parameters=(*PURGE, USER_ID),
        answers={200: json_answer("What was removed, or would be.", PurgedDocument)},
        problems=(NotFound, *STORE, *SENT_BODY),
    ),
)
