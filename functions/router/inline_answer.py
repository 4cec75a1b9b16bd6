"""A request that is answered while the caller waits: blocks for what is stored, upstream for the rest."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from edgeseries.answers.answer import answer_body
from edgeseries.blocks.ports.answers import AnswerFacts
from edgeseries.blocks.ports.blocks import DaysToStore
from edgeseries.blocks.stamps import Refresh
from edgeseries.errors import AnswerTooLarge, Defect, MemoryBusy, Transient
from edgeseries.http.messages import HttpResponse
from edgeseries.limits import DOUBT_MS, FORCED_DIRECT_MAX_SAMPLES, HELD_BODY_BYTES, INLINE_MAX_SAMPLES
from edgeseries.planning.canonical import ANSWER_VERSION, digest_of
from edgeseries.planning.fetch_plan import FetchPlan, Gap, exact_gaps, live_gaps, plan_fetch, whole_day_gaps
from edgeseries.planning.freshness import Freshness, verdict_of
from edgeseries.planning.memory_share import MemoryShare
from edgeseries.planning.partial_days import (
    PartialDay,
    partial_day_gaps,
    partial_days_of,
    without_partial_days,
)
from edgeseries.planning.query import TimeseriesQuery
from edgeseries.planning.routing import Route
from edgeseries.planning.sample_budget import bytes_held
from edgeseries.series.days import day_of, first_unsealed_day
from edgeseries.series.points import PointSeries
from router.assembly import Delivery, Fetched, completed_days, deliveries, series_of, whole_days
from router.conditional import conditional_response, entity_tag
from router.endpoint import Arrival
from router.index_lookup import (
    Index,
    begin_refresh,
    note,
    read_blocks,
    store_answer,
    store_days,
    store_refresh,
)
from router.live import LivePart, learn
from router.memory_share import AnswerRoom, held_body, held_work, room_of, take_share
from router.outcome import Outcome
from router.ports import Ports


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """How a request is answered: direct or cached, by what the index says and what its caller
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
    """What upstream must deliver, if every object is there that the index lists."""
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
        stored=index.points,
    )


async def answer_inline(query: TimeseriesQuery, choice: Choice, arrival: Arrival, ports: Ports) -> Outcome:
    """Read, fetch, join, answer; store afterwards what is worth it. A refresh stores before it answers:
    whoever has its answer may count on everybody seeing what it saw.

    Raises AnswerTooLarge for more samples than an answer may really have, MemoryBusy where there is no memory
    for them now.
    """
    share = await take_share(size_of(choice.estimate), ports, deadline_ms=arrival.deadline_ms)
    try:
        return await _answer(query, choice, room_of(share), arrival, ports)
    finally:
        share.give_back()


def size_of(estimate: FetchPlan) -> int:
    """Bytes of memory that an answer may well take while it is made, never more than any may take. Too much
    is given back once it is known: many who found out together that they need more would all get nothing.
    """
    fetched = min(estimate.cautious_samples, FORCED_DIRECT_MAX_SAMPLES)
    stored = min(max(0, estimate.answer_samples - estimate.missing_samples), INLINE_MAX_SAMPLES - fetched)
    return bytes_held(stored_samples=stored, fetched_samples=fetched)


async def _answer(
    query: TimeseriesQuery, choice: Choice, room: AnswerRoom, arrival: Arrival, ports: Ports
) -> Outcome:
    freshness = choice.freshness
    begun = await begin_refresh(query, ports) if freshness.refreshes else None
    stored = await read_blocks(query, choice.estimate, choice.index, room.bound, ports)
    # An object may be gone that the index lists.
    held = {point: one.days - _due(choice.index, point) for point, one in stored.items()}
    fetch_plan = _plan(query, held, choice.index, choice.live, arrival, ports)
    partial_days = partial_days_of(fetch_plan, choice.live.known)
    gaps = gaps_of(fetch_plan, partial_days, query, choice)
    asked_ms = ports.clock.now_ms()
    try:
        fetched = await fetch(query, gaps, choice, begun, room, arrival, ports)
    except (Transient, Defect) as error:
        if isinstance(error, MemoryBusy) or not fetch_plan.rereads or not choice.index.reads:
            raise
        # Days that were stored as empty could not be read again: what is stored is served, as ever.
        held = {point: held.get(point, frozenset()) | _due(choice.index, point) for point in query.points}
        fetch_plan = _plan(query, held, choice.index, choice.live, arrival, ports)
        if gaps_of(fetch_plan, partial_days_of(fetch_plan, choice.live.known), query, choice):
            raise
        note(ports, "empty_days_not_reread", error)
        partial_days, gaps, fetched = (), (), Fetched()
        fetch_plan = replace(fetch_plan, rereads=True)
    origin_ms = ports.clock.now_ms() - asked_ms if gaps else None
    room.share.shrink(bytes_held(stored_samples=room.bound.stored, fetched_samples=room.bound.fetched))
    series = series_of(query, stored, choice.live.held(partial_days), fetched)
    body = answer_body(query, series)
    tag = entity_tag(body)
    route = choice.route if gaps or query.forced is not None else Route.CACHED
    days = (*whole_days(fetched, unsealed_day_of(arrival, ports)), *completed_days(partial_days, fetched))
    facts = facts_of(query, series, tag, body, arrival)
    facts = replace(facts, fresh_until_ms=fresh_until_ms(choice.index, days, arrival))
    settled = fetch_plan.sealed and (bool(gaps) or not fetch_plan.rereads) and not fetched.errors()
    cacheable_body = (body, facts) if settled else None
    if freshness.refreshes:
        keeps = await _store_refreshed(query, choice, fetched, days, begun, cacheable_body, ports)
    else:
        keeps = _store_fetched(query, choice, fetched, days, route, cacheable_body, room, ports)
    response = conditional_response(body, tag, arrival.request)
    return Outcome(
        response=held_response(response, room.share, arrival.request.method, ports),
        body_bytes=len(response.body),
        route=route,
        origin_ms=origin_ms,
        point_count=len(series),
        sample_count=sum(len(one.samples) for one in series),
        origin_samples=fetched.sample_count,
        verdict=verdict_of(
            freshness=freshness,
            from_store=bool(stored or partial_days or choice.live.recents),
            from_origin=bool(gaps),
        ),
        stored=keeps,
    )


def _due(index: Index, point: str) -> frozenset[int]:
    """Days of a point that were stored as empty, and are to be read again."""
    known = index.points.get(point)
    return frozenset() if known is None else known.days.due


def fresh_until_ms(index: Index, days: Sequence[DaysToStore], arrival: Arrival) -> int | None:
    """Until when an answer may be kept: not past the moment when an empty day in it is to be read again.

    An empty day that was read just now may be one whose silence is doubted.
    """
    moments = [one.days.first_due_ms for one in index.points.values() if one.days.first_due_ms is not None]
    if any(len({day_of(at_ms) for at_ms in one.samples.times_ms}) < len(one.days) for one in days):
        moments.append(arrival.request.arrived_ms + DOUBT_MS)
    return min(moments, default=None)


def held_response(response: HttpResponse, share: MemoryShare, method: str, ports: Ports) -> HttpResponse:
    """The response; a large body as a stream that holds its share of memory until it has left."""
    body = response.body
    if len(body) < HELD_BODY_BYTES or method == "HEAD":
        return response
    share.shrink(len(body))
    stream = ports.streaming.stream(held_body(body, share.also_held()))
    return replace(response, body=b"", stream=stream)


def _store_fetched(  # noqa: PLR0917 - what there is to be kept, and under which conditions
    query: TimeseriesQuery,
    choice: Choice,
    fetched: Fetched,
    days: Sequence[DaysToStore],
    route: Route,
    answer: tuple[bytes, AnswerFacts] | None,
    room: AnswerRoom,
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
    storing = store_days(query, days, index.stamps, ports)
    ports.background.after(held_work(storing, room.share.also_held()))
    if answer is not None:
        digest = digest_of(query, version=ANSWER_VERSION, context=[index.stamps.total(query.points)])
        ports.background.after(store_answer(digest, *answer, ports))
    return True


async def _store_refreshed(  # noqa: PLR0917 - as above
    query: TimeseriesQuery,
    choice: Choice,
    fetched: Fetched,
    days: Sequence[DaysToStore],
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
        ports.background.after(store_answer(digest, *answer, ports))
    return True


async def fetch(  # noqa: PLR0917 - what to fetch, for whom, and what becomes of it
    query: TimeseriesQuery,
    gaps: Sequence[Gap],
    choice: Choice,
    begun: Refresh | None,
    room: AnswerRoom,
    arrival: Arrival,
    ports: Ports,
) -> Fetched:
    """What upstream has for the gaps.

    Raises AnswerTooLarge when that is more than one answer may fetch, MemoryBusy where there is no memory
    for it. The whole days that came by then are kept all the same, so that the next estimate is right and
    a job has less to do.
    """
    delivered: list[Delivery] = []
    try:
        async for delivery in deliveries(
            query,
            gaps,
            density_per_day=choice.index.density_per_day,
            deadline_ms=arrival.deadline_ms,
            bound=room.bound,
            ports=ports,
        ):
            delivered.append(delivery)  # noqa: PERF401 - what came before an error is kept
    except (AnswerTooLarge, MemoryBusy):
        days = whole_days(Fetched(gaps=tuple(delivered)), unsealed_day_of(arrival, ports))
        if begun is not None:
            await store_refresh(query, days, begun, ports)
        elif choice.freshness.keeps and choice.route is Route.CACHED and choice.index.known:
            storing = store_days(query, days, choice.index.stamps, ports)
            ports.background.after(held_work(storing, room.share.also_held()))
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
