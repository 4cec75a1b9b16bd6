"""Every header that a request may send with effect, and every one that an answer may carry."""

from collections.abc import Mapping
from typing import Final

from edgeseries.http.parameters import Opaque, Parameter, Schema
from edgeseries.limits import MAX_HEADER_CHARS, MAX_REQUEST_ID_CHARS


def _header(name: str, description: str, max_chars: int = MAX_HEADER_CHARS) -> Parameter:
    return Parameter(name=name, place="header", kind=Opaque(max_chars=max_chars), description=description)


REQUEST_ID: Final = _header(
    "X-Request-Id",
    "The caller's own name for this request, kept if it is letters, digits, `.`, `_`, `-`.",
    MAX_REQUEST_ID_CHARS,
)
CACHE_CONTROL: Final = _header(
    "Cache-Control", "`no-cache` fetches anew and stores it; `no-store` goes past the store altogether."
)
IF_NONE_MATCH: Final = _header("If-None-Match", "Tags that the caller has: 304 if one still fits.")
ACCEPT_ENCODING: Final = _header(
    "Accept-Encoding", "With `br` a cached answer comes as it is stored; others are coded as they leave."
)
PREFER: Final = _header(
    "Prefer", "`wait=20`: wait so many seconds (30 at most) for a job's result before 202 (RFC 7240)."
)
LAST_EVENT_ID: Final = _header("Last-Event-ID", "The last event that the caller has seen.")

TEXT: Final[Schema] = {"type": "string"}
SECONDS: Final[Schema] = {"type": "integer", "minimum": 0}

ANSWER_HEADERS: Final[Mapping[str, tuple[str, Schema]]] = {
    "X-Request-Id": ("The name of this request in logs.", TEXT),
    "Server-Timing": ("Milliseconds: `total`, and `upstream` if it was asked.", TEXT),
    "Cache-Control": ("Whether this may be cached.", TEXT),
    "Vary": ("Which request headers the answer depends on.", TEXT),
    "X-Content-Type-Options": ("Always `nosniff`.", {"type": "string", "const": "nosniff"}),
    "Access-Control-Allow-Origin": ("Who may read this in a browser.", TEXT),
    "Access-Control-Expose-Headers": ("What scripts of other origins may read.", TEXT),
    "Access-Control-Allow-Methods": ("The methods of this path.", TEXT),
    "Access-Control-Allow-Headers": ("What browsers may send.", TEXT),
    "Access-Control-Max-Age": ("Seconds for which a browser may remember this.", SECONDS),
    "Allow": ("The methods of this path.", TEXT),
    "ETag": ("Strong, over the content.", TEXT),
    "Content-Encoding": (
        "Of stored bytes `br`; of others the first of `gzip`, `zstd`, `br` that is accepted.",
        TEXT,
    ),
    "Content-Disposition": ("A name for a file.", TEXT),
    "Location": ("The URL of what was made.", TEXT),
    "Link": ('Of a part of a result: where the next is (`rel="next"`, RFC 8288).', TEXT),
    "Sec-WebSocket-Protocol": ("`edgeseries`, if it was offered.", TEXT),
    "Retry-After": ("Seconds to wait.", SECONDS),
    "RateLimit-Policy": ("What may be asked in a window (draft-ietf-httpapi-ratelimit-headers).", TEXT),
    "RateLimit": ("On a refusal: which policy has nothing left.", TEXT),
    "WWW-Authenticate": ("Which key is asked for (RFC 6750).", TEXT),
    "Preference-Applied": ("Which part of `Prefer` was followed.", TEXT),
    "Cache-Status": ("RFC 9211: how much came from the store.", TEXT),
    "X-Cache-Hit": (
        "`true` if the upstream was not asked.",
        {"type": "string", "enum": ["true", "false"]},
    ),
    "X-Route-Type": (
        "The route that was taken.",
        {"type": "string", "enum": ["direct", "cached", "queued"]},
    ),
}

EVERYWHERE: Final = (
    "X-Request-Id",
    "Server-Timing",
    "Cache-Control",
    "X-Content-Type-Options",
    "Access-Control-Allow-Origin",
    "Access-Control-Expose-Headers",
)
"""On every answer."""

PERHAPS: Final = ("Vary", "RateLimit-Policy", "Content-Encoding")
"""On any answer."""

PROBLEM_HEADERS: Final = ("Retry-After", "Allow", "RateLimit", "WWW-Authenticate")
"""On some problems."""
