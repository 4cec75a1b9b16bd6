"""Questions on workerd: buckets and charts over HTTP equal what plain loops make of the CSV truth."""

import random
import time
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pytest

from local.expected import expected_samples
from tests import made_up
from tests.question_oracle import buckets
from tests.runtime.conftest import Running

pytestmark = pytest.mark.runtime

SEED = 20_261_201
QUESTIONS = 60
DAY_MS = 86_400_000
HOUR_MS = 3_600_000
PATIENCE_S = 60
SITES = ["opengrid_minute", "opengrid_hourly", made_up.ODD_SITE]
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Asia/Kathmandu"]
WIDTHS = ["15m", "1h", "6h", "1d", "1w", "1M"]
AGGREGATES = ["mean", "min", "max", "sum", "count", "count_all", "first", "last", "twa", "increase", "delta"]
OF_TEXTS = {"count", "count_all", "first", "last"}


Fields = dict[str, Any]


def ask(running: Running, fields: Fields, **headers: str) -> dict[str, Any]:
    response = running.client.get("/api/timeseries", params=fields, headers=headers)
    assert response.status_code == 200, response.text
    told: dict[str, Any] = response.json()
    return told


def draw(source: random.Random, running: Running) -> dict[str, Any]:
    site = source.choice(SITES)
    names = [point.name for point in running.truth.points(site) if "," not in point.name]
    points = source.sample(names, source.randint(1, 3))
    spans = [span for name in points if (span := running.truth.span_ms(site, name)) is not None]
    first_ms, last_ms = (min(s[0] for s in spans), max(s[1] for s in spans)) if spans else (0, DAY_MS)
    longest = 3 if site == "opengrid_minute" else 40
    start_ms = max(DAY_MS, source.randint(first_ms - DAY_MS, last_ms)) // 60_000 * 60_000
    end_ms = start_ms + source.randint(1, longest * 24 * 60) * 60_000
    return {
        "site": site,
        "points": ",".join(points),
        "start_time": start_ms,
        "end_time": end_ms,
        "every": source.choice(WIDTHS),
        "agg": ",".join(source.sample(AGGREGATES, source.randint(1, 4))),
        "tz": source.choice(ZONES),
        "max_gap": source.choice(["30m", "6h", "1d"]),
    }


GAPS = {"30m": HOUR_MS // 2, "6h": 6 * HOUR_MS, "1d": DAY_MS}


def check(running: Running, fields: dict[str, Any], told: dict[str, Any]) -> int:
    """Every bucket of every series; how many there were."""
    compared = 0
    points, aggregates = fields["points"].split(","), fields["agg"].split(",")
    labels = [f"{point}:{one}" if len(aggregates) > 1 else point for point in points for one in aggregates]
    assert sorted(told["data"]) == sorted(labels)
    gap_ms = GAPS[fields["max_gap"]] if {"twa", "increase", "delta"} & {*aggregates} else 0
    for point in points:
        start_ms, end_ms = fields["start_time"], fields["end_time"]
        samples = expected_samples(running.truth, fields["site"], point, start_ms - gap_ms, end_ms)
        inside = sum(one[0] >= start_ms for one in samples)
        for aggregate in aggregates:
            series = told["data"][f"{point}:{aggregate}" if len(aggregates) > 1 else point]
            expected = buckets(
                samples,
                aggregate,
                every=fields["every"],
                zone=fields["tz"],
                start_ms=start_ms,
                end_ms=end_ms,
                gap_ms=gap_ms,
            )
            got = dict(series["samples"])
            assert list(got) == sorted(got)
            assert series["sourceCount"] == inside
            for start in {*expected, *got}:
                # A bucket may be there for the value that holds in it, and have no sample.
                empty = 0 if aggregate in {"count", "count_all"} else None
                want, have = expected.get(start, empty), got.get(start)
                if isinstance(want, int | float) and not isinstance(want, bool):
                    assert have == pytest.approx(want, rel=1e-9, abs=1e-9), (fields, point, aggregate, start)
                else:
                    assert have == want, (fields, point, aggregate, start)
                compared += want is not None
    return compared


def test_buckets_equal_plain_loops_over_the_truth(running: Running) -> None:
    source = random.Random(SEED)  # noqa: S311 - repeatable, no secret
    compared = 0
    for _ in range(QUESTIONS):
        fields = draw(source, running)
        route = source.choice([{}, {"route": "direct"}, {"route": "cached"}])
        first = ask(
            running, {**fields, **route}, **{"Cache-Control": source.choice(["", "no-store", "no-cache"])}
        )
        compared += check(running, fields, first)
        again = ask(running, fields)
        assert again["data"] == first["data"]
    assert compared > 2_000


def test_an_answer_of_a_question_is_kept_and_its_summary_says_what_was_asked(running: Running) -> None:
    start_ms = 1_425_340_800_000
    fields: Fields = {
        "site": "opengrid_minute",
        "points": "water_2923",
        "start_time": start_ms + HOUR_MS // 2,
        "end_time": start_ms + 2 * DAY_MS,
        "every": "1d",
        "agg": "mean",
        "tz": "Europe/Berlin",
        "route": "cached",
    }
    plain = {"Accept-Encoding": "identity"}
    first = running.client.get("/api/timeseries", params=fields, headers=plain)
    until = time.monotonic() + PATIENCE_S
    while (again := running.client.get("/api/timeseries", params=fields, headers=plain)).headers[
        "x-cache-hit"
    ] != "true":
        assert time.monotonic() < until, "never stored"
        time.sleep(0.1)
    assert (again.content, again.headers["etag"]) == (first.content, first.headers["etag"])
    question = again.json()["_meta"]["question"]
    assert question["partialBuckets"] == [start_ms - HOUR_MS, start_ms + 2 * DAY_MS - HOUR_MS]
    assert (question["every"], question["aggregates"], question["tz"]) == ("1d", ["mean"], "Europe/Berlin")


def test_a_point_of_texts_says_what_may_be_asked_of_it(running: Running) -> None:
    fields = {"site": made_up.ODD_SITE, "points": made_up.TEXTS, "every": "1d"}
    times = {"start_time": "2024-02-29T00:00:00Z", "end_time": "2024-02-29T00:03:00Z"}
    told = ask(running, {**fields, **times, "agg": "mean,first,count"})["data"]
    assert told[f"{made_up.TEXTS}:first"]["samples"][0][1] == "Occupied"
    assert told[f"{made_up.TEXTS}:count"]["samples"][0][1] == 3
    assert told[f"{made_up.TEXTS}:mean"]["samples"][0][1] is None
    assert "ask for count, count_all, first, last" in told[f"{made_up.TEXTS}:mean"]["error"]


@pytest.mark.parametrize("method", ["minmax", "m4", "lttb"])
def test_a_chart_has_true_samples_and_every_spike(running: Running, method: str) -> None:
    fields = {"site": "opengrid_minute", "points": "water_2923", "max_points": 200, "method": method}
    start_ms, end_ms = 1_425_340_800_000, 1_425_340_800_000 + 5 * DAY_MS
    told = ask(running, {**fields, "start_time": start_ms, "end_time": end_ms})
    series = told["data"]["water_2923"]
    truth = expected_samples(running.truth, "opengrid_minute", "water_2923", start_ms, end_ms)
    assert len(truth) == series["sourceCount"] > 1_000
    assert 100 < series["count"] <= 200
    assert {tuple(one) for one in series["samples"]} <= {tuple(one) for one in truth}
    assert (series["samples"][0], series["samples"][-1]) == (truth[0], truth[-1])
    if method != "lttb":
        shown = [value for _, value in series["samples"]]
        values = [value for _, value in truth]
        assert (min(shown), max(shown)) == (min(values), max(values))
    assert told["_meta"]["question"] == {"maxPoints": 200, "method": method}


def test_a_job_answers_its_question(running: Running) -> None:
    names = [one.name for one in running.truth.points("opengrid_hourly")][:2]
    span = running.truth.span_ms("opengrid_hourly", names[0])
    assert span is not None
    fields = {
        "site": "opengrid_hourly",
        "points": names,
        "start_time": span[0],
        "end_time": span[0] + 90 * DAY_MS,
        "every": "1w",
        "agg": ["mean", "increase"],
        "tz": "Europe/Berlin",
        "max_gap": "6h",
    }
    made = running.client.post("/api/jobs", json=fields).raise_for_status().json()
    until = time.monotonic() + PATIENCE_S
    while (job := running.client.get(made["statusUrl"]).json())["status"] != "completed":
        assert time.monotonic() < until, job
        time.sleep(0.3)
    told = running.client.get(job["resultUrl"]).raise_for_status().json()
    asked = {**fields, "points": ",".join(fields["points"]), "agg": ",".join(fields["agg"])}  # type: ignore[arg-type]
    assert check(running, asked, told) > 20
    assert told["_meta"]["pointCount"] == 2
    assert ask(running, asked)["data"] == told["data"]
    other = running.client.post("/api/jobs", json={**fields, "every": "1M"}).raise_for_status().json()
    assert other["jobId"] != made["jobId"]


@pytest.mark.parametrize(
    ("changes", "parameter", "remedy"),
    [
        ({"every": "7m"}, "every", "15m, 1h"),
        ({"every": "1h", "agg": "median"}, "agg", "known are"),
        ({"every": "1h", "agg": "meam"}, "agg", "did you mean mean?"),
        ({"every": "1h", "tz": "Mars/Base"}, "tz", "Europe/Berlin"),
        ({"agg": "mean"}, "agg", "goes with every="),
        ({"every": "1h", "max_points": "100"}, "max_points", "not both"),
        ({"every": "1s", "end_time": "2025-02-28T00:00:00Z"}, "every", "at most 2000000"),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_remedy(
    running: Running, changes: dict[str, str], parameter: str, remedy: str
) -> None:
    fields: Fields = {"site": "opengrid_minute", "points": "water_2923", "start_time": 1_425_340_800_000}
    response = running.client.get(
        "/api/timeseries", params={**fields, "end_time": "2015-03-04T00:00:00Z", **changes}
    )
    assert response.status_code == 400
    assert any(one["parameter"] == parameter and remedy in one["detail"] for one in response.json()["errors"])


def test_a_dry_run_says_what_would_be_done_and_does_nothing(running: Running) -> None:
    running.client.delete("/api/cache", params={"site": "opengrid_hourly"}).raise_for_status()
    names = [one.name for one in running.truth.points("opengrid_hourly")][:2]
    span = running.truth.span_ms("opengrid_hourly", names[0])
    assert span is not None
    fields: Fields = {
        "site": "opengrid_hourly",
        "points": ",".join(names),
        "start_time": span[0] // DAY_MS * DAY_MS,
        "end_time": span[0] // DAY_MS * DAY_MS + 30 * DAY_MS,
    }
    running.upstream()
    told = ask(running, {**fields, "dry_run": "true"})
    assert running.upstream_stats()["calls"] == 0
    assert (told["objects"], told["storedSamples"]) == (0, 0)
    assert told["upstreamSamples"] > 0
    assert told["seconds"] > 0
    ask(running, {**fields, "route": "cached"})
    until = time.monotonic() + PATIENCE_S
    while (again := ask(running, {**fields, "every": "1d", "dry_run": "true"}))["upstreamSamples"]:
        assert time.monotonic() < until, again
        time.sleep(0.2)
    delivered = sum(
        len(
            expected_samples(running.truth, "opengrid_hourly", name, fields["start_time"], fields["end_time"])
        )
        for name in names
    )
    assert again["storedSamples"] == delivered
    assert again["objects"] >= 2
    assert again["values"] <= 2 * 35
    job = running.client.post("/api/jobs", json={**fields, "points": names, "dry_run": True})
    assert (job.status_code, job.json()["route"]) == (200, "queued")
    assert running.client.get("/api/timeseries", params={**fields, "dry_run": "maybe"}).status_code == 400


def test_the_live_edge_is_in_the_buckets_and_nothing_beyond_now(running: Running) -> None:
    points = made_up.LIVE_POINTS[:2]
    now_ms = time.time_ns() // 1_000_000 // 60_000 * 60_000
    running.upstream(known_until=datetime.fromtimestamp(now_ms / 1000, UTC).isoformat())
    fields: Fields = {
        "site": made_up.LIVE_SITE,
        "points": ",".join(points),
        "start_time": now_ms - 30 * HOUR_MS - 60_000,
        "end_time": now_ms,
        "every": "1h",
        "agg": "mean,count,twa,increase",
        "tz": "Asia/Kolkata",
        "max_gap": "30m",
    }
    for _ in range(2):
        assert check(running, fields, ask(running, fields)) > 100
    beyond = ask(running, {**fields, "end_time": now_ms + 5 * HOUR_MS})["data"]
    for point in points:
        held = beyond[f"{point}:twa"]["samples"]
        assert now_ms - HOUR_MS <= held[-1][0] <= time.time_ns() // 1_000_000
        counted = sum(count for _, count in beyond[f"{point}:count"]["samples"])
        truth = expected_samples(running.truth, made_up.LIVE_SITE, point, fields["start_time"], now_ms)
        assert counted == len(truth)


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "Asia/Kolkata", "Australia/Adelaide"])
@pytest.mark.parametrize(("site", "days"), [("opengrid_minute", 12), ("opengrid_hourly", 400)])
def test_every_function_is_that_of_pandas(running: Running, site: str, days: int, zone: str) -> None:
    point = running.truth.points(site)[0].name
    span = running.truth.span_ms(site, point)
    assert span is not None
    start_ms = span[0] // DAY_MS * DAY_MS + 30 * DAY_MS
    end_ms = start_ms + days * DAY_MS
    truth = expected_samples(running.truth, site, point, start_ms, end_ms)
    index = pd.to_datetime([at_ms for at_ms, _ in truth], unit="ms", utc=True).tz_convert(zone)
    series = pd.Series(
        [float("nan") if value is None else value for _, value in truth], index=index, dtype=float
    )
    functions = ["mean", "min", "max", "sum", "count", "first", "last"]
    fields: Fields = {"site": site, "points": point, "start_time": start_ms, "end_time": end_ms, "tz": zone}
    for every, frequency in {"1h": "1h", "1d": "1D", "1w": "W-MON", "1M": "MS"}.items():
        told = ask(running, {**fields, "every": every, "agg": ",".join(functions)})["data"]
        grouped = series.resample(frequency, closed="left", label="left")
        there = grouped.size() > 0
        for name in functions:
            expected = getattr(grouped, name)()[there]
            starts = expected.index.tz_convert("UTC").as_unit("ms").astype("int64").tolist()
            got = told[f"{point}:{name}"]["samples"]
            assert [at_ms for at_ms, _ in got] == starts, (every, name)
            for (_, value), wanted in zip(got, expected.tolist(), strict=True):
                assert value == pytest.approx(wanted, rel=1e-9, abs=1e-9)
