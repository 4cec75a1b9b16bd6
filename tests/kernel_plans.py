"""Plans: what is left of a segment's columns when the numbers are taken out, which the kernel fills again.

Read with the Python coding's own reader, so a plan says what Python chose.
"""

from edgeseries.blocks.floats import Scaling
from edgeseries.blocks.integers import MAX_TABLE, Shape, decode_integers
from edgeseries.blocks.wire import Reader, uvarint
from edgeseries.series.values import Kind


def plan_of(columns: bytes, count: int) -> bytes:
    """The plan of sound columns of so many samples."""
    reader, plan = Reader(columns), bytearray()
    _integers(reader, count, plan)
    mask = reader.byte()
    present = [kind for kind in Kind if mask >> kind & 1]
    counts = {present[0]: count}
    if len(present) > 1:
        codes = _numbers(reader, count, plan)
        counts = {kind: codes.count(kind) for kind in present}
    for kind in present:
        if kind == Kind.FLOAT:
            _floats(reader, counts[kind], plan)
        elif kind in (Kind.BOOL, Kind.INT):
            _integers(reader, counts[kind], plan)
        elif kind in (Kind.TEXT, Kind.LONG):
            size = reader.count(counts[kind])
            reader.take(sum(_numbers(reader, size, plan)))
            _integers(reader, counts[kind], plan)
    reader.end()
    return bytes(plan)


def _numbers(reader: Reader, count: int, plan: bytearray) -> list[int]:
    """A column's numbers, and its plan."""
    start = reader._at
    numbers = list(decode_integers(reader, count))
    _integers(Reader(reader._data[start : reader._at]), count, plan)
    return numbers


def _integers(reader: Reader, count: int, plan: bytearray) -> None:
    if not count:
        return
    shape = Shape(reader.byte())
    plan.append(shape)
    match shape:
        case Shape.CONSTANT:
            reader.svarint()
        case Shape.OFFSETS:
            reader.svarint()
            reader.planes(count)
        case Shape.ZIGZAG:
            reader.planes(count)
        case Shape.BITS:
            reader.svarint()
            reader.bits(count)
        case Shape.DELTAS:
            reader.svarint()
            _integers(reader, count - 1, plan)
        case Shape.UNIT:
            reader.uvarint()
            _integers(reader, count, plan)
        case Shape.TABLE:
            _integers(reader, reader.count(min(count, MAX_TABLE)), plan)
            _integers(reader, count, plan)
        case Shape.RUNS:
            runs = reader.count(count)
            _integers(reader, runs, plan)
            _integers(reader, runs, plan)


def _floats(reader: Reader, count: int, plan: bytearray) -> None:
    scaling = Scaling(reader.byte())
    plan.append(scaling)
    if scaling is not Scaling.BITS:
        plan += uvarint(reader.uvarint())
        misfits = reader.count(count)
        _integers(reader, misfits, plan)
        _integers(reader, misfits, plan)
    for _ in range(3 if scaling is Scaling.RATIO else 1):
        _integers(reader, count, plan)
