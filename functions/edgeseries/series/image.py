"""Samples as bytes, as the kernel takes and gives them. The form: docs/formats/columns.md.

It knows no storage format and no kernel.
"""

import struct
from array import array
from collections.abc import Iterable, Sequence
from itertools import accumulate, pairwise
from typing import Any, Final

from edgeseries.errors import Defect
from edgeseries.series.samples import Samples
from edgeseries.series.values import FILLER, ValueColumn

_HEADER: Final = struct.Struct("<4I")
"""Samples, exceptions, entries of the table, bytes of the table."""

assert struct.pack("<d", FILLER) == b"\0\0\0\0\0\0\xf8\x7f", "the kernel writes this very NaN"


def image_of(samples: Samples) -> bytes:
    """Samples as bytes. Equal samples have equal images, bit for bit."""
    return packed(samples.times_ms, samples.values.canonical())


def packed(times_ms: "array[int]", column: ValueColumn) -> bytes:
    """The parts of columns one after the other, as they are."""
    table = column.table
    return b"".join(
        (
            _HEADER.pack(len(times_ms), len(column.places), len(table), sum(map(len, table))),
            times_ms.tobytes(),
            column.floats.tobytes(),
            column.payloads.tobytes(),
            column.places.tobytes(),
            array("I", accumulate(map(len, table))).tobytes(),
            column.kinds,
            *table,
        )
    )


def samples_from(image: bytes) -> Samples:
    """Samples of their bytes. Raises Defect for bytes that are none: they come from our own code."""
    times_ms, values = columns_from(image)
    return Samples(times_ms=times_ms, values=values)


def columns_from(image: bytes | memoryview) -> "tuple[array[int], ValueColumn]":
    """Instants, in whatever order they are, and values. Raises Defect for bytes that are none."""
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
    column = ValueColumn(
        floats=_array("d", floats),
        payloads=_array("q", payloads),
        places=_array("I", places),
        kinds=bytes(kinds),
        table=tuple(_split(bytes(joined), _array("I", text_ends))),
    )
    return _array("q", times), column


def _array(typecode: str, view: memoryview) -> "array[Any]":
    cells = array(typecode)
    cells.frombytes(view)
    return cells


def _split(joined: bytes, ends: Sequence[int]) -> Iterable[bytes]:
    if [*ends, len(joined)] != sorted((*ends, len(joined))) or (ends and ends[-1] != len(joined)):
        raise Defect("an image of columns has a table whose entries do not add up")
    return (joined[start:end] for start, end in pairwise((0, *ends)))
