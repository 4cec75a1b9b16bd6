"""The life of a request, from arrival to the response that leaves.

Every step is a decision with a file of its own; this page only puts them in order.
"""

from dataclasses import replace
from typing import Final

from edgeseries.core.declared import names_of
from edgeseries.core.errors import AnswerTooLarge, EdgeError, RateLimited
from edgeseries.core.freshness import freshness_of
from edgeseries.core.http import HttpRequest, HttpResponse
from edgeseries.core.limits import MINUTE_MS, SECOND_MS
from edgeseries.core.problem import problem_response
from edgeseries.core.results.parts import block_count
from edgeseries.core.routing import Route, choose_route
from router.contract.operations import OPERATIONS
from router.coverage import coverage
from router.dead_letters import list_letters, replay_letter
from router.departure import depart, preflight
from router.endpoints import Arrival, Endpoint, find_endpoint, find_handler, label_of
from router.health import health
from router.jobs import cancel_job, follow_job, list_jobs, make_job, retry_job, show_job, show_result
from router.kept import kept_answer
from router.live import live_part_of
from router.metrics import metrics
from router.now import Choice, answer_now, estimated_need
from router.openapi import openapi
from router.outcome import Outcome
from router.parameters import read_fields, read_query
from router.ports import Ports
from router.purging import purge
from router.queued import queue_job
from router.sites import list_points, list_sites
from router.stats import stats
from router.stored import look_up


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
    operation = OPERATIONS[endpoint.pattern]["GET" if head.method == "HEAD" else head.method]
    path_parameters = endpoint.parameters(head.path)
    await admit(head, ports)
    deadline_ms = head.arrived_ms + ports.request_deadline_ms
    request = await ports.incoming.whole(head, deadline_ms=deadline_ms)
    if not names_of(operation.parameters) and operation.body is None:
        read_fields(request, ())
    return await handle(
        Arrival(request=request, path_parameters=path_parameters, deadline_ms=deadline_ms), ports
    )


async def timeseries(arrival: Arrival, ports: Ports) -> Outcome:
    """`/api/timeseries`: check; stream a kept answer; or see what is missing, choose the route, take it."""
    query = read_query(arrival.request)
    freshness = freshness_of(arrival.request.headers.get("cache-control", ""))
    kept = await kept_answer(query, freshness, arrival, ports)
    if kept is not None:
        return kept
    index = await look_up(query, reads=freshness.reads, ports=ports)
    live = live_part_of(query, now_ms=arrival.request.arrived_ms, reads=freshness.reads, ports=ports)
    need = estimated_need(query, index, live, arrival, ports)
    route = choose_route(
        missing_samples=need.missing_samples,
        answer_samples=need.answer_samples,
        blocks=block_count(len(query.points), need.sealed_part),
        forced=query.forced,
        sizes=ports.route_sizes,
    )
    if route is Route.QUEUED:
        return await queue_job(query, need, arrival, ports)
    choice = Choice(route=route, freshness=freshness, index=index, live=live, estimate=need)
    try:
        return await answer_now(query, choice, arrival, ports)
    except AnswerTooLarge as error:
        if query.forced is not None:
            raise
        # The estimate was too low, and nobody insists on an answer now.
        need = replace(need, missing_samples=error.estimated_samples)
        return await queue_job(query, need, arrival, ports)


async def admit(head: HttpRequest, ports: Ports) -> None:
    """Raises RateLimited for a caller over its rate."""
    if not await ports.admission.admits(head.caller):
        raise RateLimited(
            "too many requests from this caller; wait a minute, or ask for more points per request",
            retry_after_s=MINUTE_MS // SECOND_MS,
        )


def refuse(error: EdgeError, request: HttpRequest, ports: Ports) -> HttpResponse:
    """The problem response of an error, as it leaves."""
    problem = problem_response(error, path=request.path, request_id=request.request_id)
    return depart(
        request,
        Outcome(response=problem, error=error),
        endpoint=label_of(ENDPOINTS, request.path),
        ports=ports,
    )


ENDPOINTS: Final = (
    Endpoint(pattern="/api/timeseries", handlers={"GET": timeseries, "POST": timeseries}),
    Endpoint(pattern="/api/coverage", handlers={"GET": coverage, "POST": coverage}),
    Endpoint(pattern="/api/cache", handlers={"DELETE": purge}),
    Endpoint(pattern="/api/sites", handlers={"GET": list_sites}),
    Endpoint(pattern="/api/sites/{site}/points", handlers={"GET": list_points}),
    Endpoint(pattern="/api/jobs", handlers={"GET": list_jobs, "POST": make_job}),
    Endpoint(pattern="/api/jobs/{job}", handlers={"GET": show_job, "DELETE": cancel_job}),
    Endpoint(pattern="/api/jobs/{job}/result", handlers={"GET": show_result}),
    Endpoint(pattern="/api/jobs/{job}/events", handlers={"GET": follow_job}),
    Endpoint(pattern="/api/jobs/{job}/retry", handlers={"POST": retry_job}),
    Endpoint(pattern="/api/queue/dlq", handlers={"GET": list_letters}),
    Endpoint(pattern="/api/queue/dlq/{letter}/replay", handlers={"POST": replay_letter}),
    Endpoint(pattern="/api/health", handlers={"GET": health}),
    Endpoint(pattern="/api/stats", handlers={"GET": stats}),
    Endpoint(pattern="/api/metrics", handlers={"GET": metrics}),
    Endpoint(pattern="/api/openapi.json", handlers={"GET": openapi}),
)
