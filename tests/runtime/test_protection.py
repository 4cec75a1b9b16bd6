"""A stack that asks for keys on workerd: who gets in, what a key sees, limits, trouble upstream, secrets."""

import json
import re
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest

from edgeseries.access.grants import Right
from edgeseries.limits import CIRCUIT_FAILURES
from local.stack import Stack, StackOptions
from local.upstream.truth import Truth
from router.endpoint import Scope
from router.endpoints import ENDPOINTS
from tests import made_up
from tests.loopback import NO_CERTIFICATES
from tests.runtime.conftest import TIMEOUT_S, Running, logs_tell_no_secret, tells_no_secret

pytestmark = pytest.mark.runtime

SITE, OTHER_SITE = made_up.PLAIN_SITE, made_up.ODD_SITE
FIELDS = {
    "site": SITE,
    "points": "made_up_1",
    "start_time": "2024-02-29T00:00:00Z",
    "end_time": "2024-02-29T02:00:00Z",
}
SELECTOR = f'edgeseries_value{{site="{SITE}"}}'
ASKED: dict[tuple[str, str], dict[str, str]] = {
    ("GET", "/api/timeseries"): FIELDS,
    ("GET", "/api/coverage"): FIELDS,
    ("GET", "/api/latest"): {"site": SITE, "points": "made_up_1"},
    ("DELETE", "/api/cache"): {"site": SITE, "dry_run": "true"},
    ("GET", "/prometheus/api/v1/query"): {"query": SELECTOR},
    ("GET", "/prometheus/api/v1/query_range"): {"query": SELECTOR, "start": "0", "end": "60", "step": "60"},
    ("GET", "/prometheus/api/v1/series"): {"match[]": SELECTOR},
}
"""What endpoints are asked that want to be asked something."""

STANDARD_PER_MINUTE = 200
ENOUGH = 3 * STANDARD_PER_MINUTE
"""Requests that are over the rate, wherever in the limiter's minute they begin, at 3.4 a second or more."""

LEFT_ALONE = "the upstream is left alone"


@pytest.fixture(scope="module")
def locked(data_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    logs: list[Any] = []
    options = StackOptions(
        wake_all=False,
        state=tmp_path_factory.mktemp("locked"),
        data=data_folder,
        settings={
            "auth": "keys",
            "requestsPerMinute": str(STANDARD_PER_MINUTE),
            "activeJobsPerKey": "1",
            "corsOrigins": "https://dashboard.example",
            "requestDeadlineSeconds": "3",
        },
        on_log=logs.append,
    )
    with (
        Stack(options) as stack,
        httpx.Client(
            base_url=stack.url, timeout=TIMEOUT_S, trust_env=False, verify=NO_CERTIFICATES
        ) as client,
    ):
        client.event_hooks = {"response": [tells_no_secret(stack)]}
        yield Running(stack=stack, client=client, truth=Truth(data_folder), logs=logs)


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def make(locked: Running, *rights: Right, sites: tuple[str, ...] = (SITE,), tier: str = "bulk") -> str:
    body = {"owner": "a test", "sites": list(sites), "rights": list(rights), "tier": tier}
    made = locked.client.post("/api/keys", json=body, headers=bearer(locked.stack.admin_key))
    assert made.status_code == 201, made.text
    return str(made.json()["key"])


def test_every_endpoint_asks_for_a_key_and_its_right(locked: Running) -> None:
    revoked = make(locked, *Right, sites=("*",))
    gone = locked.client.delete(f"/api/keys/{revoked.split('_')[1]}", headers=bearer(locked.stack.admin_key))
    assert gone.json()["revokedAt"] is not None
    lacking = {
        right: make(locked, *(one for one in Right if one is not right), sites=("*",)) for right in Right
    }
    foreign = make(locked, Right.READ, Right.JOBS, Right.PURGE, sites=(OTHER_SITE,))
    mine = make(locked, Right.READ, Right.JOBS, Right.PURGE)
    job = locked.client.post("/api/jobs", json={**FIELDS, "points": ["made_up_1"]}, headers=bearer(mine))
    assert job.status_code == 202, job.text
    filled = {
        "{job}": job.json()["jobId"],
        "{site}": SITE,
        "{letter}": "none",
        "{key}": revoked.split("_")[1],
        "{label}": "site",
        "{set}": "mine",
    }
    seen = {}
    for rule in ENDPOINTS:
        method, pattern = rule.method, rule.pattern
        path = pattern
        for part, name in filled.items():
            path = path.replace(part, name)

        def status(key: str | None, method: str = method, path: str = path) -> int:
            points = {"points": ["made_up_1"]}
            body = {"POST": {**FIELDS, **points}, "PUT": {"site": SITE, **points}}.get(method)
            return locked.client.request(
                method,
                path,
                params=ASKED.get((method, path)),
                json=body,
                headers={} if key is None else bearer(key),
            ).status_code

        wrong = mine[:-1] + ("0" if mine[-1] != "0" else "1")
        got = (status(None), status(wrong), status(revoked))
        hidden = rule.scope is Scope.SITE or "{job}" in pattern or "{set}" in pattern
        if rule.right is None:
            assert got == (200, 401, 401), (method, pattern, got)
        else:
            assert got == (401, 401, 401), (method, pattern, got)
            assert status(lacking[rule.right]) == 403, (method, pattern)
            assert status(foreign) == (403 if rule.right is Right.ADMIN else 404 if hidden else 200)
        seen[method, pattern] = status(locked.stack.admin_key)
    assert not [place for place, code in seen.items() if code in (401, 403, 500)], seen
    assert seen["GET", "/api/timeseries"] == seen["GET", "/api/stats"] == 200


def test_a_key_works_is_rotated_and_its_use_is_told(locked: Running) -> None:
    key = make(locked, Right.READ)
    answer = locked.client.get("/api/timeseries", params=FIELDS, headers=bearer(key))
    assert answer.status_code == 200
    assert answer.headers["ratelimit-policy"] == '"bulk";q=100000;w=60'
    sites = locked.client.get("/api/sites", headers=bearer(key)).json()
    assert [site["name"] for site in sites["sites"]] == [SITE]
    hidden = locked.client.get("/api/timeseries", params={**FIELDS, "site": OTHER_SITE}, headers=bearer(key))
    missing = locked.client.get("/api/timeseries", params={**FIELDS, "site": "nowhere"}, headers=bearer(key))
    assert (hidden.status_code, missing.status_code) == (404, 404)
    assert hidden.json()["detail"].replace(OTHER_SITE, "nowhere") == missing.json()["detail"]
    admin = bearer(locked.stack.admin_key)
    locked.client.delete(f"/api/keys/{key.split('_')[1]}", headers=admin)
    assert locked.client.get("/api/timeseries", params=FIELDS, headers=bearer(key)).status_code == 401


def test_a_key_with_enough_jobs_gets_no_more(locked: Running) -> None:
    locked.upstream(latency_ms=1_500)
    key = make(locked, Right.JOBS)
    asked = [{**FIELDS, "points": ["made_up_1"], "end_time": f"2024-03-0{day}T00:00:00Z"} for day in (2, 3)]
    first, second = (locked.client.post("/api/jobs", json=body, headers=bearer(key)) for body in asked)
    assert first.status_code == 202
    assert (second.status_code, second.headers["ratelimit"]) == (429, '"active-jobs";r=0')
    again = locked.client.post("/api/jobs", json=asked[0], headers=bearer(key))
    assert (again.status_code, again.json()["jobId"]) == (202, first.json()["jobId"])
    locked.client.delete(f"/api/jobs/{first.json()['jobId']}", headers=bearer(key))
    locked.upstream()
    assert locked.client.post("/api/jobs", json=asked[1], headers=bearer(key)).status_code == 202


def test_pages_of_the_list_may_read_answers_and_others_not(locked: Running) -> None:
    for origin, allowed in (("https://dashboard.example", True), ("https://evil.example", False)):
        for method in ("GET", "OPTIONS"):
            response = locked.client.request(method, "/api/sites", headers={"Origin": origin})
            told = response.headers.get("access-control-allow-origin")
            assert told == (origin if allowed else None)
            assert "Origin" in response.headers["vary"]


def test_a_caller_over_its_rate_is_refused_with_what_is_known(locked: Running) -> None:
    key = make(locked, Right.READ, tier="standard")
    for _ in range(ENOUGH):
        response = locked.client.get("/api/health", headers=bearer(key))
        if response.status_code == 429:
            break
    assert response.status_code == 429
    assert response.headers["retry-after"] == "60"
    assert response.headers["ratelimit"] == '"standard";r=0'
    assert response.headers["ratelimit-policy"] == f'"standard";q={STANDARD_PER_MINUTE};w=60'
    other = make(locked, Right.READ, tier="standard")
    assert locked.client.get("/api/health", headers=bearer(other)).status_code == 200, (
        "another key is not concerned"
    )


def test_an_upstream_in_trouble_is_left_alone_and_what_is_stored_is_served(locked: Running) -> None:
    headers = bearer(make(locked, Right.READ))
    locked.upstream()
    stored = {**FIELDS, "points": "made_up_2", "end_time": "2024-03-01T00:00:00Z", "route": "cached"}
    whole = locked.client.get("/api/timeseries", params=stored, headers=headers)
    assert whole.status_code == 200
    part = {**stored, "start_time": "2024-02-29T03:00:00Z"}
    until = time.monotonic() + TIMEOUT_S
    while (
        "hit"
        not in locked.client.get("/api/timeseries", params=part, headers=headers).headers["cache-status"]
    ):
        assert time.monotonic() < until, "it is stored after the answer has left"
    expected = locked.client.get("/api/timeseries", params=part, headers=headers).json()
    locked.upstream(rate_500=1)
    missing = {**headers, "Cache-Control": "no-store"}
    seen = [
        locked.client.get("/api/timeseries", params=FIELDS, headers=missing)
        for _ in range(2 + CIRCUIT_FAILURES // 2)
    ]
    kinds = [response.json()["type"].rpartition(":")[2] for response in seen]
    assert kinds == ["upstream-unreachable"] * 5 + ["upstream-suspended"] * 2
    assert seen[-1].status_code == 503
    assert 1 <= int(seen[-1].headers["retry-after"]) <= 5
    assert locked.upstream_stats()["calls"] == CIRCUIT_FAILURES, "each asked again once, and then nobody"
    served = locked.client.get("/api/timeseries", params=part, headers=headers)
    assert (served.status_code, served.json()) == (200, expected)
    assert served.headers["cache-status"] == "EdgeSeries; hit; detail=upstream-suspended"
    locked.upstream()
    until = time.monotonic() + TIMEOUT_S
    while locked.client.get("/api/timeseries", params=FIELDS, headers=missing).status_code != 200:
        assert time.monotonic() < until
    again = locked.client.get("/api/timeseries", params=part, headers=headers)
    assert again.headers["cache-status"] == "EdgeSeries; hit"


def test_a_job_waits_out_an_upstream_in_trouble_without_using_up_its_attempts(locked: Running) -> None:
    headers = bearer(make(locked, Right.JOBS))
    locked.upstream(rate_500=1)
    years = {**FIELDS, "points": ["made_up_1"], "start_time": "2022-01-01T00:00:00Z"}
    job = locked.client.post("/api/jobs", json=years, headers=headers).json()["statusUrl"]
    until = time.monotonic() + TIMEOUT_S
    while not [line for line in locked.logs if line.source == "consumer" and LEFT_ALONE in line.text]:
        assert time.monotonic() < until
        time.sleep(0.1)
    calls = locked.upstream_stats()["calls"]
    time.sleep(2)
    assert locked.upstream_stats()["calls"] - calls <= 2, "what was under way, asked again; no more"
    told = locked.client.get(job, headers=headers).json()
    assert told["status"] == "retrying"
    assert told["batches"]["total"] > CIRCUIT_FAILURES
    locked.upstream()
    while (told := locked.client.get(job, headers=headers).json())["status"] in ("processing", "retrying"):
        assert time.monotonic() < until + TIMEOUT_S
        time.sleep(0.2)
    assert (told["status"], told["error"]) == ("completed", None)
    assert told["retries"] <= CIRCUIT_FAILURES


def test_nobody_can_steer_where_the_upstream_is_called(locked: Running) -> None:
    headers = {**bearer(make(locked, Right.READ, sites=("*",))), "Cache-Control": "no-store"}
    elsewhere: list[str] = []

    class Elsewhere(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            elsewhere.append(f"{self.path} {self.headers.get('Authorization')}")
            self.send_response(200)
            self.end_headers()

        do_POST = do_GET  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Elsewhere) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            there = f"http://127.0.0.1:{server.server_address[1]}"
            httpx.get(there, trust_env=False, verify=NO_CERTIFICATES)
            assert len(elsewhere) == 1, "it would be noticed"
            locked.upstream(redirect_to=f"{there}/stolen")
            response = locked.client.get("/api/timeseries", params=FIELDS, headers=headers)
            assert response.json()["type"] == "urn:edgeseries:problem:upstream-contract"
            locked.upstream()
            for name in (there, f"@{there[7:]}", f"//{there[7:]}/x", "../../stolen", "%2e%2e/x", "x?y=z#w"):
                answer = locked.client.get(
                    "/api/timeseries", params={**FIELDS, "site": name}, headers=headers
                )
                assert answer.status_code == 404, (name, answer.text)
                answer = locked.client.get(
                    "/api/timeseries", params={**FIELDS, "points": name}, headers=headers
                )
                assert answer.json()["data"][name]["error"] is not None
        finally:
            server.shutdown()
            thread.join()
    assert len(elsewhere) == 1, elsewhere


def test_every_answer_says_how_it_may_be_kept_and_what_it_is(locked: Running) -> None:
    headers = bearer(make(locked, Right.READ))
    for path in ("/api/sites", "/api/timeseries", "/api/health", "/api/stats", "/nothing"):
        params = FIELDS if path == "/api/timeseries" else None
        response = locked.client.get(path, params=params, headers=headers)
        kept = "private, no-cache" if path == "/api/timeseries" else "no-store"
        assert response.headers["cache-control"] == kept, path
        assert response.headers["x-content-type-options"] == "nosniff"
        assert "Origin" in response.headers["vary"]


def test_no_log_of_all_this_holds_a_key(locked: Running) -> None:
    key = make(locked, Right.READ)
    named = {**bearer(key), "X-Request-Id": "the-last-of-them"}
    locked.client.get("/api/timeseries", params=FIELDS, headers=named)
    locked.client.get("/api/health")
    texts = [line.text for line in locked.logs]
    assert [json.loads(text)["status"] for text in texts if "the-last-of-them" in text] == [200]
    logs_tell_no_secret(locked.stack, locked.logs)
    for secret in (key, key.split("_")[2]):
        assert not [text for text in texts if secret in text]
    assert not [text for text in texts if re.search(r"\bes_[0-9a-z]+_[0-9a-f]{64}", text)]
    assert not [text for text in texts if "Traceback" in text], (
        "a run in which nothing is wrong has no traces"
    )


def test_strangers_use_up_their_address_and_no_key(locked: Running) -> None:
    """Stands last: afterwards the address of all tests is over its rate for a minute."""
    key = make(locked, Right.READ, tier="standard")
    wrong = key[:-1] + ("0" if key[-1] != "0" else "1")

    def status(shown: str) -> int:
        return locked.client.get("/api/sites", headers=bearer(shown)).status_code

    seen = []
    for number in range(ENOUGH):
        seen.append(status(wrong if number % 2 else f"es_{number:012x}_{'a' * 64}"))
        if seen[-1] == 429:
            break
    assert (seen[0], seen[-1]) == (401, 429)
    assert set(seen) == {401, 429}
    # The key was never shown with its secret, so that nothing is remembered of it but what strangers did.
    assert status(key) == 200
    assert status(locked.stack.admin_key) == 200
    assert (status(wrong), status(f"es_{'0' * 12}_{'a' * 64}")) == (429, 429)
