"""A request whose answer is too large to be made whole: what is missing is fetched and stored first, then the
samples leave window by window, as results do, in flat memory.
"""

from dataclasses import dataclass

from edgeseries.answers.formats import writer_of
from edgeseries.answers.whole_formats import whole_bound
from edgeseries.errors import AnswerTooLarge, TooLarge
from edgeseries.http.messages import HttpResponse
from edgeseries.limits import FORCED_DIRECT_MAX_SAMPLES, WHOLE_MAX_SAMPLES
from edgeseries.planning.fetch_plan import FetchPlan
from edgeseries.planning.freshness import verdict_of
from edgeseries.planning.query import TimeseriesQuery
from edgeseries.planning.routing import Route
from edgeseries.planning.sample_budget import bytes_held
from edgeseries.reading.fetched import Delivery, Fetched, completed_days, whole_days
from router.conditional import answer_headers, is_known
from router.endpoint import Arrival
from router.index_lookup import store_days
from router.inline_answer import Choice, answer_inline, unsealed_day_of
from router.job_result import begun, result_text, stored_version, tag_of
from router.memory_share import room_of, take_share
from router.outcome import Outcome
from router.point_facts import facts_for
from router.ports import Ports


def is_streamed(fetch_plan: FetchPlan) -> bool:
    """Whether an answer is too large to be made whole, as far as the index knows."""
    return fetch_plan.answer_samples > WHOLE_MAX_SAMPLES


async def answer_at_once(query: TimeseriesQuery, choice: Choice, arrival: Arrival, ports: Ports) -> Outcome:
    """Made whole, or streamed where that is too much. A refresh is always made whole: all of it is fetched,
    and what may be fetched while a caller waits is less than that.

    Raises AnswerTooLarge, MemoryBusy, and what the stores and the upstream raise.
    """
    if choice.freshness.refreshes:
        return await answer_inline(query, choice, arrival, ports)
    if is_streamed(choice.survey.fetch_plan):
        refuse_whole(choice)
        return await answer_streamed(query, choice, arrival, ports)
    try:
        return await answer_inline(query, choice, arrival, ports)
    except AnswerTooLarge as error:
        if error.estimated_samples > FORCED_DIRECT_MAX_SAMPLES:
            raise
        # What is stored is more than the index knew.
        refuse_whole(choice)
        return await answer_streamed(query, choice, arrival, ports)


def refuse_whole(choice: Choice) -> None:
    """Raises TooLarge for a format that cannot leave window by window."""
    if choice.presentation.whole:
        raise TooLarge(whole_bound(choice.survey.fetch_plan.answer_samples))


async def answer_streamed(query: TimeseriesQuery, choice: Choice, arrival: Arrival, ports: Ports) -> Outcome:
    """Fetch and store what is missing, then stream. A body that breaks off was not to be had in full.

    Raises AnswerTooLarge for more than may be fetched while the caller waits, MemoryBusy where there is no
    memory now, and what the stores and the upstream raise until the first samples are there.
    """
    missing = await _store_missing(query, choice, arrival, ports)
    version = await stored_version(query, ports)
    presentation = choice.presentation
    facts = await facts_for(query, presentation, ports)
    tag = None if version is None else tag_of(query, presentation, facts, version)
    headers = answer_headers(tag, presentation.media_type)
    if tag is not None and is_known(tag, arrival.request):
        response = HttpResponse(status=304, headers=headers)
    elif arrival.request.method == "HEAD":
        response = HttpResponse(status=200, headers=headers)
    else:
        text = result_text(query, writer_of(presentation, query, facts), version, ports)
        stream = ports.text_streaming.stream_text(await begun(text))
        response = HttpResponse(status=200, headers=headers, stream=stream)
    return Outcome(
        response=response,
        route=Route.CACHED if query.forced is None else query.forced,
        origin_ms=missing.origin_ms,
        point_count=len(query.points),
        sample_count=choice.survey.fetch_plan.answer_samples,
        origin_samples=missing.samples,
        verdict=verdict_of(
            freshness=choice.freshness, from_store=True, from_origin=missing.origin_ms is not None
        ),
        stored=missing.stored,
        site=query.site,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Missing:
    """What was fetched before the first sample left: how long that took, None if nothing was, how much it
    is, and whether it is stored.
    """

    origin_ms: int | None = None
    samples: int = 0
    stored: bool = False


async def _store_missing(query: TimeseriesQuery, choice: Choice, arrival: Arrival, ports: Ports) -> _Missing:
    """Fetch what is missing and store it; what cannot be stored is fetched once more with its window. What
    came before a failure is stored, too.
    """
    survey, began_ms = choice.survey, ports.clock.now_ms()
    stamps, stores = survey.index.stamps, choice.freshness.keeps and survey.index.known
    size = bytes_held(
        stored_samples=0, fetched_samples=min(survey.fetch_plan.cautious_samples, FORCED_DIRECT_MAX_SAMPLES)
    )
    share = await take_share(size, ports, deadline_ms=arrival.deadline_ms)
    delivered: list[Delivery] = []
    completed = completed_days((), Fetched())
    try:
        partial_days = await ports.reader.fetch_missing(
            survey, deadline_ms=arrival.deadline_ms, bound=room_of(share).bound, delivered=delivered
        )
        completed = completed_days(partial_days, Fetched(gaps=tuple(delivered)))
    finally:
        fetched = Fetched(gaps=tuple(delivered))
        if stores:
            days = whole_days(fetched, unsealed_day_of(query.site, arrival, ports))
            await store_days(query, (*days, *completed), stamps, ports)
        share.give_back()
    ports.reader.learn(survey, fetched, {point: stamps.of(point).total for point in query.points})
    if not delivered:
        return _Missing(stored=stores)
    return _Missing(origin_ms=ports.clock.now_ms() - began_ms, samples=fetched.sample_count, stored=stores)
