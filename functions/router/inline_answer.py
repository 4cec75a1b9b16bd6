"""A request that is answered while the caller waits: blocks for what is stored, upstream for the rest."""

from collections.abc import Sequence
from dataclasses import dataclass

from edgeseries.answers.answer import answer_body, entity_tag
from edgeseries.blocks.ports.answers import AnswerFacts
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
from router.index_lookup import Index, keep, read_blocks
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
    """What upstream must deliver, if the index is right."""
    return plan_fetch(
        query.points,
        query.span,
        covered=index.covered,
        density_per_day=index.density_per_day,
        now_ms=arrival.request.arrived_ms,
        settle_lag_ms=ports.settle_lag_ms,
        live_missing_ms=live.missing_ms,
    )


async def answer_inline(query: TimeseriesQuery, choice: Choice, arrival: Arrival, ports: Ports) -> Outcome:
    """Read, fetch, join, answer; store afterwards what is worth it."""
    route, freshness = choice.route, choice.freshness
    stored = await read_blocks(query, choice.estimate, ports)
    # The blocks are the truth; the index may know of days that are gone, or not yet of some that are there.
    held = Index(
        covered={point: one.days for point, one in stored.items()},
        density_per_day=choice.index.density_per_day,
    )
    fetch_plan = estimated_plan(query, held, choice.live, arrival, ports)
    partial_days = partial_days_of(fetch_plan, choice.live.known)
    gaps = gaps_of(fetch_plan, partial_days, query, route, choice.live)
    asked_ms = ports.clock.now_ms()
    fetched = await fetch(query, gaps, choice, arrival, ports)
    origin_ms = ports.clock.now_ms() - asked_ms if gaps else None
    if freshness.keeps:
        learn(query, choice.live, fetched, ports)
    series = series_of(query, stored, choice.live.held(partial_days), fetched)
    body = answer_body(query, series)
    tag = entity_tag(body)
    route = route if gaps or query.forced is not None else Route.CACHED
    keeps = freshness.keeps and route is Route.CACHED
    if keeps:
        facts = facts_of(query, series, tag, body, arrival)
        answer = (
            (digest_of(query, version=ANSWER_VERSION), body, facts)
            if fetch_plan.sealed and not fetched.errors()
            else None
        )
        days = (*whole_days(fetched, unsealed_day_of(arrival, ports)), *completed_days(partial_days, fetched))
        ports.background.after(keep(query, days, answer, ports))
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


async def fetch(
    query: TimeseriesQuery, gaps: Sequence[Gap], choice: Choice, arrival: Arrival, ports: Ports
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
        if choice.freshness.keeps and choice.route is Route.CACHED:
            days = whole_days(Fetched(gaps=tuple(delivered)), unsealed_day_of(arrival, ports))
            ports.background.after(keep(query, days, None, ports))
        raise
    return Fetched(gaps=tuple(delivered))


def unsealed_day_of(arrival: Arrival, ports: Ports) -> int:
    """The first day that was not sealed when the request arrived."""
    return first_unsealed_day(now_ms=arrival.request.arrived_ms, settle_lag_ms=ports.settle_lag_ms)


def gaps_of(
    fetch_plan: FetchPlan,
    partial_days: Sequence[PartialDay],
    query: TimeseriesQuery,
    route: Route,
    live: LivePart,
) -> tuple[Gap, ...]:
    """What to fetch: exactly what is missing, or sealed days to store them whole, and the live edge."""
    left = without_partial_days(fetch_plan, partial_days)
    if route is Route.DIRECT:
        return (*exact_gaps(left, query.points, live.pieces), *partial_day_gaps(partial_days, query.span))
    return (
        *whole_day_gaps(left),
        *partial_day_gaps(partial_days, None),
        *live_gaps(left, query.points, live.pieces),
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
