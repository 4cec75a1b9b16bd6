"""`/api/coverage`: what is stored of a request, and how it would be answered. It fetches nothing."""

from dataclasses import dataclass
from typing import Final

from edgeseries.access.grants import Right
from edgeseries.answers.parts import block_count
from edgeseries.errors import NotFound
from edgeseries.http.documents import Day, Document, Moment, Section, ref
from edgeseries.limits import DAY_MS, SECOND_MS
from edgeseries.planning.coverage import Coverage, CoverageGroup, Days, coverage_of
from edgeseries.planning.fetch_plan import FetchPlan
from edgeseries.planning.lateness import LEARNED_DAYS, NO_LATENESS, Lateness
from edgeseries.planning.query import TIMESERIES, USER_ID, TimeseriesQuery
from edgeseries.planning.routing import Route, choose_route
from edgeseries.series.days import iso_day
from edgeseries.series.timerange import iso_instant
from router.contract.answers import (
    SENT_BODY,
    STORE,
    json_answer,
)
from router.contract.schemas import DayRange
from router.contract.statistics import LatenessDocument, lateness_document
from router.endpoint import Arrival, Endpoint, Scope
from router.outcome import Outcome, json_outcome
from router.parameters import read_query
from router.ports import Ports


@dataclass(frozen=True, slots=True, kw_only=True)
class DaysDocument(Document):
    """How many days, and which; `ranges` is null where they would be too many."""

    days: int
    ranges: tuple[DayRange, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TotalsDocument(Section):
    """Counts of days of single points, and what an answer would take."""

    points: int
    stored_days: int
    empty_days: int
    reread_days: int
    missing_days: int
    live_days: int
    estimated_missing_samples: int
    estimated_answer_samples: int
    route: Route


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupDocument(Section):
    """Points that are stored alike."""

    point_count: int
    stored: DaysDocument
    empty: DaysDocument
    missing: DaysDocument
    points: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageDocument(Document):
    """What is stored of a request. Format: `docs/formats/coverage.md`."""

    site: str
    start_time: Moment
    end_time: Moment
    settle_lag_seconds: int
    first_unsealed_day: Day
    live: DayRange | None
    lateness: LatenessDocument
    totals: TotalsDocument
    complete: bool
    groups: tuple[GroupDocument, ...]


async def coverage(arrival: Arrival, ports: Ports) -> Outcome:
    """Coverage by group of points, counts, and the route. Raises StoreUnavailable: a guess would mislead."""
    query = read_query(arrival).read()
    index = await ports.reader.look_up(query)
    now_ms = arrival.request.arrived_ms
    found = coverage_of(
        query.points,
        query.span,
        covered={point: one.days.held for point, one in index.points.items()},
        empty={point: one.days.empty for point, one in index.points.items()},
        now_ms=now_ms,
        settle_lag_ms=ports.settle_lags.of(query.site, ports.settle_lag_ms),
    )
    fetch_plan = ports.reader.missing(query, index, now_ms=now_ms)
    due = sum(len(one.days.due) for one in index.points.values())
    blocks = max(sum(index.stored.objects.values()), block_count(len(query.points), fetch_plan.sealed_part))
    late_data = await ports.late_data.since(now_ms - LEARNED_DAYS * DAY_MS, site=query.site)
    lateness = late_data[0].lateness if late_data else NO_LATENESS
    return json_outcome(_serialize_coverage(query, found, fetch_plan, due, blocks, lateness, ports))


def _serialize_coverage(  # noqa: PLR0917 - what the document is made of
    query: TimeseriesQuery,
    found: Coverage,
    fetch_plan: FetchPlan,
    due: int,
    blocks: int,
    lateness: Lateness,
    ports: Ports,
) -> CoverageDocument:
    route = choose_route(
        fetch_plan,
        blocks=blocks,
        forced=None,
        sizes=ports.route_sizes,
    )
    return CoverageDocument(
        site=query.site,
        start_time=iso_instant(query.span.start_ms),
        end_time=iso_instant(query.span.end_ms),
        settle_lag_seconds=ports.settle_lags.of(query.site, ports.settle_lag_ms) // SECOND_MS,
        first_unsealed_day=iso_day(found.unsealed_day),
        live=None if found.live is None else _serialize_range(found.live),
        lateness=lateness_document(lateness),
        totals=TotalsDocument(
            points=len(query.points),
            stored_days=sum(len(group.points) * group.stored.count for group in found.groups),
            empty_days=sum(len(group.points) * group.empty.count for group in found.groups),
            reread_days=due,
            missing_days=sum(len(group.points) * group.missing.count for group in found.groups),
            live_days=len(query.points) * found.live_day_count,
            estimated_missing_samples=fetch_plan.missing_samples,
            estimated_answer_samples=fetch_plan.answer_samples,
            route=route,
        ),
        complete=found.complete,
        groups=tuple(_serialize_group(group) for group in found.groups),
    )


def _serialize_group(group: CoverageGroup) -> GroupDocument:
    return GroupDocument(
        point_count=len(group.points),
        stored=_serialize_days(group.stored),
        empty=_serialize_days(group.empty),
        missing=_serialize_days(group.missing),
        points=group.points,
    )


def _serialize_days(days: Days) -> DaysDocument:
    ranges = None if days.ranges is None else tuple(_serialize_range(one) for one in days.ranges)
    return DaysDocument(days=days.count, ranges=ranges)


def _serialize_range(days: tuple[int, int]) -> DayRange:
    return [iso_day(days[0]), iso_day(days[1])]


ENDPOINTS: Final = (
    Endpoint(
        method="GET",
        pattern="/api/coverage",
        name="getCoverage",
        summary="What is stored of a request, and how it would be answered. Nothing is fetched.",
        right=Right.READ,
        scope=Scope.SITE,
        handler=coverage,
        parameters=(*TIMESERIES, USER_ID),
        answers={200: json_answer("Coverage.", CoverageDocument)},
        problems=(NotFound, *STORE),
    ),
    Endpoint(
        method="POST",
        pattern="/api/coverage",
        name="postCoverage",
        summary="The same with the fields as JSON.",
        right=Right.READ,
        scope=Scope.SITE,
        handler=coverage,
        body=ref("RangeRequest"),
        answers={200: json_answer("Coverage.", CoverageDocument)},
        problems=(NotFound, *STORE, *SENT_BODY),
    ),
)
