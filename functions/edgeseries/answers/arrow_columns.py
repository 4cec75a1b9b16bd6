"""Samples as Arrow columns, typed: instants in UTC, float64, texts as dictionaries, and beside the numbers a
column for each other type. Format: `docs/formats/arrow.md`.

It imports arro3, which takes some hundred milliseconds and megabytes: only what writes Arrow or Parquet
imports it.
"""

import json
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from arro3.core import Array, DataType, Field, RecordBatch, Schema

from edgeseries.answers.pieces import CHUNK_SAMPLES
from edgeseries.planning.query import TimeseriesQuery
from edgeseries.series.points import Point, SeriesName
from edgeseries.series.samples import Samples
from edgeseries.series.timerange import iso_instant
from edgeseries.series.values import Kind, ValueColumn, concatenated

FORMAT_VERSION: Final = 1
"""Of the columns and of what stands in the schema's metadata."""

TEXT, BOOLEAN, INTEGER = "text", "boolean", "integer"
"""Columns beside `value`: a sample is in exactly one of the four, or is null in all."""

assert CHUNK_SAMPLES <= 2**15, "keys of dictionaries have 16 bits, and a batch may have a text a sample"


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """The values of a column by type, each as an array of its length, or None where it has none of the
    type.
    """

    numbers: Array | None
    text: Array | None
    boolean: Array | None
    integer: Array | None


def typed(column: ValueColumn) -> Typed:
    """A column of values by type. Exceptions take a step each, numbers none."""
    count = len(column)
    texts, booleans, integers = {}, {}, {}
    for place, kind, payload in zip(column.places, column.kinds, column.payloads, strict=True):
        match kind:
            case Kind.TEXT:
                texts[place] = column.table[payload].decode(errors="replace")
            case Kind.BOOL:
                booleans[place] = bool(payload)
            case Kind.INT:
                integers[place] = str(payload)
            case Kind.LONG:
                integers[place] = str(int.from_bytes(column.table[payload], "little", signed=True))
    numbers = None if len(column.places) == count > 0 else _floats(column)
    return Typed(
        numbers=numbers,
        text=words(texts, count) if texts else None,
        boolean=Array(spread(booleans, count), type=DataType.bool()) if booleans else None,
        integer=words(integers, count) if integers else None,
    )


def instants(times_ms: "array[int]") -> Array:
    """Instants as timestamps of milliseconds in UTC."""
    return _cells(times_ms, DataType.int64()).cast(timestamp())


def spread(found: Mapping[int, Any], count: int) -> list[Any]:
    """A list of so many cells, those at the places given."""
    cells: list[Any] = [None] * count
    for place, value in found.items():
        cells[place] = value
    return cells


def words(found: Mapping[int, str], count: int) -> Array:
    """Texts at their places as a dictionary column."""
    table: dict[str, int] = {}
    keys = {place: table.setdefault(text, len(table)) for place, text in found.items()}
    entries = Array([*table], type=DataType.utf8()).cast(dictionary())
    return entries.take(Array(spread(keys, count), type=DataType.int16()))


def dictionary() -> DataType:
    """Of texts: a table and 16-bit keys."""
    return DataType.dictionary(DataType.int16(), DataType.utf8())


def timestamp() -> DataType:
    """Of instants."""
    return DataType.timestamp("ms", tz="UTC")


def _floats(column: ValueColumn) -> Array:
    if not column.places:
        return _cells(column.floats, DataType.float64())
    cells: list[float | None] = list(column.floats)
    for place in column.places:
        cells[place] = None
    return Array(cells, type=DataType.float64())


def _cells(cells: "array[Any]", kind: DataType) -> Array:
    """The cells of an array, not looked at one by one. arro3 takes no empty buffer."""
    return Array.from_buffer(cells) if cells else Array([], type=kind)


@cache
def _nothing(kind: str, count: int) -> Array:
    """A column of nulls; most batches are of one length."""
    if kind == BOOLEAN:
        return Array([None] * count, type=DataType.bool())
    return words({}, count)


class LongBatches:
    """Record batches of `time, point, value, text, boolean, integer`, a row a sample, each of CHUNK_SAMPLES
    rows but the last. With `aggregates` a column says which one a row is; without `names_points` none says
    the point.
    """

    def __init__(
        self,
        query: TimeseriesQuery,
        facts: Mapping[str, Point],
        *,
        aggregates: tuple[str, ...] = (),
        names_points: bool = True,
    ) -> None:
        self.schema = long_schema(query, facts, aggregates=bool(aggregates), names_points=names_points)
        self._names_points = names_points
        self._points = {point: place for place, point in enumerate(query.points)}
        self._aggregates = {name: place for place, name in enumerate(aggregates)}
        self._entries = Array([*map(_sound, query.points)], type=DataType.utf8()).cast(dictionary())
        self._waiting: list[tuple[SeriesName, Samples]] = []
        self._count = 0

    def add(self, name: SeriesName, samples: Samples) -> list[RecordBatch]:
        """Take some samples; the batches that are full now."""
        found = []
        while len(samples):
            some = samples.part(0, min(len(samples), CHUNK_SAMPLES - self._count))
            samples = samples.part(len(some), len(samples))
            self._waiting.append((name, some))
            self._count += len(some)
            if self._count == CHUNK_SAMPLES:
                found.append(self.batch())
        return found

    def batch(self) -> RecordBatch:
        """What is waiting as a batch, which may be empty."""
        times, points, aggregates = array("q"), array("h"), array("h")
        for name, samples in self._waiting:
            times += samples.times_ms
            points += array("h", [self._points[name.point]]) * len(samples)
            if name.aggregate is not None:
                aggregates += array("h", [self._aggregates[name.aggregate]]) * len(samples)
        values = concatenated([samples.values for _, samples in self._waiting])
        self._waiting, self._count = [], 0
        found, count = typed(values), len(times)
        columns = [instants(times)]
        if self._names_points:
            columns.append(self._entries.take(_cells(points, DataType.int16())))
        if self._aggregates:
            entries = Array([*self._aggregates], type=DataType.utf8()).cast(dictionary())
            columns.append(entries.take(_cells(aggregates, DataType.int16())))
        columns += [
            Array([None] * count, type=DataType.float64()) if found.numbers is None else found.numbers,
            found.text or _nothing(TEXT, count),
            found.boolean or _nothing(BOOLEAN, count),
            found.integer or _nothing(INTEGER, count),
        ]
        return RecordBatch.from_arrays(columns, schema=self.schema)


def long_schema(
    query: TimeseriesQuery, facts: Mapping[str, Point], *, aggregates: bool, names_points: bool = True
) -> Schema:
    """The schema of long batches."""
    told = [_facts_of(point, facts) for point in query.points]
    # Of one unit the column has it; of several each point has its own, in the schema's metadata.
    agreed = told[0] if told else {}
    agreed = {what: text for what, text in agreed.items() if all(one.get(what) == text for one in told)}
    about = {"site": _sound(query.site), **agreed}
    return Schema(
        [
            Field("time", timestamp(), nullable=False),
            *([Field("point", dictionary(), nullable=False)] if names_points else []),
            *([Field("aggregate", dictionary(), nullable=False)] if aggregates else []),
            Field("value", DataType.float64(), metadata=about),
            Field(TEXT, dictionary(), metadata=about),
            Field(BOOLEAN, DataType.bool(), metadata=about),
            Field(INTEGER, dictionary(), metadata=about),
        ],
        metadata=schema_metadata(query, facts),
    )


def schema_metadata(query: TimeseriesQuery, facts: Mapping[str, Point]) -> dict[str, str]:
    """What stands at a schema: one key, JSON."""
    told = {
        "version": FORMAT_VERSION,
        "site": query.site,
        "startTime": iso_instant(query.span.start_ms),
        "endTime": iso_instant(query.span.end_ms),
        "points": {point: found for point in query.points if (found := _facts_of(point, facts))},
    }
    return {"edgeseries": json.dumps(told, separators=(",", ":"))}


def wide_batch(
    query: TimeseriesQuery,
    facts: Mapping[str, Point],
    times_ms: "array[int]",
    columns: Sequence[tuple[SeriesName, str, ValueColumn]],
) -> RecordBatch:
    """A row an instant, and a column a series (name, label, values); of a series of several types a column
    each.
    """
    fields, arrays = [Field("time", timestamp(), nullable=False)], [instants(times_ms)]
    taken = {"time", *(label for _, label, _ in columns)}
    for name, label, column in columns:
        about = {
            "site": _sound(query.site),
            "point": _sound(name.point),
            **({} if name.aggregate is None else {"aggregate": name.aggregate}),
            **_facts_of(name.point, facts),
        }
        by_type = typed(column)
        kinds = {TEXT: by_type.text, BOOLEAN: by_type.boolean, INTEGER: by_type.integer}
        others = {kind: found for kind, found in kinds.items() if found is not None}
        numbers = by_type.numbers
        if numbers is not None and others and numbers.null_count == len(numbers):
            numbers = None
        if numbers is None and not others:
            numbers = Array([None] * len(column), type=DataType.float64())
        found = {"": numbers} if numbers is not None else {}
        found |= others if found or len(others) > 1 else {"": next(iter(others.values()))}
        for kind, cells in found.items():
            own = f"{label}.{kind}" if kind else label
            while kind and own in taken:
                own += "_"
            taken.add(own)
            fields.append(Field(_sound(own), cells.type, metadata=about))
            arrays.append(cells)
    schema = Schema(fields, metadata=schema_metadata(query, facts))
    return RecordBatch.from_arrays(arrays, schema=schema)


def _facts_of(point: str, facts: Mapping[str, Point]) -> dict[str, str]:
    """What is known of a point, of what says something."""
    one = facts.get(point)
    if one is None:
        return {}
    return {what: _sound(text) for what, text in (("unit", one.unit), ("kind", one.kind)) if text}


def _sound(text: str) -> str:
    """A text in UTF-8; half of a surrogate pair becomes a question mark."""
    return text.encode(errors="replace").decode()
