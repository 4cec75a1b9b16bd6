"""Jobs over HTTP: waiting for one, watching one, lists, results in every format and condition."""

import csv
import io
import json
import time
from datetime import datetime
from typing import Any

import httpx
import pytest

from tests import made_up
from tests.runtime.jobs_stack import (
    LEAP_DAY,
    PATIENCE_S,
    POLL_S,
    Jobs,
    Wanted,
    iso,
    leap_day_job,
    minute_job,
    ndjson_rows,
    plain_job,
    same_data,
)

pytestmark = pytest.mark.runtime

LATENCY_MS = 150


def odd_job(jobs: Jobs) -> Wanted:
    """Every kind of name and value."""
    points = tuple(point.name for point in jobs.truth.points(made_up.ODD_SITE))
    return Wanted(site=made_up.ODD_SITE, points=points, first_day=LEAP_DAY, days=2, offset_s=0)


def test_every_interpreter_is_restored_from_a_snapshot(jobs: Jobs) -> None:
    """Those of the real bundles, which hold shared objects and everything that their entries import."""
    assert {function: jobs.host.restored(function) for function in ("router", "consumer", "janitor")} == {
        "router": True,
        "consumer": True,
        "janitor": True,
    }


def test_who_would_wait_gets_the_result_at_once(jobs: Jobs) -> None:
    wanted = plain_job()
    response = jobs.client.post("/api/jobs", json=wanted.body(), headers={"Prefer": "wait=25"})
    assert response.status_code == 200, response.text
    assert response.headers["preference-applied"] == "wait=25"
    assert same_data(response.json()["data"], wanted.expected(jobs.truth)) > 0
    forced = [("route", "queued"), *(("point", point) for point in wanted.points)]
    forced += [("site", wanted.site), ("start_time", iso(wanted.start_ms)), ("end_time", iso(wanted.end_ms))]
    again = jobs.client.get(
        "/api/timeseries", params=tuple(forced), headers={"Prefer": "respond-async, wait=5"}
    )
    assert (again.status_code, again.content) == (200, response.content)


def test_who_waits_too_short_is_told_where_the_job_is(jobs: Jobs) -> None:
    jobs.turn(latency_ms=3_000)
    wanted = minute_job(2)
    response = jobs.client.post("/api/jobs", json=wanted.body(), headers={"Prefer": "wait=1"})
    assert (response.status_code, response.headers["preference-applied"]) == (202, "wait=1")
    told = response.json()
    assert response.headers["location"] == told["statusUrl"]
    assert int(response.headers["retry-after"]) >= 1
    early = jobs.client.get(f"{told['statusUrl']}/result")
    assert (early.status_code, early.headers["content-type"]) == (409, "application/problem+json")
    assert int(early.headers["retry-after"]) >= 1
    jobs.upstream()
    jobs.until(told["jobId"])


def events_of(response: httpx.Response) -> list[dict[str, Any]]:
    """Events as the standard has them parsed, to the end of the stream."""
    found: list[dict[str, Any]] = []
    fields: dict[str, str] = {}
    for line in response.iter_lines():
        if not line:
            if "data" in fields:
                found.append({**fields, "data": json.loads(fields["data"])})
            fields = {}
        elif not line.startswith(":"):
            name, _, value = line.partition(": ")
            fields[name] = value
    return found


def test_events_tell_the_job_to_its_end_and_a_client_may_come_back(jobs: Jobs) -> None:
    jobs.turn(latency_ms=2 * LATENCY_MS)
    job_id = jobs.post(minute_job())["jobId"]
    url = f"/api/jobs/{job_id}/events"
    with jobs.client.stream("GET", url) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        assert response.headers["cache-control"] == "no-store"
        seen = events_of(response)
    assert [one["event"] for one in seen[:-1]] == ["progress"] * (len(seen) - 1)
    assert len(seen) >= 3
    assert seen[-1]["event"] == seen[-1]["data"]["status"] == "completed"
    done = [one["data"]["batches"]["done"] for one in seen]
    assert done == sorted(done)
    assert len({one["id"] for one in seen}) == len(seen)
    with jobs.client.stream("GET", url, headers={"Last-Event-ID": seen[0]["id"]}) as response:
        assert [one["event"] for one in events_of(response)] == ["completed"]
    last = jobs.client.get(url, headers={"Last-Event-ID": seen[-1]["id"]})
    assert (last.status_code, last.content) == (204, b"")


def test_a_client_that_leaves_in_the_middle_harms_nobody(jobs: Jobs) -> None:
    jobs.turn(latency_ms=LATENCY_MS)
    job_id = jobs.post(minute_job())["jobId"]
    with jobs.client.stream("GET", f"/api/jobs/{job_id}/events") as response:
        next(response.iter_lines())
    jobs.completed(job_id)
    for _ in range(3):
        with jobs.client.stream("GET", f"/api/jobs/{job_id}/result", params={"format": "csv"}) as response:
            next(response.iter_raw())
    assert jobs.right(job_id) > 0


def test_a_list_of_jobs_goes_on_where_it_stopped(jobs: Jobs) -> None:
    made = [jobs.post(plain_job())["jobId"] for _ in range(5)]
    jobs.client.delete(f"/api/jobs/{made[4]}")
    for job_id in made[:4]:
        jobs.until(job_id)
    for fields in ({}, {"site": "made_up_plain"}):
        seen: list[dict[str, Any]] = []
        cursor: dict[str, str] = {}
        while True:
            page = jobs.client.get("/api/jobs", params={"limit": "2", **fields, **cursor}).json()
            assert 1 <= len(page["jobs"]) <= 2
            seen += page["jobs"]
            if page["cursor"] is None:
                break
            cursor = {"cursor": page["cursor"]}
        ids = [job["jobId"] for job in seen]
        assert len(set(ids)) == len(ids)
        assert [job_id for job_id in ids if job_id in made] == made[::-1]
        created = [datetime.fromisoformat(job["createdAt"]) for job in seen]
        assert created == sorted(created, reverse=True)
    ended = jobs.client.get("/api/jobs", params={"status": "completed", "limit": "500"}).json()["jobs"]
    assert {job["status"] for job in ended} == {"completed"}
    assert set(made[:4]) <= {job["jobId"] for job in ended}
    for bad in (
        {"cursor": "x"},
        {"cursor": "WzFlOTksICIiXQ"},
        {"cursor": "WzEwMDAwMDAwMDAwMDAwMDAwMDAwMDAwLCAieCJd"},
        {"limit": "0"},
        {"limit": "501"},
        {"status": "x"},
        {"nobody": "1"},
    ):
        assert jobs.client.get("/api/jobs", params=bad).status_code == 400, bad
        if "status" not in bad:
            assert jobs.client.get("/api/queue/dlq", params=bad).status_code == 400, bad


def test_a_job_that_nobody_knows_is_not_found_anywhere(jobs: Jobs) -> None:
    for method, path in (
        ("GET", "/api/jobs/nobody"),
        ("DELETE", "/api/jobs/nobody"),
        ("GET", "/api/jobs/nobody/result"),
        ("GET", "/api/jobs/nobody/events"),
        ("POST", "/api/jobs/nobody/retry"),
        ("GET", "/api/jobs/%27%3B%20--"),
        ("POST", "/api/queue/dlq/nobody/replay"),
    ):
        response = jobs.client.request(method, path)
        assert response.status_code == 404, path
        assert response.headers["content-type"] == "application/problem+json"


def test_a_site_that_the_upstream_does_not_have_fails_the_job_with_the_cause(jobs: Jobs) -> None:
    wanted = Wanted(site="nowhere", points=("a",), first_day=LEAP_DAY, days=2)
    told = jobs.until(jobs.post(wanted)["jobId"])
    assert told["status"] == "failed"
    assert "no site 'nowhere'" in told["error"]
    assert {letter["cause"] for letter in jobs.letters(told["jobId"])} == {told["error"]}


def test_points_that_the_site_does_not_have_are_told_in_the_result(jobs: Jobs) -> None:
    base = plain_job()
    wanted = Wanted(
        site=base.site, points=(*base.points[:2], "no such"), first_day=base.first_day, days=base.days
    )
    job_id = jobs.post(wanted)["jobId"]
    jobs.completed(job_id)
    data = jobs.result(job_id).json()["data"]
    missing = data.pop("no such")
    assert missing == {"samples": [], "count": 0, "error": "the site has no point of this name"}
    expected = Wanted(
        site=base.site,
        points=base.points[:2],
        first_day=base.first_day,
        days=base.days,
        offset_s=wanted.offset_s,
    ).expected(jobs.truth)
    assert same_data(data, expected) > 0
    error = json.loads(jobs.result(job_id, format="ndjson").text.splitlines()[-1])
    assert error == {"point_name": "no such", "error": missing["error"]}


def test_the_three_formats_tell_the_same_samples_and_types(jobs: Jobs) -> None:
    wanted = odd_job(jobs)
    job_id = jobs.post(wanted)["jobId"]
    jobs.completed(job_id)
    expected = wanted.expected(jobs.truth)
    assert jobs.right(job_id) == sum(map(len, expected.values())) > 700
    rows = [
        (point, iso(at)[:19] + "Z", value) for point, some in sorted(expected.items()) for at, value in some
    ]
    lines = list(ndjson_rows(jobs.result(job_id, format="ndjson").text))
    assert json.dumps([[p, _second(at), v] for p, at, v in lines]) == json.dumps(rows)
    text = jobs.result(job_id, format="csv").content.decode()
    table = list(csv.reader(io.StringIO(text, newline="")))
    assert table[0] == ["point_name", "timestamp", "value"]
    assert [(row[0], _second(row[1]), row[2]) for row in table[1:]] == [
        (point, at, csv_text(value)) for point, at, value in rows
    ]


def _second(at: str) -> str:
    return at[:19] + "Z"


def csv_text(value: Any) -> str:
    """A value as CSV has it, without quotes."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else repr(value)


@pytest.mark.parametrize(
    ("params", "accept", "media_type"),
    [
        ({}, "*/*", "application/json"),
        ({}, "text/html, application/x-ndjson;q=0.9", "application/x-ndjson"),
        ({}, "text/csv", "text/csv; charset=utf-8"),
        ({"format": "csv"}, "application/json", "text/csv; charset=utf-8"),
        ({"format": "ndjson"}, "*/*", "application/x-ndjson"),
        ({"format": "json"}, "text/csv", "application/json"),
    ],
)
def test_a_format_is_chosen_by_name_or_by_accept(
    jobs: Jobs, params: dict[str, str], accept: str, media_type: str
) -> None:
    job_id = jobs.post(leap_day_job())["jobId"]
    jobs.completed(job_id)
    url = f"/api/jobs/{job_id}/result"
    response = jobs.client.get(url, params=params, headers={"Accept": accept})
    assert (response.status_code, response.headers["content-type"]) == (200, media_type)
    tag = response.headers["etag"]
    head = jobs.client.head(url, params=params, headers={"Accept": accept})
    assert (head.status_code, head.content, head.headers["etag"]) == (200, b"", tag)
    assert head.headers["content-type"] == media_type
    known = jobs.client.get(url, params=params, headers={"Accept": accept, "If-None-Match": tag})
    assert (known.status_code, known.content, known.headers["etag"]) == (304, b"", tag)
    other = jobs.client.get(url, params={"format": "json" if "json" not in media_type else "csv"})
    assert other.headers["etag"] != tag
    assert jobs.client.get(url, params={"format": "xml"}).status_code == 400


def test_a_result_with_days_that_are_to_be_read_again_has_no_tag(jobs: Jobs) -> None:
    """On the days around the leap day all points of the site are silent: that is not stored yet."""
    job_id = jobs.post(plain_job())["jobId"]
    jobs.completed(job_id)
    assert "etag" not in jobs.result(job_id).headers


def test_a_tag_changes_when_the_samples_do(jobs: Jobs) -> None:
    wanted = leap_day_job()
    job_id = jobs.post(wanted)["jobId"]
    jobs.completed(job_id)
    first = jobs.result(job_id)
    jobs.turn(late=[{"site": wanted.site, "point": "made_up_1", "samples": [["2024-02-29T02:00:30Z", "77"]]}])
    assert jobs.result(job_id).headers["etag"] == first.headers["etag"], "it is stored"
    jobs.forget(wanted.site)
    later = jobs.result(job_id)
    assert later.content != first.content
    assert "etag" not in later.headers, "nothing of it is stored"
    body = wanted.body(route="cached")
    jobs.client.post("/api/timeseries", json=body).raise_for_status()
    end = time.monotonic() + PATIENCE_S
    while "etag" not in (stored := jobs.result(job_id)).headers:
        assert time.monotonic() < end, "it is stored soon after its answer has left"
        time.sleep(POLL_S)
    assert stored.content == later.content
    assert stored.headers["etag"] != first.headers["etag"]
