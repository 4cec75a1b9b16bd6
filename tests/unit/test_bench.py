"""`make bench` itself: the registry, the table, the shape of the JSON, the page. No timings."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from bench.bounds import BOUNDS, BY_KEY, Bound, Sense
from bench.client import Reply, expect, timeseries
from bench.finding import Finding, Report, Setting
from bench.page import BEGIN, END, PAGE, page_text, written
from bench.record import VERSION, record_of, rows_of, unmeasured
from bench.registry import MEASUREMENTS
from bench.table import HEADINGS, cells_of, figure_lines, markdown, number, plain
from bench.telemetry import read_set, some_of
from bench.week import DAY_MS, SAMPLES_OF_A_DAY, WEEK_DAYS, fullest_week
from local.upstream.interleave import merged
from local.upstream.truth import Truth
from local.upstream.wire import samples_bytes

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "local" / "sample"
REFERENCE = ROOT / "bench" / "results" / "reference.json"

LATER: set[str] = set()
"""Bounds of what is not built yet."""

SETTING = Setting(sets={"made_up": Path("made_up")}, sample=SAMPLE, quick=True)
REPORTS = {
    "made-up": Report(
        findings=(
            Finding(what="a ratio", measured=2.5, unit="x", bound="hit-ratio", note="5 ms; bare 2 ms"),
            Finding(what="a time", measured=12.0, unit="ms"),
            Finding(what="a share", measured=98.0, unit="%", bound="less-than-upstream"),
        ),
        figures=({"set": "one", "ms": 1.25}, {"set": "two", "bytes": 1234567}),
        method="Made up.",
    )
}


def test_every_bound_has_a_measurement_or_is_known_to_come_later() -> None:
    assert set(unmeasured(MEASUREMENTS)) == LATER
    assert {key for one in MEASUREMENTS for key in one.bounds} <= BY_KEY.keys()


def test_the_page_lists_every_bound_of_the_design_by_its_key() -> None:
    bounds = PAGE.read_text().partition("## What is to hold")[2].partition("\n## ")[0]
    assert set(re.findall(r"`([a-z-]+)`", bounds)) == BY_KEY.keys()


@pytest.mark.parametrize(
    ("sense", "below", "at", "above"),
    [
        (Sense.AT_MOST, True, True, False),
        (Sense.BELOW, True, False, False),
        (Sense.AT_LEAST, False, True, True),
        (Sense.ABOVE, False, False, True),
    ],
)
def test_a_bound_has_a_right_side(sense: Sense, below: bool, at: bool, above: bool) -> None:  # noqa: FBT001
    bound = Bound(key="k", what="w", sense=sense, limit=2, unit="x")
    assert [bound.holds(measured) for measured in (1.99, 2, 2.01)] == [below, at, above]
    assert str(bound) == f"{sense} 2 x"


def test_a_row_for_every_finding_and_for_every_bound_that_nothing_measured() -> None:
    rows = rows_of(REPORTS)
    by_bound = {row["bound"]: row for row in rows if "bound" in row}
    assert list(by_bound) == [bound.key for bound in BOUNDS]
    assert (by_bound["hit-ratio"]["holds"], by_bound["hit-ratio"]["measured"]) == (False, 2.5)
    assert by_bound["less-than-upstream"]["holds"] is True
    assert by_bound["job-memory"]["holds"] is None
    assert [row["what"] for row in rows if "bound" not in row] == ["a time"]


def test_a_finding_has_the_unit_of_its_bound() -> None:
    odd = Finding(what="a ratio", measured=2.5, unit="ms", bound="hit-ratio")
    with pytest.raises(AssertionError, match="ms is not x"):
        rows_of({"made-up": replace(REPORTS["made-up"], findings=(odd,))})


def test_the_record_is_json_with_machine_date_and_commit() -> None:
    record = record_of(SETTING, REPORTS, date="2026-01-02T03:04:05Z")
    assert json.loads(json.dumps(record, allow_nan=False)) == record
    assert set(record) == {
        "version", "date", "commit", "quick", "machine", "sets", "rows", "figures", "method"
    }  # fmt: skip
    assert (record["version"], record["date"], record["sets"]) == (
        VERSION,
        "2026-01-02T03:04:05Z",
        ["made_up"],
    )
    assert set(record["machine"]) == {
        "system", "processor", "processors", "memory_mb", "python", "packages"
    }  # fmt: skip
    assert record["machine"]["packages"]["miniflare"] != "none"
    assert record["figures"]["made-up"][1] == {"set": "two", "bytes": 1234567}


def test_cells_tell_what_was_measured_what_bound_and_whether_it_holds() -> None:
    rows = rows_of(REPORTS)
    assert cells_of(rows[0]) == ("a ratio (5 ms; bare 2 ms)", "2.5 x", "at most 2 x", "NO")
    assert cells_of(rows[-1]) == ("a time", "12 ms", "-", "-")
    missing = next(row for row in rows if row.get("bound") == "job-memory")
    assert cells_of(missing)[1:] == ("not measured", "below 128 MB", "-")


def test_tables_for_terminal_and_page() -> None:
    lines = [("a|b", "2.5 x", "at most 2 x", "NO")]
    assert plain(HEADINGS, lines).splitlines() == [
        "what  measured  bound        holds?",
        "----  --------  -----------  ------",
        "a|b      2.5 x  at most 2 x  NO",
    ]
    assert markdown(HEADINGS, lines).splitlines() == [
        "| what | measured | bound | holds? |",
        "| --- | --: | --- | --- |",
        "| a\\|b | 2.5 x | at most 2 x | NO |",
    ]
    assert figure_lines([{"set": "one", "day_ms": 1.25}, {"set": "two"}]) == (
        ("set", "day ms"),
        [("one", "1.25"), ("two", "-")],
    )


def test_numbers_as_one_reads_them() -> None:
    assert [number(value) for value in (0, 12.0, 0.12345, 99.4321, 123.4, 1234567)] == [
        "0", "12", "0.123", "99.4", "123", "1,234,567"
    ]  # fmt: skip


def test_the_page_agrees_with_the_committed_run() -> None:
    record = json.loads(REFERENCE.read_text())
    assert not record["quick"]
    assert {row["bound"] for row in record["rows"] if "bound" in row} == BY_KEY.keys()
    page = PAGE.read_text()
    assert written(page, record) == page, "run: make bench REFERENCE=1"


def test_the_page_keeps_what_stands_around_its_part() -> None:
    record = record_of(SETTING, REPORTS, date="2026-01-02T03:04:05Z")
    page = written(f"before\n{BEGIN}\nold\n{END}\nafter\n", record)
    assert page == f"before\n{BEGIN}\n\n{page_text(record)}\n\n{END}\nafter\n"
    assert "Made up." in page
    with pytest.raises(ValueError, match="lacks its marks"):
        written("no marks", record)


def test_a_set_is_read_whole_and_its_upstream_bytes_are_what_the_simulator_sends() -> None:
    found = read_set(SAMPLE / "opengrid_hourly", points_max=1)
    assert (found.point_count, found.name) == (1, "opengrid_hourly")
    truth = Truth(SAMPLE)
    point = found.months[0].key.point
    series = truth.series(next(one for one in truth.points(found.name) if one.file.startswith(point)))
    assert found.sample_count == len(series.times_us)
    sent = samples_bytes(merged([(point, series)]), {})
    blanks = sent.count(b'": "') + sent.count(b'", "') + sent.count(b"}, {")
    # The simulator writes a frame and a line feed around the rows, and no comma after the last.
    assert len(sent) - blanks - len(b'{"point_samples": []}\n') == found.upstream_bytes - 1


def test_some_months_are_spread_over_all() -> None:
    months = read_set(SAMPLE / "opengrid_hourly", points_max=3).months
    some = some_of(months, sum(len(month.samples) for month in months) // 4)
    assert len(months) // 6 < len(some) < len(months) // 2
    assert {month.key.point for month in some} == {month.key.point for month in months}
    assert some_of(months, 10**9) == list(months)


def test_the_week_is_whole_and_other_days_lie_outside_of_it() -> None:
    truth = Truth(SAMPLE)
    week = fullest_week(truth)
    assert len(week.points) > 1
    for point in week.points:
        rows = truth.rows("opengrid_minute", point, week.start_ms, week.end_ms)
        assert len(rows) == WEEK_DAYS * SAMPLES_OF_A_DAY
    inside = {
        (point, day) for point in week.points for day in range(week.first_day, week.first_day + WEEK_DAYS)
    }
    assert not inside & set(week.other_days)
    point, day = week.other_days[-1]
    assert len(truth.rows("opengrid_minute", point, day * DAY_MS, (day + 1) * DAY_MS)) == SAMPLES_OF_A_DAY


def test_a_reply_that_is_not_what_is_measured_is_refused() -> None:
    reply = Reply(status=200, headers={"cache-status": "EdgeSeries; hit"}, body=b"", duration_ms=1.0)
    assert expect(reply, cache_status="EdgeSeries; hit") is reply
    for odd in (replace(reply, status=503), replace(reply, headers={})):
        with pytest.raises(AssertionError, match="not 200"):
            expect(odd, cache_status="EdgeSeries; hit")
    assert timeseries("s", ("a", "b"), 1, 2).endswith("?site=s&points=a%2Cb&start_time=1&end_time=2")
