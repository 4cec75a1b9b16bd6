"""Buckets over real telemetry, held against pandas: every aggregate, in zones with changes of clocks and half
hours.
"""

import csv
import gzip
from datetime import datetime
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from edgeseries.limits import DAY_MS, HOUR_MS
from edgeseries.questions.bucketing import PythonBucketing
from edgeseries.questions.ports.bucketing import Bucketing
from edgeseries.questions.question import Aggregate, Buckets, Fill
from edgeseries.questions.reduction import Reductions, reduced_to
from edgeseries.questions.width import width_of
from edgeseries.series.samples import Samples, within
from edgeseries.series.timerange import TimeRange, instant_ms
from tests.host_kernel import HostBucketing, HostKernel

SITES = Path(__file__).parents[2] / "local" / "sample"
FREQUENCIES = {"15m": "15min", "1h": "1h", "1d": "1D", "1w": "W-MON", "1M": "MS", "1y": "YS"}
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Adelaide"]
COMPARED = {
    Aggregate.MEAN: "mean",
    Aggregate.MIN: "min",
    Aggregate.MAX: "max",
    Aggregate.SUM: "sum",
    Aggregate.COUNT: "count",
    Aggregate.COUNT_ALL: "size",
    Aggregate.FIRST: "first",
    Aggregate.LAST: "last",
}
MOST_SAMPLES = 60_000
LATER_MS = 4_000_000_000_000


@cache
def telemetry(site: str) -> Samples:
    """The point of a site with the most samples, of which every 97th is null."""
    path = max((SITES / site).glob("*.csv.gz"), key=lambda one: (one.stat().st_size, one.name))
    times, values = [], []
    with gzip.open(path, "rt", encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            try:
                values.append(float(row["value"]))
            except ValueError:
                values.append(float("nan"))
            times.append(instant_ms(datetime.fromisoformat(row["timestamp"])))
    order = sorted(dict(zip(times, values, strict=True)).items())[-MOST_SAMPLES:]
    return Samples(
        times_ms=[at for at, _ in order],
        values=[
            None if np.isnan(value) or place % 97 == 0 else value for place, (_, value) in enumerate(order)
        ],
    )


def floats_of(samples: Samples) -> list[float]:
    return [float("nan") if one is None else float(one) for one in list(samples.values)]


def defined(samples: Samples) -> dict[int, float]:
    pairs = zip(samples.times_ms, floats_of(samples), strict=True)
    return {at: one for at, one in pairs if not np.isnan(one)}


def series_of(samples: Samples, zone: str) -> "pd.Series[float]":
    index = pd.to_datetime(list(samples.times_ms), unit="ms", utc=True).tz_convert(zone)
    return pd.Series(
        [np.nan if one is None else one for one in list(samples.values)], index=index, dtype=float
    )


def answer(
    samples: Samples, question: Buckets, span: TimeRange, bucketing: Bucketing, *, pieces: int = 3
) -> list[Samples]:
    reduction = Reductions(question, span, bucketing, now_ms=LATER_MS).of_a_point()
    size = max(1, len(samples) // pieces)
    parts = [
        reduction.part(samples.part(at, min(at + size, len(samples)))) for at in range(0, len(samples), size)
    ]
    return [*reduced_to([*parts, reduction.end()])]


SETS = ["opengrid_hourly", "opengrid_minute"]


@pytest.fixture(scope="module", params=["python", "kernel"])
def bucketing(request: pytest.FixtureRequest) -> Bucketing:
    return PythonBucketing() if request.param == "python" else HostBucketing(HostKernel(), PythonBucketing())


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("site", SETS)
def test_buckets_are_those_of_pandas(site: str, zone: str, bucketing: Bucketing) -> None:
    samples = telemetry(site)
    span = TimeRange(start_ms=samples.times_ms[0] // DAY_MS * DAY_MS, end_ms=samples.times_ms[-1] + 1)
    series = series_of(samples, zone)
    for width, frequency in FREQUENCIES.items():
        question = Buckets(width=width_of(width), aggregates=tuple(COMPARED), zone=zone)
        columns = dict(zip(COMPARED, answer(samples, question, span, bucketing), strict=True))
        grouped = series.resample(frequency, closed="left", label="left")
        size = grouped.size()
        for aggregate, name in COMPARED.items():
            expected = getattr(grouped, name)()[size > 0]
            if aggregate is Aggregate.SUM:
                expected = expected.where(grouped.count()[size > 0] > 0)
            column = columns[aggregate]
            starts = (expected.index.tz_convert("UTC").as_unit("ms").astype("int64")).tolist()
            assert list(column.times_ms) == starts, (width, name)
            values = floats_of(column)
            np.testing.assert_allclose(values, expected.to_numpy(dtype=float), rtol=1e-11, atol=1e-9)


@pytest.mark.parametrize("site", SETS)
def test_growth_is_that_of_pandas(site: str, bucketing: Bucketing) -> None:
    samples = telemetry(site)
    start_ms = samples.times_ms[len(samples) // 3]
    span = TimeRange(start_ms=start_ms, end_ms=samples.times_ms[-1] + 1)
    gap_ms = 2 * HOUR_MS
    aggregates = (Aggregate.INCREASE, Aggregate.DELTA)
    question = Buckets(width=width_of("1d"), aggregates=aggregates, zone="UTC", max_gap_ms=gap_ms)
    read = within(samples, TimeRange(start_ms=start_ms - gap_ms, end_ms=span.end_ms))
    increase, delta = answer(read, question, span, bucketing)
    series = series_of(read, "UTC").dropna()
    differences = series.diff()
    near = series.index.to_series().diff() <= pd.Timedelta(milliseconds=gap_ms)
    asked = (series.index >= pd.Timestamp(start_ms, unit="ms", tz="UTC")) & near.to_numpy()
    grown = differences.where(differences >= 0, series)[asked].resample("1D")
    for column, expected in ((increase, grown.sum()), (delta, differences[asked].resample("1D").sum())):
        got = defined(column)
        counts = differences[asked].resample("1D").count()
        wanted = expected[counts > 0]
        assert list(got) == (wanted.index.as_unit("ms").astype("int64")).tolist()
        np.testing.assert_allclose(list(got.values()), wanted.to_numpy(), rtol=1e-9, atol=1e-7)


@pytest.mark.parametrize("max_gap_ms", [10 * 60_000, 6 * HOUR_MS])
@pytest.mark.parametrize("site", SETS)
def test_the_mean_over_time_is_that_of_a_step_curve(site: str, max_gap_ms: int, bucketing: Bucketing) -> None:
    samples = telemetry(site).part(0, 4_000)
    start_ms = samples.times_ms[500] + 1
    span = TimeRange(start_ms=start_ms, end_ms=samples.times_ms[-1] + 12 * HOUR_MS)
    question = Buckets(width=width_of("6h"), aggregates=(Aggregate.TWA,), zone="UTC", max_gap_ms=max_gap_ms)
    read = within(samples, TimeRange(start_ms=start_ms - max_gap_ms, end_ms=span.end_ms))
    (found,) = answer(read, question, span, bucketing)
    times, values = list(read.times_ms), list(read.values)
    ends = [*times[1:], span.end_ms]
    steps = [
        (max(at, start_ms), min(end, at + max_gap_ms, span.end_ms), value)
        for at, end, value in zip(times, ends, values, strict=True)
        if value is not None
    ]
    expected: dict[int, tuple[float, int]] = {}
    for begin, end, value in steps:
        at = begin
        while at < end:
            bucket = at // (6 * HOUR_MS) * 6 * HOUR_MS
            until = min(end, bucket + 6 * HOUR_MS)
            area, held = expected.get(bucket, (0.0, 0))
            expected[bucket] = area + float(value) * (until - at), held + until - at
            at = until
    known = defined(found)
    assert list(known) == sorted(expected)
    means = [expected[at][0] / expected[at][1] for at in sorted(expected)]
    np.testing.assert_allclose(list(known.values()), means, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("fill", [Fill.NULL, Fill.PREVIOUS])
def test_empty_buckets_are_filled_as_pandas_fills_them(fill: Fill, bucketing: Bucketing) -> None:
    samples = telemetry("opengrid_minute").part(0, 20_000)
    kept = [place for place in range(len(samples)) if place % 11 < 4]
    values = list(samples.values)
    holed = Samples(
        times_ms=[samples.times_ms[place] for place in kept], values=[values[place] for place in kept]
    )
    span = TimeRange(start_ms=holed.times_ms[0] // HOUR_MS * HOUR_MS, end_ms=holed.times_ms[-1] + 1)
    question = Buckets(
        width=width_of("5m"), aggregates=(Aggregate.MEAN, Aggregate.COUNT), zone="UTC", fill=fill
    )
    mean, count = answer(holed, question, span, bucketing)
    grouped = series_of(holed, "UTC").resample(
        "5min", origin=pd.Timestamp(span.start_ms, unit="ms", tz="UTC")
    )
    expected = grouped.mean()
    if fill is Fill.PREVIOUS:
        expected = expected.ffill()
    starts = dict(zip(mean.times_ms, floats_of(mean), strict=True))
    for at, value in zip(expected.index.as_unit("ms").astype("int64"), expected, strict=True):
        got = starts[int(at)]
        assert got == pytest.approx(value, nan_ok=True)
    assert list(count.times_ms) == list(mean.times_ms)
    assert sum(floats_of(count)) == grouped.count().sum()
