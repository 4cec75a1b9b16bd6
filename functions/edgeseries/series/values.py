"""A column of values: a float64 each, and beside them what is no float.

Eight bytes a value, and thirteen an exception: its place, its kind, and a payload that is a number or the
place of a byte string in a table. Reading, cutting and joining columns costs no Python step a value; only
exceptions do. It knows no instants. The page, with the form in bytes: `docs/formats/columns.md`.
"""

import sys
from array import array
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from functools import cache
from typing import Final, overload

from edgeseries.errors import Defect

Value = float | int | bool | str | None
"""A number is a float; an int only where no float64 is equal to it (some beyond 2**53), and some are near."""

TEXT_ERRORS: Final = "surrogatepass"
"""A vendor's JSON may hold half of a surrogate pair; UTF-8 would refuse it."""

INT64_MIN: Final = -(2**63)
INT64_MAX: Final = 2**63 - 1

FILLER: Final = float("nan")
"""Stands among the floats where an exception is: whoever overlooks the exception gets no plausible number."""

assert sys.byteorder == "little", "columns are copied from arrays: x86, ARM and WebAssembly are little-endian"
assert array("I").itemsize == 4, "places are of 32 bits on every host"  # noqa: PLR2004


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
class ValueColumn(Sequence[Value]):
    """A sequence of values, as columns.

    `floats` holds one of each. What is no float has an entry in `places` (ascending), `kinds` and `payloads`:
    of a null 0, of a bool 0 or 1, of an int the number, of a text or a longer int its place in `table`. The
    table holds byte strings, each once: UTF-8 of texts, little-endian two's complement of longer ints.
    """

    floats: "array[float]"
    places: "array[int]" = field(default_factory=lambda: array("I"))
    kinds: bytes = b""
    payloads: "array[int]" = field(default_factory=lambda: array("q"))
    table: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        assert len(self.places) == len(self.kinds) == len(self.payloads)

    def __len__(self) -> int:
        return len(self.floats)

    @overload
    def __getitem__(self, index: int) -> Value: ...

    @overload
    def __getitem__(self, index: slice) -> "ValueColumn": ...

    def __getitem__(self, index: int | slice) -> "Value | ValueColumn":
        """A value, with its kind; or a part of the column (in steps of one)."""
        if isinstance(index, slice):
            start, stop, step = index.indices(len(self))
            assert step == 1, "columns are cut, not thinned"
            return self.part(start, stop)
        place = range(len(self))[index]
        entry = bisect_left(self.places, place)
        if entry == len(self.places) or self.places[entry] != place:
            return self.floats[place]
        return _value_of(self.kinds[entry], self.payloads[entry], self.table)

    def __iter__(self) -> Iterator[Value]:
        return iter(self.to_list())

    def __eq__(self, other: object) -> bool:
        """Equal in every bit and kind to another column; in Python's sense to any other sequence."""
        if isinstance(other, ValueColumn):
            return self._bits() == other._bits()
        return self.to_list() == list(other) if isinstance(other, Sequence) else NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def to_list(self) -> list[Value]:
        """Every value, with its kind: 72.0 a float and 1 an int."""
        values: list[Value] = list(self.floats)
        text = cache(lambda code: self.table[code].decode("utf-8", TEXT_ERRORS))
        for place, kind, payload in zip(self.places, self.kinds, self.payloads, strict=True):
            values[place] = text(payload) if kind == Kind.TEXT else _value_of(kind, payload, self.table)
        return values

    def part(self, start: int, stop: int) -> "ValueColumn":
        """The values from one place to before another."""
        if start == 0 and stop == len(self):
            return self
        floats = self.floats[start:stop]
        first, last = bisect_left(self.places, start), bisect_left(self.places, stop)
        if first == last:
            return ValueColumn(floats=floats)
        places = self.places[first:last]
        return ValueColumn(
            floats=floats,
            places=places if start == 0 else array("I", [place - start for place in places]),
            kinds=self.kinds[first:last],
            payloads=self.payloads[first:last],
            table=self.table,
        )

    def canonical(self) -> "ValueColumn":
        """The same values with a table that holds only what they name, in order of appearance: equal columns
        are then equal part by part.
        """
        if not self.table:
            return self
        coded = [kind in _CODED for kind in self.kinds]
        order = list(dict.fromkeys(code for code, one in zip(self.payloads, coded, strict=True) if one))
        if order == list(range(len(self.table))) and len(set(self.table)) == len(self.table):
            return self
        table = {
            entry: place for place, entry in enumerate(dict.fromkeys(self.table[code] for code in order))
        }
        payloads = [
            table[self.table[payload]] if one else payload
            for payload, one in zip(self.payloads, coded, strict=True)
        ]
        return ValueColumn(
            floats=self.floats,
            places=self.places,
            kinds=self.kinds,
            payloads=array("q", payloads),
            table=tuple(table),
        )

    def _bits(self) -> tuple[bytes, "array[int]", bytes, "array[int]", tuple[bytes, ...]]:
        one = self.canonical()
        return one.floats.tobytes(), one.places, one.kinds, one.payloads, one.table


_CODED: Final = frozenset((Kind.TEXT, Kind.LONG))
"""Kinds whose payload is a place in the table."""


def column_of(values: Sequence[Value]) -> ValueColumn:
    """Values as a column. Floats alone, which is the rule, take no step a value."""
    if isinstance(values, ValueColumn):
        return values
    if set(map(type, values)) <= {float}:
        return ValueColumn(floats=array("d", values))  # type: ignore[arg-type]  # all floats
    places = [place for place, value in enumerate(values) if type(value) is not float]
    floats = array("d", [value if type(value) is float else FILLER for value in values])
    table: dict[bytes, int] = {}
    coded = [_coded(values[place], table) for place in places]
    return ValueColumn(
        floats=floats,
        places=array("I", places),
        kinds=bytes([kind for kind, _ in coded]),
        payloads=array("q", [payload for _, payload in coded]),
        table=tuple(table),
    )


def concatenated(columns: Sequence[ValueColumn]) -> ValueColumn:
    """Columns one after the other."""
    if len(columns) == 1:
        return columns[0]
    floats, places, kinds, payloads = array("d"), array("I"), bytearray(), array("q")
    table: dict[bytes, int] = {}
    for one in columns:
        if one.places:
            before = len(floats)
            places.extend([place + before for place in one.places] if before else one.places)
            kinds += one.kinds
            payloads.extend(_recoded(one, table))
        floats.extend(one.floats)
    return ValueColumn(
        floats=floats, places=places, kinds=bytes(kinds), payloads=payloads, table=tuple(table)
    )


def _recoded(column: ValueColumn, table: dict[bytes, int]) -> Sequence[int]:
    """The payloads of a column by a table that grows by what it does not hold."""
    if not column.table:
        return column.payloads
    codes = [table.setdefault(entry, len(table)) for entry in column.table]
    return [
        codes[payload] if kind in _CODED else payload
        for kind, payload in zip(column.kinds, column.payloads, strict=True)
    ]


def _value_of(kind: int, payload: int, table: Sequence[bytes]) -> Value:
    match kind:
        case Kind.NULL:
            return None
        case Kind.BOOL:
            return bool(payload)
        case Kind.INT:
            return payload
        case Kind.TEXT:
            return table[payload].decode("utf-8", TEXT_ERRORS)
        case Kind.LONG:
            return int.from_bytes(table[payload], "little", signed=True)
        case _:
            raise Defect(f"a column holds an exception of kind {kind}, which is none")


def _coded(value: Value, table: dict[bytes, int]) -> tuple[Kind, int]:
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
