"""An answer of several aggregates says in every format which one a value is."""

import csv
import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from edgeseries.answers.encoding import PythonResultEncoder
from edgeseries.answers.formats import answer_body, writer_of
from edgeseries.answers.presentation import presentation_of
from edgeseries.planning.query import query_from_pairs
from edgeseries.series.points import PointSeries
from edgeseries.series.samples import Samples

QUERY = query_from_pairs(
    [
        ("site", "hq"), ("points", "AHU 7"), ("every", "1h"), ("agg", "min,max"),
        ("start_time", "2024-01-01T00:00:00Z"), ("end_time", "2024-01-01T01:00:00Z"),
    ]
)  # fmt: skip
FIRST_MS = 1_704_067_200_000
SERIES = [
    PointSeries(point="AHU 7", aggregate=name, samples=Samples(times_ms=[FIRST_MS], values=[value]))
    for name, value in (("min", 1.0), ("max", 2.0))
]


def body(name: str) -> bytes:
    presentation = presentation_of({"format": name}, "")
    return answer_body(writer_of(presentation, QUERY), SERIES, PythonResultEncoder())


def test_csv() -> None:
    rows = list(csv.DictReader(io.StringIO(body("csv").decode())))
    assert [(row["point_name"], row["aggregate"], row["value"]) for row in rows] == [
        ("AHU 7", "min", "1.0"), ("AHU 7", "max", "2.0"),
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["arrow", "parquet"])
def test_typed_columns(name: str) -> None:
    told = body(name)
    table = pa.ipc.open_stream(told).read_all() if name == "arrow" else pq.read_table(pa.BufferReader(told))
    assert table.column("aggregate").to_pylist() == ["min", "max"]
    assert table.column("value").to_pylist() == [1.0, 2.0]


def test_lines_and_rows() -> None:
    assert [json.loads(line)["aggregate"] for line in body("ndjson").splitlines()] == ["min", "max"]
    assert [row["aggregate"] for row in json.loads(body("rows"))] == ["min", "max"]
