"""Samples of a point as columns, and their normal form.

Sixteen bytes a sample: an int64 instant, a float64 value, and beside them what is no float (`values.py`).
Normal form: strictly ascending instants; of two samples at one instant the last delivered wins; a number that
no float64 comes near (not finite, or of hundreds of digits) is null. Every route answers in this form, so any
two routes can be compared sample for sample. It knows no vendor and no storage format.
"""

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import isfinite
from typing import Final

from edgeseries.limits import DAY_MS
from edgeseries.series.timerange import TimeRange
from edgeseries.series.values import Value, ValueColumn, column_of, concatenated


@dataclass(frozen=True, slots=True, init=False)
class Samples:
    """Two columns of equal length: `times_ms` (UTC epoch, strictly ascending, int64) and `values`."""

    times_ms: "array[int]"
    values: ValueColumn

    def __init__(self, *, times_ms: Sequence[int], values: Sequence[Value]) -> None:
        assert len(times_ms) == len(values)
        is_column = isinstance(times_ms, array) and times_ms.typecode == "q"
        times = times_ms if is_column else array("q", times_ms)
        object.__setattr__(self, "times_ms", times)
        object.__setattr__(self, "values", column_of(values))

    def __len__(self) -> int:
        return len(self.times_ms)

    def part(self, start: int, stop: int) -> "Samples":
        """The samples from one place to before another."""
        if start == 0 and stop == len(self):
            return self
        return Samples(times_ms=self.times_ms[start:stop], values=self.values.part(start, stop))


NO_SAMPLES: Final = Samples(times_ms=array("q"), values=())


def plain_number(number: float) -> Value:
    """A number from outside in normal form: float, or int where only an int is exact, or null.

    Null for what is larger than every float64, too, however it is written: `1e400` and its 401 digits are
    one number.
    """
    if not isinstance(number, int):
        return number if isfinite(number) else None
    try:
        nearest = float(number)
    except OverflowError:
        return None
    return nearest if int(nearest) == number else number


def is_beyond_float64(number: int) -> bool:
    """Whether an integer is larger than every float64, so that its normal form is null."""
    return plain_number(number) is None


ASCENT_AT_ONCE: Final = 8_192
"""Numbers that are looked at together."""


def ascend(numbers: Sequence[int]) -> bool:
    """Whether each of them is more than the one before. What is in order is sorted in one comparison each,
    and no step of it is the interpreter's: a call out of `map` costs 70 ns in WebAssembly. It looks at
    some at a time: numbers outside of an array take three times as much memory, a set of them as much again.
    """
    for first in range(0, len(numbers), ASCENT_AT_ONCE):
        listed = list(numbers[first : first + ASCENT_AT_ONCE + 1])
        if listed != sorted(listed) or len({*listed}) != len(listed):
            return False
    return True


def in_order(times_ms: Sequence[int], values: Sequence[Value]) -> Samples:
    """Samples in normal form from columns in order of delivery. The arguments stay as they are."""
    if ascend(times_ms):
        return Samples(times_ms=array("q", times_ms), values=values)
    # A stable sort keeps the order of delivery among equals, so the last of a run is the last delivered.
    order = sorted(range(len(times_ms)), key=times_ms.__getitem__)
    last_of_run = [here for here, after in pairwise(order) if times_ms[here] != times_ms[after]]
    last_of_run.append(order[-1])
    listed = values.to_list() if isinstance(values, ValueColumn) else values
    return Samples(
        times_ms=array("q", map(times_ms.__getitem__, last_of_run)),
        values=list(map(listed.__getitem__, last_of_run)),
    )


def appended(parts: Iterable[Samples]) -> Samples:
    """Samples of parts that ascend and do not overlap, one after the other."""
    some = [part for part in parts if len(part)]
    if len(some) <= 1:
        return some[0] if some else NO_SAMPLES
    times_ms = array("q")
    for part in some:
        times_ms.extend(part.times_ms)
    return Samples(times_ms=times_ms, values=concatenated([part.values for part in some]))


def joined(parts: Sequence[Samples]) -> Samples:
    """Samples of several parts in one: where two are of one instant, that of the later part counts."""
    some = sorted((part for part in parts if len(part)), key=_first_ms)
    if all(before.times_ms[-1] < after.times_ms[0] for before, after in pairwise(some)):
        return appended(some)
    some = [part for part in parts if len(part)]
    return in_order(
        array("q", [at_ms for part in some for at_ms in part.times_ms]),
        concatenated([part.values for part in some]),
    )


def _first_ms(part: Samples) -> int:
    return part.times_ms[0]


def overlaid(under: Samples, span: TimeRange, over: Samples) -> Samples:
    """`under`, with what `over` holds of a range in the place of what it held there itself."""
    first = bisect_left(under.times_ms, span.start_ms)
    last = bisect_left(under.times_ms, span.end_ms, lo=first)
    return appended((under.part(0, first), within(over, span), under.part(last, len(under))))


def within(samples: Samples, span: TimeRange) -> Samples:
    """Only the samples inside the half-open range."""
    times_ms = samples.times_ms
    if not times_ms or (span.start_ms <= times_ms[0] and times_ms[-1] < span.end_ms):
        return samples
    first = bisect_left(times_ms, span.start_ms)
    return samples.part(first, bisect_left(times_ms, span.end_ms, lo=first))


def days_with_samples(times_ms: Sequence[int]) -> list[int]:
    """The days (since 1970, UTC) of ascending instants, each once. One step a day, not one a sample."""
    found, place = [], 0
    while place < len(times_ms):
        day = times_ms[place] // DAY_MS
        found.append(day)
        place = bisect_left(times_ms, (day + 1) * DAY_MS, lo=place)
    return found
