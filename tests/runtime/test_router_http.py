"""The router's HTTP behaviour on workerd: headers, errors, faults of the upstream, health."""

import json
import re
import socket
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from router.representation import plain_tag
from tests import made_up
from tests.runtime.conftest import Running

pytestmark = pytest.mark.runtime

FIELDS = {
    "site": made_up.PLAIN_SITE,
    "points": "made_up_2,made_up_1",
    "start_time": "2024-02-29T00:00:00Z",
    "end_time": "2024-02-29T02:00:00Z",
}


def problem(running: Running, status: int, slug: str, **fields: Any) -> dict[str, Any]:
    response = running.get(**{**FIELDS, **fields})
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    document: dict[str, Any] = response.json()
    assert document["type"] == f"urn:edgeseries:problem:{slug}"
    assert document["requestId"] == response.headers["x-request-id"]
    return document


def test_an_answer_has_its_headers(running: Running) -> None:
    response = running.get(**FIELDS)
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert response.headers["x-route-type"] == "direct"
    assert re.fullmatch(r"[0-9a-f]{16}", response.headers["x-request-id"])
    assert re.fullmatch(r"upstream;dur=\d+, total;dur=\d+", response.headers["server-timing"])
    assert response.headers["access-control-allow-origin"] == "*"
    assert response.headers["cache-control"] == "private, no-cache"
    assert response.headers["cache-status"] == "EdgeSeries; fwd=bypass"
    assert response.headers["x-cache-hit"] == "false"
    again = running.client.get(
        "/api/timeseries",
        params=FIELDS,
        headers={"If-None-Match": response.headers["etag"], "X-Request-Id": "mine-1"},
    )
    assert (again.status_code, again.content, again.headers["x-request-id"]) == (304, b"", "mine-1")
    head = running.client.head("/api/timeseries", params=FIELDS)
    assert (head.status_code, head.content, plain_tag(head.headers["etag"])) == (
        200,
        b"",
        response.headers["etag"],
    )


def test_browsers_may_ask_and_cancel(running: Running) -> None:
    response = running.client.options("/api/timeseries", headers={"Origin": "https://dashboard.example"})
    assert response.status_code == 204
    assert response.headers["access-control-allow-methods"] == "GET, POST, HEAD, OPTIONS"
    assert "X-Request-Id" in response.headers["access-control-expose-headers"]


def test_every_fault_is_listed(running: Running) -> None:
    document = problem(running, 400, "invalid-request", site="", points=",", start_time="2024", endtime="x")
    assert {fault["parameter"] for fault in document["errors"]} == {"site", "points", "start_time", "endtime"}


def test_a_site_and_a_point_that_are_not_there(running: Running) -> None:
    problem(running, 404, "not-found", site="nowhere")
    data = running.get(**{**FIELDS, "points": "made_up_1,no such point"}).json()["data"]
    assert data["no such point"] == {"samples": [], "count": 0, "error": "the site has no point of this name"}
    assert data["made_up_1"]["count"] > 0


def test_sites_and_points_are_listed(running: Running) -> None:
    sites = running.client.get("/api/sites").json()
    assert [site["name"] for site in sites["sites"]] == sorted(running.truth.sites())
    for site in running.truth.sites():
        path = f"/api/sites/{site.replace(' ', '%20')}/points"
        listed = running.client.get(path).json()
        assert [point["name"] for point in listed["points"]] == sorted(
            p.name for p in running.truth.points(site)
        )
        assert listed["count"] == len(listed["points"])
    odd = running.client.get(f"/api/sites/{made_up.ODD_SITE.replace(' ', '%20')}/points").json()
    assert {(point["unit"], point["kind"]) for point in odd["points"]} == {("made_up_unit", "made_up_kind")}


@pytest.mark.parametrize(
    ("knobs", "status", "slug"),
    [
        ({"rate_500": 1}, 502, "upstream-unreachable"),
        ({"rate_reset": 1}, 502, "upstream-unreachable"),
        ({"rate_truncated": 1}, 502, "upstream-garbled"),
        ({"rate_429": 1, "retry_after_s": 5}, 502, "upstream-throttled"),
        ({"rate_stall": 1, "stall_ms": 15_000}, 504, "deadline-exceeded"),
        ({"latency_ms": 15_000}, 504, "deadline-exceeded"),
    ],
    ids=["500", "reset", "truncated", "429", "stall", "slow"],
)
def test_faults_of_the_upstream_are_told_and_pass(
    running: Running, knobs: dict[str, Any], status: int, slug: str
) -> None:
    running.upstream(**knobs)
    document = problem(running, status, slug)
    if slug == "upstream-throttled":
        assert document["retryAfter"] == 5
    running.upstream()
    # The isolate is none the worse for it: the next requests are answered, also at once (but for the pause
    # that the upstream asked for).
    with ThreadPoolExecutor(max_workers=8) as pool:
        answers = list(pool.map(lambda _: running.get(**FIELDS).status_code, range(16)))
    assert answers == [200] * 16


@pytest.mark.parametrize("shape", ["objects", "strings", "both", "none"])
def test_every_batch_shape_gives_the_same_answer(running: Running, shape: str) -> None:
    expected = running.get(**FIELDS).content
    running.upstream(batch_shape=shape)
    assert running.get(**FIELDS).content == expected


def test_late_samples_are_seen_at_once(running: Running) -> None:
    fields = {
        **FIELDS,
        "points": "made_up_8",
        "start_time": "2024-05-01T00:00:00Z",
        "end_time": "2024-05-01T01:00:00Z",
    }
    assert running.get(**fields).json()["data"]["made_up_8"]["count"] == 0
    running.upstream(
        late=[{"site": made_up.PLAIN_SITE, "point": "made_up_8", "samples": [["2024-05-01T00:10:00Z", "5"]]}]
    )
    assert running.get(**fields).json()["data"]["made_up_8"]["samples"] == [[1_714_522_200_000, 5.0]]


def test_a_large_body_and_a_long_url_are_refused(running: Running) -> None:
    response = running.client.post("/api/timeseries", content=b"[" * 2_000_001)
    assert (response.status_code, response.json()["type"]) == (413, "urn:edgeseries:problem:too-large")
    response = running.client.get("/api/timeseries", params={"points": "p" * 17_000})
    assert response.status_code in (413, 414)
    response = running.client.post("/api/timeseries", content=b"\xff\xfe")
    assert response.json()["errors"][0]["parameter"] == "body"


def test_a_body_that_does_not_come_is_not_waited_for_for_ever(running: Running) -> None:
    host, port = running.stack.url.removeprefix("http://").split(":")
    head = b"POST /api/timeseries HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(head)
        assert connection.recv(100).startswith(b"HTTP/1.1 408 ")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(head)  # and the client goes away
    assert running.get(**FIELDS).status_code == 200
    assert not [line.text for line in running.logs if "unexpected" in line.text]


@pytest.mark.parametrize("method", ["PROPFIND", "PURGE", "DELETE", "PATCH"])
def test_unknown_methods_and_paths(running: Running, method: str) -> None:
    response = running.client.request(method, "/api/timeseries")
    assert (response.status_code, response.headers["allow"]) == (405, "GET, POST, HEAD, OPTIONS")
    assert running.client.request(method, "/nothing").status_code == 404


def test_health_looks_at_every_part(running: Running) -> None:
    assert running.client.get("/api/health").json() == {"status": "ok"}
    response = running.client.get("/api/health?deep=1")
    document = response.json()
    assert (response.status_code, document["status"]) == (200, "ok"), document
    assert set(document["parts"]) == {"database", "bucket", "queues", "upstream", "janitor"}
    assert document["parts"]["database"]["tables"] >= 9
    running.upstream(rate_500=1)
    response = running.client.get("/api/health?deep=1")
    parts = response.json()["parts"]
    assert response.status_code == 503
    assert [name for name, part in parts.items() if part["status"] != "ok"] == ["upstream"]


def test_logs_tell_requests_and_no_secrets(running: Running) -> None:
    running.client.get("/api/timeseries", params=FIELDS, headers={"X-Request-Id": "seen-in-the-log"})
    running.client.get("/api/health")  # a later line, so that the first has been written
    texts = [line.text for line in running.logs]
    told = [json.loads(text) for text in texts if "seen-in-the-log" in text]
    assert [(line["fn"], line["status"]) for line in told] == [("router", 200)]
    plan = running.stack.host.plan
    token = next(w.env["UPSTREAM_TOKEN"]["value"] for w in plan.workers if "UPSTREAM_TOKEN" in w.env)
    assert len(token) > 10
    assert not [text for text in texts if token in text]
