"""The life of a request, from arrival to the response that leaves.

Every step is a decision with a file of its own; this page only puts them in order.
"""

from typing import Final

from edgeseries.core.answer import answer_body, entity_tag, is_named_by
from edgeseries.core.errors import EdgeError, RateLimited, RouteUnavailable
from edgeseries.core.http import HttpRequest, HttpResponse
from edgeseries.core.limits import MINUTE_MS, SECOND_MS
from edgeseries.core.problem import problem_response
from edgeseries.core.query import TimeseriesQuery
from edgeseries.core.routing import Route, choose_route, estimate_samples
from router.departure import depart, preflight
from router.endpoints import Arrival, Endpoint, find_endpoint, find_handler, label_of
from router.health import health
from router.outcome import Outcome
from router.parameters import read_query
from router.ports import Ports
from router.sites import list_points, list_sites


async def answer(request: HttpRequest, ports: Ports) -> HttpResponse:
    """Any request, of which the head is here: serve it, or tell the caller why not; write it down."""
    try:
        outcome = await serve(request, ports)
    except EdgeError as error:
        return refuse(error, request, ports)
    return depart(request, outcome, endpoint=label_of(ENDPOINTS, request.path), ports=ports)


async def serve(head: HttpRequest, ports: Ports) -> Outcome:
    """Find the endpoint, let the caller in, read the rest of the request, hand it to its handler."""
    endpoint = find_endpoint(ENDPOINTS, head.path)
    if head.method == "OPTIONS":
        return Outcome(response=preflight(endpoint.methods))
    handle = find_handler(endpoint, head.method)
    path_parameters = endpoint.parameters(head.path)
    await admit(head, ports)
    deadline_ms = head.arrived_ms + ports.request_deadline_ms
    request = await ports.incoming.whole(head, deadline_ms=deadline_ms)
    return await handle(
        Arrival(request=request, path_parameters=path_parameters, deadline_ms=deadline_ms), ports
    )


async def timeseries(arrival: Arrival, ports: Ports) -> Outcome:
    """`/api/timeseries`: check, estimate, choose the route, take it."""
    query = read_query(arrival.request)
    missing_samples = estimate_samples(point_count=len(query.points), span=query.span)
    route = choose_route(missing_samples=missing_samples, forced=query.forced, sizes=ports.route_sizes)
    if route is not Route.DIRECT:
        raise not_built_yet(route, missing_samples, ports)
    return await direct(query, arrival, ports)


async def direct(query: TimeseriesQuery, arrival: Arrival, ports: Ports) -> Outcome:
    """Exactly the range that was asked, from the upstream, within the deadline."""
    asked_ms = ports.clock.now_ms()
    series = await ports.origin.fetch(query.site, query.points, query.span, deadline_ms=arrival.deadline_ms)
    origin_ms = ports.clock.now_ms() - asked_ms
    body = answer_body(query, series)
    tag = entity_tag(body)
    # If-None-Match of a POST would be a precondition of a change (RFC 9110, 13.1.2); this changes nothing.
    known = arrival.request.headers.get("if-none-match", "") if arrival.request.method != "POST" else ""
    unchanged = is_named_by(tag, known)
    headers = {
        "Content-Type": "application/json",
        "ETag": tag,
        "Cache-Control": "private, no-cache",
        "X-Cache-Hit": "false",
    }
    return Outcome(
        response=HttpResponse(
            status=304 if unchanged else 200, headers=headers, body=b"" if unchanged else body
        ),
        route=Route.DIRECT,
        origin_ms=origin_ms,
        point_count=len(series),
        sample_count=sum(len(one.samples) for one in series),
    )


async def admit(head: HttpRequest, ports: Ports) -> None:
    """Raises RateLimited for a caller over its rate."""
    if not await ports.admission.admits(head.caller):
        raise RateLimited(
            "too many requests from this caller; wait a minute, or ask for more points per request",
            retry_after_s=MINUTE_MS // SECOND_MS,
        )


def not_built_yet(route: Route, estimated_samples: int, ports: Ports) -> RouteUnavailable:
    """What to tell a caller whose request is for a route that does not exist yet."""
    return RouteUnavailable(
        f"about {estimated_samples} samples are for the {route} route, which this version does not have yet; "
        f"ask for fewer points or a shorter range (under {ports.route_sizes.direct_max_samples} samples), "
        "or send route=direct to have it fetched while you wait",
        route=route,
        estimated_samples=estimated_samples,
    )


def refuse(error: EdgeError, request: HttpRequest, ports: Ports) -> HttpResponse:
    """The problem response of an error, as it leaves."""
    problem = problem_response(error, path=request.path, request_id=request.request_id)
    route = error.route if isinstance(error, RouteUnavailable) else ""
    return depart(
        request,
        Outcome(response=problem, error=error, route=route),
        endpoint=label_of(ENDPOINTS, request.path),
        ports=ports,
    )


ENDPOINTS: Final = (
    Endpoint(pattern="/api/timeseries", handlers={"GET": timeseries, "POST": timeseries}),
    Endpoint(pattern="/api/sites", handlers={"GET": list_sites}),
    Endpoint(pattern="/api/sites/{site}/points", handlers={"GET": list_points}),
    Endpoint(pattern="/api/health", handlers={"GET": health}),
)
