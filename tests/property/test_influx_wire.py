"""InfluxDB's wire formats: what is read of any bytes, and names that no text breaks out of."""

import csv
import json
from contextlib import suppress
from io import StringIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeseries.errors import EdgeError, OriginContract, OriginGarbled, OriginRefused, OriginUnreachable
from edgeseries.origins.influx import flux, influxql, sql
from edgeseries.origins.influx.series import FIELD, address, listed, series_key
from edgeseries.origins.labels import NAME, Naming
from edgeseries.series.timerange import TimeRange

SPAN = TimeRange(start_ms=1, end_ms=2)
NAMES = st.text(st.characters(min_codepoint=32, codec="utf-8"), min_size=1, max_size=10)
PLAIN = NAMES.filter(lambda text: "\\" not in text)
SCALARS = st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5)
KEYS = [
    "results",
    "statement_id",
    "series",
    "values",
    "columns",
    "tags",
    "name",
    "error",
    "partial",
    "v",
    "t0",
]
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=12,
)


def chunk(*results: Any, **more: Any) -> bytes:
    return json.dumps({"results": results, **more}).encode() + b"\n"


def result(statement: int, *rows: Any, partial: bool = False) -> dict[str, Any]:
    series = [{"name": "m", "tags": {"a": "b", "c": ""}, "columns": ["time", "v"], "values": rows}]
    return {"statement_id": statement, "series": series, **({"partial": True} if partial else {})}


@given(st.binary(max_size=200) | JSON.map(lambda one: json.dumps(one).encode()))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    for read in (lambda one: influxql.tables_in(one, statements=1), flux.tables_in, sql.rows_in):
        with suppress(EdgeError):
            read(body)
    for message_of in (influxql.message_of, flux.message_of, sql.message_of):
        assert isinstance(message_of(body), str | None)


@given(st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace") + b"\r\n\r\n"))
def test_any_csv_is_read_or_refused(body: bytes) -> None:
    with suppress(EdgeError):
        for table in flux.tables_in(body):
            table.labels()
            for kind, texts in zip(table.kinds.values(), table.columns.values(), strict=True):
                flux.values_of(kind, texts)


def test_every_statement_comes_to_its_end_or_the_answer_is_cut_short() -> None:
    whole = (
        chunk(result(0, [1, 1.5], partial=True)) + chunk(result(0, [2, 2.5])) + chunk(result(1, [3, True]))
    )
    tables = influxql.tables_in(whole, statements=2)
    assert [(one.statement, one.tags, list(one.rows)) for one in tables] == [
        (0, {"a": "b"}, [[1, 1.5]]),
        (0, {"a": "b"}, [[2, 2.5]]),
        (1, {"a": "b"}, [[3, True]]),
    ]
    for cut in (chunk(result(0, [1, 1.5], partial=True)), chunk(result(0, [1, 1])), b"", whole[:-9]):
        with pytest.raises(OriginGarbled):
            influxql.tables_in(cut, statements=2)


def test_what_the_server_tells_instead_is_an_error() -> None:
    with pytest.raises(OriginRefused, match="database not found"):
        influxql.tables_in(chunk({"statement_id": 0, "error": "database not found: x"}), statements=1)
    with pytest.raises(OriginUnreachable, match="timeout"):
        influxql.tables_in(chunk(result(0, [1, 1])) + b'{"error":"query timeout"}\n', statements=1)
    told = "#datatype,string,string\r\n#group,true,true\r\n,error,reference\r\n,out of memory,1\r\n\r\n"
    with pytest.raises(OriginUnreachable, match="out of memory"):
        flux.tables_in(told.encode())


def test_integers_and_zeros_with_a_sign_stay_what_they_are() -> None:
    (table,) = influxql.tables_in(
        b'{"results":[{"statement_id":0,"series":[{"columns":["time","v"],'
        b'"values":[[1,-0],[2,9007199254740993],[3,"x,-0]"]]}]}]}',
        statements=1,
    )
    assert [repr(row[1]) for row in table.rows][:2] == ["-0.0", "9007199254740993"]
    assert flux.values_of("long", ["9007199254740993", ""]) == [9007199254740993, None]
    assert list(map(repr, flux.values_of("double", ["-0", "NaN", "+Inf"]))) == ["-0.0", "nan", "inf"]
    assert flux.values_of("boolean", ["true", "false", ""]) == [True, False, None]
    assert flux.values_of("string", ["", "1"]) == ["", "1"]
    with pytest.raises(OriginContract):
        flux.values_of("boolean", ["yes"])


@pytest.mark.parametrize("body", [b"", b"\r\n\r\n\r\n"[:1], b"#datatype,string\r\n"])
def test_a_table_that_was_cut_short_is_seen_to_be(body: bytes) -> None:
    with pytest.raises(OriginGarbled):
        flux.tables_in(body)
    assert flux.tables_in(flux.NOTHING) == []


@given(st.lists(st.tuples(NAMES, st.floats(allow_nan=False)), min_size=1, max_size=8))
def test_a_table_is_read_as_it_was_written(rows: list[tuple[str, float]]) -> None:
    out = StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(["#datatype", "string", "long", "string", "double"])
    writer.writerow(["#group", "false", "false", "true", "false"])
    writer.writerow(["", "result", "table", "tag", "_value"])
    numbers = {name: str(place) for place, name in enumerate(dict.fromkeys(name for name, _ in rows))}
    ordered = sorted(rows, key=lambda row: int(numbers[row[0]]))
    writer.writerows(["", "", numbers[name], name, repr(value)] for name, value in ordered)
    tables = flux.tables_in(out.getvalue().encode() + b"\r\n")
    assert [table.labels() for table in tables] == [{"tag": name} for name in numbers]
    values = [flux.values_of("double", table.columns["_value"]) for table in tables]
    assert [one for some in values for one in some] == [value for _, value in ordered]


@given(PLAIN, st.dictionaries(PLAIN, PLAIN, max_size=3))
def test_a_series_key_is_read_as_it_was_written(measurement: str, tags: dict[str, str]) -> None:
    def escaped(text: str, signs: str) -> str:
        return "".join(f"\\{one}" if one in signs else one for one in text)

    pairs = [f"{escaped(tag, ', =')}={escaped(value, ', =')}" for tag, value in tags.items()]
    assert series_key(",".join([escaped(measurement, ", "), *pairs])) == (measurement, tags)


@pytest.mark.parametrize("text", ["m,tag", "m,a=b=c", "m,"])
def test_what_is_no_series_key_is_refused(text: str) -> None:
    with pytest.raises(OriginContract):
        series_key(text)


@given(NAMES, NAMES)
def test_no_text_breaks_out_of_its_quotes(name: str, value: str) -> None:
    """Each dialect's own rule for the end of a text leaves nothing of it outside."""
    for text, quote, escape in (
        (influxql.literal(value), "'", "\\"),
        (influxql.identifier(name), '"', "\\"),
        (flux.literal(value), '"', "\\"),
        (sql.literal(value), "'", "'"),
        (sql.identifier(name), '"', '"'),
    ):
        inside = text[1:-1]
        place = 0
        while place < len(inside):
            if inside[place] == escape:
                assert place + 1 < len(inside), text
                place += 2
                continue
            assert inside[place] != quote, text
            place += 1
    assert "${" not in flux.literal(value).replace("\\${", "")


def test_a_point_is_a_field_of_a_series() -> None:
    naming = Naming(site_label="site")
    one = address("temp", {"site": "hq", "room": "1", "none": ""}, "value")
    other = address("temp", {"site": "hq", "room": "1"}, "raw")
    assert one == {NAME: "temp", FIELD: "value", "site": "hq", "room": "1"}
    assert [point.point.name for point in listed(naming, [one, other])] == [
        'temp{room="1"}',
        'temp{_field="raw",room="1"}',
    ]
    with pytest.raises(OriginContract, match="the option field"):
        listed(Naming(site_label="site", point_label="room"), [one, other])


def test_a_query_names_all_tags_of_a_table() -> None:
    query = sql.samples_query("m", "v", ["a", "b"], [{NAME: "m", FIELD: "v", "a": "x'y"}], SPAN)
    assert """("a" = 'x''y' AND "b" IS NULL)""" in query
