"""Several aggregates of a point in every format: a series each, told apart as the page says."""

import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
from msgspec.msgpack import decode

from edgeseries.answers.encoding import PythonResultEncoder
from edgeseries.answers.formats import answer_body, writer_of
from edgeseries.answers.presentation import Presentation
from edgeseries.answers.result_format import ResultFormat, Shape
from edgeseries.limits import DAY_MS, HOUR_MS
from edgeseries.planning.query import TimeseriesQuery
from edgeseries.questions.question import Aggregate, Buckets
from edgeseries.questions.width import width_of
from edgeseries.series.points import PointSeries
from edgeseries.series.samples import Samples
from edgeseries.series.timerange import TimeRange

SPAN = TimeRange(start_ms=0, end_ms=DAY_MS)
ASKED = Buckets(width=width_of("1h"), zone="UTC", aggregates=(Aggregate.MEAN, Aggregate.COUNT))


def series_of(*names: str | None) -> list[PointSeries]:
    return [
        PointSeries(
            point=point,
            aggregate=name,
            samples=Samples(times_ms=[0, HOUR_MS], values=[float(place), place + 0.5]),
        )
        for point in ("AHU", "VAV")
        for place, name in enumerate(names)
    ]


def body(chosen: ResultFormat, *, shape: Shape = Shape.LONG, single: bool = False) -> bytes:
    question = Buckets(width=ASKED.width, zone="UTC", aggregates=(Aggregate.MEAN,)) if single else ASKED
    query = TimeseriesQuery(site="hq", points=("AHU", "VAV"), span=SPAN, question=question)
    writer = writer_of(Presentation(format=chosen, shape=shape), query)
    told = series_of(None) if single else series_of("mean", "count")
    return answer_body(writer, told, PythonResultEncoder())


def test_long_formats_have_a_column_for_the_aggregate() -> None:
    lines = body(ResultFormat.CSV).decode().split("\r\n")
    assert lines[:2] == ["point_name,aggregate,timestamp,value", '"AHU",mean,1970-01-01T00:00:00.000Z,0.0']
    first = json.loads(body(ResultFormat.NDJSON).splitlines()[2])
    assert (first["point_name"], first["aggregate"], first["value"]) == ("AHU", "count", 1.0)
    assert json.loads(body(ResultFormat.ROWS))[2] == {
        "point": "AHU",
        "aggregate": "count",
        "time": "1970-01-01T00:00:00.000Z",
        "value": 1.0,
    }
    for table in (
        pa.ipc.open_stream(body(ResultFormat.ARROW)).read_all(),
        pq.read_table(io.BytesIO(body(ResultFormat.PARQUET))),
    ):
        assert table.column_names[:4] == ["time", "point", "aggregate", "value"]
        found = zip(
            *(table.column(name).to_pylist() for name in ("point", "aggregate", "value")), strict=True
        )
        assert [*found][:4] == [
            ("AHU", "mean", 0.0),
            ("AHU", "mean", 0.5),
            ("AHU", "count", 1.0),
            ("AHU", "count", 1.5),
        ]


def test_other_formats_name_a_series_by_point_and_aggregate() -> None:
    columns = json.loads(body(ResultFormat.COLUMNS, shape=Shape.WIDE))
    assert [*columns] == ["time", "AHU:mean", "AHU:count", "VAV:mean", "VAV:count"]
    assert [*json.loads(body(ResultFormat.COLUMNS))] == [*columns][1:]
    assert body(ResultFormat.CSV, shape=Shape.WIDE).startswith(b'timestamp,"AHU:mean","AHU:count"')
    assert [*decode(body(ResultFormat.MSGPACK))["data"]] == [*columns][1:]
    wide = pa.ipc.open_stream(body(ResultFormat.ARROW, shape=Shape.WIDE)).read_all()
    assert wide.column_names == [*columns]
    assert wide.schema.field("AHU:count").metadata[b"aggregate"] == b"count"


def test_one_aggregate_is_the_point_itself() -> None:
    assert body(ResultFormat.CSV, single=True).startswith(b"point_name,timestamp,value\r\n")
    table = pa.ipc.open_stream(body(ResultFormat.ARROW, single=True)).read_all()
    assert "aggregate" not in table.column_names
    assert [*json.loads(body(ResultFormat.COLUMNS, shape=Shape.WIDE, single=True))] == ["time", "AHU", "VAV"]
