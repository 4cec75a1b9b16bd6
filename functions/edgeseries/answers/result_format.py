"""The formats of answers and results, by the names that callers use, and their media types."""

from enum import StrEnum
from typing import Final


class ResultFormat(StrEnum):
    """Also the values of `format=`."""

    JSON = "json"
    ROWS = "rows"
    COLUMNS = "columns"
    CSV = "csv"
    NDJSON = "ndjson"
    MSGPACK = "msgpack"
    ARROW = "arrow"
    PARQUET = "parquet"


class Shape(StrEnum):
    """Also the values of `shape=`: a row for each sample, or a row for each instant and a column a series."""

    LONG = "long"
    WIDE = "wide"


class TimeUnit(StrEnum):
    """Also the values of `time_unit=`: of numbers that are times."""

    MS = "ms"
    S = "s"


MEDIA_TYPES: Final = {
    ResultFormat.JSON: "application/json",
    ResultFormat.ROWS: "application/json",
    ResultFormat.COLUMNS: "application/json",
    ResultFormat.CSV: "text/csv; charset=utf-8",
    ResultFormat.NDJSON: "application/x-ndjson",
    ResultFormat.MSGPACK: "application/vnd.msgpack",
    ResultFormat.ARROW: "application/vnd.apache.arrow.stream",
    ResultFormat.PARQUET: "application/vnd.apache.parquet",
}

ALSO_ACCEPTED: Final = {
    "application/msgpack": ResultFormat.MSGPACK,
    "application/x-msgpack": ResultFormat.MSGPACK,
    "application/ndjson": ResultFormat.NDJSON,
    "application/jsonl": ResultFormat.NDJSON,
}
"""Other names of media types that callers send in `Accept`."""

WITH_FACTS: Final = frozenset({ResultFormat.ARROW, ResultFormat.PARQUET})
"""Formats that say of each point what the upstream says of it: its unit and its kind."""

SHAPES: Final = {
    ResultFormat.CSV: (Shape.LONG, Shape.WIDE),
    ResultFormat.COLUMNS: (Shape.WIDE, Shape.LONG),
    ResultFormat.ARROW: (Shape.LONG, Shape.WIDE),
}
"""Shapes of the formats that have a choice; the first is taken where none is named."""


def media_type_of(chosen: ResultFormat) -> str:
    """The media type without parameters."""
    return MEDIA_TYPES[chosen].partition(";")[0]
