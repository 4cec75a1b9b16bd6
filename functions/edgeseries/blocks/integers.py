"""Columns of 64-bit integers: the shapes they are written in, and the choice among them.

A shape may hold another one: times at a steady step are DELTAS of a CONSTANT, with a few steps
that differ DELTAS of RUNS, jittering ones DELTAS of DELTAS. The choice is by what each candidate
weighs (`weighing.py`); any choice reads back the same. It knows no meaning of the numbers.
"""

from collections.abc import Sequence
from enum import IntEnum
from itertools import accumulate, chain, repeat
from math import gcd
from operator import floordiv, sub
from typing import Final

from edgeseries.blocks.weighing import weight
from edgeseries.blocks.wire import (
    INT64_MAX,
    INT64_MIN,
    Reader,
    bitmap,
    byte_width,
    planes,
    svarint,
    uvarint,
    zigzag_planes,
)
from edgeseries.errors import BlockDamaged

MAX_DEPTH: Final = 10
"""How deep shapes hold shapes. The deepest that is written: DELTAS, UNIT, RUNS, DELTAS, UNIT, TABLE,
DELTAS, UNIT, ZIGZAG."""

MAX_TABLE: Final = 65_536
"""Distinct numbers of a TABLE: two bytes of index."""

Encoded = tuple[int, bytes]
"""What it weighs, and the bytes. Of forms that weigh the same, the smaller bytes are taken."""


class Shape(IntEnum):
    """The byte that a column of integers begins with."""

    CONSTANT = 0
    OFFSETS = 1
    ZIGZAG = 2
    BITS = 3
    DELTAS = 4
    UNIT = 5
    TABLE = 6
    RUNS = 7


def weighed(data: bytes) -> Encoded:
    """Bytes with what they weigh."""
    return weight(data), data


def encode_integers(numbers: Sequence[int]) -> Encoded:
    """The lightest of the shapes. `numbers` are of 64 bits; none is no bytes."""
    if not numbers:
        return 0, b""
    low, high = min(numbers), max(numbers)
    if low == high:
        return weighed(_constant(low))
    return min(map(weighed, _shapes(numbers, low, high, runs=True)))


def _shapes(numbers: Sequence[int], low: int, high: int, *, runs: bool) -> list[bytes]:
    """What may be the smallest form of at least two numbers that differ."""
    head, parts = _in_units(numbers)
    unit_low, unit_high = (min(parts), max(parts)) if head else (low, high)
    found = [head + _offsets(parts, unit_low, unit_high)]
    if unit_high - unit_low == 1:
        bits = bitmap([part - unit_low for part in parts])
        found.append(head + _head(Shape.BITS) + svarint(unit_low) + bits)
    elif (table := _table(numbers)) is not None:
        found.append(table)
    if high - low <= INT64_MAX:
        deltas = list(map(sub, numbers[1:], numbers))
        first = _head(Shape.DELTAS) + svarint(numbers[0])
        found.extend(first + shape for shape in _delta_shapes(deltas, runs=runs))
        changes = len(deltas) - deltas.count(0)
        if runs and changes * 2 < len(numbers):
            found.append(_runs(numbers, deltas))
    return found


def _delta_shapes(deltas: Sequence[int], *, runs: bool) -> list[bytes]:
    low, high = min(deltas), max(deltas)
    if low == high:
        return [_constant(low)]
    head, deltas = _in_units(deltas)
    found = [_zigzags(deltas)]
    if (table := _table(deltas)) is not None:
        found.append(table)
    if len(deltas) > 1 and high - low <= INT64_MAX:
        again = list(map(sub, deltas[1:], deltas))
        second = _zigzags(again) if any(again) else _constant(0)
        found.append(_head(Shape.DELTAS) + svarint(deltas[0]) + second)
        if runs and again.count(0) * 4 > len(deltas) * 3:
            found.append(_runs(deltas, again))
    return [head + shape for shape in found]


def _in_units(numbers: Sequence[int]) -> tuple[bytes, Sequence[int]]:
    """The greatest number that divides all of them, as a shape's head if it is over 1; and what is left."""
    unit = gcd(*numbers)
    if unit <= 1:
        return b"", numbers
    return _head(Shape.UNIT) + uvarint(unit), list(map(floordiv, numbers, repeat(unit)))


def _head(shape: Shape) -> bytes:
    return bytes((shape,))


def _constant(number: int) -> bytes:
    return _head(Shape.CONSTANT) + svarint(number)


def _offsets(numbers: Sequence[int], low: int, high: int) -> bytes:
    width = byte_width(high - low)
    above = numbers if low == 0 else [number - low for number in numbers]
    return _head(Shape.OFFSETS) + svarint(low) + bytes((width,)) + planes(above, width)


def _zigzags(numbers: Sequence[int]) -> bytes:
    return _head(Shape.ZIGZAG) + zigzag_planes(numbers)


def _table(numbers: Sequence[int]) -> bytes | None:
    """Distinct numbers, ascending, then for each number its place; None where that cannot pay."""
    distinct = sorted(set(numbers))
    count = len(distinct)
    if count < 2 or count > MAX_TABLE or count * 4 > len(numbers) * 3:  # noqa: PLR2004 - nothing to choose from
        return None
    place_of = dict(zip(distinct, range(count), strict=True))
    places = _offsets(list(map(place_of.__getitem__, numbers)), 0, count - 1)
    return _head(Shape.TABLE) + uvarint(count) + _ascending(distinct) + places


def _ascending(numbers: Sequence[int]) -> bytes:
    low, high = numbers[0], numbers[-1]
    if high - low > INT64_MAX:
        return _offsets(numbers, low, high)
    head, deltas = _in_units(list(map(sub, numbers[1:], numbers)))
    return _head(Shape.DELTAS) + svarint(low) + head + _zigzags(deltas)


def _runs(numbers: Sequence[int], deltas: Sequence[int]) -> bytes:
    """Lengths of runs of equal numbers, then the number of each run."""
    starts = [0, *(place for place, delta in enumerate(deltas, 1) if delta)]
    lengths = list(map(sub, [*starts[1:], len(numbers)], starts))
    heads = [numbers[start] for start in starts]
    shapes = _shapes(heads, min(heads), max(heads), runs=False)
    return b"".join(
        (
            _head(Shape.RUNS),
            uvarint(len(starts)),
            _smallest_lengths(lengths),
            min(map(weighed, shapes))[1],
        )
    )


def _smallest_lengths(lengths: Sequence[int]) -> bytes:
    low, high = min(lengths), max(lengths)
    return _constant(low) if low == high else _offsets(lengths, low, high)


def decode_integers(reader: Reader, count: int, *, depth: int = 0) -> Sequence[int]:
    """`count` integers of 64 bits; the caller bounds the count. Raises BlockDamaged."""
    if not count:
        return ()
    if depth >= MAX_DEPTH:
        raise BlockDamaged("the block nests too deep")
    code = reader.byte()
    if code >= len(_READERS):
        raise BlockDamaged("the block holds a column of an unknown shape")
    return _READERS[code](reader, count, depth + 1)


def _read_constant(reader: Reader, count: int, _depth: int) -> Sequence[int]:
    return [reader.svarint()] * count


def _read_offsets(reader: Reader, count: int, _depth: int) -> Sequence[int]:
    low = reader.svarint()
    width, above = reader.planes(count)
    fits = low + (1 << 8 * width) - 1 <= INT64_MAX
    if low == 0 and fits:
        return above
    numbers = list(map(low.__add__, above))
    return numbers if fits else _checked(numbers)


def _read_zigzags(reader: Reader, count: int, _depth: int) -> Sequence[int]:
    return reader.zigzags(count)


def _read_bits(reader: Reader, count: int, _depth: int) -> Sequence[int]:
    low = reader.svarint()
    bits = reader.bits(count)
    return bits if low == 0 else _checked(list(map(low.__add__, bits)))


def _read_deltas(reader: Reader, count: int, depth: int) -> Sequence[int]:
    first = reader.svarint()
    deltas = decode_integers(reader, count - 1, depth=depth)
    return _checked(list(accumulate(deltas, initial=first)))


def _read_unit(reader: Reader, count: int, depth: int) -> Sequence[int]:
    unit = reader.uvarint()
    return _checked(list(map(unit.__mul__, decode_integers(reader, count, depth=depth))))


def _read_table(reader: Reader, count: int, depth: int) -> Sequence[int]:
    size = reader.count(min(count, MAX_TABLE))
    table = decode_integers(reader, size, depth=depth)
    places = decode_integers(reader, count, depth=depth)
    if min(places) < 0 or max(places) >= size:
        raise BlockDamaged("the block points beyond its table")
    return list(map(table.__getitem__, places))


def _read_runs(reader: Reader, count: int, depth: int) -> Sequence[int]:
    runs = reader.count(count)
    lengths = decode_integers(reader, runs, depth=depth)
    heads = decode_integers(reader, runs, depth=depth)
    if not runs or min(lengths) < 1 or sum(lengths) != count:
        raise BlockDamaged("the block's runs do not add up")
    return list(chain.from_iterable(map(repeat, heads, lengths)))


def _checked(numbers: list[int]) -> list[int]:
    if min(numbers) < INT64_MIN or max(numbers) > INT64_MAX:
        raise BlockDamaged("the block holds a number of more than 64 bits")
    return numbers


_READERS: Final = (
    _read_constant,
    _read_offsets,
    _read_zigzags,
    _read_bits,
    _read_deltas,
    _read_unit,
    _read_table,
    _read_runs,
)
