"""How a response leaves: the headers that all of them carry, one log line, one measured record."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from edgeseries.answers.problem import kind_of
from edgeseries.errors import Defect, EdgeError, Transient
from edgeseries.http.messages import HttpRequest, HttpResponse
from edgeseries.limits import MAX_ECHOED_PATH_CHARS, MAX_REQUEST_ID_CHARS
from edgeseries.metrics.ports.journal import Level, RequestRecord, counts_text
from edgeseries.planning.freshness import Verdict, cache_status
from edgeseries.ports.identity import Identity
from edgeseries.rates import RatePolicy
from router.outcome import Outcome
from router.ports import Ports
from router.representation import coded

ALLOWED_HEADERS: Final = (
    "Authorization, Cache-Control, Content-Type, If-None-Match, Last-Event-ID, Prefer, X-Request-Id"
)
EXPOSED_HEADERS: Final = (
    "Cache-Status, ETag, Link, Location, RateLimit, RateLimit-Policy, Retry-After, Server-Timing, "
    "WWW-Authenticate, X-Cache-Hit, X-Request-Id, X-Route-Type"
)
PREFLIGHT_MAX_AGE_S: Final = 86_400
"""A day; browsers cap it lower themselves."""

_OWN_REQUEST_ID: Final = re.compile(rf"[A-Za-z0-9._-]{{1,{MAX_REQUEST_ID_CHARS}}}", re.ASCII)


def request_id_of(headers: Mapping[str, str], identity: Identity) -> str:
    """The caller's X-Request-Id if it is short and plain enough to be logged as it is, else a new one."""
    given = headers.get("x-request-id", "")
    return given if _OWN_REQUEST_ID.fullmatch(given) else identity.request_id()


def preflight(methods: Sequence[str]) -> HttpResponse:
    """The answer to OPTIONS: what this path takes, and what browsers may send (Fetch standard, CORS)."""
    allowed = ", ".join(methods)
    return HttpResponse(
        status=204,
        headers={
            "Allow": allowed,
            "Access-Control-Allow-Methods": allowed,
            "Access-Control-Allow-Headers": ALLOWED_HEADERS,
            "Access-Control-Max-Age": str(PREFLIGHT_MAX_AGE_S),
        },
    )


def finalize_response(
    request: HttpRequest, outcome: Outcome, *, endpoint: str, ports: Ports, rate: RatePolicy | None = None
) -> HttpResponse:
    """The response as it leaves, after it was written down. `endpoint` is the path's pattern, `rate` what
    its caller was counted by, None for who was not.
    """
    duration_ms = ports.clock.now_ms() - request.arrived_ms
    ports.journal.line(
        level_of(outcome.error),
        f"{request.method} {request.path[:MAX_ECHOED_PATH_CHARS]}",
        status=outcome.response.status,
        route=outcome.route or None,
        ms=duration_ms,
        samples=outcome.sample_count,
        requestId=request.request_id,
        faults=counts_text(ports.faults),
        dropped=counts_text(ports.dropped),
        **_facts_of(outcome.error),
    )
    ports.journal.request(
        RequestRecord(
            endpoint=endpoint,
            method=request.method,
            route=outcome.route,
            status=outcome.response.status,
            duration_ms=duration_ms,
            origin_ms=outcome.origin_ms or 0,
            point_count=outcome.point_count,
            sample_count=outcome.sample_count,
            body_bytes=len(outcome.response.body) or outcome.body_bytes,
            cache_verdict=outcome.verdict or "",
            origin_samples=outcome.origin_samples,
            store_faults=ports.faults.total(),
            dropped_rows=ports.dropped.total(),
            expected_samples=outcome.expected_samples,
            expected_ms=outcome.expected_ms,
        )
    )
    if outcome.shared:
        ports.operations["shared_fetches"] += 1
    suspended = outcome.verdict is not None and ports.upstream.suspended(outcome.site)
    dressed = _dressed(outcome, request=request, duration_ms=duration_ms, suspended=suspended)
    return replace(dressed, headers=_addressed(dressed.headers, request=request, rate=rate, ports=ports))


def level_of(error: EdgeError | None) -> Level:
    """How loud the log line is: by what to do about the error, as the tree is cut."""
    match error:
        case Defect():
            return "error"
        case Transient():
            return "warning"
        case _:
            return "info"


def _facts_of(error: EdgeError | None) -> dict[str, str | None]:
    """What the log says of an error: what the caller saw, and what was behind it."""
    if error is None:
        return {}
    cause = error.__cause__
    return {"problem": kind_of(error).slug, "detail": error.detail, "cause": repr(cause) if cause else None}


def _dressed(outcome: Outcome, *, request: HttpRequest, duration_ms: int, suspended: bool) -> HttpResponse:
    """Shared headers added, the body dropped for HEAD.

    What a handler said itself about caching stays; otherwise nothing may be kept.
    """
    response = coded(outcome.response, request)
    timing = [f"total;dur={duration_ms}"]
    if outcome.origin_ms is not None:
        timing.insert(0, f"upstream;dur={outcome.origin_ms}")
    headers = {
        "Cache-Control": "no-store",
        **response.headers,
        "Server-Timing": ", ".join(timing),
        "X-Content-Type-Options": "nosniff",
        "X-Request-Id": request.request_id,
    }
    if outcome.verdict is not None:
        headers["Cache-Status"] = cache_status(
            outcome.verdict, stored=outcome.stored, suspended=suspended, shared=outcome.shared
        )
        headers["X-Cache-Hit"] = "true" if outcome.verdict is Verdict.HIT else "false"
    if outcome.route:
        headers["X-Route-Type"] = outcome.route
    # A stream stays for HEAD, too: whoever sends the response lets go of it.
    return replace(response, headers=headers, body=b"" if request.method == "HEAD" else response.body)


def _addressed(
    headers: Mapping[str, str], *, request: HttpRequest, rate: RatePolicy | None, ports: Ports
) -> dict[str, str]:
    """Headers with what depends on who asked: the page that may read them, the rate that was counted."""
    found = {**headers, "Access-Control-Expose-Headers": EXPOSED_HEADERS}
    for name, value in ports.access.cors.headers(request.headers.get("origin")).items():
        found[name] = _with(found.get(name), value)
    if rate is not None:
        found["RateLimit-Policy"] = _with(found.get("RateLimit-Policy"), rate.policy_field)
    return found


def _with(listed: str | None, value: str) -> str:
    """A list field with one value more."""
    return f"{listed}, {value}" if listed else value
