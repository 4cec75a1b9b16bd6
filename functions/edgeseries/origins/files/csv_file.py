"""CSV files as columns: whole, with a header, each row ended. Pure functions."""

import csv
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from typing import Final

from edgeseries.errors import OriginContract, OriginGarbled
from edgeseries.origins.files.limits import MAX_PLAIN_BYTES
from edgeseries.origins.instants import times_of
from edgeseries.origins.text_values import values_of
from edgeseries.series.values import Value

_GZIP_WINDOW: Final = 31
"""zlib's word for gzip with the largest window."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnNames:
    """Which columns hold what. `zone` is put to times that have none: `Z` or an offset."""

    time: str
    value: str
    point: str
    time_unit: str
    zone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Columns of equal length: instants in UTC epoch ms, values, and names where the file has some."""

    times_ms: Sequence[int]
    values: Sequence[Value]
    points: Sequence[str] | None


def unzipped(content: bytes) -> bytes:
    """What a gzip file holds. Raises OriginGarbled for one that is cut short, OriginContract for none, and
    for one that grows past MAX_PLAIN_BYTES.
    """
    reader = zlib.decompressobj(_GZIP_WINDOW)
    try:
        plain = reader.decompress(content, MAX_PLAIN_BYTES + 1)
    except zlib.error as fault:
        raise OriginContract("a file of the archive is no gzip, though its name says so") from fault
    if len(plain) > MAX_PLAIN_BYTES:
        raise OriginContract(f"a file of the archive holds more than {MAX_PLAIN_BYTES} bytes; cut it by time")
    if not reader.eof:
        raise OriginGarbled("a file of the archive ends in the middle; try again")
    return plain


def table_in(content: bytes, columns: Sequence[str]) -> Mapping[str, Sequence[str]]:
    """Columns of a CSV file by name, those that it has. Raises OriginGarbled for a last row without its end,
    OriginContract for what is no table.
    """
    try:
        text = content.decode("utf-8-sig")
    except ValueError as fault:
        raise OriginContract("a file of the archive is no UTF-8") from fault
    if not text.endswith("\n"):
        raise OriginGarbled("a file of the archive ends in the middle of a row; try again")
    try:
        rows = [row for row in csv.reader(StringIO(text, newline=""), strict=True) if row]
    except csv.Error as fault:
        raise OriginContract("a file of the archive is no CSV") from fault
    header, body = (rows[0], rows[1:]) if rows else ([], [])
    if any(len(row) != len(header) for row in body):
        raise OriginContract("a file of the archive has rows of another length than its header")
    return {name: [row[place] for row in body] for place, name in enumerate(header) if name in columns}


def rows_in(content: bytes, names: ColumnNames) -> Rows:
    """Samples of a CSV file. Raises OriginContract without the columns of times and values."""
    table = table_in(content, (names.time, names.value, names.point))
    for one in (names.time, names.value):
        if one not in table:
            raise OriginContract(f"a file of the archive has no column {one!r}: set timeColumn, valueColumn")
    return Rows(
        times_ms=instants(table[names.time], names),
        values=values_of(table[names.value]) if table[names.value] else [],
        points=table.get(names.point),
    )


def instants(texts: Sequence[str], names: ColumnNames) -> Sequence[int]:
    """Epoch milliseconds. Raises OriginContract."""
    if names.time_unit == "iso":
        return times_of([one if _has_zone(one) else f"{one}{names.zone}" for one in texts])
    try:
        return scaled([int(one) for one in texts], names.time_unit)
    except ValueError as fault:
        raise OriginContract(
            "a file of the archive has a time that is no whole number: set timeUnit"
        ) from fault


def scaled(numbers: Sequence[int], unit: str) -> Sequence[int]:
    """Numbers of a unit as milliseconds; what is finer is cut off."""
    per_ms = {"s": 1, "ms": 1, "us": 1_000, "ns": 1_000_000}[unit]
    times = 1_000 if unit == "s" else 1
    return [number * times // per_ms for number in numbers]


def _has_zone(text: str) -> bool:
    return text[-1:] in "Zz" or "+" in text[10:] or "-" in text[10:]
