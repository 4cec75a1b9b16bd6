"""Between the platform's Request and Response and the plain values of `core/http.py`."""

from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import js

from edgeseries.adapters.ffi import header_pairs, js_bytes, js_object, python_bytes
from edgeseries.core.errors import EdgeError, Fault, InvalidRequest, TooLarge
from edgeseries.core.http import HttpRequest, HttpResponse
from edgeseries.core.limits import MAX_BODY_BYTES, MAX_QUERY_FIELDS, MAX_URL_BYTES

NO_BODY_STATUSES = frozenset({204, 304})
"""The platform refuses a Response that has one of these and a body (Fetch standard)."""


async def plain_request(request: Any) -> HttpRequest:
    """The plain value of a `workers.Request`, query decoded and body read within the bounds.

    The method is read from the JavaScript object: the SDK's own property fails on unknown verbs.
    """
    platform = request.js_object
    headers = header_pairs(platform.headers)
    url = str(platform.url)
    head = HttpRequest(
        method=str(platform.method),
        path=urlsplit(url).path,
        headers=headers,
        caller=headers.get("cf-connecting-ip", "unknown"),
    )
    try:
        if len(url) > MAX_URL_BYTES:
            raise TooLarge(
                f"the URL is longer than {MAX_URL_BYTES} bytes; send the same fields as JSON with POST"
            )
        return replace(head, query=_pairs(urlsplit(url).query), body=await _body(platform, head))
    except EdgeError as error:
        return replace(head, unreadable=error)


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


async def _body(platform: Any, head: HttpRequest) -> bytes:
    if head.method in ("GET", "HEAD", "OPTIONS") or not platform.body:
        return b""
    detail = f"the body is larger than {MAX_BODY_BYTES} bytes; ask for fewer points at a time"
    body = await bounded_body(platform.body, MAX_BODY_BYTES)
    if body is None:
        raise TooLarge(detail)
    return body


async def bounded_body(stream: Any, max_bytes: int) -> bytes | None:
    """All bytes of a ReadableStream, or None (and the stream cancelled) if they are over the bound."""
    reader = stream.getReader()
    chunks: list[bytes] = []
    size_bytes = 0
    while True:
        step = await reader.read()
        if step.done:
            return b"".join(chunks)
        chunk = python_bytes(step.value)
        size_bytes += len(chunk)
        if size_bytes > max_bytes:
            await reader.cancel()
            return None
        chunks.append(chunk)


def platform_response(response: HttpResponse) -> Any:
    """The platform's Response of a plain one."""
    body = None if response.status in NO_BODY_STATUSES else js_bytes(response.body)
    return js.Response.new(body, js_object({"status": response.status, "headers": dict(response.headers)}))
