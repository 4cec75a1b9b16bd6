"""Hostile names, paths, headers and bodies against the real stack: nothing fails, nothing else is reached."""

import json
import socket
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests import made_up
from tests.hostile import HOSTILE_BODIES, HOSTILE_NAMES, ODD_PATHS
from tests.runtime.conftest import Running

pytestmark = pytest.mark.runtime

TIMES = {"start_time": "2024-02-29T00:00:00Z", "end_time": "2024-03-01T00:00:00Z"}
VICTIM = {"site": made_up.PLAIN_SITE, "points": "made_up_1,made_up_2", "route": "cached", **TIMES}


def stored(running: Running) -> dict[str, bytes | None]:
    host = running.stack.host
    return {key: host.get_object(key) for key in host.list_objects()}


@pytest.fixture
def victim(running: Running) -> dict[str, bytes | None]:
    """Another's data, stored: blocks and a cached answer."""
    for _ in range(2):
        running.client.get("/api/timeseries", params=VICTIM).raise_for_status()
    found = stored(running)
    assert any(key.startswith("blocks/") for key in found)
    return found


JOB_REQUESTS = (("GET", ""), ("DELETE", ""), ("GET", "/result"), ("GET", "/events"), ("POST", "/retry"))


def attack(client: httpx.Client, name: str) -> list[tuple[httpx.Response, tuple[tuple[str, ...], ...]]]:
    """Every request that takes a name, and what of an answer must be empty or zero."""
    known = {"site": made_up.PLAIN_SITE, "point": name, **TIMES}
    encoded = quote(name, safe="")
    return [
        (client.get("/api/timeseries", params={**VICTIM, "site": name}), NEVER),
        (client.post("/api/timeseries", json={"site": name, "points": ["made_up_1"], **TIMES}), NEVER),
        (client.get(f"/api/sites/{encoded}/points"), NEVER),
        (client.get("/api/timeseries", params=known), (("data", name, "samples"), ("data", name, "count"))),
        (client.get("/api/coverage", params={**VICTIM, "site": name}), (("totals", "storedDays"),)),
        (client.delete("/api/cache", params={"site": name}), PURGED),
        (client.delete("/api/cache", params={"site": name, "point": "made_up_1"}), PURGED),
        (client.get("/api/jobs", params={"site": name}), (("jobs",),)),
        # A name of dots is resolved away by whoever reads the URL, and then it is another path.
        *[
            (client.request(method, f"/api/jobs/{encoded}{tail}"), NEVER)
            for method, tail in JOB_REQUESTS
            if name.strip(".")
        ],
    ]


NEVER: tuple[tuple[str, ...], ...] = ()
"""There must be no answer at all."""

PURGED = (("blocks",), ("storedBytes",))


def test_hostile_names_reach_nothing(running: Running, victim: dict[str, bytes | None]) -> None:
    asked = refused = 0
    for name in HOSTILE_NAMES:
        for response, empty in attack(running.client, name):
            asked += 1
            if response.status_code in (400, 404):
                refused += 1
                continue
            assert (response.status_code, bool(empty)) == (200, True), (name, response.text[:300])
            for path in empty:
                assert not found_at(response.json(), path), (name, path, response.text[:300])
    assert stored(running).items() >= victim.items()
    again = running.client.get("/api/timeseries", params=VICTIM)
    assert (again.status_code, again.headers["x-cache-hit"]) == (200, "true")
    print(f"{len(HOSTILE_NAMES)} hostile names, {asked} requests, {refused} refused; none reached data")


def found_at(document: Any, path: tuple[str, ...]) -> Any:
    """A field of a document."""
    for name in path:
        document = document[name]
    return document


def raw(running: Running, head: bytes) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of a request that no client library has tidied up."""
    host, port = running.stack.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(head + b"Host: x\r\nConnection: close\r\n\r\n")
        received = b""
        while piece := connection.recv(65_536):
            received += piece
    start, _, body = received.partition(b"\r\n\r\n")
    first, *lines = start.decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    return int(first.split()[1]), headers, body


@pytest.mark.parametrize(("path", "status"), ODD_PATHS.items(), ids=[path[:40] for path in ODD_PATHS])
def test_odd_paths(running: Running, path: str, status: int) -> None:
    told, headers, body = raw(running, b"GET " + path.encode() + b" HTTP/1.1\r\n")
    assert told == status, body[:300]
    if status != 200:
        assert headers["content-type"] == "application/problem+json"
        assert headers["x-content-type-options"] == "nosniff"
        assert len(body) < 4_000


@pytest.mark.parametrize("method", ["PROPFIND", "PURGE", "TRACE", "SEARCH", "MKCOL", "PATCH", "PUT", "COPY"])
def test_odd_methods(running: Running, method: str) -> None:
    status, headers, body = raw(running, f"{method} /api/jobs/x HTTP/1.1\r\n".encode())
    assert (status, headers["allow"]) == (405, "GET, DELETE, HEAD, OPTIONS"), body[:300]
    status, headers, _ = raw(running, f"{method} /nothing HTTP/1.1\r\n".encode())
    assert (status, headers["content-type"]) == (404, "application/problem+json")


@pytest.mark.parametrize("name", ["Cache-Control", "If-None-Match", "Prefer"])
def test_a_header_that_has_an_effect_is_bounded(running: Running, name: str) -> None:
    times = "start_time=2024-03-01T00:00:00Z&end_time=2024-03-01T01:00:00Z"
    path = f"/api/timeseries?site=made_up_plain&points=made_up_1&{times}"
    for size, status in ((8_192, 200), (8_193, 431)):
        told, headers, body = raw(running, f"GET {path} HTTP/1.1\r\n{name}: {'x' * size}\r\n".encode())
        assert told == status, body[:300]
    assert (headers["content-type"], json.loads(body)["status"]) == ("application/problem+json", 431)


def test_all_headers_together_are_bounded(running: Running) -> None:
    status, _, _ = raw(running, b"GET /api/health HTTP/1.1\r\nX-Any: " + b"x" * 60_000 + b"\r\n")
    assert status == 200
    many = b"".join(b"X-Any-%d: %s\r\n" % (number, b"x" * 1_000) for number in range(70))
    status, _, body = raw(running, b"GET /api/health HTTP/1.1\r\n" + many)
    assert (status, json.loads(body)["type"]) == (431, "urn:edgeseries:problem:headers-too-large")


@pytest.mark.parametrize("body", HOSTILE_BODIES.values(), ids=HOSTILE_BODIES)
def test_hostile_bodies_leave_the_isolate_well(running: Running, body: bytes) -> None:
    """Deep brackets overflow the stack of WebAssembly, which ends the isolate for everybody."""
    response = running.client.post("/api/timeseries", content=body)
    assert response.status_code == 400, response.text[:300]
    assert running.client.get("/api/health").json() == {"status": "ok"}
