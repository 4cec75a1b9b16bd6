"""A request whose answer is made whole while the caller waits: blocks for what is stored, upstream for the
rest.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from edgeseries.answers.formats import answer_body, writer_of
from edgeseries.answers.presentation import JSON, Presentation
from edgeseries.blocks.ports.answers import AnswerFacts
from edgeseries.blocks.ports.blocks import DaysToStore
from edgeseries.blocks.stamps import Refresh
from edgeseries.errors import AnswerTooLarge, MemoryBusy
from edgeseries.http.messages import HttpResponse
from edgeseries.limits import DOUBT_MS, FORCED_DIRECT_MAX_SAMPLES, HELD_BODY_BYTES, WHOLE_MAX_SAMPLES
from edgeseries.planning.fetch_plan import FetchPlan
from edgeseries.planning.freshness import Freshness, verdict_of
from edgeseries.planning.memory_share import MemoryShare
from edgeseries.planning.query import TimeseriesQuery
from edgeseries.planning.routing import Route
from edgeseries.planning.sample_bound import SampleBound
from edgeseries.planning.sample_budget import bytes_held
from edgeseries.reading.asked import AskedSeries
from edgeseries.reading.fetched import Delivery, Fetched, touched_days, whole_days
from edgeseries.reading.series_reader import Reading, ReadOptions
from edgeseries.reading.surplus import surplus_days
from edgeseries.reading.survey import Index, Survey
from edgeseries.series.points import PointSeries
from edgeseries.series.samples import days_with_samples
from router.endpoint import Arrival
from router.fetch_turn import FetchTurn
from router.index_lookup import begin_refresh, store_days, store_refresh
from router.last_samples import with_previous
from router.memory_share import AnswerRoom, held_body, held_work, room_of, take_share
from router.outcome import Outcome
from router.point_facts import explained, facts_for, unknown_points
from router.ports import Ports
from router.representation import conditional_response, entity_tag
from router.store_reading import (
    Storable,
    days_to_store,
    store_fetched,
    store_refreshed,
    unsealed_day_of,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """How a request is answered: direct or cached, by what was found of it, what its caller asks of the
    store, and how the answer is to look. `turn` is held until what it fetches is stored.
    """

    route: Route
    freshness: Freshness
    survey: Survey
    presentation: Presentation = JSON
    turn: FetchTurn | None = None


async def answer_inline(query: TimeseriesQuery, choice: Choice, arrival: Arrival, ports: Ports) -> Outcome:
    """Read, fetch, join, answer; store afterwards what is worth it. A refresh stores before it answers:
    whoever has its answer may count on everybody seeing what it saw.

    Raises AnswerTooLarge for more samples than an answer may really have, MemoryBusy where there is no memory
    for them now.
    """
    share = await take_share(size_of(choice.survey.fetch_plan), ports, deadline_ms=arrival.deadline_ms)
    try:
        return await _answer(query, choice, room_of(share), arrival, ports)
    finally:
        share.give_back()


def size_of(estimate: FetchPlan) -> int:
    """Bytes of memory that an answer may well take while it is made, never more than any may take. Too much
    is given back once it is known: many who found out together that they need more would all get nothing.
    """
    fetched = min(estimate.cautious_samples, FORCED_DIRECT_MAX_SAMPLES)
    stored = min(max(0, estimate.answer_samples - estimate.missing_samples), WHOLE_MAX_SAMPLES - fetched)
    return bytes_held(stored_samples=stored, fetched_samples=fetched)


async def _answer(
    query: TimeseriesQuery, choice: Choice, room: AnswerRoom, arrival: Arrival, ports: Ports
) -> Outcome:
    freshness, survey = choice.freshness, choice.survey
    begun = await begin_refresh(query, ports) if freshness.refreshes else None
    reading = await _read(query, choice, begun, room, arrival, ports)
    room.share.shrink(_held_bytes(room.bound))
    asked = AskedSeries(query, ports.bucketing, now_ms=arrival.request.arrived_ms)
    series = asked.whole(await explained(reading.series, query.site, ports))
    if query.previous:
        series = await with_previous(query, series, arrival, ports)
    writer = writer_of(choice.presentation, query, await facts_for(query, choice.presentation, ports))
    body = answer_body(writer, series, ports.encoder)
    tag = entity_tag(body)
    route = choice.route if reading.from_origin or query.forced is not None else Route.CACHED
    days = days_to_store(query.site, reading, arrival, ports)
    facts = facts_of(query, series, tag, body, arrival)
    read = days if route is Route.CACHED else touched_days(reading.fetched)
    facts = replace(facts, fresh_until_ms=fresh_until_ms(survey.index, read, arrival))
    storable = Storable(
        reading=reading,
        presentation=choice.presentation,
        days=days,
        along=surplus_days(reading.surplus, unsealed_day_of(query.site, arrival, ports)),
        answer=(body, facts) if _is_final(reading) else None,
    )
    if freshness.refreshes:
        stores = await store_refreshed(query, survey, storable, begun, ports)
    else:
        wanted = freshness.keeps and survey.index.known
        stores = wanted and store_fetched(query, survey, storable, route, room.share, choice.turn, ports)
    response = conditional_response(body, tag, arrival.request, choice.presentation.media_type)
    return Outcome(
        response=held_response(response, room.share, arrival.request.method, ports),
        body_bytes=len(response.body),
        route=route,
        origin_ms=reading.origin_ms,
        point_count=len(query.points),
        sample_count=facts.sample_count,
        origin_samples=reading.fetched.sample_count,
        verdict=verdict_of(
            freshness=freshness, from_store=reading.from_store, from_origin=reading.from_origin
        ),
        stored=stores,
        site=query.site,
        unknown_points=unknown_points(reading.series),
    )


async def _read(  # noqa: PLR0917 - what is read, for whom, and what becomes of it
    query: TimeseriesQuery,
    choice: Choice,
    begun: Refresh | None,
    room: AnswerRoom,
    arrival: Arrival,
    ports: Ports,
) -> Reading:
    """The samples. A refresh fetches whole days on every route: what it saw is what everybody sees after it.

    Where they are too many for one answer or for the memory, the whole days that came by then are stored all
    the same, so that the next estimate is right and a job has less to do.
    """
    options = ReadOptions(
        deadline_ms=arrival.deadline_ms,
        whole_days=choice.route is not Route.DIRECT or choice.freshness.refreshes,
        probes=query.forced is None,
    )
    delivered: list[Delivery] = []
    try:
        return await ports.reader.read(choice.survey, options, bound=room.bound, delivered=delivered)
    except (AnswerTooLarge, MemoryBusy):
        days = whole_days(Fetched(gaps=tuple(delivered)), unsealed_day_of(query.site, arrival, ports))
        index = choice.survey.index
        if begun is not None:
            await store_refresh(query, days, begun, ports)
        elif choice.freshness.keeps and choice.route is Route.CACHED and index.known:
            storing = store_days(query, days, index.stamps, ports)
            ports.background.after(held_work(storing, room.share.also_held()))
        raise


def _held_bytes(bound: SampleBound) -> int:
    return bytes_held(stored_samples=bound.stored, fetched_samples=bound.fetched + bound.besides)


def _is_final(reading: Reading) -> bool:
    """Whether the answer is the same for ever, but for purges: sealed, without an error, and with every empty
    day read again that was due.
    """
    plan = reading.fetch_plan
    return plan.sealed and (reading.from_origin or not plan.rereads) and not reading.fetched.errors()


def fresh_until_ms(index: Index, days: Sequence[DaysToStore], arrival: Arrival) -> int | None:
    """Until when an answer may be cached: not past the moment when an empty day in it is to be read again.

    An empty day that was read just now may be one whose silence is doubted.
    """
    moments = [one.days.first_due_ms for one in index.points.values() if one.days.first_due_ms is not None]
    if any(len(days_with_samples(one.samples.times_ms)) < len(one.days) for one in days):
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


def facts_of(
    query: TimeseriesQuery, series: tuple[PointSeries, ...], tag: str, body: bytes, arrival: Arrival
) -> AnswerFacts:
    """What is kept beside an answer's body."""
    return AnswerFacts(
        site=query.site,
        entity_tag=tag,
        point_count=len(query.points),
        sample_count=sum(len(one.samples) for one in series),
        body_bytes=len(body),
        created_ms=arrival.request.arrived_ms,
    )
