"""Columns of values of any kind: which kind each sample is, then a column for each kind.

Kinds come back exactly as they were: 72.0 a float, 1 an int, True a bool. It knows no times.
"""

from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Final

from edgeseries.blocks.floats import decode_floats, encode_floats
from edgeseries.blocks.integers import decode_integers, encode_integers
from edgeseries.blocks.wire import INT64_MAX, INT64_MIN, Reader, uvarint
from edgeseries.errors import BlockDamaged
from edgeseries.series.samples import is_beyond_float64
from edgeseries.series.values import TEXT_ERRORS, Kind, Value

_KIND_OF: Final[dict[type, Kind]] = {
    float: Kind.FLOAT,
    type(None): Kind.NULL,
    bool: Kind.BOOL,
    str: Kind.TEXT,
    int: Kind.INT,
}


def encode_values(values: Sequence[Value]) -> bytes:
    """The column of at least one value."""
    types = list(map(type, values))
    if types.count(types[0]) == len(types) and types[0] is not int:
        kind = _KIND_OF[types[0]]
        return bytes((1 << kind,)) + _WRITERS[kind](values)
    codes = _codes(values, types)
    present = sorted(set(codes))
    parts = [bytes((sum(1 << code for code in present),))]
    if len(present) > 1:
        parts.append(encode_integers(codes)[1])
    for code in present:
        column = [value for value, one in zip(values, codes, strict=True) if one == code]
        parts.append(_WRITERS[Kind(code)](column))
    return b"".join(parts)


def decode_values(reader: Reader, count: int) -> Sequence[Value]:
    """`count` values, at least one. Raises BlockDamaged."""
    mask = reader.byte()
    present = [kind for kind in Kind if mask >> kind & 1]
    if not present or mask >> len(Kind):
        raise BlockDamaged("the block holds values of an unknown kind")
    if len(present) == 1:
        return _READERS[present[0]](reader, count)
    codes = list(decode_integers(reader, count))
    if set(codes) != set(map(int, present)):
        raise BlockDamaged("the block holds other kinds of values than it names")
    columns = {int(kind): iter(_READERS[kind](reader, codes.count(kind))) for kind in present}
    return [next(columns[code]) for code in codes]


def _codes(values: Sequence[Value], types: Sequence[type]) -> list[int]:
    """Each value's kind, as a plain number: members of an enumeration hash slowly."""
    codes = [int(_KIND_OF[one]) for one in types]
    for place, code in enumerate(codes):
        value = values[place]
        if code == Kind.INT and isinstance(value, int) and not INT64_MIN <= value <= INT64_MAX:
            codes[place] = int(Kind.LONG)
    return codes


def _write_floats(column: Sequence[Value]) -> bytes:
    return encode_floats(column)[1]  # type: ignore[arg-type]  # the kind says float


def _write_nulls(_column: Sequence[Value]) -> bytes:
    return b""


def _write_integers(column: Sequence[Value]) -> bytes:
    return encode_integers(list(map(int, column)))[1]  # type: ignore[arg-type]  # bool or int


def _write_texts(column: Sequence[Value]) -> bytes:
    return _write_blobs([value.encode("utf-8", TEXT_ERRORS) for value in column if isinstance(value, str)])


def _write_longs(column: Sequence[Value]) -> bytes:
    return _write_blobs(
        [
            value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
            for value in column
            if isinstance(value, int)
        ]
    )


def _write_blobs(blobs: Sequence[bytes]) -> bytes:
    """Distinct byte strings in order of appearance (their lengths, then all of them), and places."""
    distinct = list(dict.fromkeys(blobs))
    place_of = {blob: place for place, blob in enumerate(distinct)}
    return b"".join(
        (
            uvarint(len(distinct)),
            encode_integers(list(map(len, distinct)))[1],
            *distinct,
            encode_integers(list(map(place_of.__getitem__, blobs)))[1],
        )
    )


def _read_floats(reader: Reader, count: int) -> Sequence[Value]:
    return decode_floats(reader, count)


def _read_nulls(_reader: Reader, count: int) -> Sequence[Value]:
    return [None] * count


def _read_bools(reader: Reader, count: int) -> Sequence[Value]:
    bits = decode_integers(reader, count)
    if min(bits) < 0 or max(bits) > 1:
        raise BlockDamaged("the block holds a bool that is neither true nor false")
    return list(map(bool, bits))


def _read_integers(reader: Reader, count: int) -> Sequence[Value]:
    return list(decode_integers(reader, count))


def _read_texts(reader: Reader, count: int) -> Sequence[Value]:
    def text(blob: bytes) -> Value:
        try:
            return blob.decode("utf-8", TEXT_ERRORS)
        except UnicodeDecodeError as error:
            raise BlockDamaged("the block holds a text that is not UTF-8") from error

    return _read_blobs(reader, count, text)


def _read_longs(reader: Reader, count: int) -> Sequence[Value]:
    """Blocks of before that rule may hold integers of hundreds of digits."""

    def integer(blob: bytes) -> Value:
        number = int.from_bytes(blob, "little", signed=True)
        return None if is_beyond_float64(number) else number

    return _read_blobs(reader, count, integer)


def _read_blobs(reader: Reader, count: int, decode: Callable[[bytes], Value]) -> Sequence[Value]:
    size = reader.count(count)
    lengths = decode_integers(reader, size)
    if not size or min(lengths) < 0:
        raise BlockDamaged("the block holds a text of no possible length")
    ends = list(accumulate(lengths))
    joined = reader.take(ends[-1])
    distinct = [decode(joined[end - length : end]) for end, length in zip(ends, lengths, strict=True)]
    places = decode_integers(reader, count)
    if min(places) < 0 or max(places) >= size:
        raise BlockDamaged("the block points beyond its texts")
    return list(map(distinct.__getitem__, places))


_WRITERS: Final[dict[Kind, Callable[[Sequence[Value]], bytes]]] = {
    Kind.FLOAT: _write_floats,
    Kind.NULL: _write_nulls,
    Kind.BOOL: _write_integers,
    Kind.TEXT: _write_texts,
    Kind.INT: _write_integers,
    Kind.LONG: _write_longs,
}
_READERS: Final[dict[Kind, Callable[[Reader, int], Sequence[Value]]]] = {
    Kind.FLOAT: _read_floats,
    Kind.NULL: _read_nulls,
    Kind.BOOL: _read_bools,
    Kind.TEXT: _read_texts,
    Kind.INT: _read_integers,
    Kind.LONG: _read_longs,
}
