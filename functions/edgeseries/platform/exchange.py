"""Between the platform's Request and Response and the plain values of `http/messages.py`."""

import json
from dataclasses import replace
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from pyodide.ffi import JsException
from workers import import_from_javascript

from edgeseries.blocks.adapters.compression_standard import compress_zstd
from edgeseries.errors import DeadlineExceeded, Fault, InvalidRequest, RequestTimeout, TooLarge
from edgeseries.http.messages import HttpRequest, HttpResponse
from edgeseries.limits import MAX_BODY_BYTES, MAX_QUERY_FIELDS, MAX_URL_BYTES
from edgeseries.platform.ffi import in_time, js_bytes, present, python_bytes
from edgeseries.ports.clock import Clock

SWITCHING = 101
"""A WebSocket."""

NO_BODY_STATUSES = frozenset({204, 304})
"""The platform refuses a Response that has one of these and a body (Fetch standard)."""


class PlatformIncoming:
    """The Incoming port over a `workers.Request`. `headers` have their names in lower case.

    The platform shows every Worker `Accept-Encoding: br, gzip`; what the client sent is in `cf`.
    The method is not the SDK's: that fails on unknown verbs.
    """

    def __init__(self, request: Any, clock: Clock) -> None:
        self._platform = request.js_object
        self._clock = clock
        self._method, self._url, pairs, accept_encoding = json.loads(_exchange().headOf(self._platform))
        self.headers: dict[str, str] = dict(pairs)
        if accept_encoding is not None:
            self.headers["accept-encoding"] = accept_encoding

    def head(self, *, request_id: str, arrived_ms: int) -> HttpRequest:
        """The head of the request. It holds nothing that a client could make long."""
        return HttpRequest(
            method=self._method,
            path=urlsplit(self._url).path,
            request_id=request_id,
            arrived_ms=arrived_ms,
            headers=self.headers,
            caller=self.headers.get("cf-connecting-ip", "unknown"),
        )

    async def whole(self, head: HttpRequest, *, deadline_ms: int) -> HttpRequest:
        """See the port."""
        if len(self._url) > MAX_URL_BYTES:
            raise TooLarge(
                f"the URL is longer than {MAX_URL_BYTES} bytes; send the same fields as JSON with POST"
            )
        query = _pairs(urlsplit(self._url).query)
        return replace(head, query=query, body=await self._body(head, deadline_ms))

    async def _body(self, head: HttpRequest, deadline_ms: int) -> bytes:
        if head.method in ("GET", "HEAD", "OPTIONS") or not self._platform.body:
            return b""
        try:
            body = await bounded_body(
                self._platform.body, MAX_BODY_BYTES, timeout_ms=max(1, deadline_ms - self._clock.now_ms())
            )
        except DeadlineExceeded as error:
            raise RequestTimeout("the body did not arrive in time; send it again") from error
        except JsException as error:
            fault = Fault(parameter="body", detail="broke off before its end; send it again")
            raise InvalidRequest((fault,)) from error
        if body is None:
            raise TooLarge(f"the body is larger than {MAX_BODY_BYTES} bytes; ask for fewer points at a time")
        return body


def _pairs(query: str) -> tuple[tuple[str, str], ...]:
    try:
        return tuple(
            parse_qsl(query, keep_blank_values=True, errors="strict", max_num_fields=MAX_QUERY_FIELDS)
        )
    except UnicodeDecodeError:
        fault = Fault(parameter="query", detail="is not UTF-8 after percent-decoding")
    except ValueError:
        fault = Fault(
            parameter="query",
            detail=f"more than {MAX_QUERY_FIELDS} parameters; send the same fields as JSON with POST",
        )
    raise InvalidRequest((fault,))


async def bounded_body(stream: Any, max_bytes: int, *, timeout_ms: int | None = None) -> bytes | None:
    """All bytes of a ReadableStream, or None (and the stream cancelled) if they are over the bound.

    JavaScript puts the pieces together: each would cost Python some proxies and a turn of its loop, and a
    page of the vendor comes in many. DeadlineExceeded if they have not all come within `timeout_ms`.
    """
    whole = _exchange().wholeOf(stream, max_bytes)
    found = await (whole if timeout_ms is None else in_time(whole, timeout_ms, "the body"))
    return None if present(found) is None else python_bytes(found)


async def platform_response(response: HttpResponse, *, method: str) -> Any:
    """The platform's Response of a plain one. A stream leaves as it is, or is let go of."""
    options: dict[str, Any] = {"status": response.status, "headers": dict(response.headers)}
    bodiless = response.status in NO_BODY_STATUSES or method == "HEAD"
    if response.status == SWITCHING:
        return _exchange().socketOf(response.stream, json.dumps(options))
    if response.coding and not bodiless:
        if response.coding == "zstd":
            body = js_bytes(compress_zstd(response.body))
        elif response.stream is None:
            body = _coding().codedBytes(js_bytes(response.body), response.coding)
        else:
            body = _coding().codedStream(response.stream)
        return _exchange().responseOf(body, json.dumps({**options, "encodeBody": "manual"}))
    if response.stream is None:
        body = None if response.status in NO_BODY_STATUSES else js_bytes(response.body)
        return _exchange().responseOf(body, json.dumps(options))
    if bodiless:
        await response.stream.cancel()  # type: ignore[attr-defined]
        return _exchange().responseOf(None, json.dumps(options))
    return _exchange().responseOf(response.stream, json.dumps({**options, "encodeBody": "manual"}))


@cache
def _coding() -> Any:
    """The module that codes bodies. Imported by the first response that needs it."""
    return import_from_javascript("./coding.mjs")


@cache
def _exchange() -> Any:
    """The module beside this file. Imported in the isolate's first event: it needs a running one."""
    return import_from_javascript("./exchange.mjs")
