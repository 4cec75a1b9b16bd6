"""Columns of float64: which integers they are multiples of, exactly, bit for bit.

Telemetry is decimal (72.5 is 725 / 10), or decimal that once was a float32 (BACnet's REAL), or
differences of counters, which are multiples of a power of two, or a mean of 3, 15, 60 of those, or
a count by the seconds it took. A scaling turns such floats into integers that integer columns make
small. The few that do not fit (-0.0, infinities, a value
of more digits) are kept as bits beside it; where most do not fit, all are kept as bits. NaN keeps
its payload. No tolerance anywhere: a float fits when the same 64 bits come back.
"""

import math
from array import array
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from itertools import accumulate, repeat
from operator import eq, sub, truediv
from typing import Final

from edgeseries.blocks.integers import Encoded, decode_integers, encode_integers
from edgeseries.blocks.ratios import MAX_RATIO_PLACES, decode_ratios, encode_ratios, look_like_ratios
from edgeseries.blocks.weighing import PLAIN_BYTE, weight
from edgeseries.blocks.wire import INT64_MAX, Reader, uvarint
from edgeseries.errors import BlockDamaged

MAX_DECIMALS: Final = 15
"""More than 15 digits after the point are noise of binary arithmetic, not decimals."""

PLAIN_DECIMALS: Final = 6
"""Decimals of so few digits are what the source meant: no other scaling is tried."""

MAX_SINGLE_DECIMALS: Final = 8
"""A float32 has seven to nine digits."""

MAX_BINARY_PLACES: Final = 1_000
"""2.0**1000 is still far from overflow."""

MAX_MEAN_PLACES: Final = 64
"""Finer steps than this are noise of the division."""

MEAN_BITS: Final = 8
"""Fifteenths must save so many bits of each integer before they are tried."""

MEAN_PROBES: Final = 24
"""Floats that are looked at for it first."""

MEAN_TRIES: Final = 4
"""They may be the coarser ones, all even: then the rest has a binary place or two more."""

MAX_SCALED: Final = 2.0**62

MISFIT_SHARE: Final = 16
"""A scaling is tried when at most one float in 16 does not fit it."""

NO_SCALE: Final = MAX_DECIMALS + 1


class Scaling(IntEnum):
    """The byte that a column of floats begins with."""

    BITS = 0
    DECIMAL = 1
    SINGLE = 2
    BINARY = 3
    FIFTEENTHS = 4
    RATIO = 5


_SCALINGS: Final = frozenset(map(int, Scaling))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fit:
    """What a scaling makes of distinct floats, by their bits; what does not fit is left out."""

    scaling: Scaling
    places: int
    integers: Mapping[int, int]
    misfit_count: int


def encode_floats(numbers: Sequence[float]) -> Encoded:
    """The lightest exact form of at least one float."""
    bits = array("q", array("d", numbers).tobytes())
    weights = Counter(bits)
    fits = list(_fits(weights, len(numbers)))
    found = [_encode_fit(bits, fit) for fit in fits]
    if all(fit.misfit_count for fit in fits):
        # Bits never won over a scaling that fits every float (tried on all sets of the data folder).
        found.append(_encode_bits(bits))
    return min(found)


def decode_floats(reader: Reader, count: int) -> list[float]:
    """`count` floats, at least one. Raises BlockDamaged."""
    code = reader.byte()
    if code == Scaling.BITS:
        ordered = array("q", decode_integers(reader, count))
        return array("d", _bits_of(ordered).tobytes()).tolist()
    if code not in _SCALINGS:
        raise BlockDamaged("the block holds floats of an unknown scaling")
    scaling = Scaling(code)
    places = reader.count(MAX_RATIO_PLACES if scaling is Scaling.RATIO else MAX_BINARY_PLACES)
    divisor = _divisor(scaling, places)
    misfit_count = reader.count(count)
    misfits = _read_misfits(reader, misfit_count, count) if misfit_count else {}
    if scaling is Scaling.RATIO:
        numbers = decode_ratios(reader, count, places)
    else:
        numbers = _unscaled(decode_integers(reader, count), divisor, scaling)
    for place, number in misfits.items():
        numbers[place] = number
    return numbers


def _divisor(scaling: Scaling, places: int) -> float:
    if scaling in (Scaling.BINARY, Scaling.RATIO):
        return 2.0**places
    if scaling is Scaling.FIFTEENTHS:
        return 15 * 2.0**places
    if places > MAX_DECIMALS:
        raise BlockDamaged("the block holds decimals of too many places")
    return float(10**places)


def _unscaled(integers: Sequence[int], divisor: float, scaling: Scaling) -> list[float]:
    numbers = list(map(truediv, integers, repeat(divisor)))
    return array("f", numbers).tolist() if scaling is Scaling.SINGLE else numbers


def _bits_of(ordered: "array[int]") -> "array[int]":
    """Bits of floats from integers that ascend as the floats do, and the other way round.

    The bits of negative floats ascend with their magnitude, so all but the sign are turned over.
    """
    if min(ordered) >= 0:
        return ordered
    return array("q", [number if number >= 0 else number ^ INT64_MAX for number in ordered])


def _encode_bits(bits: "array[int]") -> Encoded:
    size, column = encode_integers(_bits_of(bits))
    return size + PLAIN_BYTE, bytes((Scaling.BITS,)) + column


def _encode_fit(bits: "array[int]", fit: _Fit) -> Encoded:
    head = bytes((fit.scaling,)) + uvarint(fit.places)
    if not fit.misfit_count:
        size, column = _encode_scaled(list(map(fit.integers.__getitem__, bits)), fit)
        return size + PLAIN_BYTE * len(head), head + b"\0" + column
    found = list(map(fit.integers.get, bits))
    misfits = [place for place, integer in enumerate(found) if integer is None]
    # Where a float does not fit, the integer before stands in: it costs least.
    last = next(integer for integer in found if integer is not None)
    filled = []
    for integer in found:
        last = last if integer is None else integer
        filled.append(last)
    gaps = list(map(sub, misfits, [0, *misfits[:-1]]))
    beside = encode_integers(gaps)[1] + encode_integers([bits[place] for place in misfits])[1]
    size, column = _encode_scaled(filled, fit)
    head += uvarint(len(misfits)) + beside
    return size + weight(head), head + column


def _encode_scaled(integers: Sequence[int], fit: _Fit) -> Encoded:
    if fit.scaling is Scaling.RATIO:
        return encode_ratios(integers, fit.places)
    return encode_integers(integers)


def _read_misfits(reader: Reader, misfit_count: int, count: int) -> dict[int, float]:
    places = list(accumulate(decode_integers(reader, misfit_count)))
    bits = array("q", decode_integers(reader, misfit_count))
    if min(places) < 0 or max(places) >= count:
        raise BlockDamaged("the block corrects samples that it does not hold")
    return dict(zip(places, array("d", bits.tobytes()), strict=True))


def _fits(weights: Mapping[int, int], count: int) -> Iterator[_Fit]:
    """The scalings worth writing out, for floats by their bits with how often each comes."""
    numbers = array("d", array("q", weights).tobytes()).tolist()
    all_places, most_places = _all_and_most(list(map(_decimals, numbers)), weights, count)
    tried = {places for places in (all_places, most_places) if places < NO_SCALE}
    for places in sorted(tried):
        yield from _worth(Scaling.DECIMAL, places, numbers, weights, count)
    if all_places <= PLAIN_DECIMALS:
        return
    yield from _single_fits(numbers, weights, count)
    halvings = [_halvings(number) for number in numbers]
    all_places, most_places = _all_and_most(halvings, weights, count)
    for places in sorted({all_places, most_places}):
        if places <= MAX_BINARY_PLACES:
            for fit in _worth(Scaling.BINARY, places, numbers, weights, count):
                if look_like_ratios(list(fit.integers.values()), places):
                    # No other scaling was smaller for what looks so (tried on all sets of the data folder).
                    yield replace(fit, scaling=Scaling.RATIO)
                    return
                yield fit
    for places in _fifteenths(numbers, most_places - MEAN_BITS):
        for fit in _worth(Scaling.FIFTEENTHS, places, numbers, weights, count):
            yield fit
            return


def _fifteenths(numbers: Sequence[float], most: int) -> Iterator[int]:
    """Binary places below `most` that may make fifteenths of all floats: they do of some; fewest first."""
    some = [number for number in numbers[:: len(numbers) // MEAN_PROBES + 1] if math.isfinite(number)]
    for places in range(min(most, MAX_MEAN_PLACES)):
        divisor = _divisor(Scaling.FIFTEENTHS, places)
        if all(
            abs(number) * divisor < MAX_SCALED and round(number * divisor) / divisor == number
            for number in some
        ):
            yield from range(places, min(places + MEAN_TRIES, most))
            return


def _all_and_most(places: Sequence[int], weights: Mapping[int, int], count: int) -> tuple[int, int]:
    """The places that all floats need, and that all but a few do."""
    by_places: Counter[int] = Counter()
    for needed, times in zip(places, weights.values(), strict=True):
        by_places[needed] += times
    missing = count
    for needed in sorted(by_places):
        missing -= by_places[needed]
        if missing * MISFIT_SHARE <= count:
            return max(by_places), needed
    raise AssertionError("every float needs some number of places")


def _single_fits(numbers: Sequence[float], weights: Mapping[int, int], count: int) -> Iterator[_Fit]:
    """The fewest decimals that make most of the floats, through a float32."""
    singles = array("f", numbers).tolist()
    foreign = [weight for a, b, weight in zip(numbers, singles, weights.values(), strict=True) if a != b]
    if sum(foreign) * MISFIT_SHARE > count:
        return
    for places in range(MAX_SINGLE_DECIMALS + 1):
        for fit in _worth(Scaling.SINGLE, places, numbers, weights, count):
            yield fit
            return


def _worth(
    scaling: Scaling, places: int, numbers: Sequence[float], weights: Mapping[int, int], count: int
) -> Iterator[_Fit]:
    """The fit of a scaling, unless too many floats do not fit."""
    divisor = _divisor(scaling, places)
    largest = MAX_SCALED / divisor
    # A comparison with NaN is false, so NaN becomes 0.0 here and does not fit below.
    integers = [round(number * divisor) if -largest < number < largest else 0 for number in numbers]
    back = array("d", _unscaled(integers, divisor, scaling))
    same = list(map(eq, array("q", back.tobytes()), weights))
    fitting = {bits: integer for bits, integer, fits in zip(weights, integers, same, strict=True) if fits}
    misfit_count = count - sum(map(weights.__getitem__, fitting))
    if misfit_count * MISFIT_SHARE <= count and fitting:
        yield _Fit(scaling=scaling, places=places, integers=fitting, misfit_count=misfit_count)


def _decimals(number: float) -> int:
    """Digits after the point of the shortest text that reads as this float; NO_SCALE if too many."""
    text = repr(number)
    mantissa, _, exponent = text.partition("e")
    _, _, fraction = mantissa.partition(".")
    if exponent:
        places = max(0, len(fraction) - int(exponent))
    elif fraction == "0":
        return 0
    elif not fraction:  # inf, nan
        return NO_SCALE
    else:
        places = len(fraction)
    return places if places <= MAX_DECIMALS else NO_SCALE


def _halvings(number: float) -> int:
    """Binary digits after the point; more than MAX_BINARY_PLACES where there is no such scale."""
    if not math.isfinite(number):
        return MAX_BINARY_PLACES + 1
    return min(number.as_integer_ratio()[1].bit_length() - 1, MAX_BINARY_PLACES + 1)
