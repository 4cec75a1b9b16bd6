"""A request for buckets or a chart of more samples than pass through memory at once: what is missing is
fetched and stored first, then the samples are read window by window, and what comes of them is answered
whole.
"""

from contextlib import aclosing
from dataclasses import replace

from edgeseries.answers.formats import answer_body, writer_of
from edgeseries.answers.presentation import answer_digest
from edgeseries.limits import WHOLE_MAX_SAMPLES
from edgeseries.planning.freshness import verdict_of
from edgeseries.planning.query import TimeseriesQuery
from edgeseries.planning.routing import Route
from edgeseries.reading.asked import AskedSeries
from edgeseries.reading.windows import OF_QUESTIONS, series_by_window
from edgeseries.series.points import PointSeries
from router.endpoint import Arrival
from router.index_lookup import store_answer
from router.inline_answer import Choice, facts_of
from router.memory_share import take_share
from router.missing_part import store_missing
from router.outcome import Outcome
from router.point_facts import explained, facts_for
from router.ports import Ports
from router.representation import conditional_response, entity_tag


def is_small(query: TimeseriesQuery) -> bool:
    """Whether what comes of a question is little enough to be answered whole."""
    assert query.question is not None
    return len(query.points) * query.question.most_values(query.span.duration_ms) <= WHOLE_MAX_SAMPLES


async def answer_reduced(query: TimeseriesQuery, choice: Choice, arrival: Arrival, ports: Ports) -> Outcome:
    """Raises AnswerTooLarge for more than may be fetched while the caller waits, MemoryBusy where there is no
    memory now, and what the stores and the upstream raise.
    """
    missing = await store_missing(query, choice, arrival, ports)
    series = await _reduced(query, arrival, ports)
    writer = writer_of(choice.presentation, query, await facts_for(query, choice.presentation, ports))
    body = answer_body(writer, series, ports.encoder)
    tag = entity_tag(body)
    index, facts = choice.survey.index, facts_of(query, series, tag, body, arrival)
    facts = replace(facts, fresh_until_ms=missing.fresh_until_ms)
    final = choice.survey.fetch_plan.sealed and not any(one.error for one in series)
    if final and choice.freshness.keeps and index.known and not choice.survey.fetch_plan.rereads:
        digest = answer_digest(query, choice.presentation, index.stamps.total(query.points))
        ports.background.after(store_answer(digest, body, facts, ports))
    response = conditional_response(body, tag, arrival.request, choice.presentation.media_type)
    return Outcome(
        response=response,
        body_bytes=len(response.body),
        route=Route.CACHED if query.forced is None else query.forced,
        origin_ms=missing.origin_ms,
        point_count=len(query.points),
        sample_count=facts.sample_count,
        origin_samples=missing.samples,
        verdict=verdict_of(
            freshness=choice.freshness, from_store=True, from_origin=missing.origin_ms is not None
        ),
        stored=missing.stored,
        site=query.site,
    )


async def _reduced(query: TimeseriesQuery, arrival: Arrival, ports: Ports) -> tuple[PointSeries, ...]:
    asked = AskedSeries(query, ports.bucketing, now_ms=arrival.request.arrived_ms)
    found: list[PointSeries] = []
    windows = series_by_window(
        query.read(),
        ports.reader,
        take_share=lambda size: take_share(size, ports, deadline_ms=arrival.deadline_ms),
        deadline_ms=lambda: arrival.deadline_ms,
        stored_only=False,
        size=OF_QUESTIONS,
    )
    async with aclosing(windows):
        async for window in windows:
            for one in await explained(window.series, query.site, ports):
                found += asked.part(one, ends=window.ends)
    return tuple(found)
