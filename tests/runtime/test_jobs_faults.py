"""Jobs over an upstream that fails in every way it can, over POST calls and over pages of a whole site."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest

from tests.runtime.jobs_stack import (
    LEAP_DAY,
    MARCH_29,
    METERS,
    Jobs,
    Wanted,
    leap_day_job,
    minute_job,
    plain_job,
)

pytestmark = pytest.mark.runtime

SEED = 20_261_124
OUTAGE_S = 1.5
"""Long enough that every batch meets it, short enough that retries after 1, 2 and 4 s outlive it."""

FAULTS: dict[str, dict[str, Any]] = {
    "429 with a pause": {"rate_429": 0.2, "retry_after_s": 1},
    "stall": {"rate_stall": 0.15, "stall_ms": 200},
    "truncated": {"rate_truncated": 0.2},
    "empty page": {"rate_empty_page": 1},
    "everything": {
        "rate_429": 0.1,
        "rate_500": 0.1,
        "rate_reset": 0.1,
        "rate_truncated": 0.1,
        "rate_empty_page": 0.3,
    },
}


@pytest.mark.parametrize("knobs", FAULTS.values(), ids=FAULTS)
def test_a_fault_now_and_then_costs_time_and_nothing_else(jobs: Jobs, knobs: dict[str, Any]) -> None:
    jobs.turn(**knobs, seed=SEED)
    ids = [jobs.post(wanted)["jobId"] for wanted in (minute_job(), plain_job())]
    told = [jobs.completed(job_id) for job_id in ids]
    faults = jobs.stats()["by_fault"]
    jobs.upstream()
    samples = [jobs.right(job_id) for job_id in ids]
    print(f"{samples} samples right after {faults}, retries {[one['retries'] for one in told]}")
    assert set(faults) or "rate_empty_page" in knobs, "the upstream never failed: no test"
    # What came along with the call of another batch is stored, and no batch of the job counts it.
    for one, job_id in zip(told, ids, strict=True):
        assert 0 < one["samplesCount"] <= jobs.asked[job_id].days_held(jobs.truth).total()
    assert not [letter for job_id in ids for letter in jobs.letters(job_id)]


def paged_job() -> Wanted:
    """Two batches, and pages of the site."""
    points = tuple(f"made_up_{number}" for number in range(1, 5))
    return Wanted(site="made_up_plain", points=points, first_day=LEAP_DAY, days=2)


def posted_job() -> Wanted:
    """Two batches, and calls for their points."""
    return Wanted(site="opengrid_minute", points=METERS[1:3], first_day=MARCH_29 + 2, days=2)


@pytest.mark.parametrize(
    ("knobs", "made"),
    [
        ({"rate_429": 1, "retry_after_s": 1}, paged_job),
        ({"rate_500": 1}, posted_job),
        ({"rate_reset": 1}, paged_job),
        ({"rate_stall": 1, "stall_ms": 100}, posted_job),
        ({"rate_truncated": 1}, paged_job),
    ],
    ids=["429 with a pause", "500", "reset", "stall", "truncated"],
)
def test_an_outage_is_outlived(jobs: Jobs, knobs: dict[str, Any], made: Callable[[], Wanted]) -> None:
    jobs.turn(**knobs)
    job_id = jobs.post(made())["jobId"]
    jobs.until(job_id, "retrying")
    time.sleep(OUTAGE_S)
    assert jobs.job(job_id)["status"] in ("processing", "retrying")
    jobs.upstream()
    told = jobs.completed(job_id)
    assert jobs.right(job_id) > 0
    assert (told["retries"] == 0) == ("rate_429" in knobs), "a pause is no attempt, all else is"


def test_an_upstream_that_stays_down_ends_in_the_dead_letters_and_a_replay_completes(jobs: Jobs) -> None:
    """Where the circuit never opens (`circuitPauseSeconds`); else the job waits: `test_protection.py`."""
    jobs.turn(rate_500=1)
    wanted = Wanted(site="opengrid_minute", points=METERS[1:3], first_day=MARCH_29, days=1)
    job_id = jobs.post(wanted)["jobId"]
    told = jobs.until(job_id)
    assert told["status"] == "failed"
    assert "failed 4 times" in told["error"]
    assert "500" in told["error"]
    (letter,) = jobs.letters(job_id)
    assert letter["cause"] == told["error"]
    assert letter["message"] == {"v": 1, "kind": "batch", "jobId": job_id, "batchIndex": 0}
    refused = jobs.client.get(f"/api/jobs/{job_id}/result")
    assert refused.status_code == 409
    assert "retry" in refused.json()["detail"]
    jobs.upstream()
    replayed = jobs.client.post(letter["replayUrl"])
    assert replayed.status_code == 202, replayed.text
    jobs.completed(job_id)
    assert jobs.right(job_id) > 0
    assert jobs.client.post(letter["replayUrl"]).status_code == 409
    (letter,) = jobs.letters(job_id)
    assert letter["replayedAt"]


def test_a_cursor_that_repeats_fails_the_job_at_once_and_data_is_never_called_complete(jobs: Jobs) -> None:
    jobs.turn(repeat_cursor=True)
    paged, posted = (jobs.post(wanted)["jobId"] for wanted in (plain_job(), minute_job(2)))
    told = jobs.until(paged)
    assert told["status"] == "failed"
    assert "cursor repeats" in told["error"]
    assert told["retries"] <= len(jobs.batches(paged)), "trying again cannot help"
    assert {letter["cause"] for letter in jobs.letters(paged)} == {told["error"]}
    jobs.completed(posted)
    jobs.upstream()
    assert jobs.client.post(f"/api/jobs/{paged}/retry").status_code == 202
    jobs.completed(paged)
    assert jobs.right(paged) > 0


def test_pages_and_calls_are_both_used(jobs: Jobs) -> None:
    """What the other tests stand on."""
    for wanted, paged in ((plain_job(), True), (minute_job(2), False)):
        jobs.upstream()
        jobs.completed(jobs.post(wanted)["jobId"])
        used = [name for name in jobs.stats()["by_endpoint"] if "timeseries" in name]
        assert used
        # Days of which the pages say that there is nothing are asked by name, too, and points of which a
        # batch says that there is nothing are looked for in pages.
        assert any(("paginated" in name) == paged for name in used), used


def test_a_result_that_cannot_be_had_is_a_problem(jobs: Jobs) -> None:
    """Days that were removed since are fetched while the result streams; if the first of them cannot be had,
    the caller is told why.
    """
    job_id = jobs.post(minute_job(2))["jobId"]
    jobs.completed(job_id)
    jobs.forget("opengrid_minute")
    jobs.turn(rate_500=1)
    for form in ("json", "ndjson", "csv"):
        response = jobs.client.get(f"/api/jobs/{job_id}/result", params={"format": form})
        assert (response.status_code, response.headers["content-type"]) == (502, "application/problem+json")
    jobs.upstream()
    assert jobs.right(job_id) > 0


def test_a_result_that_cannot_be_made_whole_breaks_off(jobs: Jobs) -> None:
    """Its first window is stored, and on its way; nobody takes the body for whole."""
    # Without the last day, on which all are silent: that is not stored before it was read twice.
    job_id = jobs.post(replace(minute_job(20), days=19))["jobId"]
    jobs.completed(job_id)
    jobs.forget("opengrid_minute", METERS[-1])
    jobs.turn(rate_500=1)
    for form in ("json", "ndjson", "csv"):
        with pytest.raises(httpx.RemoteProtocolError):
            jobs.client.get(f"/api/jobs/{job_id}/result", params={"format": form})
    jobs.upstream()
    assert jobs.right(job_id) > 60_000, "more than a window"


NONSENSE = "UPDATE cache_metadata SET unsettled = 'nonsense' WHERE kind = 'block' AND site = ?1"
"""What nothing of ours writes: who reads the rows fails in a way that nobody foresaw."""

UNREADABLE = "ValueError: not enough values to unpack (expected 2, got 1)"
"""What it fails with: a reading of empty days has two parts."""

CURED = "UPDATE cache_metadata SET unsettled = '' WHERE kind = 'block' AND site = ?1"


def test_a_fault_of_ours_is_told_and_logged(jobs: Jobs) -> None:
    """Before the first samples; one that comes later breaks the body off (`test_kernel.py`)."""
    jobs.expected_fault = UNREADABLE
    wanted = leap_day_job()
    job_id = jobs.post(wanted)["jobId"]
    jobs.completed(job_id)
    jobs.host.query(NONSENSE, wanted.site)
    response = jobs.client.get(f"/api/jobs/{job_id}/result")
    assert (response.status_code, response.json()["type"].rpartition(":")[2]) == (500, "internal-error")
    jobs.host.query(CURED, wanted.site)
    assert jobs.right(job_id) > 0


def test_a_fault_of_ours_in_the_consumer_ends_the_job_with_its_cause(jobs: Jobs) -> None:
    jobs.expected_fault = UNREADABLE
    wanted = minute_job()
    stored = replace(wanted, days=1)
    jobs.completed(jobs.post(stored)["jobId"])
    # From the moment when the job is planned: its batches find the rows so, whenever they run.
    nonsense = NONSENSE.replace("?1", f"'{wanted.site}'")
    jobs.host.query(f"CREATE TRIGGER spoil AFTER INSERT ON job_batches BEGIN {nonsense}; END")
    job_id = jobs.post(wanted)["jobId"]
    told = jobs.until(job_id)
    assert told["status"] == "failed"
    assert "failed 4 times" in told["error"]
    assert "a fault of ours" in told["error"]
    assert {letter["cause"] for letter in jobs.letters(job_id)} == {told["error"]}
    jobs.host.query("DROP TRIGGER spoil")
    jobs.host.query(CURED, wanted.site)
    assert jobs.client.post(f"/api/jobs/{job_id}/retry").status_code == 202
    jobs.completed(job_id)
    assert jobs.right(job_id) > 0
