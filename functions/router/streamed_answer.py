"""A request whose answer is too large to be made whole: what is missing is fetched and stored first, then the
samples leave window by window, as results do, in flat memory.
"""

from edgeseries.answers.formats import writer_of
from edgeseries.answers.whole_formats import whole_bound
from edgeseries.errors import AnswerTooLarge, TooLarge
from edgeseries.http.messages import HttpResponse
from edgeseries.limits import FORCED_DIRECT_MAX_SAMPLES, WHOLE_MAX_SAMPLES
from edgeseries.planning.fetch_plan import FetchPlan
from edgeseries.planning.freshness import verdict_of
from edgeseries.planning.query import TimeseriesQuery
from edgeseries.planning.routing import Route
from router.endpoint import Arrival
from router.inline_answer import Choice, answer_inline, size_of
from router.job_result import begun, result_text, stored_version, tag_of
from router.missing_part import store_missing
from router.outcome import Outcome
from router.point_facts import facts_for
from router.ports import Ports
from router.reduced_answer import answer_reduced, is_small
from router.representation import answer_headers, is_known


def is_streamed(fetch_plan: FetchPlan, most_bytes: int) -> bool:
    """Whether an answer is too large to be made whole, as far as the index knows: it has too many samples, or
    takes more than an isolate has for answers, some of it fetched.
    """
    return fetch_plan.answer_samples > WHOLE_MAX_SAMPLES or size_of(fetch_plan) > most_bytes


async def answer_at_once(query: TimeseriesQuery, choice: Choice, arrival: Arrival, ports: Ports) -> Outcome:
    """Made whole, or streamed where that is too much. A refresh is always made whole: all of it is fetched,
    and what may be fetched while a caller waits is less than that.

    Raises AnswerTooLarge, MemoryBusy, and what the stores and the upstream raise.
    """
    in_windows = answer_streamed if query.question is None or not is_small(query) else answer_reduced
    if choice.freshness.refreshes:
        return await answer_inline(query, choice, arrival, ports)
    plan, most_bytes = choice.survey.fetch_plan, ports.sample_budget.max_bytes
    if is_streamed(plan, most_bytes) or (query.question is not None and not is_small(query)):
        return await in_windows(query, choice, arrival, ports)
    try:
        return await answer_inline(query, choice, arrival, ports)
    except AnswerTooLarge as error:
        if error.estimated_samples > FORCED_DIRECT_MAX_SAMPLES:
            raise
        # What is stored is more than the index knew.
        return await in_windows(query, choice, arrival, ports)


def refuse_whole(choice: Choice) -> None:
    """Raises TooLarge for a format that cannot leave window by window."""
    plan = choice.survey.fetch_plan
    if choice.presentation.whole and plan.answer_samples <= WHOLE_MAX_SAMPLES:
        raise TooLarge(
            f"about {plan.missing_samples} of {plan.answer_samples} samples are not stored: too much for a "
            "format that is made whole; ask for some of it first, or take json, rows, ndjson or parquet"
        )
    if choice.presentation.whole:
        raise TooLarge(whole_bound(plan.answer_samples))


def refuse_previous(query: TimeseriesQuery) -> None:
    """Raises TooLarge for a request that wants what was before its range, and is not made whole."""
    if query.previous:
        raise TooLarge(
            f"previous=true is for answers of at most {WHOLE_MAX_SAMPLES} samples; ask for a shorter range, "
            "or for the days before it"
        )


async def answer_streamed(query: TimeseriesQuery, choice: Choice, arrival: Arrival, ports: Ports) -> Outcome:
    """Fetch and store what is missing, then stream. A body that breaks off was not to be had in full.

    Raises AnswerTooLarge for more than may be fetched while the caller waits, MemoryBusy where there is no
    memory now, and what the stores and the upstream raise until the first samples are there.
    """
    refuse_whole(choice)
    refuse_previous(query)
    missing = await store_missing(query, choice, arrival, ports)
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
        writer = writer_of(presentation, query, facts)
        text = result_text(query, writer, version, ports, now_ms=arrival.request.arrived_ms)
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
