"""Purges and refreshes that overtake what is under way, on workerd: nothing of before them stays."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests import made_up
from tests.runtime.conftest import Running
from tests.runtime.jobs_stack import LEAP_DAY, Jobs, Wanted

pytestmark = pytest.mark.runtime

SITE = made_up.PLAIN_SITE
POINTS = ("made_up_1", "made_up_2")
TIMES = {"start_time": "2024-02-29T00:00:00Z", "end_time": "2024-03-01T00:00:00Z"}
POLL_S = 0.02
PATIENCE_S = 60.0
SLOW_MS = 1_200
"""Of the 6 s that the stack's requests have."""

LATE = {"site": SITE, "point": "made_up_1", "samples": [["2024-02-29T00:00:30Z", "77"]]}
CORRECTED = [1_709_164_830_000, 77.0]


def until(what: str, true: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < end, what
        time.sleep(POLL_S)


@pytest.fixture
def emptied(running: Running) -> Iterator[Running]:
    """Nothing stored of the site, before and after."""
    purge(running)
    yield running
    running.upstream()
    purge(running)


def purge(running: Running, **more: str) -> None:
    running.client.delete("/api/cache", params={"site": SITE, **more}).raise_for_status()


def ask(running: Running, *, headers: dict[str, str] | None = None, **more: Any) -> httpx.Response:
    params = {"site": SITE, "points": ",".join(POINTS), "route": "cached", **TIMES, **more}
    response = running.client.get("/api/timeseries", params=params, headers=headers or {})
    assert response.status_code == 200, response.text
    return response


def stored_days(running: Running, point: str = ",".join(POINTS)) -> int:
    params = {"site": SITE, "points": point, **TIMES}
    found: int = running.client.get("/api/coverage", params=params).json()["totals"]["storedDays"]
    return found


def sees(response: httpx.Response) -> bool:
    return CORRECTED in response.json()["data"]["made_up_1"]["samples"]


@pytest.mark.parametrize("scope", [{}, {"points": ",".join(POINTS)}], ids=["site", "points"])
def test_a_slow_request_that_a_purge_overtook_leaves_nothing(emptied: Running, scope: dict[str, str]) -> None:
    emptied.upstream(latency_ms=SLOW_MS, only=["points_get_timeseries", "point_timeseries"])
    told = len(emptied.logs)
    with ThreadPoolExecutor(max_workers=1) as callers:
        asked = callers.submit(ask, emptied)
        until("it asks upstream", lambda: emptied.upstream_stats()["calls"] > 0)
        purge(emptied, **scope)
        asked.result()
    until(
        "it finds out that it was overtaken",
        lambda: any("store_superseded=" in line.text for line in emptied.logs[told:]),
    )
    assert stored_days(emptied) == 0
    emptied.upstream(late=[LATE])
    after = ask(emptied)
    assert (after.headers["x-cache-hit"], sees(after)) == ("false", True)
    until("it is stored now", lambda: stored_days(emptied) == len(POINTS))


def test_a_refresh_on_the_direct_route_is_seen_by_every_shape(emptied: Running) -> None:
    first = ask(emptied)
    until("stored", lambda: stored_days(emptied) == len(POINTS))
    until("kept", lambda: ask(emptied).headers["x-cache-hit"] == "true")
    other = ask(emptied, points="made_up_1")
    emptied.upstream(late=[LATE])
    assert not sees(ask(emptied))
    hour = {"start_time": "2024-02-29T05:00:00Z", "end_time": "2024-02-29T06:00:00Z"}
    refreshed = ask(
        emptied, route="direct", points="made_up_1", headers={"Cache-Control": "no-cache"}, **hour
    )
    assert refreshed.headers["cache-status"] == "EdgeSeries; fwd=request; stored"
    emptied.upstream()
    for again in (ask(emptied), ask(emptied, points="made_up_1"), ask(emptied, route="direct")):
        assert sees(again)
        assert again.headers["x-cache-hit"] == "true"
    assert emptied.upstream_stats()["calls"] == 0
    assert ask(emptied).headers["etag"] != first.headers["etag"]
    assert ask(emptied, points="made_up_1").headers["etag"] != other.headers["etag"]
    stale = {"If-None-Match": first.headers["etag"]}
    assert ask(emptied, headers=stale).status_code == 200


def test_a_job_that_a_purge_overtook_fetches_again(jobs: Jobs) -> None:
    # The whole day: the sample that comes late is in its first minute. No other test asks for all of it.
    wanted = Wanted(site=SITE, points=POINTS, first_day=LEAP_DAY, days=1, offset_s=0)
    jobs.forget(SITE)
    jobs.upstream(latency_ms=SLOW_MS, only=["points_get_timeseries", "point_timeseries"])
    told = len(jobs.logs)
    job_id = jobs.post(wanted)["jobId"]
    until("it asks upstream", lambda: jobs.stats()["calls"] > 0)
    jobs.turn(late=[LATE], latency_ms=0)
    jobs.forget(SITE)
    jobs.completed(job_id)
    assert any(
        "store_superseded" in line.text or "purged or refreshed" in line.text for line in jobs.logs[told:]
    )
    params = {"site": SITE, "points": ",".join(POINTS), **TIMES}
    covered = jobs.client.get("/api/coverage", params=params).json()["totals"]
    assert covered["storedDays"] == len(POINTS)
    result = jobs.result(job_id)
    assert "etag" in result.headers
    assert CORRECTED in result.json()["data"]["made_up_1"]["samples"]
    (batch,) = jobs.host.query("SELECT attempts, claims FROM job_batches WHERE job_id = ?", job_id)
    assert (batch["attempts"], batch["claims"]) == (0, 2), "it went again, and that was no failure"
    jobs.forget(SITE)
