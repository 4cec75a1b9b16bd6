"""Every format as the libraries read it that people use: a body becomes samples by point, with their types.

Each reader gives `{point: [[epoch ms, value], ...]}` as JSON has it, so that it can be held against the
truth.
"""

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import msgpack
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

Series = dict[str, list[list[Any]]]

TYPED = ("value", "text", "boolean", "integer")
"""The columns of Arrow and Parquet that hold a value; at most one of a row does."""


def by_point(rows: Any) -> Series:
    """Rows (point, epoch ms, value) as series, in their order."""
    found: Series = {}
    for point, at_ms, value in rows:
        found.setdefault(point, []).append([at_ms, value])
    return found


def value_of(row: Mapping[str, Any]) -> Any:
    """The value of a row of Arrow or Parquet, with its type."""
    return the_value([row[name] for name in TYPED])


def the_value(cells: Sequence[Any]) -> Any:
    """The one of the cells of TYPED that is not empty, with its type."""
    held = [cell for cell in cells if cell is not None]
    assert len(held) <= 1, cells
    if cells[TYPED.index("integer")] is not None:
        return int(cells[TYPED.index("integer")])
    return held[0] if held else None


def epoch_ms(moment: datetime) -> int:
    assert moment.utcoffset() is not None
    return round(moment.timestamp() * 1000)


def from_json(body: bytes) -> Series:
    return {point: one["samples"] for point, one in json.loads(body)["data"].items()}


def from_rows(body: bytes) -> Series:
    rows = json.loads(body)
    return by_point((row["point"], iso_ms(row["time"]), row["value"]) for row in rows)


def iso_ms(text: str) -> int:
    assert len(text) == len("2024-01-01T00:00:00.000Z"), text
    return epoch_ms(datetime.fromisoformat(text))


def from_ndjson(body: bytes) -> Series:
    rows = [json.loads(line) for line in body.splitlines()]
    return by_point(
        (row["point_name"], iso_ms(row["timestamp"]), row["value"]) for row in rows if "value" in row
    )


def from_columns(body: bytes) -> Series:
    found = json.loads(body)
    return {
        point: [[at_ms, value] for at_ms, value in zip(one["time"], one["value"], strict=True)]
        for point, one in found.items()
    }


def from_msgpack(body: bytes) -> Series:
    def long_integer(code: int, data: bytes) -> int:
        assert code == 1
        return int(data)

    data = msgpack.unpackb(body, ext_hook=long_integer)["data"]
    return {point: one["samples"] for point, one in data.items()}


def cells(column: pa.ChunkedArray) -> list[Any]:
    """What `to_pylist` gives, which takes each cell by itself."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    found: list[Any] = column.to_numpy().tolist()
    if not column.null_count:
        return found
    empty = column.is_null().to_numpy().tolist()
    return [None if gone else cell for gone, cell in zip(empty, found, strict=True)]


def table_rows(table: pa.Table) -> Series:
    assert table.schema.field("time").type == pa.timestamp("ms", tz="UTC")
    assert table.schema.field("value").type == pa.float64()
    for name in ("point", "text", "integer"):
        assert table.schema.field(name).type == pa.dictionary(pa.int16(), pa.string())
    times_ms = cells(table.column("time").cast(pa.int64()))
    columns = [cells(table.column(name)) for name in ("point", *TYPED)]
    return by_point(
        (point, at_ms, the_value(held)) for at_ms, point, *held in zip(times_ms, *columns, strict=True)
    )


def arrow_by_pyarrow(body: bytes) -> Series:
    return table_rows(pa.ipc.open_stream(body).read_all())


def arrow_by_polars(body: bytes) -> Series:
    frame = pl.read_ipc_stream(body)
    assert frame.schema["time"] == pl.Datetime("ms", "UTC")
    assert frame.schema["value"] == pl.Float64
    rows = frame.iter_rows(named=True)
    return by_point((row["point"], epoch_ms(row["time"]), value_of(row)) for row in rows)


def arrow_by_pandas(body: bytes) -> Series:
    """Numbers alone: in a frame a null is NaN, as everywhere in pandas."""
    frame = pa.ipc.open_stream(body).read_all().to_pandas()
    assert str(frame["time"].dtype) == "datetime64[ms, UTC]"
    frame = frame.astype(object).where(frame.notna(), None)
    rows = frame.to_dict("records")
    return by_point((row["point"], epoch_ms(row["time"]), value_of(row)) for row in rows)


def arrow_by_duckdb(body: bytes) -> Series:
    table = pa.ipc.open_stream(body).read_all()
    connection = duckdb.connect()
    connection.register("answer", table)
    return from_duckdb(connection, "answer")


def from_duckdb(connection: duckdb.DuckDBPyConnection, table: str) -> Series:
    columns = f"point::varchar, epoch_ms(time), value, text::varchar, boolean, integer::varchar FROM {table}"
    found = connection.execute(f"SELECT {columns}").fetchall()
    return by_point((row[0], row[1], value_of(dict(zip(TYPED, row[2:], strict=True)))) for row in found)


def parquet_by_pyarrow(body: bytes) -> Series:
    return table_rows(pq.read_table(io.BytesIO(body)))


def parquet_by_polars(body: bytes) -> Series:
    rows = pl.read_parquet(io.BytesIO(body)).iter_rows(named=True)
    return by_point((row["point"], epoch_ms(row["time"]), value_of(row)) for row in rows)


def parquet_by_pandas(body: bytes) -> Series:
    frame = pd.read_parquet(io.BytesIO(body))
    frame = frame.astype(object).where(frame.notna(), None)
    return by_point((row["point"], epoch_ms(row["time"]), value_of(row)) for row in frame.to_dict("records"))


def parquet_by_duckdb(body: bytes) -> Series:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "answer.parquet"
        path.write_bytes(body)
        return from_duckdb(duckdb.connect(), f"'{path}'")


def csv_by_python(body: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(body.decode(), newline="")))


READERS: Mapping[str, tuple[Callable[[bytes], Series], ...]] = {
    "json": (from_json,),
    "rows": (from_rows,),
    "columns": (from_columns,),
    "ndjson": (from_ndjson,),
    "msgpack": (from_msgpack,),
    "arrow": (arrow_by_pyarrow, arrow_by_polars, arrow_by_pandas, arrow_by_duckdb),
    "parquet": (parquet_by_pyarrow, parquet_by_polars, parquet_by_pandas, parquet_by_duckdb),
}
"""By format: each gives every sample with its type."""

SHAPES: Mapping[str, str] = {"columns": "long"}
"""The shape that holds each series by itself, where it is not the default."""
