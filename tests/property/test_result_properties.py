"""Results as text: whatever the samples and however they are cut, each format says exactly the same."""

import csv
import io
import json
from array import array
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from edgeseries.answers.answer import json_bytes
from edgeseries.answers.encoding import PythonResultEncoder
from edgeseries.answers.formats import answer_body, writer_of
from edgeseries.answers.instants import InstantTexts
from edgeseries.answers.pieces import Piece, parts_of, rendered
from edgeseries.answers.presentation import JSON, Presentation
from edgeseries.answers.result_format import ResultFormat, Shape
from edgeseries.answers.windows import Window, cut_window, halved_window, windows_of
from edgeseries.jobs.limits import RESULT_WINDOW_POINTS
from edgeseries.limits import DAY_MS, LATEST_MS
from edgeseries.planning.query import TimeseriesQuery
from edgeseries.series.days import days_touched, month_of
from edgeseries.series.points import PointSeries
from edgeseries.series.samples import Samples
from edgeseries.series.timerange import TimeRange, iso_instant, iso_millisecond
from edgeseries.series.values import Value

SPAN = TimeRange(start_ms=0, end_ms=LATEST_MS)

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
ANY_TEXTS = st.text(max_size=8)
NUMBERS = st.one_of(st.floats(allow_nan=False, allow_infinity=False), st.integers(2**53, 2**70))
TIMES = st.one_of(st.integers(0, LATEST_MS - 1), st.integers(0, 3 * 1440).map(lambda minute: minute * 60_000))


def values(texts: st.SearchStrategy[str]) -> st.SearchStrategy[Value]:
    return st.one_of(NUMBERS, st.booleans(), st.none(), texts, st.sampled_from(["1", "true", "", "null"]))


def samples(texts: st.SearchStrategy[str]) -> st.SearchStrategy[Samples]:
    rows = st.dictionaries(TIMES, values(texts), max_size=12)
    return rows.map(
        lambda found: Samples(
            times_ms=array("q", sorted(found)), values=tuple(found[at_ms] for at_ms in sorted(found))
        )
    )


def series(texts: st.SearchStrategy[str]) -> st.SearchStrategy[list[PointSeries]]:
    one = st.tuples(samples(texts), st.one_of(st.none(), texts))
    points = st.dictionaries(texts.filter(bool), one, min_size=1, max_size=4)
    return points.map(
        lambda found: [
            PointSeries(point=point, samples=found[point][0], error=found[point][1])
            for point in sorted(found)
        ]
    )


def written(
    chosen: ResultFormat, told: list[PointSeries], cuts: list[int], shape: Shape = Shape.LONG
) -> bytes:
    """As the router writes it, each point's samples in parts of sizes that change."""
    query = TimeseriesQuery(site="hq", points=tuple(one.point for one in told), span=SPAN)
    presentation = Presentation(format=chosen, shape=shape)
    writer = writer_of(presentation, query)
    pieces: list[Piece] = [writer.head()]
    for place, one in enumerate(told):
        for part in parts_of(one.samples, cuts[place % len(cuts)]):
            pieces += writer.part(one.name, part)
        pieces.append(writer.end_series(one.name, one.error))
    return rendered([*pieces, *writer.tail()], PythonResultEncoder())


CUTS = st.lists(st.integers(1, 13), min_size=1, max_size=3)


def document(query: TimeseriesQuery, told: list[PointSeries]) -> dict[str, Any]:
    """The answer as `docs/formats/answer.md` has it."""
    data = {
        one.point: {
            "samples": list(zip(one.samples.times_ms, one.samples.values, strict=True)),
            "count": len(one.samples),
            "error": one.error,
        }
        for one in told
    }
    meta = {
        "site": query.site,
        "startTime": iso_instant(query.span.start_ms),
        "endTime": iso_instant(query.span.end_ms),
        "pointCount": len(told),
        "sampleCount": sum(len(one.samples) for one in told),
    }
    return {"data": data, "_meta": meta}


@given(told=series(TEXTS), cuts=CUTS)
def test_json_is_the_answer_byte_for_byte(told: list[PointSeries], cuts: list[int]) -> None:
    query = TimeseriesQuery(site="hq", points=tuple(one.point for one in told), span=SPAN)
    body = json_bytes(document(query, told))
    assert written(ResultFormat.JSON, told, cuts) == body
    assert answer_body(writer_of(JSON, query), told, PythonResultEncoder()) == body


@given(told=series(ANY_TEXTS), cuts=CUTS)
def test_json_says_the_same_as_the_answer_of_texts_that_utf_8_cannot_hold(
    told: list[PointSeries], cuts: list[int]
) -> None:
    query = TimeseriesQuery(site="hq", points=tuple(one.point for one in told), span=SPAN)
    body = written(ResultFormat.JSON, told, cuts)
    assert json.dumps(json.loads(body)) == json.dumps(document(query, told))


def rows_of(told: list[PointSeries]) -> list[tuple[str, str, Value]]:
    return [
        (one.point, iso_millisecond(at_ms), value)
        for one in told
        for at_ms, value in zip(one.samples.times_ms, one.samples.values, strict=True)
    ]


@given(told=series(ANY_TEXTS), cuts=CUTS)
def test_ndjson_parses_back_type_for_type(told: list[PointSeries], cuts: list[int]) -> None:
    body = written(ResultFormat.NDJSON, told, cuts)
    lines = [json.loads(line) for line in body.decode().split("\n")[:-1]]
    assert body == b"" or body.endswith(b"\n")
    found = [(row["point_name"], row["timestamp"], row["value"]) for row in lines if "value" in row]
    assert json.dumps(found) == json.dumps(rows_of(told))
    errors = {row["point_name"]: row["error"] for row in lines if "error" in row}
    assert errors == {one.point: one.error for one in told if one.error is not None}


@given(told=series(TEXTS), cuts=CUTS)
def test_csv_parses_back_and_quotes_tell_texts_from_all_else(
    told: list[PointSeries], cuts: list[int]
) -> None:
    body = written(ResultFormat.CSV, told, cuts).decode()
    table = list(csv.reader(io.StringIO(body, newline="")))
    assert table[0] == ["point_name", "timestamp", "value"]
    expected = rows_of(told)
    assert [(row[0], row[1]) for row in table[1:]] == [(point, at) for point, at, _ in expected]
    fields = quoted_fields(body.partition("\r\n")[2])
    assert [typed(text, quoted=quoted) for text, quoted in fields[2::3]] == [
        (type(value), repr(value)) for _, _, value in expected
    ]
    assert [text for text, _ in fields[2::3]] == [row[2] for row in table[1:]]


def quoted_fields(body: str) -> list[tuple[str, bool]]:
    """Fields of RFC 4180 records, and whether each was quoted: a reader of our own."""
    found: list[tuple[str, bool]] = []
    place = 0
    while place < len(body):
        if body[place] == '"':
            text, place = "", place + 1
            while body[place] != '"' or body[place : place + 2] == '""':
                text += body[place]
                place += 2 if body[place] == '"' else 1
            place += 1
            found.append((text, True))
        else:
            end = min(at for at in (body.find(",", place), body.find("\r\n", place)) if at >= 0)
            found.append((body[place:end], False))
            place = end
        place += 1 if body[place] == "," else 2
    return found


def typed(text: str, *, quoted: bool) -> tuple[type, str]:
    value: Value
    if quoted:
        value = text
    elif not text:
        value = None
    elif text in ("true", "false"):
        value = text == "true"
    else:
        value = float(text) if any(letter in text for letter in ".en") else int(text)
    return type(value), repr(value)


@given(times=st.lists(TIMES, max_size=30))
def test_many_instants_are_written_as_one_is(times: list[int]) -> None:
    texts = InstantTexts()
    assert list(texts.of(times)) == [iso_millisecond(at_ms) for at_ms in times]
    assert list(texts.of(reversed(times))) == [iso_millisecond(at_ms) for at_ms in reversed(times)]


POINTS = st.integers(1, 130).map(lambda number: tuple(f"p{place:03d}" for place in range(number)))


@settings(max_examples=200)
@given(
    points=POINTS,
    start_ms=st.integers(19_000 * DAY_MS, 19_100 * DAY_MS),
    length_ms=st.integers(1, 400 * DAY_MS),
    sizes=st.dictionaries(st.integers(0, 129), st.floats(0, 500_000), max_size=8),
    shares=st.lists(st.floats(0, 1), min_size=15, max_size=15),
    bound=st.integers(1_000, 100_000),
)
def test_windows_cover_every_point_once_in_order_and_hold_what_they_may(  # noqa: PLR0917 - what is drawn
    points: tuple[str, ...],
    start_ms: int,
    length_ms: int,
    sizes: dict[int, float],
    shares: list[float],
    bound: int,
) -> None:
    span = TimeRange(start_ms=start_ms, end_ms=start_ms + length_ms)
    expected = {point: sizes.get(place, 40.0) for place, point in enumerate(points)}
    months = list(dict.fromkeys(map(month_of, days_touched(span))))
    weights = [share or 0.001 for share in shares[: len(months)]]

    def by_month(point: str) -> dict[str, float]:
        return {
            month: expected[point] * weight / sum(weights)
            for month, weight in zip(months, weights, strict=True)
        }

    windows: list[Window] = []
    for whole in windows_of(points, span, expected, samples=bound):
        assert len(whole.points) <= RESULT_WINDOW_POINTS
        assert len(whole.points) == 1 or sum(map(expected.__getitem__, whole.points)) <= bound * 1.001
        dense = len(whole.points) == 1 and expected[whole.points[0]] > bound
        windows += cut_window(whole, by_month(whole.points[0]), samples=bound) if dense else [whole]
    assert [point for window in windows if window.ends for point in window.points] == list(points)
    for window in windows:
        if window.span == span:
            continue
        assert len(window.points) == 1
        days = days_touched(window.span)
        of_month = by_month(window.points[0])
        parts = {
            month: sum(month_of(day) == month for day in days)
            / sum(month_of(day) == month for day in days_touched(span))
            for month in map(month_of, days)
        }
        held = sum(of_month[month] * part for month, part in parts.items())
        assert held <= bound * 1.001 or len(days) == 1, "more than it may hold"
    assert_whole(windows, span)


def assert_whole(windows: list[Window], span: TimeRange) -> None:
    """Every point's windows follow each other and are the range."""
    by_point: dict[str, list[TimeRange]] = {}
    for window in windows:
        for point in window.points:
            by_point.setdefault(point, []).append(window.span)
    for spans in by_point.values():
        assert (spans[0].start_ms, spans[-1].end_ms) == (span.start_ms, span.end_ms)
        assert all(one.end_ms == after.start_ms for one, after in pairwise(spans))


@given(
    points=POINTS,
    start_ms=st.integers(19_000 * DAY_MS, 19_100 * DAY_MS),
    length_ms=st.integers(1, 3 * DAY_MS),
)
def test_a_window_can_be_halved_down_to_a_millisecond_and_stays_whole(
    points: tuple[str, ...], start_ms: int, length_ms: int
) -> None:
    span = TimeRange(start_ms=start_ms, end_ms=start_ms + length_ms)
    done: list[Window] = []
    waiting = [Window(points=points, span=span, ends=True)]
    while waiting:
        window = waiting.pop()
        halves = None if len(done) > 300 else halved_window(window)
        if halves is None:
            assert len(done) > 300 or (len(window.points), window.span.duration_ms) == (1, 1)
            done.append(window)
        else:
            waiting += reversed(halves)
    assert [point for window in done if window.ends for point in window.points] == list(points)
    assert_whole(done, span)
