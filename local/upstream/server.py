"""The simulator's HTTP server: requests in, answers or faults out.

Owns the sockets, the token check, carrying faults out, and the two endpoints that are not the vendor's
(`/_stats`, `/_control`). Must not know what an answer holds. See docs/simulator.md.
"""

import asyncio
import json
import socket
import struct
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Final

from aiohttp import web

from local.upstream.answers import Answers, Ask
from local.upstream.catalogue import DataFault
from local.upstream.counters import Counters
from local.upstream.faults import Fault, befalls, fault_for, mood_befalls
from local.upstream.knobs import BadChange, Knobs, checked_change
from local.upstream.moods import content_type_of, in_mood
from local.upstream.paths import API_ROOT, ROUTES, Endpoint, Match, resolve
from local.upstream.reply import Reply
from local.upstream.shared_names import bare, unique
from local.upstream.truth import Truth
from local.upstream.wire import json_bytes

MAX_REQUEST_BODY_BYTES: Final = (
    16 * 1024 * 1024
)  # a /_control with a month of one-minute samples fits ten times
WORKERS_COUNT: Final = 8  # some may wait for one merge while others answer small requests
SHUTDOWN_GRACE_S: Final = 0.5  # a stalled request is cut off after this, so that stopping never hangs
STALLED_BODY_BYTES: Final = 1_000  # what a stalled answer promises and never sends

_MILLISECONDS_PER_SECOND: Final = 1_000
_NANOSECONDS_PER_MICROSECOND: Final = 1_000
# Closing a socket that lingers for zero seconds sends a reset instead of an orderly end.
_RESET_ON_CLOSE: Final = struct.pack("ii", 1, 0)


class Simulator:
    """One upstream: a truth, its settings, its counts. With a token, `/api` wants it as a bearer."""

    def __init__(self, truth: Truth, *, token: str | None = None) -> None:
        self._truth = truth
        self._answers = Answers(truth)
        self._points = [point for site in truth.sites() for point in truth.points(site)]
        self._token = token
        self._knobs = Knobs()
        self._counters = Counters()
        self._request_index = 0
        self._under_way = 0
        self._changing = asyncio.Lock()
        self._workers = ThreadPoolExecutor(max_workers=WORKERS_COUNT, thread_name_prefix="upstream")

    def app(self) -> web.Application:
        """The application; it may be run once."""
        app = web.Application(client_max_size=MAX_REQUEST_BODY_BYTES)
        app.router.add_get("/", self._listing)
        app.router.add_get("/_stats", self._stats)
        app.router.add_get("/_control", self._control_read)
        app.router.add_post("/_control", self._control_changed)
        app.router.add_route("*", API_ROOT + "{rest:.*}", self._api)
        app.on_cleanup.append(self._stop)
        return app

    async def _api(self, request: web.Request) -> web.StreamResponse:
        match, knobs = resolve(request.method, request.raw_path), self._knobs
        self._counters.called(match.endpoint)
        if self._token is not None and request.headers.get("Authorization") != f"Bearer {self._token}":
            return _json(HTTPStatus.UNAUTHORIZED, json_bytes({"message": "Unauthorized"}))
        fault = fault_for(knobs, match.endpoint, self._request_index)
        moody = mood_befalls(knobs, match.endpoint, self._request_index)
        self._request_index += 1
        bounded = knobs.max_calls is not None and befalls(knobs, match.endpoint)
        if bounded and self._under_way >= (knobs.max_calls or 0):
            self._counters.befell(Fault.TOO_MANY)
            return await _carried_out(Fault.TOO_MANY, knobs, request)
        self._under_way += 1
        try:
            return await self._met(match, knobs, request, fault, moody=moody)
        finally:
            self._under_way -= 1

    async def _met(
        self, match: Match, knobs: Knobs, request: web.Request, fault: Fault | None, *, moody: bool
    ) -> web.StreamResponse:
        """An answer, or what befalls the request instead."""
        if fault is not None and fault not in {Fault.TRUNCATED, Fault.EMPTY_PAGE}:
            await _latency(knobs, match.endpoint)
            self._counters.befell(fault)
            return await _carried_out(fault, knobs, request)
        if knobs.redirect_to is not None:
            return web.Response(status=HTTPStatus.FOUND, headers={"Location": knobs.redirect_to})
        reply = await self._reply(match, knobs, request, fault)
        # What it says is settled before the wait: a slow answer is an old one.
        await _latency(knobs, match.endpoint)
        if moody and knobs.mood is not None:
            self._counters.befell(knobs.mood)
            reply = in_mood(knobs.mood, reply, self._points)
            return self._sent(reply, fault, content_type=content_type_of(knobs.mood))
        return self._sent(reply, fault)

    async def _reply(self, match: Match, knobs: Knobs, request: web.Request, fault: Fault | None) -> Reply:
        ask = Ask(
            match=match,
            query=request.query,
            body=await request.read(),
            fields_header=request.headers.get("X-Fields"),
            knobs=knobs,
            repeat_cursor=knobs.repeat_cursor and befalls(knobs, match.endpoint),
            empty_page=fault is Fault.EMPTY_PAGE,
            known_until_us=self._known_until_us(knobs),
        )
        try:
            loop = asyncio.get_running_loop()
            if not knobs.shared_names:
                return await loop.run_in_executor(self._workers, self._answers.answer, ask)
            ask = unique(ask, self._points)
            return bare(await loop.run_in_executor(self._workers, self._answers.answer, ask), self._points)
        except DataFault as broken:
            return Reply(status=HTTPStatus.INTERNAL_SERVER_ERROR, body=json_bytes({"message": str(broken)}))

    def _known_until_us(self, knobs: Knobs) -> int | None:
        if knobs.known_until_us is None and self._truth.replays:
            return time.time_ns() // _NANOSECONDS_PER_MICROSECOND
        return knobs.known_until_us

    def _sent(
        self, reply: Reply, fault: Fault | None, *, content_type: str = "application/json"
    ) -> web.Response:
        if reply.page_was_emptied:
            self._counters.befell(Fault.EMPTY_PAGE)
        if fault is Fault.TRUNCATED and reply.status is HTTPStatus.OK:
            self._counters.befell(Fault.TRUNCATED)
            # Half of a JSON object never is one. Nothing counts as delivered: no client can read it.
            return _json(reply.status, reply.body[: len(reply.body) // 2])
        self._counters.delivered(reply.by_point_day, of_site=reply.of_site)
        return web.Response(status=reply.status, body=reply.body, content_type=content_type)

    async def _listing(self, _request: web.Request) -> web.Response:
        lines = ["EdgeSeries upstream simulator. Not the vendor: see docs/simulator.md.", ""]
        lines += [f"{method:<5}{API_ROOT}{path}" for method, path, _ in ROUTES]
        lines += ["", "GET  /_stats", "GET  /_control", "POST /_control", ""]
        return web.Response(text="\n".join(lines))

    async def _stats(self, _request: web.Request) -> web.Response:
        return _json(HTTPStatus.OK, json_bytes(self._counters.to_wire()))

    async def _control_read(self, _request: web.Request) -> web.Response:
        return _json(HTTPStatus.OK, json_bytes(self._knobs.to_wire()))

    async def _control_changed(self, request: web.Request) -> web.Response:
        async with self._changing:
            try:
                wire = json.loads(await request.read())
                change = checked_change(self._knobs, wire, self._knows)
            except BadChange as bad:
                return _json(HTTPStatus.BAD_REQUEST, json_bytes({"message": "refused", "faults": bad.faults}))
            except ValueError as bad:
                return _json(HTTPStatus.BAD_REQUEST, json_bytes({"message": "refused", "faults": [str(bad)]}))
            loop = asyncio.get_running_loop()
            if change.reset:
                self._truth.forget_late()
            for late in change.late:
                await loop.run_in_executor(
                    self._workers, self._truth.add_late, late.site, late.point, late.samples
                )
            if change.reset_stats:
                self._counters = Counters()
            if change.reseeded:
                self._request_index = 0
            self._knobs = change.knobs
            return _json(HTTPStatus.OK, json_bytes(self._knobs.to_wire()))

    def _knows(self, site: str, point: str) -> bool:
        found = self._truth.find(point)
        return found is not None and found.site == site

    async def _stop(self, _app: web.Application) -> None:
        self._workers.shutdown(wait=False, cancel_futures=True)


@asynccontextmanager
async def serving(
    truth: Truth, *, host: str = "127.0.0.1", port: int = 0, token: str | None = None
) -> AsyncIterator[str]:
    """Serve while the context is open; gives the base URL, `http://host:port/api`. Port 0: any free one."""
    runner = web.AppRunner(
        Simulator(truth, token=token).app(),
        access_log=None,
        handler_cancellation=True,
        shutdown_timeout=SHUTDOWN_GRACE_S,
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        bound_port = runner.addresses[0][1]
        shown_host = f"[{host}]" if ":" in host else host
        yield f"http://{shown_host}:{bound_port}{API_ROOT.rstrip('/')}"
    finally:
        await runner.cleanup()


async def _latency(knobs: Knobs, endpoint: Endpoint) -> None:
    if befalls(knobs, endpoint):
        await asyncio.sleep(knobs.latency_ms / _MILLISECONDS_PER_SECOND)


async def _carried_out(fault: Fault, knobs: Knobs, request: web.Request) -> web.StreamResponse:
    """Let a fault befall a request instead of an answer."""
    if fault is Fault.TOO_MANY:
        response = _json(HTTPStatus.TOO_MANY_REQUESTS, json_bytes({"message": "Too Many Requests"}))
        if knobs.retry_after_s is not None:
            response.headers["Retry-After"] = str(knobs.retry_after_s)
        return response
    if fault is Fault.SERVER_ERROR:
        return _json(HTTPStatus.INTERNAL_SERVER_ERROR, json_bytes({"message": "Internal Server Error"}))
    stalled = web.StreamResponse()
    if fault is Fault.STALL:
        stalled.content_type = "application/json"
        stalled.content_length = STALLED_BODY_BYTES
        await stalled.prepare(request)
        await asyncio.sleep(knobs.stall_ms / _MILLISECONDS_PER_SECOND)
    _reset_connection(request)
    return stalled


def _reset_connection(request: web.Request) -> None:
    transport = request.transport
    if transport is None:  # the client was faster
        return
    bound = transport.get_extra_info("socket")
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    transport.abort()


def _json(status: HTTPStatus, body: bytes) -> web.Response:
    return web.Response(status=status, body=body, content_type="application/json")
