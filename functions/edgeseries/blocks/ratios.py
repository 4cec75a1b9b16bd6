"""Columns of floats n / 2**k that once were ratios of small numbers.

A meter counts. What it is read as is a count by the seconds that it took (103.69444444449618 is
3733 / 36), and often the difference of two sums, each rounded to some binary place. Numerator and
denominator are by far smaller than n; what the rounding did, -1, 0 or 1 as a rule, stands beside them,
so any n comes back exactly. The nearest ratio is a convergent of the continued fraction of n / 2**k.
"""

from collections.abc import Sequence
from itertools import repeat
from operator import add, sub, truediv
from typing import Final

from edgeseries.blocks.integers import Encoded, decode_integers, encode_integers
from edgeseries.blocks.wire import Reader
from edgeseries.errors import BlockDamaged

MAX_RATIO_PLACES: Final = 50
"""Of finer steps, a float64 over 1 has none."""

MAX_NUMBER: Final = 1 << 50
"""Numbers up to here are rounded by an addition (`_steady`), with a bit to spare."""

MAX_DENOMINATOR: Final = 65_536
"""Larger ones save nothing over n itself. So many seconds are most of a day."""

PROBES: Final = 24
"""Integers that are looked at first."""

FOUND_OF_PROBES: Final = 18
"""Three quarters of them must be ratios, or the rest is not tried."""


def look_like_ratios(integers: Sequence[int], places: int) -> bool:
    """Whether some of the integers, as multiples of 2**-places, are ratios: of random ones, hardly any is."""
    if places > MAX_RATIO_PLACES or max(integers) > MAX_NUMBER or min(integers) < -MAX_NUMBER:
        return False
    some = integers[:: len(integers) // PROBES + 1]
    found = sum(abs(error) <= 1 for _, _, error in (_ratio(number, places) for number in some))
    return found * PROBES >= FOUND_OF_PROBES * len(some)


def encode_ratios(integers: Sequence[int], places: int) -> Encoded:
    """Numerators, denominators, errors: a column each. Only for what looks like ratios."""
    ratio_of = {number: _ratio(number, places) for number in set(integers)}
    columns = zip(*map(ratio_of.__getitem__, integers), strict=True)
    sizes, parts = zip(*map(encode_integers, columns), strict=True)
    return sum(sizes), b"".join(parts)


def decode_ratios(reader: Reader, count: int, places: int) -> list[float]:
    """`count` floats, at least one. Raises BlockDamaged."""
    numerators = decode_integers(reader, count)
    denominators = decode_integers(reader, count)
    if min(denominators) < 1:
        raise BlockDamaged("the block divides by nothing")
    steady = _steady(places)
    lifted = map(add, map(truediv, numerators, denominators), repeat(steady))
    rounded = map(sub, lifted, repeat(steady))
    return list(map(add, rounded, map(truediv, decode_integers(reader, count), repeat(2.0**places))))


def _steady(places: int) -> float:
    """Added to a float and taken off again, it rounds to a multiple of 2**-places, halves to even.

    Its own last digit is 2**-places. `round` does the same at three times the cost.
    """
    return 1.5 * 2.0 ** (52 - places)


def _ratio(number: int, places: int) -> tuple[int, int, int]:
    """Numerator, denominator and error: of the first convergent whose error is at most 1, else of the
    last one of a denominator that is allowed.
    """
    one = 1 << places
    over, under = number, one
    numerator, denominator, numerator_before, denominator_before = 1, 0, 0, 1
    while under:
        whole, rest = divmod(over, under)
        larger = whole * denominator + denominator_before
        if larger > MAX_DENOMINATOR:
            break
        denominator_before, denominator = denominator, larger
        numerator_before, numerator = numerator, whole * numerator + numerator_before
        if -denominator <= numerator * one - number * denominator <= denominator:
            break
        over, under = under, rest
    return numerator, denominator, number - round(numerator / denominator * one)
