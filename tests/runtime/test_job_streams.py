"""Event streams on workerd: many followers of one job, and a stream that is taken up again and again."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from itertools import islice
from typing import Any

import httpx
import pytest

from tests.loopback import NO_CERTIFICATES
from tests.processes import eventually
from tests.runtime.jobs_stack import Jobs, minute_job

pytestmark = pytest.mark.runtime

TIMEOUT_S = 120.0
FOLLOWERS = 50
LATENCY_MS = 3_000

Event = tuple[str, dict[str, Any]]
"""Its id, and the job in it."""


def followed(url: str, *, last_event_id: str = "", most: int | None = None) -> list[Event]:
    """Events of a stream, to its end or so many."""
    headers = {"Last-Event-ID": last_event_id} if last_event_id else {}
    with (
        httpx.Client(timeout=TIMEOUT_S, trust_env=False, verify=NO_CERTIFICATES) as client,
        client.stream("GET", url, headers=headers) as response,
    ):
        if response.status_code == 204:
            return []
        assert response.status_code == 200
        return list(islice(_events(response), most))


def _events(response: httpx.Response) -> Any:
    identity = ""
    for line in response.iter_lines():
        name, _, value = line.partition(": ")
        if name == "id":
            identity = value
        elif name == "data":
            yield identity, json.loads(value)


def events_url(jobs: Jobs, job_id: str) -> str:
    return str(jobs.client.base_url.join(f"/api/jobs/{job_id}/events"))


def told_once_and_in_order(events: list[Event]) -> None:
    assert len({one for one, _ in events}) == len(events)
    done = [job["batches"]["done"] for _, job in events]
    assert done == sorted(done)
    assert events[-1][1]["status"] == "completed"


def test_fifty_followers_of_a_job_cost_few_reads_of_the_database(jobs: Jobs) -> None:
    jobs.turn(latency_ms=LATENCY_MS)
    job_id = jobs.post(minute_job())["jobId"]
    url = events_url(jobs, job_id)
    jobs.host.peaks()
    with ThreadPoolExecutor(FOLLOWERS) as pool:
        streams = list(pool.map(lambda _: followed(url), range(FOLLOWERS)))
    for stream in streams:
        told_once_and_in_order(stream)
    counts = {"events": 0, "statements": 0}

    def all_ended() -> bool:
        told = jobs.host.peaks()["router"]
        counts["events"] += told["events"]
        counts["statements"] += told["total"].get("d1_queries", 0)
        return counts["events"] >= FOLLOWERS

    eventually(all_ended, "the end of every stream")
    job = streams[0][-1][1]
    seconds = (
        datetime.fromisoformat(job["endedAt"]) - datetime.fromisoformat(job["createdAt"])
    ).total_seconds()
    # Each finds its job once, and what is counted is written now and then. Each by itself would look
    # once a second; together they stay below a third of that on a machine that is slow, too.
    assert seconds >= 2 * LATENCY_MS / 1_000
    assert counts["statements"] <= FOLLOWERS * seconds / 3


def test_a_stream_that_breaks_off_again_and_again_is_told_all_and_nothing_twice(jobs: Jobs) -> None:
    jobs.turn(latency_ms=LATENCY_MS)
    job_id = jobs.post(minute_job())["jobId"]
    url = events_url(jobs, job_id)
    events = followed(url, most=1)
    while more := followed(url, last_event_id=events[-1][0], most=1):
        events += more
    told_once_and_in_order(events)
    assert len(events) >= 3
