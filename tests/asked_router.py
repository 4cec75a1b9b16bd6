"""The router's flow over fakes, asked as its entry asks it: what tests of several files share."""

import asyncio
import json
from typing import Any

from edgeseries.http.messages import HttpRequest, HttpResponse
from router.flow import answer
from router.ports import Ports
from tests.fakes import Afterwards, FakeOrigin
from tests.made_ports import router_ports
from tests.promised import hold

LOOP = asyncio.new_event_loop()
"""Kept: at the end of `asyncio.run` a body would be closed whose first pieces are made and whose rest is
not."""

START_MS = 1_704_067_200_000
QUERY = (
    ("site", "hq"),
    ("points", "b,a/1"),
    ("start_time", "2024-01-01T00:00:00Z"),
    ("end_time", "2024-01-01T01:00:00Z"),
)
DELIVERIES = {"hq": {"a/1": [(START_MS + 60_000, 2.5), (START_MS, True)], "b": [(START_MS - 1, 1.0)]}}


def make_ports(**changes: Any) -> Ports:
    return router_ports(**{"origin": FakeOrigin(DELIVERIES), **changes})


def ask(
    path: str = "/api/timeseries",
    query: tuple[tuple[str, str], ...] = QUERY,
    *,
    method: str = "GET",
    ports: Ports | None = None,
    **fields: Any,
) -> HttpResponse:
    ports = ports or make_ports()
    request = HttpRequest(
        method=method,
        path=path,
        query=query,
        request_id="request1",
        arrived_ms=ports.clock.now_ms(),
        **fields,
    )

    async def whole() -> HttpResponse:
        response = await answer(request, ports)
        assert isinstance(ports.background, Afterwards)
        await ports.background.finish()
        body = None if response.stream is not None else response.body
        hold(method, path, response.status, response.headers, body)
        return response

    return LOOP.run_until_complete(whole())


def told(response: HttpResponse) -> dict[str, Any]:
    document = json.loads(response.body)
    assert isinstance(document, dict)
    return document
