"""Views, `/api/stats` and `/api/metrics` against rows that were added up by hand."""

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from edgeseries.http.messages import HttpRequest, HttpResponse
from edgeseries.limits import DAY_MS
from edgeseries.metrics.adapters.late_data_records import DatabaseLateData
from edgeseries.metrics.costing import CPU_MS_A_REQUEST, month_at
from edgeseries.metrics.exposition import Metric, Sample, exposition
from edgeseries.metrics.ports.late_data import LateData
from edgeseries.planning.lateness import lateness_of
from router.flow import answer
from tests.fake_stores import SqliteDatabase
from tests.fakes import FakeClock
from tests.made_ports import router_ports
from tests.made_statistics import DAY, fill


def get(path: str, database: SqliteDatabase, now_ms: int = DAY + 12 * 3_600_000) -> HttpResponse:
    ports = router_ports(database=database, clock=FakeClock(at_ms=now_ms))
    request = HttpRequest(method="GET", path=path, request_id="r", arrived_ms=now_ms)
    response = asyncio.run(answer(request, ports))
    assert response.status == 200, response.body
    return response


def told(database: SqliteDatabase, **more: int) -> Any:
    return json.loads(get("/api/stats", database, **more).body)


# --- views ------------------------------------------------------------------------------


def test_what_is_stored_by_kind_and_site(database: SqliteDatabase) -> None:
    fill(database)
    rows = database.rows(
        "SELECT kind, site, object_count, sample_count, raw_bytes, stored_bytes, compression_ratio, "
        "hit_count FROM v_cache_performance ORDER BY kind, site"
    )
    assert rows == [
        ("answer", "a", 1, 100, 3_000, 300, 10.0, 7),
        ("block", "a", 2, 150, 2_400, 80, 30.0, 3),
        ("block", "b", 1, 10, 160, 20, 8.0, 1),
    ]


def test_ended_jobs_by_day_also_those_still_to_be_archived(database: SqliteDatabase) -> None:
    fill(database)
    rows = database.rows(
        "SELECT day_ms, job_count, completed_count, failed_count, cancelled_count, sample_count, "
        "mean_duration_ms, longest_duration_ms FROM v_job_performance ORDER BY day_ms"
    )
    assert rows == [
        (DAY, 2, 1, 1, 0, 41, 502.5, 1_000),
        (DAY + DAY_MS, 2, 1, 0, 1, 14, 1_504.5, 3_000),
    ]


def test_jobs_under_way(database: SqliteDatabase) -> None:
    fill(database)
    assert database.rows("SELECT job_id FROM v_active_jobs ORDER BY job_id") == [("q2",), ("q3",), ("q4",)]


def test_requests_by_endpoint_and_route(database: SqliteDatabase) -> None:
    fill(database)
    rows = database.rows(
        "SELECT endpoint, route, request_count, judged_count, hit_count, refused_count, error_count, "
        "mean_duration_ms, sample_count, origin_samples, saved_samples, body_bytes, since_ms "
        "FROM v_request_stats ORDER BY endpoint, route"
    )
    assert rows == [
        ("/api/sites", "", 1, 0, 0, 1, 0, 1.0, 0, 0, 0, 0, DAY),
        ("/api/timeseries", "cached", 20, 18, 15, 0, 2, 250.0, 1_800, 310, 1_500, 7, DAY),
        ("/api/timeseries", "direct", 4, 4, 0, 0, 0, 25.0, 40, 30, 10, 0, DAY + 60_000),
    ]


# --- /api/stats -----------------------------------------------------------------------------


def test_an_empty_system_has_statistics(database: SqliteDatabase) -> None:
    document = told(database)
    assert document["cache"]["objects"] == 0
    assert document["cache"]["hitRate"] is None
    assert document["requests"] == {"since": None, "count": 0, "errors": 0, "byRoute": []}
    assert document["jobs"]["successRate"] is None
    assert document["cost"]["soFar"] == 5.0


def test_the_cache(database: SqliteDatabase) -> None:
    fill(database)
    cache = told(database)["cache"]
    assert {name: cache[name] for name in ("objects", "storedBytes", "rawBytes", "hitRate", "uses")} == {
        "objects": 4,
        "storedBytes": 400,
        "rawBytes": 5_560,
        "hitRate": round(15 / 22, 4),
        "uses": 11,
    }
    assert (cache["blocks"]["objects"], cache["answers"]["storedBytes"]) == (3, 300)
    assert [(one["site"], one["objects"], one["samples"]) for one in cache["bySite"]] == [
        ("a", 3, 250),
        ("b", 1, 10),
    ]


def test_late_data_by_site_with_what_it_advises(database: SqliteDatabase) -> None:
    records = DatabaseLateData(database)
    late = LateData(
        site="b", lateness=lateness_of([61_000] * 99 + [4_000_000]), corrected_days=2, added_samples=5
    )
    asyncio.run(records.add([late, LateData(site="a", checked_days=40)], now_ms=DAY))
    asyncio.run(records.add([late], now_ms=DAY - 93 * DAY_MS))
    assert told(database)["lateData"] == [
        {
            "site": "a",
            "settleLagSeconds": 3_600,
            "lateness": {
                "observations": 0,
                "mostWithinSeconds": None,
                "highestSeconds": None,
                "advisedSettleLagSeconds": None,
            },
            "reread": {
                "days": 40,
                "correctedDays": 0,
                "addedSamples": 0,
                "changedSamples": 0,
                "removedSamples": 0,
            },
        },
        {
            "site": "b",
            "settleLagSeconds": 3_600,
            "lateness": {
                "observations": 100,
                "mostWithinSeconds": 300,
                "highestSeconds": 4_000,
                "advisedSettleLagSeconds": 4_500,
            },
            "reread": {
                "days": 0,
                "correctedDays": 2,
                "addedSamples": 5,
                "changedSamples": 0,
                "removedSamples": 0,
            },
        },
    ]


def test_the_jobs(database: SqliteDatabase) -> None:
    fill(database)
    jobs = told(database)["jobs"]
    assert jobs["active"] == {"processing": 1, "queued": 2}
    assert (jobs["completed"], jobs["failed"], jobs["cancelled"]) == (2, 1, 1)
    assert jobs["successRate"] == round(2 / 3, 4)
    assert jobs["durationMs"] == {"p50": 1_000, "p95": 3_000}
    assert (jobs["samples"], jobs["deadLetters"]) == (55, 1)
    assert [(day["completed"], day["failed"], day["cancelled"]) for day in jobs["byDay"]] == [
        (1, 0, 1),
        (1, 1, 0),
    ]


def test_the_requests_and_the_upstream(database: SqliteDatabase) -> None:
    fill(database)
    document = told(database)
    requests = document["requests"]
    assert (requests["count"], requests["errors"]) == (25, 2)
    cached = requests["byRoute"][1]
    assert (cached["route"], cached["count"], cached["hitRate"]) == ("cached", 20, round(15 / 18, 4))
    # 15 of 20 lie from 2 to 5 ms: the median is the tenth of them, evenly spread.
    assert cached["durationMs"]["p50"] == pytest.approx(2 + 3 * 10 / 15)
    assert 2_000 < cached["durationMs"]["p95"] <= 5_000
    assert document["upstream"] == {
        "calls": 8,
        "refusedCalls": 2,
        "waitedSeconds": {"interactive": 0.25, "job": 1.5, "warming": 0.0},
        "samples": 387,
        "savedSamples": 1_510,
        "surplusSamples": 0,
        "byUpstream": [
            {
                "upstream": "meters",
                "calls": 4,
                "failedCalls": 1,
                "fetches": 3,
                "failedFetches": 1,
                "samples": 40,
            },
            {
                "upstream": "upstream",
                "calls": 3,
                "failedCalls": 0,
                "fetches": 2,
                "failedFetches": 0,
                "samples": 300,
            },
            {
                "upstream": None,
                "calls": 1,
                "failedCalls": None,
                "fetches": None,
                "failedFetches": None,
                "samples": 47,
            },
        ],
    }


def test_rows_of_before_upstreams_were_counted_by_themselves_are_read(database: SqliteDatabase) -> None:
    """So are those of old Workers that run beside new ones during a rollout."""
    fill(database)
    database.connection.execute("DELETE FROM upstream_usage")
    found = told(database)["upstream"]
    assert [(one["upstream"], one["calls"], one["samples"]) for one in found["byUpstream"]] == [
        (None, 8, 387)
    ]
    database.connection.execute("DELETE FROM platform_usage")
    assert told(database)["upstream"]["byUpstream"] == []


def test_the_cost_is_of_this_month_and_names_its_prices(database: SqliteDatabase) -> None:
    fill(database)
    database.connection.execute("UPDATE platform_usage SET r2_class_a = 3000000 WHERE function = 'router'")
    cost = told(database)["cost"]
    lines = {line["meter"]: line for line in cost["lines"]}
    assert lines["requests"]["used"] == 27, "the 1,000 of the month before are no part of it"
    assert lines["cpu_ms"]["used"] == 27 * CPU_MS_A_REQUEST
    assert [lines[meter]["basis"] for meter in ("cpu_ms", "r2_class_a", "d1_storage_gb")] == [
        "estimated",
        "counted",
        "not counted",
    ]
    # Three million writes, one of them included: two at 4.50.
    assert lines["r2_class_a"]["soFar"] == 9.0
    assert cost["soFar"] == 14.0
    assert cost["wholeMonth"] > cost["soFar"]
    assert all(line["source"] and line["readOn"] for line in cost["lines"])


@pytest.mark.parametrize(
    ("now_ms", "days", "elapsed"),
    [
        (1_704_067_200_000, 31, 1 / 31),
        (1_709_164_800_000 + DAY_MS, 29, 29 / 29),
        (1_735_689_599_000, 31, (31 * DAY_MS - 1_000) / (31 * DAY_MS)),
    ],
)
def test_a_month_is_the_calendars_and_its_first_day_is_whole(now_ms: int, days: int, elapsed: float) -> None:
    month = month_at(now_ms) if elapsed < 1 else month_at(now_ms - 1)
    assert month.end_ms - month.start_ms == days * DAY_MS
    assert month.elapsed == pytest.approx(elapsed)


# --- /api/metrics ---------------------------------------------------------------------------


def families(text: str) -> dict[str, list[tuple[str, dict[str, str], float]]]:
    """As Prometheus's own parser reads it."""
    return {
        family.name: [(one.name, one.labels, one.value) for one in family.samples]
        for family in text_string_to_metric_families(text)
    }


def test_metrics_are_read_by_prometheus(database: SqliteDatabase) -> None:
    fill(database)
    response = get("/api/metrics", database)
    assert response.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    found = families(response.body.decode())
    cached = {"endpoint": "/api/timeseries", "route": "cached"}
    requests = found["edgeseries_http_requests"]
    assert ("edgeseries_http_requests_total", {**cached, "outcome": "ok"}, 18.0) in requests
    assert ("edgeseries_http_requests_total", {**cached, "outcome": "failed"}, 2.0) in requests
    latency = found["edgeseries_http_request_duration_seconds"]
    assert ("edgeseries_http_request_duration_seconds_bucket", {**cached, "le": "0.005"}, 15.0) in latency
    assert ("edgeseries_http_request_duration_seconds_bucket", {**cached, "le": "+Inf"}, 20.0) in latency
    assert ("edgeseries_http_request_duration_seconds_sum", cached, 5.0) in latency
    assert found["edgeseries_stored_bytes"][0] == (
        "edgeseries_stored_bytes",
        {"kind": "answer", "site": "a"},
        300.0,
    )
    assert found["edgeseries_upstream_samples"] == [("edgeseries_upstream_samples_total", {}, 387.0)]
    assert ("edgeseries_jobs_active", {"status": "queued"}, 2.0) in found["edgeseries_jobs_active"]
    ran = {labels["duty"]: value for _, labels, value in found["edgeseries_duty_ran_timestamp_seconds"]}
    assert ran == {"hold-budget": (DAY + 400) / 1_000, "sweep": (DAY + 500) / 1_000}
    failed = {labels["duty"]: value for _, labels, value in found["edgeseries_duty_failed"]}
    assert failed == {"hold-budget": 1.0, "sweep": 0.0}


def test_the_page_names_every_metric_with_its_labels(database: SqliteDatabase) -> None:
    fill(database)
    page = (Path(__file__).parents[2] / "docs" / "formats" / "statistics.md").read_text()
    documented: dict[str, set[str]] = {}
    for names, labels in re.findall(r"^\| (`edgeseries_[^|]+) \| \w+ \| ([^|]*)\|", page, re.MULTILINE):
        for name in re.findall(r"`(\w+)`", names):
            documented[name] = set(re.findall(r"`(\w+)`", labels))
    found: dict[str, set[str]] = {}
    for samples in families(get("/api/metrics", database).body.decode()).values():
        for name, labels, _ in samples:
            stem = re.sub(r"(?<=seconds)_(bucket|sum|count)$", "", name)
            found.setdefault(stem, set()).update(set(labels) - {"le"})
    assert found == documented


def test_an_empty_system_has_metrics(database: SqliteDatabase) -> None:
    found = families(get("/api/metrics", database).body.decode())
    assert found["edgeseries_dead_letters"] == [("edgeseries_dead_letters", {}, 0.0)]


def test_odd_names_of_sites_break_nothing() -> None:
    name = 'a"b\\c\nd\ud800 é'
    metric = Metric(
        name="m", kind="gauge", help_text="One\nline \\.", samples=[Sample(value=1.5, labels={"site": name})]
    )
    text = exposition([metric, Metric(name="none", kind="gauge", help_text="", samples=[])])
    assert families(text.encode().decode()) == {"m": [("m", {"site": 'a"b\\c\nd? é'}, 1.5)]}
