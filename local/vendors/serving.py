"""The server of a vendor's simulator: requests in, answers or faults out.

Owns the sockets, the credential check, faults, and the two endpoints that are not the vendor's (`/_stats`,
`/_control`). Must not know what an answer holds.
"""

import asyncio
import random
import socket
import struct
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, asynccontextmanager
from typing import Any, Final
from urllib.parse import parse_qsl, unquote

from aiohttp import web

from local.upstream.background import in_thread
from local.vendors.shape import Reply, Request, Shape

MAX_REQUEST_BYTES: Final = 16_000_000
BRACKETS: Final = 20_000
MS_PER_S: Final = 1_000
RESET_ON_CLOSE: Final = struct.pack("ii", 1, 0)
HTML: Final = b"<html><head><title>404 Not Found</title></head><body>nothing here</body></html>\n"

KNOBS: Final[dict[str, Any]] = {
    "latency_ms": 0,
    "rate_429": 0.0,
    "retry_after_s": 1,
    "rate_500": 0.0,
    "rate_reset": 0.0,
    "rate_stall": 0.0,
    "stall_ms": 1_000,
    "rate_truncated": 0.0,
    "mood": None,
    "seed": 0,
}
"""What `/_control` takes, with defaults; a shape adds its own. `mood` is one of MOODS."""

MOODS: Final = ("brackets", "gateway_page", "no_json", "empty", "redirect")
"""Answers that no vendor should give, in the place of every answer."""

DRAWN: Final = ("429", "500", "reset", "stall", "truncated")


class VendorServer:
    """One upstream: a shape, its faults, its counts. With a token, its API wants it."""

    def __init__(self, shape: Shape, *, token: str | None = None) -> None:
        self._shape = shape
        self._token = token
        self._knobs: dict[str, Any] = {**KNOBS, **shape.knobs}
        self._defaults = dict(self._knobs)
        self._counts: Counter[str] = Counter()
        self._index = 0

    def app(self) -> web.Application:
        """The application; it may be run once."""
        app = web.Application(client_max_size=MAX_REQUEST_BYTES)
        app.router.add_get("/_stats", self._stats)
        app.router.add_post("/_control", self._control)
        app.router.add_route("*", "/{rest:.*}", self._api)
        return app

    async def _stats(self, _request: web.Request) -> web.Response:
        return web.json_response(
            {"calls": self._counts["calls"], "samples": self._counts["samples"], "counts": dict(self._counts)}
        )

    async def _control(self, request: web.Request) -> web.Response:
        change = await request.json()
        unknown = sorted(change.keys() - self._defaults.keys() - {"reset", "reset_stats"})
        if unknown:
            return web.json_response(
                {"faults": [f"{key}: unknown; known are {sorted(self._defaults)}" for key in unknown]},
                status=400,
            )
        if change.pop("reset", False):
            self._knobs = dict(self._defaults)
            self._index = 0
        if change.pop("reset_stats", False):
            self._counts = Counter()
        self._knobs |= change
        self._shape.knobs |= {key: self._knobs[key] for key in self._shape.knobs}
        return web.json_response(self._knobs)

    async def _api(self, request: web.Request) -> web.StreamResponse:
        self._counts["calls"] += 1
        asked = await _asked(request)
        self._counts[f"{asked.method} {asked.path}"] += 1
        if self._token is not None and not self._shape.allowed(asked, self._token):
            return web.json_response({"message": "Unauthorized"}, status=401)
        fault = self._fault()
        await asyncio.sleep(self._knobs["latency_ms"] / MS_PER_S)
        if fault is not None and fault != "truncated":
            return await self._carried_out(fault, request)
        mood = self._knobs["mood"]
        reply = _in_mood(mood) if mood else self._shape.reply(asked)
        body = reply.body
        if fault == "truncated" and reply.status == 200:  # noqa: PLR2004 - HTTP's
            body = body[: len(body) // 2]
        else:
            self._counts["samples"] += reply.samples
        return web.Response(
            status=reply.status,
            body=body,
            headers={"Content-Type": reply.content_type, **reply.headers},
        )

    def _fault(self) -> str | None:
        draw = random.Random(f"{self._knobs['seed']}:{self._index}")  # noqa: S311 - repeating, not secrecy
        self._index += 1
        return next((one for one in DRAWN if draw.random() < self._knobs[f"rate_{one}"]), None)

    async def _carried_out(self, fault: str, request: web.Request) -> web.StreamResponse:
        self._counts[f"fault {fault}"] += 1
        if fault == "429":
            wait = self._knobs["retry_after_s"]
            headers = {} if wait is None else {"Retry-After": str(wait)}
            return web.json_response({"message": "Too Many Requests"}, status=429, headers=headers)
        if fault == "500":
            return web.json_response({"message": "Internal Server Error"}, status=500)
        stalled = web.StreamResponse()
        if fault == "stall":
            stalled.content_length = 1_000
            await stalled.prepare(request)
            await asyncio.sleep(self._knobs["stall_ms"] / MS_PER_S)
        if request.transport is not None:
            bound = request.transport.get_extra_info("socket")
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
            request.transport.abort()
        return stalled


async def _asked(request: web.Request) -> Request:
    body = await request.read()
    is_form = request.content_type == "application/x-www-form-urlencoded"
    path, _, query = request.raw_path.partition("?")
    return Request(
        method=request.method,
        path=unquote(path),
        query=tuple(parse_qsl(query, keep_blank_values=True)),
        form=tuple(parse_qsl(body.decode(), keep_blank_values=True)) if is_form else (),
        headers={name.lower(): value for name, value in request.headers.items()},
        body=body,
    )


def _in_mood(mood: str) -> Reply:
    match mood:
        case "brackets":
            return Reply(body=b"[" * BRACKETS)
        case "gateway_page":
            return Reply(status=404, body=HTML, content_type="text/html")
        case "no_json":
            return Reply(body=b'{"status": "succ')
        case "empty":
            return Reply(body=b"")
        case "redirect":
            return Reply(status=302, body=b"", headers={"Location": "http://127.0.0.1:1/"})
    raise ValueError(f"{mood} is none of {MOODS}")


@asynccontextmanager
async def serving(
    shape: Shape, *, host: str = "127.0.0.1", port: int = 0, token: str | None = None
) -> AsyncIterator[str]:
    """Serve while the context is open; gives the base URL, without a final slash. Port 0: any free one."""
    runner = web.AppRunner(
        VendorServer(shape, token=token).app(),
        access_log=None,
        handler_cancellation=True,
        shutdown_timeout=0.5,
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        yield f"http://{host}:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def running(shape: Shape, *, port: int = 0, token: str | None = None) -> AbstractContextManager[str]:
    """The same in a thread of its own, for tests and programs that are not asynchronous themselves."""
    return in_thread(serving(shape, port=port, token=token), name="vendor simulator")
