"""The live edge on workerd: each new sample is asked for once, and what comes late is seen.

The simulator's `known_until` plays the time that goes by: it is some minutes behind the real clock, so that
every look is at a later end.
"""

import time
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from local.expected import expected_samples
from tests.loopback import NO_CERTIFICATES
from tests.made_up import LIVE_POINTS, LIVE_SITE, STOPPED
from tests.runtime.conftest import Running

pytestmark = pytest.mark.runtime

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
SETTLE_LAG_MS = HOUR_MS
LOOKS = 12


class Dashboard:
    """Somebody who looks at the live part of some points; nothing is known from `now_ms` on."""

    def __init__(self, running: Running, points: tuple[str, ...] = LIVE_POINTS) -> None:
        self.running, self.points = running, points
        clock_ms = time.time_ns() // 1_000_000
        self.start_ms = (clock_ms - SETTLE_LAG_MS) // DAY_MS * DAY_MS
        self.now_ms = clock_ms // MINUTE_MS * MINUTE_MS - (LOOKS + 2) * MINUTE_MS + 1
        self.control()
        self.purge()

    def control(self, **knobs: Any) -> None:
        """The simulator as it is at `now_ms`, its counters at zero."""
        url = f"{self.running.stack.upstream_url}/_control"
        knobs = {"known_until": iso(self.now_ms), "reset_stats": True, **knobs}
        httpx.post(url, json=knobs, trust_env=False, verify=NO_CERTIFICATES).raise_for_status()

    def purge(self) -> None:
        self.running.client.delete("/api/cache", params={"site": LIVE_SITE}).raise_for_status()

    def look(self, end_ms: int | None = None, *, cache_control: str = "", route: str = "") -> httpx.Response:
        params: list[tuple[str, str | int | float | bool | None]] = [("site", LIVE_SITE)]
        params += [*(("point", point) for point in self.points)]
        params += [("start_time", str(self.start_ms)), ("end_time", str(end_ms or self.now_ms))]
        params += [("route", route)] if route else []
        headers = {"Cache-Control": cache_control}
        response = self.running.client.get("/api/timeseries", params=params, headers=headers)
        assert response.status_code == 200, response.text
        return response

    def expected(self, point: str) -> list[list[Any]]:
        return expected_samples(self.running.truth, LIVE_SITE, point, self.start_ms, self.now_ms)

    def delivered(self) -> int:
        return int(self.running.upstream_stats()["samples"])


@pytest.fixture
def dashboard(running: Running) -> Dashboard:
    return Dashboard(running)


def iso(epoch_ms: int) -> str:
    return datetime.fromtimestamp(epoch_ms / 1000, tz=UTC).isoformat(timespec="milliseconds")


def samples(response: httpx.Response) -> dict[str, list[list[Any]]]:
    return {point: one["samples"] for point, one in response.json()["data"].items()}


@pytest.mark.parametrize("route", ["direct", "cached", ""])
def test_a_dashboard_asks_upstream_for_each_new_sample_once(dashboard: Dashboard, route: str) -> None:
    assert dashboard.look(route=route).headers["x-cache-hit"] == "false"
    assert dashboard.delivered() > LOOKS * len(LIVE_POINTS)
    dashboard.control()
    for _ in range(LOOKS):
        dashboard.now_ms += MINUTE_MS
        dashboard.control(reset_stats=False)
        answered = samples(dashboard.look(route=route))
        assert answered == {point: dashboard.expected(point) for point in LIVE_POINTS}
    assert dashboard.delivered() == LOOKS * len(LIVE_POINTS)


def test_a_repeated_look_at_now_does_not_go_upstream(dashboard: Dashboard) -> None:
    def until_now() -> httpx.Response:
        return dashboard.look(time.time_ns() // 1_000_000)

    first = samples(until_now())
    dashboard.control()
    again = until_now()
    assert (again.headers["x-cache-hit"], again.headers["cache-status"]) == ("true", "EdgeSeries; hit")
    assert samples(again) == first == {point: dashboard.expected(point) for point in LIVE_POINTS}
    assert dashboard.running.upstream_stats()["calls"] == 0
    dashboard.purge()
    assert until_now().headers["x-cache-hit"] == "false"


def test_points_without_a_sample_are_settled_together_and_not_asked_again(running: Running) -> None:
    """Nothing is known of today yet: all points of the site are quiet."""
    dashboard = Dashboard(running, (*LIVE_POINTS, STOPPED))
    end_ms = time.time_ns() // 1_000_000
    dashboard.control(known_until=iso(dashboard.start_ms))
    try:
        answered = samples(dashboard.look(end_ms))
        assert answered == {point: [] for point in dashboard.points}
        calls = running.upstream_stats()["by_endpoint"]
        # The batch and the pages of the site deny it, and the list, read anew, still holds the points.
        assert calls.pop("site_points") <= 2
        assert calls == {"points_get_timeseries": 1, "site_timeseries_paginated": 1}
        dashboard.control(known_until=iso(dashboard.start_ms))
        assert samples(dashboard.look(time.time_ns() // 1_000_000)) == answered
        assert running.upstream_stats()["calls"] == 0
    finally:
        dashboard.control(reset=True)


def test_a_gateway_that_catches_up_in_order_is_seen_at_once(running: Running) -> None:
    dashboard = Dashboard(running, (STOPPED, LIVE_POINTS[0]))
    dashboard.look()
    span = running.truth.span_ms(LIVE_SITE, STOPPED)
    assert span is not None
    # Early in the day it was cut off before midnight; what is sealed is no live part.
    last_ms = max(span[1], dashboard.start_ms)
    dashboard.now_ms += MINUTE_MS
    count = min(90, (dashboard.now_ms - last_ms) // MINUTE_MS - 1)
    caught_up = [[iso(last_ms + minute * MINUTE_MS), "5"] for minute in range(1, count + 1)]
    dashboard.control(late=[{"site": LIVE_SITE, "point": STOPPED, "samples": caught_up}])
    seen = samples(dashboard.look())[STOPPED]
    assert seen[-count:] == [[last_ms + minute * MINUTE_MS, 5.0] for minute in range(1, count + 1)]
    # The other point's one new sample, and nothing twice.
    assert dashboard.delivered() == count + 1
    dashboard.control(late=[], reset=True)


def test_what_comes_out_of_order_is_there_for_who_asks_anew(dashboard: Dashboard) -> None:
    point = LIVE_POINTS[0]
    dashboard.look()
    late_ms = dashboard.now_ms - 10 * MINUTE_MS + 5_000
    dashboard.control(late=[{"site": LIVE_SITE, "point": point, "samples": [[iso(late_ms), "late"]]}])
    assert [late_ms, "late"] not in samples(dashboard.look())[point]
    assert [late_ms, "late"] in samples(dashboard.look(cache_control="no-store"))[point]
    assert [late_ms, "late"] not in samples(dashboard.look())[point]
    assert [late_ms, "late"] in samples(dashboard.look(cache_control="no-cache"))[point]
    assert [late_ms, "late"] in samples(dashboard.look())[point]


def test_coverage_tells_what_is_live_and_a_purge_what_it_removes(dashboard: Dashboard) -> None:
    first_day_ms = dashboard.start_ms - DAY_MS
    fields = {"site": LIVE_SITE, "points": ",".join(LIVE_POINTS), "start_time": str(first_day_ms)}
    fields["end_time"] = str(dashboard.now_ms)
    client = dashboard.running.client
    told = client.get("/api/coverage", params=fields).json()
    days = [iso(first_day_ms)[:10], iso(dashboard.start_ms)[:10]]
    assert told["groups"][0]["missing"]["ranges"] == [[days[0], days[0]]]
    # In the first hour of a day the day before is live, too.
    live_days = (dashboard.now_ms - 1) // DAY_MS - dashboard.start_ms // DAY_MS + 1
    assert told["live"] == [days[1], iso(dashboard.now_ms - 1)[:10]]
    dashboard.start_ms -= DAY_MS
    dashboard.look(route="cached")
    until = time.monotonic() + 30
    while told["totals"]["missingDays"] and time.monotonic() < until:
        time.sleep(0.1)
        told = client.get("/api/coverage", params=fields).json()
    points = len(LIVE_POINTS)
    assert (told["totals"]["storedDays"], told["totals"]["liveDays"]) == (points, points * live_days)
    assert told["groups"][0]["stored"]["ranges"] == [[days[0], days[0]]]
    purge = {"site": LIVE_SITE, "points": ",".join(LIVE_POINTS[:3])}
    rehearsed = client.delete("/api/cache", params={**purge, "dry_run": "true"}).json()
    assert (rehearsed["blocks"], rehearsed["dryRun"]) == (3, True)
    done = client.delete("/api/cache", params=purge).json()
    assert (done["blocks"], done["storedBytes"]) == (3, rehearsed["storedBytes"])
    told = client.get("/api/coverage", params=fields).json()
    assert [group["pointCount"] for group in told["groups"]] == [5, 3]
    faulty = client.delete("/api/cache", params={"points": "", "dry_run": "perhaps"})
    assert {fault["parameter"] for fault in faulty.json()["errors"]} == {"site", "points", "dry_run"}
