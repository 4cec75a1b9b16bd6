"""A request that is answered while the caller waits: blocks for what is stored, upstream for the rest."""

from dataclasses import dataclass

from edgeseries.core.answer import answer_body, entity_tag
from edgeseries.core.days import first_unsealed_day
from edgeseries.core.freshness import Freshness, verdict_of
from edgeseries.core.normal_form import digest_of
from edgeseries.core.planning import Gap, Need, exact_gaps, live_gaps, need_of, whole_day_gaps
from edgeseries.core.points import PointSeries
from edgeseries.core.query import TimeseriesQuery
from edgeseries.core.routing import Route
from edgeseries.ports.answers import AnswerFacts
from router.assembly import fetch, series_of, whole_days
from router.endpoints import Arrival
from router.outcome import Outcome
from router.ports import Ports
from router.stored import Index, keep, read_blocks
from router.tagged import tagged_response


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """How a request is answered: direct or cached, by what the index tells and what its caller
    asks of the store.
    """

    route: Route
    freshness: Freshness
    index: Index
    estimate: Need


def estimated_need(query: TimeseriesQuery, index: Index, arrival: Arrival, ports: Ports) -> Need:
    """What upstream must deliver, if the index is right."""
    return need_of(
        query.points,
        query.span,
        covered=index.covered,
        density_per_day=index.density_per_day,
        now_ms=arrival.request.arrived_ms,
        settle_lag_ms=ports.settle_lag_ms,
    )


async def answer_now(query: TimeseriesQuery, choice: Choice, arrival: Arrival, ports: Ports) -> Outcome:
    """Read, fetch, join, answer; store afterwards what is worth it."""
    route, freshness = choice.route, choice.freshness
    stored = await read_blocks(query, choice.estimate, ports)
    # The blocks are the truth; the index may know of days that are gone, or not yet of some that are there.
    held = Index(
        covered={point: one.days for point, one in stored.items()},
        density_per_day=choice.index.density_per_day,
    )
    need = estimated_need(query, held, arrival, ports)
    gaps = gaps_of(need, query, route)
    asked_ms = ports.clock.now_ms()
    fetched = await fetch(query, gaps, deadline_ms=arrival.deadline_ms, ports=ports)
    origin_ms = ports.clock.now_ms() - asked_ms if gaps else None
    series = series_of(query, stored, fetched)
    body = answer_body(query, series)
    tag = entity_tag(body)
    route = route if gaps or query.forced is not None else Route.CACHED
    keeps = freshness.keeps and route is Route.CACHED
    if keeps:
        unsealed_day = first_unsealed_day(
            now_ms=arrival.request.arrived_ms, settle_lag_ms=ports.settle_lag_ms
        )
        facts = facts_of(query, series, tag, body, arrival)
        answer = (digest_of(query), body, facts) if need.sealed and not fetched.errors() else None
        ports.background.after(keep(query, whole_days(fetched, unsealed_day), answer, ports))
    return Outcome(
        response=tagged_response(body, tag, arrival.request),
        route=route,
        origin_ms=origin_ms,
        point_count=len(series),
        sample_count=sum(len(one.samples) for one in series),
        origin_samples=fetched.sample_count,
        verdict=verdict_of(freshness=freshness, from_store=bool(stored), from_origin=bool(gaps)),
        stored=keeps,
    )


def gaps_of(need: Need, query: TimeseriesQuery, route: Route) -> tuple[Gap, ...]:
    """What to fetch: exactly what is missing, or whole sealed days to store and the live edge."""
    if route is Route.DIRECT:
        return exact_gaps(need, query.points)
    return (*whole_day_gaps(need), *live_gaps(need, query.points))


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
