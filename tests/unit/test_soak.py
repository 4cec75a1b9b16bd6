"""The soak's judge: it notices what is wrong, and lets pass what is right or explained."""

import random
from pathlib import Path
from typing import Any

import pytest

from edgeseries.answers.encoding import PythonResultEncoder
from edgeseries.answers.formats import answer_body, writer_of
from edgeseries.answers.presentation import Presentation
from edgeseries.answers.result_format import MEDIA_TYPES, ResultFormat
from edgeseries.planning.query import TimeseriesQuery
from edgeseries.series.points import PointSeries
from edgeseries.series.samples import in_order
from edgeseries.series.timerange import TimeRange
from local.expected import expected_samples
from local.upstream.replay import Replay
from local.upstream.truth import Truth
from tests.soak.fault_timeline import HOST, UPSTREAM, FaultTimeline
from tests.soak.model import DAY_MS, MINUTE_MS, Model, Wanted, series_of

SAMPLE = Path(__file__).parents[2] / "local" / "sample"
NOW_MS = 1_790_000_000_000
LIVE = "opengrid_minute"


@pytest.fixture(scope="module")
def model() -> Model:
    return Model(truth=Truth(SAMPLE, replay=Replay(sites=frozenset({LIVE}), at_ms=NOW_MS)), live_site=LIVE)


def right(model: Model, wanted: Wanted, until_ms: int) -> dict[str, Any]:
    end_ms = min(wanted.end_ms, until_ms)
    rows = {p: expected_samples(model.truth, wanted.site, p, wanted.start_ms, end_ms) for p in wanted.points}
    return {
        point: {"samples": rows[point], "count": len(rows[point]), "error": None} for point in sorted(rows)
    }


def test_draws_are_repeated_by_the_seed_and_find_samples(model: Model) -> None:
    draws = [[model.draw(random.Random(f"{n}"), 8_000) for n in range(40)] for _ in range(2)]  # noqa: S311
    assert draws[0] == draws[1]
    counts = [sum(one["count"] for one in right(model, wanted, NOW_MS).values()) for wanted in draws[0]]
    assert sum(count > 0 for count in counts) > 20
    assert max(counts) < 60_000


def test_what_is_wrong_is_noticed(model: Model) -> None:
    first_ms, _ = model.truth.span_ms("opengrid_hourly", "elec_0668") or (0, 0)
    points = ("elec_0668", "elec_156e")
    wanted = Wanted(site="opengrid_hourly", points=points, start_ms=first_ms, end_ms=first_ms + 3 * DAY_MS)
    data = right(model, wanted, NOW_MS)
    assert model.fault_of(wanted, data, asked_ms=NOW_MS, told_ms=NOW_MS) is None
    samples = data["elec_0668"]["samples"]
    at_ms, value = samples[0]
    for rows in (samples[1:], samples[:-1], [[at_ms, int(value)], *samples[1:]], [*samples, samples[-1]], []):
        wrong = {**data, "elec_0668": {"samples": rows, "count": len(rows), "error": None}}
        assert model.fault_of(wanted, wrong, asked_ms=NOW_MS, told_ms=NOW_MS), rows[:2]
    assert model.fault_of(wanted, {"elec_0668": data["elec_0668"]}, asked_ms=NOW_MS, told_ms=NOW_MS)
    failed = {**data, "elec_0668": {"samples": [], "count": 0, "error": "gone"}}
    assert model.fault_of(wanted, failed, asked_ms=NOW_MS, told_ms=NOW_MS)


def test_what_happens_now_may_lack_its_newest_samples_and_no_others(model: Model) -> None:
    point = next(
        one.name
        for one in model.truth.points(LIVE)
        if len(model.truth.rows(LIVE, one.name, NOW_MS - 60 * MINUTE_MS, NOW_MS)) > 50
    )
    wanted = Wanted(site=LIVE, points=(point,), start_ms=NOW_MS - 60 * MINUTE_MS, end_ms=NOW_MS + MINUTE_MS)

    def fault(until_ms: int) -> str | None:
        return model.fault_of(wanted, right(model, wanted, until_ms), asked_ms=NOW_MS, told_ms=NOW_MS)

    assert fault(NOW_MS) is None
    assert fault(NOW_MS - 15_000) is None
    assert fault(NOW_MS - 5 * MINUTE_MS)
    assert fault(NOW_MS + 2 * MINUTE_MS) is None or "differ" in str(fault(NOW_MS + 2 * MINUTE_MS))


@pytest.mark.parametrize("chosen", [ResultFormat.JSON, ResultFormat.NDJSON, ResultFormat.CSV])
def test_results_are_read_in_every_format(chosen: ResultFormat) -> None:
    start_ms = 1_709_164_800_000
    rows = [[start_ms, 1.5], [start_ms + 250, -0.0], [start_ms + 60_000, 1e21]]
    span = TimeRange(start_ms=start_ms, end_ms=start_ms + DAY_MS)
    query = TimeseriesQuery(site="s", points=('a "b", c', "b"), span=span)
    writer = writer_of(Presentation(format=chosen), query)
    samples = in_order([int(row[0]) for row in rows], [row[1] for row in rows])
    told = [
        PointSeries(point=point, samples=held)
        for point, held in zip(query.points, (samples, in_order([], [])), strict=True)
    ]
    text = answer_body(writer, told, PythonResultEncoder()).decode()
    assert series_of(text, MEDIA_TYPES[chosen].partition(";")[0], query.points) == {
        query.points[0]: {"samples": rows, "count": 3, "error": None},
        "b": {"samples": [], "count": 0, "error": None},
    }


def test_trouble_explains_what_overlaps_it() -> None:
    weather = FaultTimeline()
    assert not weather.was(UPSTREAM, 0, 1e12)
    weather.begin(UPSTREAM, "500")
    began = weather.spells()[0][1]
    assert weather.was(UPSTREAM, began + 100, began + 101)
    weather.end(UPSTREAM)
    assert weather.was(UPSTREAM, began + 5, began + 6)
    assert not weather.was(UPSTREAM, began + 100, began + 101)
    assert not weather.was(UPSTREAM, began - 3, began - 2)
    assert not weather.was(HOST, began, began + 1)
    assert weather.counts == {"500": 1}
