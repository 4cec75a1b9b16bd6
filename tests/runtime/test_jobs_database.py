"""The ports of jobs and of warming over D1 on workerd: the very suites that they pass over SQLite; and
warming from a question that comes again to its answer.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from edgeseries.limits import HOUR_MS
from edgeseries.series.days import first_unsealed_day
from edgeseries.storage.database import Command, Row
from local.expected import expected_samples
from tests.job_conformance import JobPortsConformance
from tests.made_up import LIVE_POINTS, LIVE_SITE
from tests.runtime.jobs_stack import DATABASE_PATH, DAY_MS, Jobs, same_data
from tests.warming_conformance import WarmingPortsConformance

pytestmark = pytest.mark.runtime


@dataclass
class RemoteDatabase:
    """The Database protocol over the script beside the stack's Workers."""

    client: httpx.Client

    async def read(self, command: Command) -> list[Row]:
        (rows,) = await self._ask("read", [command])
        return rows

    async def write(self, commands: Sequence[Command]) -> list[list[Row]]:
        return await self._ask("write", commands)

    async def _ask(self, verb: str, commands: Sequence[Command]) -> list[list[Row]]:
        body = {
            "verb": verb,
            "commands": [{"sql": one.sql, "parameters": list(one.parameters)} for one in commands],
        }
        # In a thread, so that what a test does at once is at once.
        response = await asyncio.to_thread(self.client.post, DATABASE_PATH, json=body)
        assert response.status_code == 200, response.text[:500]
        found: list[list[Any]] = response.json()
        return [[tuple(row) for row in rows] for rows in found]


class TestOverD1(JobPortsConformance):
    @pytest.fixture
    def database(self, jobs_stack: Jobs) -> RemoteDatabase:
        return RemoteDatabase(jobs_stack.client)


class TestWarmingOverD1(WarmingPortsConformance):
    @pytest.fixture
    def database(self, jobs_stack: Jobs) -> RemoteDatabase:
        return RemoteDatabase(jobs_stack.client)


POINTS = tuple(sorted(LIVE_POINTS))
COUNTED_WITHIN_S = 30
"""An isolate writes what it counted within some seconds."""


def sealed_day() -> tuple[int, int]:
    """The last sealed day, and how many days ago it is: the live site has samples of it."""
    now_ms = time.time_ns() // 1_000_000
    sealed = first_unsealed_day(now_ms=now_ms, settle_lag_ms=HOUR_MS) - 1
    return sealed, now_ms // DAY_MS - sealed


def of_day(day: int) -> dict[str, Any]:
    times = {"start_time": day * DAY_MS, "end_time": (day + 1) * DAY_MS}
    return {"site": LIVE_SITE, "points": list(POINTS), **times, "route": "cached"}


def counted(jobs: Jobs) -> list[dict[str, Any]]:
    """The set of the question, once it is written."""
    end = time.monotonic() + COUNTED_WITHIN_S
    sql = "SELECT * FROM asked_sets JOIN asked_hours USING (set_digest) WHERE site = ?"
    while not (rows := jobs.host.query(sql, LIVE_SITE)):
        assert time.monotonic() < end, "the question was not counted"
        time.sleep(0.2)
    return rows


def test_what_was_asked_on_two_such_days_is_fetched_before_it_is_asked_again(jobs: Jobs) -> None:
    """From a question of today, made one of the last two weeks, over a sweep and its job to a hit."""
    day, back = sealed_day()
    first = jobs.client.post("/api/timeseries", json=of_day(day))
    assert first.status_code == 200, first.text
    row = counted(jobs)[0]
    assert (row["point_count"], row["first_back"], row["last_back"]) == (len(POINTS), back, back)
    assert row["missing_point_days"] == row["point_days"] > 0
    jobs.forget(LIVE_SITE)
    # As if it had been asked in this hour, and the next one, a week and two weeks ago.
    jobs.host.query("DELETE FROM asked_hours")
    for hours in (24 * 7, 24 * 14):
        for hour in (row["hour"] - hours, row["hour"] - hours + 1):
            jobs.host.query(
                "INSERT INTO asked_hours VALUES (?1, ?2, ?3, ?3, 5, 30, 30, 800, 1)",
                *(hour, row["set_digest"], back),
            )
    jobs.upstream()
    jobs.sweep()
    (run,) = jobs.host.query("SELECT * FROM warm_runs WHERE site = ?", LIVE_SITE)
    assert (run["reason"], run["point_days"]) == ("pattern", row["point_days"])
    job = jobs.until(run["job_id"])
    assert (job["status"], job["priority"], job["error"]) == ("completed", "low", None)
    jobs.sweep()
    assert len(jobs.host.query("SELECT * FROM warm_runs WHERE site = ?", LIVE_SITE)) == 1
    fetched = jobs.stats()["calls"]
    assert fetched > 0

    answer = jobs.client.post("/api/timeseries", json=of_day(day))
    assert answer.headers["x-cache-hit"] == "true"
    assert jobs.stats()["calls"] == fetched, "no call for what was fetched ahead"
    start_ms, end_ms = day * DAY_MS, (day + 1) * DAY_MS
    expected = {point: expected_samples(jobs.truth, LIVE_SITE, point, start_ms, end_ms) for point in POINTS}
    assert same_data(answer.json()["data"], expected) > 0
    told = jobs.client.get("/api/warm").json()
    (pattern, *_) = [one for one in told["patterns"] if one["site"] == LIVE_SITE]
    assert pattern["lastRun"]["jobId"] == run["job_id"]
    assert told["budget"]["on"] is True
    assert told["budget"]["samplesToday"] >= job["samplesCount"] > 0

    # Its use is noted once the isolate has written the question.
    end = time.monotonic() + COUNTED_WITHIN_S
    while not jobs.client.get("/api/stats").json()["warming"]["usedJobs"]:
        assert time.monotonic() < end, "its use was not noted"
        time.sleep(1)
        jobs.sweep()


def test_a_saved_set_is_fetched_when_somebody_says_so(jobs: Jobs) -> None:
    jobs.forget(LIVE_SITE)
    body = {"site": LIVE_SITE, "points": list(POINTS), "days": 2, "hours": [7], "weekdays": ["mon"]}
    assert jobs.client.put("/api/warm/lobby", json=body).status_code == 200
    made = jobs.client.post("/api/warm", json={"set": "lobby"})
    assert made.status_code == 202, made.text
    assert jobs.until(made.json()["jobId"])["status"] == "completed"
    jobs.upstream()
    assert jobs.client.post("/api/timeseries", json=of_day(sealed_day()[0])).headers["x-cache-hit"] == "true"
    assert jobs.stats()["calls"] == 0
    # The suite of the port leaves sets of other owners in this database.
    sets = jobs.client.get("/api/warm").json()["sets"]
    (saved,) = [one for one in sets if (one["owner"], one["name"]) == ("", "lobby")]
    assert saved["lastRun"]["status"] == "completed"
    assert jobs.client.delete("/api/warm/lobby").status_code == 200
