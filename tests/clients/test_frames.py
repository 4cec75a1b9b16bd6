"""Series as tables: instants, types, gaps, and what no column can hold."""

from array import array
from typing import Any

import polars as pl
import pyarrow as pa
import pytest

from edgeseries_client import MissingLibrary, MixedValues, Result, Series
from edgeseries_client.frames import library, table
from edgeseries_client.lines import csv_lines


def result(**points: list[tuple[int, Any]]) -> Result:
    return Result(
        series={
            name: Series(
                point=name,
                times_ms=array("q", [time_ms for time_ms, _ in rows]),
                values=[value for _, value in rows],
            )
            for name, rows in points.items()
        }
    )


TWO = result(a=[(0, 1.5), (60_000, None)], b=[(60_000, 2.0), (120_000, 3.0)])
BUCKETS = Result(
    series={
        "a:min": Series(point="a", aggregate="min", times_ms=array("q", [0]), values=[1.0]),
        "a:count": Series(point="a", aggregate="count", times_ms=array("q", [0]), values=[4]),
    }
)


def test_pandas_wide_has_a_row_an_instant() -> None:
    frame = table(TWO, as_="pandas", shape="wide", tz="Europe/Brussels")
    assert list(frame.columns) == ["a", "b"]
    assert frame.index.name == "time"
    assert [str(at) for at in frame.index[:2]] == ["1970-01-01 01:00:00+01:00", "1970-01-01 01:01:00+01:00"]
    assert frame["b"].tolist()[1:] == [2.0, 3.0]
    assert frame["a"].isna().tolist() == [False, True, True]


def test_pandas_long_has_a_row_a_sample() -> None:
    frame = table(TWO, as_="pandas", shape="long", tz=None)
    assert list(frame.columns) == ["time", "point", "value"]
    assert frame["point"].tolist() == ["a", "a", "b", "b"]
    assert frame["value"].dtype == "float64"


def test_polars_and_arrow_agree_with_pandas() -> None:
    wide = table(TWO, as_="polars", shape="wide", tz="Europe/Brussels")
    assert wide.schema["time"] == pl.Datetime("ms", "Europe/Brussels")
    assert wide.drop("time").rows() == [(1.5, None), (None, 2.0), (None, 3.0)]
    arrow = table(TWO, as_="arrow", shape="wide", tz="Europe/Brussels")
    assert arrow.schema.field("time").type == pa.timestamp("ms", "Europe/Brussels")
    assert arrow.drop_columns("time").to_pylist() == wide.drop("time").to_dicts()
    long = table(TWO, as_="arrow", shape="long", tz=None)
    assert long.to_pylist() == table(TWO, as_="polars", shape="long", tz=None).to_dicts()
    assert long.column("value").to_pylist() == [1.5, None, 2.0, 3.0]


KINDS = [
    ([True, None], "boolean", pa.bool_()),
    (["on", None], "str", pa.string()),
    ([1, 2.5], "float64", pa.float64()),
    ([None, None], "float64", pa.float64()),
    ([], "float64", pa.float64()),
]


@pytest.mark.parametrize(("values", "pandas_type", "arrow_type"), KINDS)
def test_a_column_has_the_type_of_its_values(values: list[Any], pandas_type: str, arrow_type: Any) -> None:
    made = result(a=list(enumerate(values)))
    assert table(made, as_="pandas", shape="wide", tz=None)["a"].dtype == pandas_type
    assert table(made, as_="arrow", shape="wide", tz=None).schema.field("a").type == arrow_type


MIXED = [True, "on", 1.5, None, 2**60 + 1]


def test_values_of_several_kinds_stay_what_they_are_in_pandas() -> None:
    frame = table(result(a=list(enumerate(MIXED))), as_="pandas", shape="wide", tz=None)
    assert [type(one) for one in frame["a"][:3]] == [bool, str, float]
    assert frame["a"].iloc[4] == 2**60 + 1


@pytest.mark.parametrize("as_", ["polars", "arrow"])
def test_values_of_several_kinds_have_two_columns_elsewhere(as_: str) -> None:
    made = result(a=list(enumerate(MIXED)))
    with pytest.raises(MixedValues, match='shape="long"'):
        table(made, as_=as_, shape="wide", tz=None)
    long = table(made, as_=as_, shape="long", tz=None)
    rows = long.to_pylist() if as_ == "arrow" else long.to_dicts()
    assert [[row[name] for name in ("value", "text", "boolean", "integer")] for row in rows] == [
        [None, None, True, None],
        [None, "on", None, None],
        [1.5, None, None, None],
        [None, None, None, None],
        [None, None, None, str(2**60 + 1)],
    ]


def test_buckets_have_a_column_an_aggregate() -> None:
    assert list(table(BUCKETS, as_="pandas", shape="wide", tz=None).columns) == ["a:min", "a:count"]
    assert table(BUCKETS, as_="polars", shape="wide", tz=None).columns == ["time", "a:min", "a:count"]
    for as_, rows in (("arrow", "to_pylist"), ("polars", "to_dicts")):
        long = getattr(table(BUCKETS, as_=as_, shape="long", tz=None), rows)()
        assert [(row["point"], row["aggregate"], row["value"]) for row in long] == [
            ("a", "min", 1.0), ("a", "count", 4.0),
        ]  # fmt: skip
    assert list(table(BUCKETS, as_="pandas", shape="long", tz=None)["aggregate"]) == ["min", "count"]
    assert list(csv_lines(BUCKETS))[:2] == [
        "point_name,aggregate,timestamp,value", '"a",min,1970-01-01T00:00:00.000Z,1.0',
    ]  # fmt: skip


@pytest.mark.parametrize("shape", ["wide", "long"])
@pytest.mark.parametrize("as_", ["pandas", "polars", "arrow"])
def test_points_without_samples_are_tables_without_rows(as_: str, shape: Any) -> None:
    assert len(table(result(a=[]), as_=as_, shape=shape, tz=None)) == 0


def test_words_that_mean_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match='"pandas", "polars"'):
        table(TWO, as_="excel", shape="wide", tz=None)
    with pytest.raises(ValueError, match='"wide" or "long"'):
        table(TWO, as_="pandas", shape="deep", tz=None)  # type: ignore[arg-type]


def test_a_library_that_is_not_there_is_named() -> None:
    with pytest.raises(MissingLibrary, match=r"pip install .edgeseries-client\[arrow\]"):
        library("no_such_library", "arrow")


def test_lines_are_those_of_the_servers_csv() -> None:
    made = result(**{'a,"b"': [(1, 'say "hi"'), (1_000, None), (2_000, True), (3_000, 1e-5)]})
    assert list(csv_lines(made)) == [
        "point_name,timestamp,value",
        '"a,""b""",1970-01-01T00:00:00.001Z,"say ""hi"""',
        '"a,""b""",1970-01-01T00:00:01.000Z,',
        '"a,""b""",1970-01-01T00:00:02.000Z,true',
        '"a,""b""",1970-01-01T00:00:03.000Z,1e-05',
    ]
