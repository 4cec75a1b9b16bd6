"""Expressions evaluated here and by a real Prometheus over the same series: the same values at every step.

Steps lie beside the samples' instants: whether a range holds its very first moment differs between versions 2
and 3. Where no Prometheus is installed, its answers are read from a recording of every fourth step
(UPDATE_GOLDEN=1 records anew); where one is, the recording is held against it.
"""

import json
import os
import random
from array import array
from collections.abc import Iterator
from math import isnan
from pathlib import Path
from typing import Final

import httpx
import pytest

from edgeseries.promql.evaluation import Row, Series, Steps, evaluate, is_scalar
from edgeseries.promql.parsing import parse
from edgeseries.promql.syntax import METRIC, selectors_of
from tests.real_prometheus import INSTALLED, prometheus

RECORDING: Final = Path(__file__).parents[1] / "recorded" / "promql_answers.json"
RECORDED_STEPS: Final = 4
"""One step of so many is recorded: enough to tell a wrong formula, and a small file."""

Answer = dict[tuple[tuple[str, str], ...], dict[float, float]]

FIRST_MS = 1_700_000_000_000
STEPS = Steps(start_ms=FIRST_MS + 500_500, end_ms=FIRST_MS + 20_000_500, step_ms=97_000)


def made() -> list[Series]:
    source = random.Random(5)  # noqa: S311 - repeatable, no secret
    found = []
    for place, (point, unit) in enumerate([("a", "C"), ("b", "C"), ("c", "kWh"), ("d", "kWh"), ("e", "")]):
        times, numbers, at, total = array("q"), array("d"), FIRST_MS, 0.0
        while at < FIRST_MS + 20_500_000:
            at += source.choice(
                [60_000, 60_000, 61_000, 30_000, 900_000 if source.random() < 0.02 else 60_000]
            )
            total = 0.0 if source.random() < 0.02 else total + source.uniform(0, 5)
            times.append(at)
            numbers.append(total if unit == "kWh" else 20 + 5 * source.random() - place)
        labels = (
            ("__name__", METRIC),
            ("point", point),
            ("site", "hq"),
            *((("unit", unit),) if unit else ()),
        )
        found.append(Series(labels=labels, times_ms=times, numbers=numbers))
    return found


SERIES = made()
QUERIES = [
    METRIC,
    f'{METRIC}{{unit="C"}}',
    f'{METRIC}{{point=~"a|e",unit!="kWh"}}',
    f'{METRIC}{{unit=""}}',
    f"{METRIC} offset 17m",
    *(
        f"{name}({METRIC}[10m])"
        for name in ("avg_over_time", "min_over_time", "max_over_time", "sum_over_time")
    ),
    *(f"{name}({METRIC}[7m])" for name in ("count_over_time", "last_over_time", "stddev_over_time")),
    *(f'{name}({METRIC}{{unit="kWh"}}[13m])' for name in ("rate", "increase", "delta")),
    f'rate({METRIC}{{unit="kWh"}}[13m] offset 5m) * 3600',
    *(f"{name} by (unit) ({METRIC})" for name in ("sum", "avg", "min", "max", "count")),
    f"sum without (point) ({METRIC})",
    f"avg({METRIC})",
    f"topk(2, {METRIC})",
    f"topk by (unit) (1, {METRIC})",
    f"{METRIC} > 18",
    f"{METRIC} > bool 18",
    f"20 < {METRIC}",
    f"-{METRIC} + 2 ^ 2 * 3 % 5",
    f"{METRIC} / {METRIC} offset 30m",
    f'{METRIC}{{point="a"}} - on (unit) {METRIC}{{point="b"}}',
    f'{METRIC}{{point="a"}} > ignoring (point) {METRIC}{{point="b"}}',
    f'{METRIC}{{point="a"}} > on (unit) {METRIC}{{point="b"}}',
    f"abs({METRIC} - 20)",
    f"round({METRIC})",
    f"floor({METRIC}) + ceil({METRIC})",
    "1 + 2 * 3 - -4",
    "1 > bool 2",
    f"{METRIC} / 0",
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    with prometheus(tmp_path_factory.mktemp("prometheus"), SERIES) as client:
        yield client


def ours(query: str) -> Answer:
    node = parse(query)
    selected = {
        selector: [
            one
            for one in SERIES
            if all(each.fits(dict(one.labels).get(each.label, "")) for each in selector.matchers)
        ]
        for selector in selectors_of(node)
    }
    value = evaluate(node, STEPS, selected)
    rows = [Row(labels=(), values=list(value))] if is_scalar(value) else value  # type: ignore[arg-type]
    times = [at_ms / 1000 for at_ms in STEPS.times_ms()]
    found = {}
    for row in rows:
        assert isinstance(row, Row)
        there = {at: one for at, one in zip(times, row.values, strict=True) if one is not None}
        if there:
            found[row.labels] = there
    return found


def theirs(query: str, server: httpx.Client) -> Answer:
    asked: dict[str, str | float] = {
        "query": query,
        "start": STEPS.start_ms / 1000,
        "end": STEPS.end_ms / 1000,
        "step": STEPS.step_ms / 1000,
    }
    told = server.get("/api/v1/query_range", params=asked).json()
    assert told["status"] == "success", told
    return {
        tuple(sorted(one["metric"].items())): {at: float(text) for at, text in one["values"]}
        for one in told["data"]["result"]
    }


def thinned(answer: Answer) -> Answer:
    kept = {at_ms / 1000 for at_ms in list(STEPS.times_ms())[::RECORDED_STEPS]}
    found = {
        labels: {at: one for at, one in values.items() if at in kept} for labels, values in answer.items()
    }
    return {labels: values for labels, values in found.items() if values}


def recorded() -> dict[str, Answer]:
    told = json.loads(RECORDING.read_text(encoding="utf-8"))
    return {
        query: {
            tuple(sorted(one["metric"].items())): {at: float(text) for at, text in one["values"]}
            for one in rows
        }
        for query, rows in told.items()
    }


def record(server: httpx.Client) -> None:
    """Float as text: a recording has infinities and NaN, which JSON has not."""
    answers = {query: thinned(theirs(query, server)) for query in QUERIES}
    rows = {
        query: [
            {"metric": dict(labels), "values": [[at, repr(one)] for at, one in values.items()]}
            for labels, values in answer.items()
        ]
        for query, answer in answers.items()
    }
    RECORDING.write_text(json.dumps(rows, separators=(",", ":")) + "\n", encoding="utf-8")


def assert_alike(query: str, mine: Answer, wanted: Answer) -> None:
    assert mine.keys() == wanted.keys(), query
    for labels, values in wanted.items():
        assert mine[labels].keys() == values.keys(), (query, labels)
        for at, one in values.items():
            close = pytest.approx(one, rel=1e-9, abs=1e-9, nan_ok=True)
            assert mine[labels][at] == close, (query, labels, at)


@pytest.mark.skipif(not INSTALLED, reason="needs the distribution's prometheus")
@pytest.mark.parametrize("query", QUERIES)
def test_values_are_those_of_prometheus(query: str, server: httpx.Client) -> None:
    assert_alike(query, ours(query), theirs(query, server))


@pytest.mark.skipif(not INSTALLED, reason="needs the distribution's prometheus")
def test_the_recording_is_what_prometheus_says(server: httpx.Client) -> None:
    if os.environ.get("UPDATE_GOLDEN"):
        record(server)
    found = recorded()
    assert list(found) == QUERIES
    for query in QUERIES:
        assert_alike(query, thinned(theirs(query, server)), found[query])


@pytest.mark.parametrize("query", QUERIES)
def test_values_are_those_that_prometheus_was_recorded_with(query: str) -> None:
    assert_alike(query, thinned(ours(query)), recorded()[query])


def test_the_series_are_what_they_are_for() -> None:
    assert len(SERIES) == 5
    assert not any(isnan(number) for one in SERIES for number in one.numbers)
