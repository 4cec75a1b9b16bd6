"""How a response leaves: the headers that all of them carry, one log line, one measured record."""

import re
from dataclasses import replace
from typing import Final

from edgeseries.core.http import HttpRequest, HttpResponse
from edgeseries.core.limits import MAX_REQUEST_ID_CHARS
from edgeseries.ports.journal import RequestRecord
from router.outcome import Outcome
from router.ports import Ports

ALLOWED_METHODS: Final = "GET, HEAD, POST, DELETE, OPTIONS"
ALLOWED_HEADERS: Final = (
    "Authorization, Cache-Control, Content-Type, If-None-Match, Last-Event-ID, Prefer, X-Request-Id"
)
EXPOSED_HEADERS: Final = (
    "Cache-Status, ETag, Link, Location, RateLimit, RateLimit-Policy, Retry-After, Server-Timing, "
    "X-Cache-Hit, X-Request-Id, X-Route-Type"
)
FIRST_SERVER_FAULT: Final = 500
"""From here on a status is our fault or an upstream's (RFC 9110, 15.6)."""

PREFLIGHT_MAX_AGE_S: Final = 86_400
"""A day; browsers cap it lower themselves."""

_OWN_REQUEST_ID: Final = re.compile(rf"[A-Za-z0-9._-]{{1,{MAX_REQUEST_ID_CHARS}}}", re.ASCII)


def request_id_of(request: HttpRequest, ports: Ports) -> str:
    """The caller's X-Request-Id if it is short and plain enough to be logged as it is, else a new one."""
    given = request.headers.get("x-request-id", "")
    return given if _OWN_REQUEST_ID.fullmatch(given) else ports.identity.request_id()


def preflight() -> HttpResponse:
    """The answer to OPTIONS: what browsers may send (Fetch standard, CORS)."""
    return HttpResponse(
        status=204,
        headers={
            "Access-Control-Allow-Methods": ALLOWED_METHODS,
            "Access-Control-Allow-Headers": ALLOWED_HEADERS,
            "Access-Control-Max-Age": str(PREFLIGHT_MAX_AGE_S),
        },
    )


def depart(
    request: HttpRequest, outcome: Outcome, *, endpoint: str, request_id: str, arrived_ms: int, ports: Ports
) -> HttpResponse:
    """The response as it leaves, after it was written down. `endpoint` is the path's pattern."""
    duration_ms = ports.clock.now_ms() - arrived_ms
    status = outcome.response.status
    ports.journal.line(
        "error" if status >= FIRST_SERVER_FAULT else "info",
        f"{request.method} {request.path}",
        status=status,
        route=outcome.route or None,
        ms=duration_ms,
        samples=outcome.sample_count,
        requestId=request_id,
    )
    ports.journal.request(
        RequestRecord(
            endpoint=endpoint,
            method=request.method,
            route=outcome.route,
            status=status,
            duration_ms=duration_ms,
            origin_ms=outcome.origin_ms or 0,
            point_count=outcome.point_count,
            sample_count=outcome.sample_count,
            body_bytes=len(outcome.response.body),
        )
    )
    return _dressed(outcome, method=request.method, request_id=request_id, duration_ms=duration_ms)


def _dressed(outcome: Outcome, *, method: str, request_id: str, duration_ms: int) -> HttpResponse:
    """Shared headers added, the body dropped for HEAD.

    What a handler said itself about caching stays; otherwise nothing may be kept.
    """
    response = outcome.response
    timing = [f"total;dur={duration_ms}"]
    if outcome.origin_ms is not None:
        timing.insert(0, f"upstream;dur={outcome.origin_ms}")
    headers = {
        "Cache-Control": "no-store",
        **response.headers,
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Expose-Headers": EXPOSED_HEADERS,
        "Server-Timing": ", ".join(timing),
        "X-Content-Type-Options": "nosniff",
        "X-Request-Id": request_id,
    }
    if outcome.route:
        headers["X-Route-Type"] = outcome.route
    return replace(response, headers=headers, body=b"" if method == "HEAD" else response.body)
