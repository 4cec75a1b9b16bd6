"""CSV files as columns: whole, with a header, each row ended.

A file is unpacked and read in stretches, so that few of its rows are texts at once: as texts a row takes
twenty times what it takes in columns.
"""

import csv
import zlib
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import DEFAULT_BUFFER_SIZE, BufferedReader, BytesIO, RawIOBase, TextIOWrapper
from itertools import islice
from typing import Final

from edgeseries.errors import OriginContract, OriginGarbled
from edgeseries.origins.files.limits import MAX_PLAIN_BYTES, ROWS_AT_ONCE
from edgeseries.origins.instants import times_of
from edgeseries.origins.text_values import values_of
from edgeseries.series.values import Value, ValueColumn, column_of, concatenated

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


class _Unzipping(RawIOBase):
    """What a gzip file holds, unpacked as it is read; errors as those of `unzipped`."""

    def __init__(self, content: bytes) -> None:
        super().__init__()
        self._reader = zlib.decompressobj(_GZIP_WINDOW)
        self._left = content
        self._count = 0

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, into: "bytearray | memoryview") -> int:  # type: ignore[override]
        """See io.RawIOBase."""
        try:
            plain = self._reader.decompress(self._left, len(into))
        except zlib.error as fault:
            raise OriginContract("a file of the archive is no gzip, though its name says so") from fault
        self._left = self._reader.unconsumed_tail
        self._count += len(plain)
        if self._count > MAX_PLAIN_BYTES:
            raise OriginContract(
                f"a file of the archive holds more than {MAX_PLAIN_BYTES} bytes; cut it by time"
            )
        if not plain and not self._reader.eof:
            raise OriginGarbled("a file of the archive ends in the middle; try again")
        into[: len(plain)] = plain
        return len(plain)


def _last_of(content: bytes) -> bytes:
    """The last byte of what a gzip file holds, all of which can be unpacked; none of none."""
    unzipping, into, last = _Unzipping(content), bytearray(DEFAULT_BUFFER_SIZE), b""
    while size := unzipping.readinto(into):
        last = bytes(into[size - 1 : size])
    return last


def table_in(content: bytes, columns: Sequence[str]) -> Mapping[str, Sequence[str]]:
    """Columns of a CSV file by name, those that it has. Raises OriginGarbled for a last row without its end,
    OriginContract for what is no table.
    """
    found: dict[str, list[str]] = {}
    for part in _tables(content, columns, zipped=False, rows=ROWS_AT_ONCE):
        for name, cells in part.items():
            found.setdefault(name, []).extend(cells)
    return found


def rows_in(content: bytes, names: ColumnNames, *, zipped: bool = False, rows: int = ROWS_AT_ONCE) -> Rows:
    """Samples of a CSV file, of which so many `rows` are texts at once. Raises OriginContract without the
    columns of times and values, and what `table_in` and `unzipped` raise.
    """
    times_ms, values, points = array("q"), list[ValueColumn](), list[str]()
    known: dict[str, str] = {}
    for table in _tables(content, (names.time, names.value, names.point), zipped=zipped, rows=rows):
        for one in (names.time, names.value):
            if one not in table:
                raise OriginContract(
                    f"a file of the archive has no column {one!r}: set timeColumn, valueColumn"
                )
        try:
            times_ms.extend(instants(table[names.time], names))
        except OverflowError as fault:
            raise OriginContract("a file of the archive has a time that no calendar has") from fault
        texts = table[names.value]
        values.append(column_of(values_of(texts) if texts else []))
        points += [known.setdefault(one, one) for one in table.get(names.point, ())]
        named = names.point in table
    return Rows(times_ms=times_ms, values=concatenated(values), points=points if named else None)


def _tables(
    content: bytes, columns: Sequence[str], *, zipped: bool, rows: int
) -> Iterator[Mapping[str, Sequence[str]]]:
    """The columns of a file, so many rows at a time; at least one table."""
    # Before any row is looked at: one that is cut short is none of another form.
    if (_last_of(content) if zipped else content[-1:]) != b"\n":
        raise OriginGarbled("a file of the archive ends in the middle of a row; try again")
    source = BufferedReader(_Unzipping(content)) if zipped else BytesIO(content)
    lines = csv.reader(TextIOWrapper(source, encoding="utf-8-sig", newline=""), strict=True)
    try:
        header = next((row for row in lines if row), [])
        places = {name: place for place, name in enumerate(header) if name in columns}
        more = True
        while more:
            some = list(islice(lines, rows))
            more = len(some) == rows
            body = [row for row in some if row]
            if any(len(row) != len(header) for row in body):
                raise OriginContract("a file of the archive has rows of another length than its header")
            yield {name: [row[place] for row in body] for name, place in places.items()}
    except ValueError as fault:
        raise OriginContract("a file of the archive is no UTF-8") from fault
    except csv.Error as fault:
        raise OriginContract("a file of the archive is no CSV") from fault


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
