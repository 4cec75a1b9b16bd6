"""A request that is answered while the caller waits: blocks for what is stored, upstream for the rest."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from edgeseries.answers.answer import answer_body, entity_tag
from edgeseries.blocks.ports.answers import AnswerFacts
from edgeseries.blocks.ports.blocks import KeptDays
from edgeseries.blocks.stamps import Refresh
from edgeseries.errors import AnswerTooLarge
from edgeseries.planning.canonical import ANSWER_VERSION, digest_of
from edgeseries.planning.fetch_plan import FetchPlan, Gap, exact_gaps, live_gaps, plan_fetch, whole_day_gaps
from edgeseries.planning.freshness import Freshness, verdict_of
from edgeseries.planning.partial_days import (
    PartialDay,
    partial_day_gaps,
    partial_days_of,
    without_partial_days,
)
from edgeseries.planning.query import TimeseriesQuery
from edgeseries.planning.routing import Route
from edgeseries.series.days import first_unsealed_day
from edgeseries.series.points import PointSeries
from router.assembly import Delivery, Fetched, completed_days, deliveries, series_of, whole_days
from router.conditional import conditional_response
from router.endpoints import Arrival
from router.index_lookup import Index, begin_refresh, keep, keep_answer, read_blocks, store_refresh
from router.live import LivePart, learn
from router.outcome import Outcome
from router.ports import Ports


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """How a request is answered: direct or cached, by what the index tells and what its caller
    asks of the store.
    """

    route: Route
    freshness: Freshness
    index: Index
    live: LivePart
    estimate: FetchPlan


def estimated_plan(
    query: TimeseriesQuery, index: Index, live: LivePart, arrival: Arrival, ports: Ports
) -> FetchPlan:
    """What upstream must deliver, if every object is there that the index tells of."""
    return _plan(query, index.covered, index, live, arrival, ports)


def _plan(  # noqa: PLR0917 - what a plan is made of
    query: TimeseriesQuery,
    covered: Mapping[str, frozenset[int]],
    index: Index,
    live: LivePart,
    arrival: Arrival,
    ports: Ports,
) -> FetchPlan:
    return plan_fetch(
        query.points,
        query.span,
        covered=covered,
        density_per_day=index.density_per_day,
        now_ms=arrival.request.arrived_ms,
        settle_lag_ms=ports.settle_lag_ms,
        live_missing_ms=live.missing_ms,
    )


async def answer_inline(query: TimeseriesQuery, choice: Choice, arrival: Arrival, ports: Ports) -> Outcome:
    """Read, fetch, join, answer; store afterwards what is worth it. A refresh stores before it answers:
    whoever has its answer may count on everybody seeing what it saw.
    """
    freshness = choice.freshness
    begun = await begin_refresh(query, ports) if freshness.refreshes else None
    stored = await read_blocks(query, choice.estimate, choice.index, ports)
    # An object may be gone that the index tells of.
    held = {point: one.days for point, one in stored.items()}
    fetch_plan = _plan(query, held, choice.index, choice.live, arrival, ports)
    partial_days = partial_days_of(fetch_plan, choice.live.known)
    gaps = gaps_of(fetch_plan, partial_days, query, choice)
    asked_ms = ports.clock.now_ms()
    fetched = await fetch(query, gaps, choice, begun, arrival, ports)
    origin_ms = ports.clock.now_ms() - asked_ms if gaps else None
    series = series_of(query, stored, choice.live.held(partial_days), fetched)
    body = answer_body(query, series)
    tag = entity_tag(body)
    route = choice.route if gaps or query.forced is not None else Route.CACHED
    days = (*whole_days(fetched, unsealed_day_of(arrival, ports)), *completed_days(partial_days, fetched))
    facts = facts_of(query, series, tag, body, arrival)
    kept_body = (body, facts) if fetch_plan.sealed and not fetched.errors() else None
    if freshness.refreshes:
        keeps = await _keep_refreshed(query, choice, fetched, days, begun, kept_body, ports)
    else:
        keeps = _keep_fetched(query, choice, fetched, days, route, kept_body, ports)
    return Outcome(
        response=conditional_response(body, tag, arrival.request),
        route=route,
        origin_ms=origin_ms,
        point_count=len(series),
        sample_count=sum(len(one.samples) for one in series),
        origin_samples=fetched.sample_count,
        verdict=verdict_of(
            freshness=freshness,
            from_store=bool(stored or partial_days or choice.live.tails),
            from_origin=bool(gaps),
        ),
        stored=keeps,
    )


def _keep_fetched(  # noqa: PLR0917 - what there is to be kept, and under which conditions
    query: TimeseriesQuery,
    choice: Choice,
    fetched: Fetched,
    days: Sequence[KeptDays],
    route: Route,
    answer: tuple[bytes, AnswerFacts] | None,
    ports: Ports,
) -> bool:
    """Remember the live part at once; store days and the answer once it has left. Whether they will be there
    next time, as far as is known now.
    """
    index = choice.index
    if not choice.freshness.keeps or not index.known:
        return False
    learn(query, choice.live, fetched, {point: index.stamps.of(point).total for point in query.points}, ports)
    if route is not Route.CACHED:
        return False
    ports.background.after(keep(query, days, index.stamps, ports))
    if answer is not None:
        digest = digest_of(query, version=ANSWER_VERSION, context=[index.stamps.total(query.points)])
        ports.background.after(keep_answer(digest, *answer, ports))
    return True


async def _keep_refreshed(  # noqa: PLR0917 - as above
    query: TimeseriesQuery,
    choice: Choice,
    fetched: Fetched,
    days: Sequence[KeptDays],
    begun: Refresh | None,
    answer: tuple[bytes, AnswerFacts] | None,
    ports: Ports,
) -> bool:
    """Store what a refresh read, whatever its route, and what it knows of the live part. Whether all of it
    is there.
    """
    kept = None if begun is None else await store_refresh(query, days, begun, ports)
    if kept is None:
        return False
    stamps = kept.stamps
    learn(query, choice.live, fetched, {point: stamps.of(point).total for point in query.points}, ports)
    if answer is not None:
        digest = digest_of(query, version=ANSWER_VERSION, context=[stamps.total(query.points)])
        ports.background.after(keep_answer(digest, *answer, ports))
    return True


async def fetch(  # noqa: PLR0917 - what to fetch, for whom, and what becomes of it
    query: TimeseriesQuery,
    gaps: Sequence[Gap],
    choice: Choice,
    begun: Refresh | None,
    arrival: Arrival,
    ports: Ports,
) -> Fetched:
    """What upstream has for the gaps.

    Raises AnswerTooLarge when that is more than one answer may fetch. The whole days that came by
    then are kept all the same, so that the next estimate is right and a job has less to do.
    """
    delivered: list[Delivery] = []
    try:
        async for delivery in deliveries(
            query,
            gaps,
            density_per_day=choice.index.density_per_day,
            deadline_ms=arrival.deadline_ms,
            ports=ports,
        ):
            delivered.append(delivery)  # noqa: PERF401 - what came before an error is kept
    except AnswerTooLarge:
        days = whole_days(Fetched(gaps=tuple(delivered)), unsealed_day_of(arrival, ports))
        if begun is not None:
            await store_refresh(query, days, begun, ports)
        elif choice.freshness.keeps and choice.route is Route.CACHED and choice.index.known:
            ports.background.after(keep(query, days, choice.index.stamps, ports))
        raise
    return Fetched(gaps=tuple(delivered))


def unsealed_day_of(arrival: Arrival, ports: Ports) -> int:
    """The first day that was not sealed when the request arrived."""
    return first_unsealed_day(now_ms=arrival.request.arrived_ms, settle_lag_ms=ports.settle_lag_ms)


def gaps_of(
    fetch_plan: FetchPlan, partial_days: Sequence[PartialDay], query: TimeseriesQuery, choice: Choice
) -> tuple[Gap, ...]:
    """What to fetch: exactly what is missing, or sealed days to store them whole, and the live edge.

    A refresh fetches whole days on every route: what it saw is what everybody sees after it.
    """
    left = without_partial_days(fetch_plan, partial_days)
    pieces = choice.live.pieces
    if choice.route is Route.DIRECT and not choice.freshness.refreshes:
        return (*exact_gaps(left, query.points, pieces), *partial_day_gaps(partial_days, query.span))
    return (
        *whole_day_gaps(left),
        *partial_day_gaps(partial_days, None),
        *live_gaps(left, query.points, pieces),
    )


def facts_of(
    query: TimeseriesQuery, series: tuple[PointSeries, ...], tag: str, body: bytes, arrival: Arrival
) -> AnswerFacts:
    """What is kept beside an answer's body."""
    return AnswerFacts(
        site=query.site,
        entity_tag=tag,
        point_count=len(series),
        sample_count=sum(len(one.samples) for one in series),
        body_bytes=len(body),
        created_ms=arrival.request.arrived_ms,
    )
