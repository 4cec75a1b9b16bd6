"""A cached answer as an outcome: found by the digest of a sealed request and its stamp, streamed as it is."""

from edgeseries.answers.presentation import Presentation, answer_digest
from edgeseries.errors import StoreUnavailable
from edgeseries.http.messages import HttpResponse
from edgeseries.planning.freshness import Freshness, Verdict
from edgeseries.planning.query import TimeseriesQuery
from edgeseries.planning.routing import Route
from edgeseries.reading.faults import note
from edgeseries.series.days import day_of, first_unsealed_day
from router.endpoint import Arrival
from router.outcome import Outcome
from router.ports import Ports
from router.representation import accepts, answer_headers, coded_tag, is_known


def may_be_cached(query: TimeseriesQuery, freshness: Freshness, arrival: Arrival, ports: Ports) -> bool:
    """Whether a cached answer may be there and is wanted: it is sealed, and the caller takes stored ones."""
    unsealed_day = first_unsealed_day(
        now_ms=arrival.request.arrived_ms, settle_lag_ms=ports.settle_lags.of(query.site, ports.settle_lag_ms)
    )
    sealed = day_of(query.span.end_ms - 1) < unsealed_day
    return sealed and freshness.reads and query.forced in (None, Route.CACHED)


def remembered_stamp(query: TimeseriesQuery, ports: Ports) -> int | None:
    """The generations of a query, if the isolate has read them lately."""
    return ports.stamps.recall(query.site, query.points, now_ms=ports.clock.now_ms())


async def cached_answer(
    query: TimeseriesQuery, presentation: Presentation, stamp: int, arrival: Arrival, ports: Ports
) -> Outcome | None:
    """The whole answer from the store, kept under these generations; None if it is not there, or if the store
    does not answer.
    """
    accepts_brotli = accepts(arrival.request.headers.get("accept-encoding", ""), "br")
    digest = answer_digest(query, presentation, stamp)
    try:
        found = await ports.answers.find(digest, accepts_brotli=accepts_brotli)
    except StoreUnavailable as error:
        note(ports, "answers_unread", error)
        return None
    if found is None:
        return None
    facts = found.facts
    headers = answer_headers(facts.entity_tag, presentation.media_type)
    headers["ETag"] = coded_tag(facts.entity_tag, found.content_encoding)
    if is_known(facts.entity_tag, arrival.request):
        response = HttpResponse(status=304, headers=headers)
    else:
        encoded = {"Content-Encoding": found.content_encoding} if found.content_encoding else {}
        response = HttpResponse(status=200, headers={**headers, **encoded}, stream=found.stream)
    return Outcome(
        response=response,
        route=Route.CACHED,
        point_count=facts.point_count,
        sample_count=facts.sample_count,
        verdict=Verdict.HIT,
        site=query.site,
    )
