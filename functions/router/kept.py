"""A kept answer as an outcome: found by the digest of a sealed request, streamed untouched."""

from edgeseries.core.access import Grant
from edgeseries.core.days import day_of, first_unsealed_day
from edgeseries.core.errors import EdgeError
from edgeseries.core.freshness import Freshness, Verdict, freshness_of
from edgeseries.core.http import HttpRequest, HttpResponse
from edgeseries.core.normal_form import digest_of
from edgeseries.core.query import TimeseriesQuery
from edgeseries.core.routing import Route
from router.endpoints import Arrival
from router.outcome import Outcome
from router.parameters import read_query
from router.ports import Ports
from router.stored import find_answer
from router.tagged import answer_headers, is_known


async def foresee_answer(head: HttpRequest, grant: Grant, ports: Ports) -> None:
    """Begin to look for the kept answer that a URL asks for. Nothing of it leaves; whatever is wrong with the
    request is said by its handler, once the caller is in.
    """
    if head.method not in ("GET", "HEAD"):
        return
    deadline_ms = head.arrived_ms + ports.request_deadline_ms
    try:
        request = await ports.incoming.whole(head, deadline_ms=deadline_ms)
        arrival = Arrival(request=request, grant=grant, path_parameters={}, deadline_ms=deadline_ms)
        query = read_query(arrival)
    except EdgeError:
        return
    if may_be_kept(query, freshness_of(head.headers.get("cache-control", "")), head.arrived_ms, ports):
        ports.answers.expect(digest_of(query))


def may_be_kept(query: TimeseriesQuery, freshness: Freshness, now_ms: int, ports: Ports) -> bool:
    """Whether an answer may come from the store as it is: all of it is sealed, and wanted from there."""
    unsealed_day = first_unsealed_day(now_ms=now_ms, settle_lag_ms=ports.settle_lag_ms)
    sealed = day_of(query.span.end_ms - 1) < unsealed_day
    return sealed and freshness.reads and query.forced in (None, Route.CACHED)


async def kept_answer(
    query: TimeseriesQuery, freshness: Freshness, arrival: Arrival, ports: Ports
) -> Outcome | None:
    """The whole answer from the store, or None: it is not sealed, not wanted from there, or not there."""
    if not may_be_kept(query, freshness, arrival.request.arrived_ms, ports):
        return None
    accepts_brotli = accepts(arrival.request.headers.get("accept-encoding", ""), "br")
    found = await find_answer(digest_of(query), accepts_brotli=accepts_brotli, ports=ports)
    if found is None:
        return None
    facts = found.facts
    headers = answer_headers(facts.entity_tag)
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
    )


def accepts(accept_encoding: str, coding: str) -> bool:
    """Whether an Accept-Encoding header takes a coding (RFC 9110, 12.5.3): named, and not with q=0."""
    for item in accept_encoding.lower().split(","):
        name, _, parameters = item.partition(";")
        if name.strip() == coding:
            weight = parameters.replace(" ", "").removeprefix("q=")
            return not weight or weight.strip("0.") != ""
    return False
