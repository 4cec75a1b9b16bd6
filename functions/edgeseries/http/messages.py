"""An HTTP exchange as plain values: what a flow gets and gives. It knows no platform object."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NewType


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRequest:
    """One request. `path` is still percent-encoded; header names are lower case; `caller` says
    clients apart for rate limits; `arrived_ms` is UTC epoch ms; `request_id` names it in logs.

    The head comes first; `query` (decoded pairs in their order) and `body` are read by `Incoming`.
    """

    method: str
    path: str
    request_id: str
    arrived_ms: int
    headers: Mapping[str, str] = field(default_factory=dict)
    caller: str = ""
    query: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


BodyStream = NewType("BodyStream", object)
"""The platform's stream of a body. Flows pass it along; they cannot look inside."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpResponse:
    """One response: status, headers by their usual names, the whole body, or a stream in its place.

    A stream leaves as it is, its Content-Encoding header says how its bytes are coded already; but with a
    `coding` body or stream is coded when it leaves.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    stream: BodyStream | None = None
    coding: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpCall:
    """One call to an upstream, with the bounds that it must keep."""

    method: str
    url: str
    timeout_ms: int
    max_bytes: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpReply:
    """What an upstream answered: any status; header names in lower case; the whole body. `took_ms` is how
    long it took without what it waited for on our side; None where nobody measured it.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    took_ms: int | None = None
