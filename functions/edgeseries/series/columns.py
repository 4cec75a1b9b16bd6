"""Columns: samples as an int64 instant and a float64 each, and beside them what is no float.

Sixteen bytes a sample, and thirteen an exception: its place, its kind, and a payload that is a number or the
place of a byte string in a table. The page, with the form in bytes: docs/formats/columns.md. It knows no
storage format and no kernel.
"""

import struct
import sys
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from itertools import accumulate, pairwise
from typing import Any, Final

from edgeseries.errors import Defect
from edgeseries.series.samples import Samples, Value

TEXT_ERRORS: Final = "surrogatepass"
"""A vendor's JSON may hold half of a surrogate pair; UTF-8 would refuse it."""

INT64_MIN: Final = -(2**63)
INT64_MAX: Final = 2**63 - 1

FILLER: Final = float("nan")
"""Stands among the floats where an exception is: whoever overlooks the exception gets no plausible number."""

_HEADER: Final = struct.Struct("<4I")
"""Samples, exceptions, entries of the table, bytes of the table."""

assert sys.byteorder == "little", "columns are copied from arrays: x86, ARM and WebAssembly are little-endian"
assert array("I").itemsize == 4, "places and ends are of 32 bits on every host"  # noqa: PLR2004
assert struct.pack("<d", FILLER) == b"\0\0\0\0\0\0\xf8\x7f", "the kernel writes this very NaN"


class Kind(IntEnum):
    """The kinds of values. Numbers are part of stored formats and are never given anew."""

    FLOAT = 0
    NULL = 1
    BOOL = 2
    TEXT = 3
    INT = 4
    LONG = 5
    """An int of more than 64 bits."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Columns:
    """Samples of a point. `times_ms` are int64, `floats` float64, one of each a sample.

    What is no float has an entry in `places` (ascending), `kinds` and `payloads`: of a null 0, of a bool
    0 or 1, of an int the number, of a text or a longer int its place in `table`. The table holds each byte
    string once, in order of appearance: UTF-8 of texts, little-endian two's complement of longer ints.
    Equal columns have equal images (`image_of`), bit for bit.
    """

    times_ms: "array[int]"
    floats: "array[float]"
    places: "array[int]"
    kinds: bytes
    payloads: "array[int]"
    table: tuple[bytes, ...]

    def __post_init__(self) -> None:
        assert len(self.times_ms) == len(self.floats)
        assert len(self.places) == len(self.kinds) == len(self.payloads)

    def __len__(self) -> int:
        return len(self.times_ms)


def columns_of(samples: Samples) -> Columns:
    """Samples as columns. One pass in Python: data paths begin with columns and have no need of it."""
    floats = array("d", bytes(8 * len(samples)))
    places, kinds, payloads = array("I"), bytearray(), array("q")
    table: dict[bytes, int] = {}
    for place, value in enumerate(samples.values):
        if type(value) is float:
            floats[place] = value
            continue
        kind, payload = _exception(value, table)
        floats[place] = FILLER
        places.append(place)
        kinds.append(kind)
        payloads.append(payload)
    return Columns(
        times_ms=array("q", samples.times_ms),
        floats=floats,
        places=places,
        kinds=bytes(kinds),
        payloads=payloads,
        table=tuple(table),
    )


def samples_of(columns: Columns) -> Samples:
    """Columns as samples: values come back as they went in, 72.0 a float and 1 an int."""
    values: list[Value] = list(columns.floats)
    text = cache(lambda code: columns.table[code].decode("utf-8", TEXT_ERRORS))
    for place, kind, payload in zip(columns.places, columns.kinds, columns.payloads, strict=True):
        match kind:
            case Kind.NULL:
                values[place] = None
            case Kind.BOOL:
                values[place] = bool(payload)
            case Kind.INT:
                values[place] = payload
            case Kind.TEXT:
                values[place] = text(payload)
            case Kind.LONG:
                values[place] = int.from_bytes(columns.table[payload], "little", signed=True)
    return Samples(times_ms=columns.times_ms, values=tuple(values))


def image_of(columns: Columns) -> bytes:
    """Columns as bytes, as the kernel takes and gives them."""
    table = columns.table
    return b"".join(
        (
            _HEADER.pack(len(columns), len(columns.places), len(table), sum(map(len, table))),
            columns.times_ms.tobytes(),
            columns.floats.tobytes(),
            columns.payloads.tobytes(),
            columns.places.tobytes(),
            array("I", accumulate(map(len, table))).tobytes(),
            columns.kinds,
            *table,
        )
    )


def columns_from(image: bytes) -> Columns:
    """Columns of their bytes. Raises Defect for bytes that are none: they come from our own code."""
    if len(image) < _HEADER.size:
        raise Defect("an image of columns ends within its header")
    count, exceptions, entries, table_bytes = _HEADER.unpack_from(image)
    sizes = (8 * count, 8 * count, 8 * exceptions, 4 * exceptions, 4 * entries, exceptions, table_bytes)
    ends = list(accumulate(sizes, initial=_HEADER.size))
    if ends[-1] != len(image):
        raise Defect(f"an image of columns has {len(image)} bytes and says {ends[-1]}")
    view = memoryview(image)
    times, floats, payloads, places, text_ends, kinds, joined = (
        view[start:end] for start, end in pairwise(ends)
    )
    return Columns(
        times_ms=_array("q", times),
        floats=_array("d", floats),
        payloads=_array("q", payloads),
        places=_array("I", places),
        kinds=bytes(kinds),
        table=tuple(_split(bytes(joined), _array("I", text_ends))),
    )


def _array(typecode: str, view: memoryview) -> "array[Any]":
    cells = array(typecode)
    cells.frombytes(view)
    return cells


def _split(joined: bytes, ends: Sequence[int]) -> Iterable[bytes]:
    if [*ends, len(joined)] != sorted((*ends, len(joined))) or (ends and ends[-1] != len(joined)):
        raise Defect("an image of columns has a table whose entries do not add up")
    return (joined[start:end] for start, end in pairwise((0, *ends)))


def _exception(value: Value, table: dict[bytes, int]) -> tuple[Kind, int]:
    """The kind and payload of what is no float; the table grows by what it does not hold."""
    if value is None:
        return Kind.NULL, 0
    if isinstance(value, bool):
        return Kind.BOOL, int(value)
    if isinstance(value, str):
        return Kind.TEXT, table.setdefault(value.encode("utf-8", TEXT_ERRORS), len(table))
    if isinstance(value, int):
        if INT64_MIN <= value <= INT64_MAX:
            return Kind.INT, value
        size = value.bit_length() // 8 + 1
        return Kind.LONG, table.setdefault(value.to_bytes(size, "little", signed=True), len(table))
    raise Defect(f"a sample holds a {type(value).__name__}, which is no value of samples")
