"""Errors as problem details (RFC 9457): one table from the error tree to status and title.

It owns what a caller sees of an error. Details of the inside (stack traces, credentials, URLs of the
upstream) never get here: an error's `detail` is written for the caller.
"""

from dataclasses import dataclass, replace
from typing import Annotated, Final

from edgeseries import errors
from edgeseries.answers.answer import json_bytes
from edgeseries.http.documents import LEFT_OUT, Document, Given, Note, Section, to_json
from edgeseries.http.messages import HttpResponse
from edgeseries.limits import MAX_ECHOED_PATH_CHARS

PROBLEM_TYPE: Final = "urn:edgeseries:problem:"
MEDIA_TYPE: Final = "application/problem+json"
REALM: Final = "EdgeSeries"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """How one class of error is answered: HTTP status, the last part of the type URN, the title."""

    status: int
    slug: str
    title: str


CONTRACT: Final = Kind(status=502, slug="upstream-contract", title="The upstream breaks its contract")
"""For callers it is the same whether trying again may help: only the operator can know."""

KINDS: Final[dict[type[errors.EdgeError], Kind]] = {
    errors.InvalidRequest: Kind(status=400, slug="invalid-request", title="The request is not valid"),
    errors.Unidentified: Kind(status=401, slug="unidentified", title="No key that we know"),
    errors.Forbidden: Kind(status=403, slug="forbidden", title="The key may not do this"),
    errors.NotFound: Kind(status=404, slug="not-found", title="There is no such thing"),
    errors.MethodNotAllowed: Kind(
        status=405, slug="method-not-allowed", title="The method is not allowed here"
    ),
    errors.NotAcceptable: Kind(
        status=406, slug="not-acceptable", title="There is no format that the caller accepts"
    ),
    errors.TooLarge: Kind(status=413, slug="too-large", title="Too large"),
    errors.HeadersTooLarge: Kind(
        status=431, slug="headers-too-large", title="The request's headers are too large"
    ),
    errors.RequestTimeout: Kind(
        status=408, slug="request-timeout", title="The request did not arrive in time"
    ),
    errors.RateLimited: Kind(status=429, slug="rate-limited", title="Too many requests"),
    errors.Gone: Kind(status=410, slug="gone", title="It is not there any more"),
    errors.BadRequest: Kind(status=400, slug="bad-request", title="The request cannot be served"),
    errors.DeadlineExceeded: Kind(status=504, slug="deadline-exceeded", title="The answer took too long"),
    errors.OriginUnreachable: Kind(
        status=502, slug="upstream-unreachable", title="The upstream cannot be reached"
    ),
    errors.OriginThrottled: Kind(
        status=502, slug="upstream-throttled", title="The upstream asks for a pause"
    ),
    errors.OriginGarbled: Kind(status=502, slug="upstream-garbled", title="The upstream's answer is damaged"),
    errors.OriginOversize: Kind(
        status=502, slug="upstream-oversize", title="The upstream's answer is too large"
    ),
    errors.OriginUnconfirmed: CONTRACT,
    errors.OriginSuspended: Kind(
        status=503, slug="upstream-suspended", title="The upstream is left alone for a while"
    ),
    errors.OriginBusy: Kind(status=503, slug="upstream-busy", title="The upstream has enough to do"),
    errors.MemoryBusy: Kind(status=503, slug="memory-busy", title="Too many large answers at once"),
    errors.StoreUnavailable: Kind(status=503, slug="store-unavailable", title="The store does not answer"),
    errors.Transient: Kind(status=503, slug="unavailable", title="Not available for the moment"),
    errors.Conflict: Kind(status=409, slug="conflict", title="This cannot be done in its present state"),
    errors.OriginRefused: Kind(status=502, slug="upstream-refused", title="The upstream refuses the request"),
    errors.OriginContract: CONTRACT,
    errors.Defect: Kind(status=500, slug="internal-error", title="Something is wrong on our side"),
}

TYPES: Final = sorted({PROBLEM_TYPE + kind.slug for kind in KINDS.values()})


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultDocument(Section):
    """One fault of a request."""

    parameter: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemDocument(Document):
    """An error as RFC 9457 writes it, with members of our own."""

    type: Annotated[str, Given({"type": "string", "enum": TYPES})]
    title: str
    status: Annotated[int, Given({"type": "integer", "minimum": 400, "maximum": 599})]
    detail: str
    instance: str
    request_id: str
    errors: Annotated[tuple[FaultDocument, ...] | None, LEFT_OUT, Note("Every fault of the request.")] = None
    right: Annotated[str | None, LEFT_OUT, Note("The right that the key lacks.")] = None
    retry_after: Annotated[int | None, LEFT_OUT, Note("Seconds.")] = None


def kind_of(error: errors.EdgeError) -> Kind:
    """The row of the error's class, or of the nearest class above it."""
    for ancestor in type(error).__mro__:
        if ancestor in KINDS:
            return KINDS[ancestor]
    return KINDS[errors.Defect]


def problem_response(error: errors.EdgeError, *, path: str, request_id: str) -> HttpResponse:
    """The problem+json response of an error, with the headers that the error itself calls for."""
    kind = kind_of(error)
    document = ProblemDocument(
        type=PROBLEM_TYPE + kind.slug,
        title=kind.title,
        status=kind.status,
        detail=error.detail,
        instance=path[:MAX_ECHOED_PATH_CHARS],
        request_id=request_id,
    )
    headers = {"Content-Type": MEDIA_TYPE}
    match error:
        case errors.InvalidRequest():
            faults = (FaultDocument(parameter=one.parameter, detail=one.detail) for one in error.faults)
            document = replace(document, errors=tuple(faults))
        case errors.Unidentified():
            # RFC 6750, 3.1: who showed no key gets no error code.
            error_code = ', error="invalid_token"' if error.tried else ""
            headers["WWW-Authenticate"] = f'Bearer realm="{REALM}"{error_code}'
        case errors.Forbidden():
            challenge = f'Bearer realm="{REALM}", error="insufficient_scope", scope="{error.right}"'
            headers["WWW-Authenticate"] = challenge
            document = replace(document, right=error.right)
        case errors.MethodNotAllowed():
            headers["Allow"] = ", ".join(error.allowed)
        case errors.RateLimited() | errors.Transient() | errors.Conflict():
            if error.retry_after_s is not None:
                document = replace(document, retry_after=error.retry_after_s)
                headers["Retry-After"] = str(error.retry_after_s)
    if isinstance(error, errors.RateLimited):
        headers["RateLimit-Policy"] = error.policy.policy_field
        headers["RateLimit"] = error.policy.exhausted_field
    return HttpResponse(status=kind.status, headers=headers, body=json_bytes(to_json(document)))
