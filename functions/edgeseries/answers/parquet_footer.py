"""Parquet files put together: row groups of several files, one after the other, under one footer.

The writer at hand makes whole files only; an answer of any size is to leave row group by row group. So some
batches become a file of their own, of which the pages are taken as they are; its footer is read, and its
offsets are moved to where the pages went. A footer is a Thrift struct in the compact protocol, read here
into plain lists, whatever fields it has. It knows no samples.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Final

MAGIC: Final = b"PAR1"

Struct = dict[int, tuple[int, Any]]
"""Fields by number: the type on the wire, and the value."""


class Wire(IntEnum):
    """Types of the compact protocol."""

    TRUE = 1
    FALSE = 2
    BYTE = 3
    I16 = 4
    I32 = 5
    I64 = 6
    DOUBLE = 7
    BINARY = 8
    LIST = 9
    STRUCT = 12


_LONG_LIST: Final = 15
"""A list of so many entries or more says its length in a number of its own."""

# Fields of parquet.thrift.
NUM_ROWS, ROW_GROUPS = 3, 4
COLUMNS, GROUP_OFFSET, ORDINAL = 1, 5, 7
CHUNK_OFFSET, METADATA, OFFSET_INDEX, COLUMN_INDEX = 2, 3, 4, 6
DATA_PAGE, INDEX_PAGE, DICTIONARY_PAGE, BLOOM_FILTER = 9, 10, 11, 14


@dataclass(slots=True)
class ParquetJoin:
    """Files of one schema become one. What `add` and `end` return is the file, in order."""

    _footer: Struct = field(default_factory=dict)
    _size: int = 0
    _groups: int = 0

    def add(self, file: bytes) -> bytes:
        """What is to be sent of a file: its pages and their indexes, behind the magic if it is the first."""
        (size,) = struct.unpack_from("<I", file, len(file) - 8)
        end = len(file) - 8 - size
        footer, _ = read_struct(file, end)
        before = b"" if self._size else MAGIC
        self._size = self._size or len(MAGIC)
        _moved(footer, self._size - len(MAGIC), self._groups)
        self._size += end - len(MAGIC)
        if not self._footer:
            self._footer = footer
        else:
            (rows, groups), (more_rows, more) = (
                (one[NUM_ROWS][1], one[ROW_GROUPS][1]) for one in (self._footer, footer)
            )
            self._footer[NUM_ROWS] = (Wire.I64, rows + more_rows)
            self._footer[ROW_GROUPS] = (Wire.LIST, (groups[0], [*groups[1], *more[1]]))
        self._groups = len(self._footer[ROW_GROUPS][1][1])
        return before + file[len(MAGIC) : end]

    def end(self) -> bytes:
        """The footer."""
        assert self._footer, "a file has at least one row group, if an empty one"
        footer = written_struct(self._footer)
        return footer + struct.pack("<I", len(footer)) + MAGIC


def _moved(footer: Struct, shift: int, first_group: int) -> None:
    """Move the offsets of a footer, and number its row groups."""
    for number, group in enumerate(footer[ROW_GROUPS][1][1], first_group):
        _shift(group, shift, GROUP_OFFSET)
        if ORDINAL in group:
            group[ORDINAL] = (Wire.I16, number)
        for chunk in group[COLUMNS][1][1]:
            _shift(chunk, shift, OFFSET_INDEX, COLUMN_INDEX)
            if chunk[CHUNK_OFFSET][1]:
                _shift(chunk, shift, CHUNK_OFFSET)
            _shift(chunk[METADATA][1], shift, DATA_PAGE, INDEX_PAGE, DICTIONARY_PAGE, BLOOM_FILTER)


def _shift(one: Struct, shift: int, *fields: int) -> None:
    for number in fields:
        if number in one:
            one[number] = (Wire.I64, one[number][1] + shift)


def read_struct(data: bytes, at: int) -> tuple[Struct, int]:
    """A struct, and where it ends."""
    found: Struct = {}
    number = 0
    while data[at]:
        step, wire = data[at] >> 4, data[at] & 15
        at += 1
        if step:
            number += step
        else:
            number, at = _read_zigzag(data, at)
        value, at = _read(data, at, wire)
        found[number] = (wire, value)
    return found, at + 1


def _read(data: bytes, at: int, wire: int) -> tuple[Any, int]:  # noqa: PLR0911 - one a type
    match wire:
        case Wire.TRUE | Wire.FALSE:
            return wire == Wire.TRUE, at
        case Wire.BYTE:
            return data[at], at + 1
        case Wire.I16 | Wire.I32 | Wire.I64:
            return _read_zigzag(data, at)
        case Wire.DOUBLE:
            return data[at : at + 8], at + 8
        case Wire.BINARY:
            size, at = _read_number(data, at)
            return data[at : at + size], at + size
        case Wire.LIST:
            count, kind = data[at] >> 4, data[at] & 15
            at += 1
            if count == _LONG_LIST:
                count, at = _read_number(data, at)
            entries = []
            for _ in range(count):
                # In a list a truth value is a byte of its own.
                entry, at = (data[at], at + 1) if kind <= Wire.BYTE else _read(data, at, kind)
                entries.append(entry)
            return (kind, entries), at
        case Wire.STRUCT:
            return read_struct(data, at)
    raise AssertionError(f"a footer of Parquet has no type {wire}")


def written_struct(fields: Mapping[int, tuple[int, Any]]) -> bytes:
    """A struct as bytes."""
    found, before = bytearray(), 0
    for number, (wire, value) in sorted(fields.items()):
        kind = (Wire.TRUE if value else Wire.FALSE) if wire in (Wire.TRUE, Wire.FALSE) else wire
        step = number - before
        found += bytes((step << 4 | kind,)) if 0 < step < 16 else bytes((kind,)) + _zigzag(number)  # noqa: PLR2004
        found += _written(wire, value)
        before = number
    return bytes(found) + b"\0"


def _written(wire: int, value: Any) -> bytes:  # noqa: PLR0911 - one a type
    match wire:
        case Wire.TRUE | Wire.FALSE:
            return b""
        case Wire.BYTE:
            return bytes((value,))
        case Wire.I16 | Wire.I32 | Wire.I64:
            return _zigzag(value)
        case Wire.BINARY:
            return _number(len(value)) + bytes(value)
        case Wire.LIST:
            kind, entries = value
            many = len(entries) >= _LONG_LIST
            head = bytes((min(len(entries), _LONG_LIST) << 4 | kind,)) + (
                _number(len(entries)) if many else b""
            )
            cells = (bytes((one,)) if kind <= Wire.BYTE else _written(kind, one) for one in entries)
            return head + b"".join(cells)
        case Wire.STRUCT:
            return written_struct(value)
        case _:
            return bytes(value)


def _read_number(data: bytes, at: int) -> tuple[int, int]:
    value, shift = 0, 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:  # noqa: PLR2004 - the top bit says that more follow
            return value, at
        shift += 7


def _read_zigzag(data: bytes, at: int) -> tuple[int, int]:
    number, at = _read_number(data, at)
    return number >> 1 ^ -(number & 1), at


def _number(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:  # noqa: PLR2004 - see above
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(found) + bytes((value,))


def _zigzag(value: int) -> bytes:
    return _number(value << 1 ^ value >> 63)
