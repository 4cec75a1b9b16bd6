"""Real counts and the memory that requests share, on workerd: nobody hangs, nothing leaks."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from edgeseries.limits import BUDGET_LINGER_MS, HELD_BODY_BYTES, SECOND_MS
from edgeseries.memory_limits import HEAP_BYTES
from local.expected import expected_samples
from tests.loopback import NO_CERTIFICATES
from tests.runtime.conftest import Running

pytestmark = pytest.mark.runtime

SITE = "opengrid_minute"
POINTS = ["water_2923", "water_1a5c", "water_6616", "water_a519", "water_a926", "water_b285"]
DAY_MS = 86_400_000
FIRST_DAY_MS = 1_425_340_800_000
"""2015-03-03T00:00:00Z: the meters run."""

DAYS = 24
"""Of six points they are 207,000 samples, 24 MB while an answer is made of them: one such request fits."""

PIECE_DAYS = 8
"""What is fetched at a time to store them: within the short deadline of this stack on any machine."""

PATIENCE_S = 90


@pytest.fixture(scope="module", autouse=True)
def _stored(whole_stack: Running) -> None:
    """All of it is stored, by requests of its own points and ranges, whichever test came before."""
    whole_stack.upstream()
    whole_stack.client.delete("/api/cache", params={"site": SITE}).raise_for_status()
    until = time.monotonic() + PATIENCE_S
    while missing_days(whole_stack, POINTS) and time.monotonic() < until:
        for point in POINTS:
            for first in range(0, DAYS, PIECE_DAYS):
                if missing_days(whole_stack, [point], first, PIECE_DAYS):
                    whole_stack.client.get(
                        "/api/timeseries", params=pairs([point], first, PIECE_DAYS, route="cached")
                    )
    assert missing_days(whole_stack, POINTS) == 0


def totals(running: Running, points: list[str], first: int = 0, days: int = DAYS) -> dict[str, Any]:
    told = running.client.get("/api/coverage", params=pairs(points, first, days)).raise_for_status().json()
    found: dict[str, Any] = told["totals"]
    return found


def missing_days(running: Running, points: list[str], first: int = 0, days: int = DAYS) -> int:
    return int(totals(running, points, first, days)["missingDays"])


def pairs(points: list[str], first: int = 0, days: int = DAYS, **more: str) -> dict[str, str | list[str]]:
    return {
        "site": SITE,
        "point": points,
        "start_time": str(FIRST_DAY_MS + first * DAY_MS),
        "end_time": str(FIRST_DAY_MS + (first + days) * DAY_MS),
        **more,
    }


def ask(running: Running, **more: Any) -> httpx.Response:
    """Everything, past the cached answers."""
    params = pairs(POINTS, route="direct", **more)
    return running.client.get("/api/timeseries", params=params, timeout=PATIENCE_S)


def until_answered(running: Running) -> httpx.Response:
    """Within less time than after which what nobody gave back would be free again."""
    until = time.monotonic() + BUDGET_LINGER_MS / SECOND_MS - 5
    while time.monotonic() < until:
        response = ask(running)
        if response.status_code == 200:
            return response
        assert (response.status_code, response.json()["type"]) == (503, "urn:edgeseries:problem:memory-busy")
        time.sleep(float(response.headers["retry-after"]))
    raise AssertionError("never answered")


def assert_right(running: Running, response: httpx.Response) -> None:
    data = response.json()["data"]
    assert list(data) == sorted(POINTS)
    for point in POINTS:
        until_ms = FIRST_DAY_MS + DAYS * DAY_MS
        wanted = expected_samples(running.truth, SITE, point, FIRST_DAY_MS, until_ms)
        assert data[point]["samples"] == wanted


def test_large_requests_at_the_same_time_wait_or_are_told_to_come_again(running: Running) -> None:
    responses = side_by_side(running)
    assert any(response.status_code == httpx.codes.OK for response in responses)
    for response in responses:
        if response.status_code == httpx.codes.OK:
            assert_right(running, response)
        else:
            assert response.status_code == httpx.codes.SERVICE_UNAVAILABLE
            assert response.json()["type"] == "urn:edgeseries:problem:memory-busy"
            assert int(response.headers["retry-after"]) >= 1
    # Whoever comes again is answered: everything was given back.
    for _ in range(3):
        assert_right(running, until_answered(running))


def side_by_side(running: Running, **more: str) -> list[httpx.Response]:
    with ThreadPoolExecutor(5) as pool:
        return list(pool.map(lambda _: ask(running, **more), range(5)))


def leave_in_the_middle(running: Running, times: int) -> None:
    for _ in range(times):
        with (
            httpx.Client(
                base_url=running.stack.url, timeout=PATIENCE_S, trust_env=False, verify=NO_CERTIFICATES
            ) as client,
            client.stream("GET", "/api/timeseries", params=pairs(POINTS, route="direct")) as response,
        ):
            if response.status_code == httpx.codes.OK:
                first = next(response.iter_raw(1_000))
                assert len(first) < HELD_BODY_BYTES


def test_readers_who_go_away_give_their_memory_back(running: Running) -> None:
    leave_in_the_middle(running, 4)
    assert_right(running, until_answered(running))


def test_an_isolate_that_has_served_everything_stays_within_its_plan(running: Running) -> None:
    """Its memory never shrinks: it is the most that it ever needed, in steps of a fifth. Arrow and Parquet
    load arro3, which stays.
    """
    for chosen in ("parquet", "arrow", "msgpack", "csv", "columns"):
        shape = {"shape": "wide"} if chosen in {"csv", "columns"} else {}
        for response in side_by_side(running, format=chosen, **shape):
            assert response.status_code in {httpx.codes.OK, httpx.codes.SERVICE_UNAVAILABLE}
        leave_in_the_middle(running, 2)
    wanted = pairs(POINTS, every="15m", agg="mean,min,max,twa")
    assert running.client.get("/api/timeseries", params=wanted).status_code == httpx.codes.OK
    assert_right(running, until_answered(running))
    assert running.stack.host.heap_bytes("router") <= HEAP_BYTES


def test_what_is_stored_is_estimated_by_what_it_has(running: Running) -> None:
    found = totals(running, POINTS)
    count = until_answered(running).json()["_meta"]["sampleCount"]
    assert found["storedDays"] == len(POINTS) * DAYS
    assert (found["estimatedMissingSamples"], found["route"]) == (0, "direct")
    # The range cuts its month; the meters run all day.
    assert abs(found["estimatedAnswerSamples"] - count) <= count // 100
    # The janitor looks at the upstream every quarter of an hour; nobody asked it for samples.
    assert [name for name in running.upstream_stats()["by_endpoint"] if "timeseries" in name] == []
