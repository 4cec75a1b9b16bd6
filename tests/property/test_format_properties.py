"""The formats beyond JSON, NDJSON and long CSV: whatever the samples, each says the same and reads back."""

import csv
import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.msgpack import Ext, decode

from edgeseries.answers.encoding import PythonResultEncoder
from edgeseries.answers.formats import answer_body, writer_of
from edgeseries.answers.grid import column_names, grid_of
from edgeseries.answers.limits import WIDE_MAX_CELLS
from edgeseries.answers.presentation import Presentation, accepted_format, presentation_of
from edgeseries.answers.result_format import ResultFormat, Shape, TimeUnit
from edgeseries.errors import InvalidRequest, NotAcceptable, TooLarge
from edgeseries.limits import LATEST_MS, WHOLE_MAX_SAMPLES
from edgeseries.planning.query import TimeseriesQuery
from edgeseries.series.points import PointSeries
from edgeseries.series.samples import Samples
from edgeseries.series.timerange import TimeRange, iso_millisecond
from edgeseries.series.values import Value

SPAN = TimeRange(start_ms=0, end_ms=LATEST_MS)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
VALUES = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(2**53, 2**70),
    st.booleans(),
    st.none(),
    TEXTS,
)
TIMES = st.one_of(st.integers(0, LATEST_MS - 1), st.integers(0, 30).map(lambda minute: minute * 60_000))
ROWS = st.dictionaries(TIMES, VALUES, max_size=10)


def samples_of(rows: dict[int, Value]) -> Samples:
    return Samples(times_ms=sorted(rows), values=[rows[at_ms] for at_ms in sorted(rows)])


SERIES = st.dictionaries(
    st.one_of(TEXTS.filter(bool), st.sampled_from(["time", "time_"])), ROWS, max_size=4
).map(lambda found: [PointSeries(point=point, samples=samples_of(found[point])) for point in sorted(found)])


def body_of(told: list[PointSeries], chosen: ResultFormat, **looks: Any) -> bytes:
    query = TimeseriesQuery(site="hq", points=tuple(one.point for one in told), span=SPAN)
    writer = writer_of(Presentation(format=chosen, **looks), query)
    return answer_body(writer, told, PythonResultEncoder())


def same(one: object, other: object) -> bool:
    """Equal to the last bit and type: 1 is not 1.0, and -0.0 is not 0.0."""
    return repr(one) == repr(other)


@given(SERIES)
def test_rows_are_the_samples_one_by_one(told: list[PointSeries]) -> None:
    found = json.loads(body_of(told, ResultFormat.ROWS))
    expected = [
        {"point": one.point, "time": iso_millisecond(at_ms), "value": value}
        for one in told
        for at_ms, value in zip(one.samples.times_ms, one.samples.values, strict=True)
    ]
    assert same(found, expected)


@given(SERIES, st.sampled_from(TimeUnit))
def test_wide_columns_are_all_series_on_one_grid(told: list[PointSeries], unit: TimeUnit) -> None:
    pairs = json.loads(
        body_of(told, ResultFormat.COLUMNS, shape=Shape.WIDE, time_unit=unit), object_pairs_hook=list
    )
    assert pairs[0][0] == "time"
    names = [name for name, _ in pairs]
    assert len(set(names)) == len(names) == len(told) + 1
    grid = sorted({at_ms for one in told for at_ms in one.samples.times_ms})
    assert pairs[0][1] == (grid if unit is TimeUnit.MS else [at_ms / 1000 for at_ms in grid])
    for (_, column), one in zip(pairs[1:], told, strict=True):
        held = dict(zip(one.samples.times_ms, one.samples.values, strict=True))
        assert same(column, [held.get(at_ms) for at_ms in grid])


@given(SERIES)
def test_long_columns_are_a_pair_for_each_series(told: list[PointSeries]) -> None:
    found = json.loads(body_of(told, ResultFormat.COLUMNS, shape=Shape.LONG))
    expected = {
        one.point: {"time": list(one.samples.times_ms), "value": list(one.samples.values)} for one in told
    }
    assert same(found, expected)


@given(SERIES)
def test_wide_csv_has_a_line_for_each_instant(told: list[PointSeries]) -> None:
    table = list(
        csv.reader(io.StringIO(body_of(told, ResultFormat.CSV, shape=Shape.WIDE).decode(), newline=""))
    )
    grid = sorted({at_ms for one in told for at_ms in one.samples.times_ms})
    assert table[0][0] == "timestamp"
    assert len(set(table[0])) == len(told) + 1
    assert [row[0] for row in table[1:]] == [iso_millisecond(at_ms) for at_ms in grid]
    for place, one in enumerate(told, 1):
        held = dict(zip(one.samples.times_ms, one.samples.values, strict=True))
        assert [row[place] for row in table[1:]] == [plain(held.get(at_ms)) for at_ms in grid]


def plain(value: Value) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


@given(SERIES)
def test_messagepack_is_the_document_of_json_with_its_types(told: list[PointSeries]) -> None:
    found = decode(body_of(told, ResultFormat.MSGPACK))
    assert found["_meta"]["sampleCount"] == sum(len(one.samples) for one in told)
    assert [*found["data"]] == [one.point for one in told]
    for one in told:
        series = found["data"][one.point]
        assert (series["count"], series["error"]) == (len(one.samples), None)
        values = [
            int(value.data) if isinstance(value, Ext) and value.code == 1 else value
            for _, value in series["samples"]
        ]
        assert [at_ms for at_ms, _ in series["samples"]] == list(one.samples.times_ms)
        assert same(values, list(one.samples.values))


def test_half_of_a_surrogate_pair_does_not_stop_any_format() -> None:
    told = [PointSeries(point="p", samples=Samples(times_ms=[0, 1], values=["a\ud800", 1.5]))]
    for chosen in ResultFormat:
        for shape in Shape:
            assert body_of(told, chosen, shape=shape)
    assert decode(body_of(told, ResultFormat.MSGPACK))["data"]["p"]["samples"] == [[0, "a?"], [1, 1.5]]
    columns = json.loads(body_of(told, ResultFormat.COLUMNS, shape=Shape.WIDE))
    assert columns == {"time": [0, 1], "p": ["a\ud800", 1.5]}


def test_what_is_too_much_for_a_whole_format_is_refused_with_what_to_do() -> None:
    count = WHOLE_MAX_SAMPLES + 1
    told = [PointSeries(point="p", samples=Samples(times_ms=range(count), values=[1.0] * count))]
    for chosen in (ResultFormat.COLUMNS, ResultFormat.MSGPACK):
        with pytest.raises(TooLarge, match=r"250001 samples or more.*csv"):
            body_of(told, chosen)
    few = WIDE_MAX_CELLS // 1000 + 1
    many = [Samples(times_ms=[place], values=[1.0]) for place in range(1000)]
    assert few > 500
    with pytest.raises(TooLarge, match=r"1000000 cells.*shape=long"):
        grid_of(many)


def test_columns_have_names_that_differ() -> None:
    assert column_names(["a", "b"], first="time") == ["a", "b"]
    assert column_names(["time", "time_"], first="time") == ["time__", "time_"]
    assert column_names(["time", "time_", "time__"], first="time") == ["time___", "time_", "time__"]


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        ("", "json"),
        ("*/*", "json"),
        ("application/*", "json"),
        ("text/csv", "csv"),
        ("text/*;q=0.5, application/x-ndjson;q=0.4", "csv"),
        ("text/csv;q=0.1, application/x-ndjson", "ndjson"),
        ("application/msgpack", "msgpack"),
        ("APPLICATION/VND.MSGPACK", "msgpack"),
        ("text/html, application/xhtml+xml, application/xml;q=0.9, */*;q=0.8", "json"),
        ("text/csv;q=oddly, application/json", "csv"),
        ("text/csv;q=0, application/json;q=0.001", "json"),
    ],
)
def test_accept_chooses_a_format(accept: str, chosen: str) -> None:
    assert accepted_format(accept) == chosen


@pytest.mark.parametrize("accept", ["text/html", "image/png, audio/*", "text/csv;q=0", "nonsense", "json"])
def test_accept_that_names_none_of_ours_is_told_what_there_is(accept: str) -> None:
    with pytest.raises(NotAcceptable, match=r"application/json.*text/csv.*format="):
        accepted_format(accept)


@pytest.mark.parametrize(
    ("given_parameters", "fault"),
    [
        ({"format": "xlsx"}, "format: must be one of json, rows"),
        ({"format": ""}, "format: is empty"),
        ({"format": "json", "shape": "wide"}, "shape: format=json is long alone; csv and columns and arrow"),
        ({"format": "csv", "time_unit": "s"}, "time_unit: is for format=columns alone"),
        ({"format": "csv", "shape": "round"}, "shape: must be one of long, wide"),
    ],
)
def test_what_a_format_cannot_be_is_a_fault(given_parameters: dict[str, str], fault: str) -> None:
    with pytest.raises(InvalidRequest, match=fault):
        presentation_of(given_parameters, "text/html")


def test_shapes_have_their_defaults_and_every_presentation_a_digest_of_its_own() -> None:
    assert presentation_of({"format": "columns"}, "") == Presentation(
        format=ResultFormat.COLUMNS, shape=Shape.WIDE
    )
    assert presentation_of({}, "") == Presentation()
    assert Presentation().canonical() == []
    looks = [
        presentation_of(asked, "")
        for asked in (
            {},
            {"format": "rows"},
            {"format": "csv"},
            {"format": "csv", "shape": "wide"},
            {"format": "columns"},
            {"format": "columns", "time_unit": "s"},
            {"format": "columns", "shape": "long"},
            {"format": "ndjson"},
            {"format": "msgpack"},
            {"format": "arrow"},
            {"format": "arrow", "shape": "wide"},
            {"format": "parquet"},
        )
    ]
    assert len({tuple(one.canonical()) for one in looks}) == len(looks)
    assert {one.format for one in looks} == set(ResultFormat)
