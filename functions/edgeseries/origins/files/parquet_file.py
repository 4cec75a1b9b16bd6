"""Parquet files as rows: which columns mean what, over the columns that a ParquetReader gives."""

from collections.abc import Sequence
from typing import Any

from edgeseries.errors import OriginContract
from edgeseries.origins.collecting import plain_values
from edgeseries.origins.files.csv_file import ColumnNames, Rows, instants, scaled
from edgeseries.origins.ports.parquet_reader import ParquetColumn, ParquetReader
from edgeseries.origins.text_values import values_of
from edgeseries.series.values import Value


def rows_in(content: bytes, names: ColumnNames, reader: ParquetReader) -> Rows:
    """Samples of a Parquet file. Raises OriginGarbled for one that is cut short, OriginContract for another
    form, or without the columns of times and values.
    """
    found = reader.columns(content, (names.time, names.value, names.point))
    for one in (names.time, names.value):
        if one not in found:
            raise OriginContract(f"a file of the archive has no column {one!r}: set timeColumn, valueColumn")
    points = found[names.point].cells if names.point in found else None
    if points is not None and not set(map(type, points)) <= {str}:
        raise OriginContract(f"a file of the archive has names in {names.point!r} that are no texts")
    return Rows(
        times_ms=_times(found[names.time], names), values=_values(found[names.value].cells), points=points
    )


def _times(column: ParquetColumn, names: ColumnNames) -> Sequence[int]:
    cells = column.cells
    if None in cells:
        raise OriginContract("a file of the archive has a row without a time")
    if column.is_instants:
        return cells
    if set(map(type, cells)) <= {int} and names.time_unit != "iso":
        return scaled(cells, names.time_unit)
    if not set(map(type, cells)) <= {str}:
        raise OriginContract(
            "a file of the archive has times that are neither instants nor texts: set timeUnit"
        )
    return instants(cells, names)


def _values(cells: Sequence[Any]) -> Sequence[Value]:
    kinds = set(map(type, cells))
    if kinds <= {str}:
        return values_of(cells) if cells else []
    if not kinds <= {float, int, bool, str, type(None)}:
        raise OriginContract("a file of the archive has values that are no numbers, texts or booleans")
    return plain_values(cells)
