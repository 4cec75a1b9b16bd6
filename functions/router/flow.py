"""The life of a request, from arrival to the response that leaves.

Every step is a decision with a file of its own; this page only puts them in order.
"""

from dataclasses import replace
from typing import Final

from edgeseries.access.grants import Grant
from edgeseries.answers.parts import block_count
from edgeseries.answers.problem import problem_response
from edgeseries.errors import AnswerTooLarge, EdgeError
from edgeseries.http.messages import HttpRequest, HttpResponse
from edgeseries.http.parameters import names_of
from edgeseries.planning.freshness import freshness_of
from edgeseries.planning.routing import Route, choose_route
from router.authorize import authorize, unruled
from router.cached_answer import cached_answer, may_be_kept
from router.contract.operations import OPERATIONS
from router.endpoints import Arrival, Endpoint, find_endpoint, find_handler, label_of
from router.finalize_response import finalize_response, preflight
from router.handlers.cache import purge
from router.handlers.coverage import coverage
from router.handlers.dead_letters import list_letters, replay_letter
from router.handlers.health import health
from router.handlers.jobs import cancel_job, follow_job, list_jobs, make_job, retry_job, show_job, show_result
from router.handlers.keys import list_keys, make_key, revoke_key, show_key
from router.handlers.metrics import metrics
from router.handlers.openapi import openapi
from router.handlers.sites import list_points, list_sites
from router.handlers.stats import stats
from router.index_lookup import look_up, remembered_stamp
from router.inline_answer import Choice, answer_inline, estimated_plan
from router.live import live_part_of
from router.outcome import Outcome
from router.parameters import check_headers, read_fields, read_path, read_query
from router.ports import Ports
from router.queued_answer import queue_job


async def answer(request: HttpRequest, ports: Ports) -> HttpResponse:
    """Any request, of which the head is here: serve it, or tell the caller why not; write it down."""
    grant: Grant | None = None
    try:
        endpoint = find_endpoint(ENDPOINTS, request.path)
        if request.method == "OPTIONS":
            outcome = Outcome(response=preflight(endpoint.methods))
        else:
            grant = await authorize(request, endpoint, ports)
            outcome = await serve(request, endpoint, grant, ports)
    except EdgeError as error:
        outcome = refusal(error, request)
    return finalize_response(
        request,
        outcome,
        endpoint=label_of(ENDPOINTS, request.path),
        ports=ports,
        rate=None if grant is None else ports.access.rates[grant.tier],
    )


async def serve(head: HttpRequest, endpoint: Endpoint, grant: Grant, ports: Ports) -> Outcome:
    """Read the rest of the request, hand it to its handler."""
    handle = find_handler(endpoint, head.method)
    operation = OPERATIONS[endpoint.pattern]["GET" if head.method == "HEAD" else head.method]
    check_headers(head, operation.parameters)
    path_parameters = read_path(endpoint.parameters(head.path))
    deadline_ms = head.arrived_ms + ports.request_deadline_ms
    request = await ports.incoming.whole(head, deadline_ms=deadline_ms)
    if not names_of(operation.parameters) and operation.body is None:
        read_fields(request, ())
    arrival = Arrival(request=request, grant=grant, path_parameters=path_parameters, deadline_ms=deadline_ms)
    return await handle(arrival, ports)


async def timeseries(arrival: Arrival, ports: Ports) -> Outcome:
    """`/api/timeseries`: check; stream a kept answer, without a look at the index while the isolate knows the
    generations; or see what is missing, choose the route, take it.
    """
    query = read_query(arrival)
    freshness = freshness_of(arrival.request.headers.get("cache-control", ""))
    kept = may_be_kept(query, freshness, arrival, ports)
    stamp = remembered_stamp(query, ports) if kept else None
    if stamp is not None and (found := await cached_answer(query, stamp, arrival, ports)) is not None:
        return found
    index = await look_up(query, reads=freshness.reads, ports=ports)
    if kept and index.known and (now := index.stamps.total(query.points)) != stamp:
        found = await cached_answer(query, now, arrival, ports)
        if found is not None:
            return found
    live = live_part_of(query, index, now_ms=arrival.request.arrived_ms, ports=ports)
    fetch_plan = estimated_plan(query, index, live, arrival, ports)
    route = choose_route(
        missing_samples=fetch_plan.missing_samples,
        answer_samples=fetch_plan.answer_samples,
        blocks=block_count(len(query.points), fetch_plan.sealed_part),
        forced=query.forced,
        sizes=ports.route_sizes,
    )
    if route is Route.QUEUED:
        return await queue_job(query, fetch_plan, arrival, ports)
    choice = Choice(route=route, freshness=freshness, index=index, live=live, estimate=fetch_plan)
    try:
        return await answer_inline(query, choice, arrival, ports)
    except AnswerTooLarge as error:
        if query.forced is not None:
            raise
        # The estimate was too low, and nobody insists on an answer now.
        fetch_plan = replace(fetch_plan, missing_samples=error.estimated_samples)
        return await queue_job(query, fetch_plan, arrival, ports)


def refuse(error: EdgeError, request: HttpRequest, ports: Ports) -> HttpResponse:
    """The problem response of an error that the flow itself did not expect, as it leaves."""
    return finalize_response(
        request, refusal(error, request), endpoint=label_of(ENDPOINTS, request.path), ports=ports
    )


def refusal(error: EdgeError, request: HttpRequest) -> Outcome:
    """What a caller is told of an error."""
    problem = problem_response(error, path=request.path, request_id=request.request_id)
    return Outcome(response=problem, error=error)


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
    Endpoint(pattern="/api/keys", handlers={"GET": list_keys, "POST": make_key}),
    Endpoint(pattern="/api/keys/{key}", handlers={"GET": show_key, "DELETE": revoke_key}),
    Endpoint(pattern="/api/queue/dlq", handlers={"GET": list_letters}),
    Endpoint(pattern="/api/queue/dlq/{letter}/replay", handlers={"POST": replay_letter}),
    Endpoint(pattern="/api/health", handlers={"GET": health}),
    Endpoint(pattern="/api/stats", handlers={"GET": stats}),
    Endpoint(pattern="/api/metrics", handlers={"GET": metrics}),
    Endpoint(pattern="/api/openapi.json", handlers={"GET": openapi}),
)

assert not unruled(ENDPOINTS), f"access/grants.py says nothing of {unruled(ENDPOINTS)}"
