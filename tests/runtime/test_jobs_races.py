"""Jobs that are raced for: messages doubled over three queues, many callers at once, cancel in between."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.runtime.jobs_stack import DAY_MS, Jobs, Wanted, iso, minute_job, stored_days

pytestmark = pytest.mark.runtime

CLIENTS = 50
LATENCY_MS = 150
QUEUES = ("jobs-high", "jobs-normal", "jobs-low")


def test_every_message_many_times_over_three_queues_gives_the_same_job(jobs: Jobs) -> None:
    jobs.turn(latency_ms=LATENCY_MS)
    wanted = minute_job()
    job_id = jobs.post(wanted)["jobId"]
    plan = {"v": 1, "kind": "plan", "jobId": job_id}
    for queue in QUEUES:
        jobs.host.send(jobs.queue(queue), [plan, plan])
    jobs.until(job_id, "processing", "retrying", "completed")
    batches = [
        {"v": 1, "kind": "batch", "jobId": job_id, "batchIndex": batch["batch_index"]}
        for batch in jobs.batches(job_id)
    ]
    assert len(batches) == 4
    for queue in QUEUES:
        # In another order each, so that they meet.
        jobs.host.send(jobs.queue(queue), batches)
        batches.reverse()
    told = jobs.completed(job_id)
    for queue in QUEUES:
        jobs.host.send(jobs.queue(queue), [plan, *batches])
    expected = wanted.days_held(jobs.truth)
    assert told["samplesCount"] == expected.total()
    assert jobs.delivered() == expected, "a day was asked for twice, or not at all"
    assert [batch["claims"] for batch in jobs.batches(job_id)] == [1, 1, 1, 1]
    assert jobs.right(job_id) > 0
    later = jobs.job(job_id)
    assert {**later, "updatedAt": ""} == {**told, "updatedAt": ""}


def test_cancel_stops_within_one_call_and_what_is_stored_stays(jobs: Jobs) -> None:
    jobs.turn(latency_ms=LATENCY_MS)
    wanted = minute_job(16)
    job_id = jobs.post(wanted)["jobId"]
    end = time.monotonic() + 60
    while not stored_days(jobs, wanted.site):
        assert time.monotonic() < end, "nothing is ever stored"
        time.sleep(0.02)
    cancelled = jobs.client.delete(f"/api/jobs/{job_id}")
    asked = jobs.stats()["calls"]
    assert cancelled.status_code == 200, cancelled.text
    assert (cancelled.json()["status"], cancelled.json()["success"]) == ("cancelled", True)
    again = jobs.client.delete(f"/api/jobs/{job_id}")
    assert again.status_code == 409
    assert "cancelled already" in again.json()["detail"]
    time.sleep(8 * LATENCY_MS / 1_000)
    # One consumer works on the queue: the call under way may have left and not been counted yet.
    assert jobs.stats()["calls"] <= asked + 1
    told = jobs.job(job_id)
    assert told["status"] == "cancelled"
    assert told["progress"] < 100
    assert jobs.client.get(f"/api/jobs/{job_id}/result").status_code == 409
    stored = stored_days(jobs, wanted.site)
    assert stored
    jobs.upstream()
    assert jobs.client.post(f"/api/jobs/{job_id}/retry").status_code == 202
    assert jobs.client.post(f"/api/jobs/{job_id}/retry").status_code == 409
    jobs.completed(job_id)
    assert not set(stored) & set(jobs.delivered()), "what is stored was asked for again"
    assert jobs.right(job_id) > 0


def test_a_job_that_is_cancelled_before_it_is_cut_asks_for_nothing(jobs: Jobs) -> None:
    job_id = jobs.post(minute_job())["jobId"]
    assert jobs.client.delete(f"/api/jobs/{job_id}").status_code == 200
    time.sleep(1)
    jobs.host.send(jobs.queue("jobs-low"), [{"v": 1, "kind": "plan", "jobId": job_id}])
    time.sleep(1)
    assert jobs.job(job_id)["status"] == "cancelled"
    assert jobs.stats()["samples"] <= sum(minute_job().days_held(jobs.truth).values())


def test_fifty_clients_with_one_large_request_get_one_job(jobs: Jobs) -> None:
    jobs.turn(latency_ms=2_000)
    points = tuple(point.name for point in jobs.truth.points("opengrid_minute"))
    wanted = Wanted(site="opengrid_minute", points=points, first_day=16_494, days=970)
    params = [("point", point) for point in reversed(points)]
    params += [("site", wanted.site), ("start_time", iso(wanted.start_ms)), ("end_time", iso(wanted.end_ms))]

    def ask(number: int) -> tuple[int, str]:
        if number % 2:
            body = wanted.body(priority=("high", "low", "normal")[number % 3])
            response = jobs.client.post("/api/jobs", json=body)
        else:
            response = jobs.client.get("/api/timeseries", params=tuple(params))
        return response.status_code, response.json()["jobId"]

    with ThreadPoolExecutor(max_workers=CLIENTS) as callers:
        answers = list(callers.map(ask, range(CLIENTS)))
    assert {status for status, _ in answers} == {202}
    (job_id,) = {name for _, name in answers}
    (row,) = jobs.host.query(
        "SELECT count(*) AS rows FROM queue_jobs WHERE site = ? AND start_ms = ?",
        wanted.site,
        wanted.start_ms,
    )
    assert row["rows"] == 1
    assert jobs.client.delete(f"/api/jobs/{job_id}").status_code == 200
    assert wanted.end_ms - wanted.start_ms > 900 * DAY_MS
