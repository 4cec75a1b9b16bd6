"""A stack that asks for keys, on workerd: who gets in, what a key sees, limits, and what is never told."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from edgeseries.core.access import RULES, Right, Scope
from local.stack import Stack, StackOptions
from local.upstream.truth import Truth
from tests import made_up
from tests.runtime.conftest import TIMEOUT_S, Running

pytestmark = pytest.mark.runtime

SITE, OTHER_SITE = made_up.PLAIN_SITE, made_up.ODD_SITE
FIELDS = {
    "site": SITE,
    "points": "made_up_1",
    "start_time": "2024-02-29T00:00:00Z",
    "end_time": "2024-02-29T02:00:00Z",
}
STANDARD_PER_MINUTE = 400


@pytest.fixture(scope="module")
def locked(data_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    logs: list[Any] = []
    options = StackOptions(
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
        httpx.Client(base_url=stack.url, timeout=TIMEOUT_S, trust_env=False) as client,
    ):
        stack.host.wait_awake()
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
    }
    seen = {}
    for (method, pattern), rule in RULES.items():
        path = pattern
        for part, name in filled.items():
            path = path.replace(part, name)

        def status(key: str | None, method: str = method, path: str = path) -> int:
            body = {**FIELDS, "points": ["made_up_1"]} if method == "POST" else None
            return locked.client.request(
                method,
                path,
                params=FIELDS
                if path in ("/api/timeseries", "/api/coverage") and method == "GET"
                else {"site": SITE, "dry_run": "true"}
                if path == "/api/cache"
                else None,
                json=body,
                headers={} if key is None else bearer(key),
            ).status_code

        wrong = mine[:-1] + ("0" if mine[-1] != "0" else "1")
        got = (status(None), status(wrong), status(revoked))
        hidden = rule.scope is Scope.SITE or "{job}" in pattern
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
    for _ in range(STANDARD_PER_MINUTE + 1):
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


def test_no_log_of_all_this_holds_a_key(locked: Running) -> None:
    key = make(locked, Right.READ)
    named = {**bearer(key), "X-Request-Id": "the-last-of-them"}
    locked.client.get("/api/timeseries", params=FIELDS, headers=named)
    locked.client.get("/api/health")
    texts = [line.text for line in locked.logs]
    assert [json.loads(text)["status"] for text in texts if "the-last-of-them" in text] == [200]
    token = next(
        worker.env["UPSTREAM_TOKEN"]["value"]
        for worker in locked.stack.host.plan.workers
        if "UPSTREAM_TOKEN" in worker.env
    )
    for secret in (key, key.split("_")[2], locked.stack.admin_key.split("_")[2], token):
        assert not [text for text in texts if secret in text]
    assert "es_" not in "".join(texts)
