"""Samples of a point: the values they may hold and their normal form.

Normal form: strictly ascending instants; of two samples at one instant the last delivered
wins; a number that no float64 comes near (not finite, or of hundreds of digits) is null. Every
route answers in this form, so any two routes can be compared sample for sample. It knows no vendor
and no storage format.
"""

from array import array
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import isfinite
from operator import lt
from typing import Final

from edgeseries.series.timerange import TimeRange

Value = float | int | bool | str | None
"""A number is a float; an int only where no float64 is equal to it (some beyond 2**53), and some are near."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """Two columns of equal length: `times_ms` (UTC epoch, strictly ascending) and `values`."""

    times_ms: Sequence[int]
    values: Sequence[Value]

    def __post_init__(self) -> None:
        assert len(self.times_ms) == len(self.values)

    def __len__(self) -> int:
        return len(self.times_ms)


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


def in_order(times_ms: Sequence[int], values: Sequence[Value]) -> Samples:
    """Samples in normal form from columns in order of delivery. The arguments stay as they are."""
    if all(map(lt, times_ms, times_ms[1:])):
        return Samples(times_ms=array("q", times_ms), values=tuple(values))
    # A stable sort keeps the order of delivery among equals, so the last of a run is the last delivered.
    order = sorted(range(len(times_ms)), key=times_ms.__getitem__)
    last_of_run = [here for here, after in pairwise(order) if times_ms[here] != times_ms[after]]
    last_of_run.append(order[-1])
    return Samples(
        times_ms=array("q", map(times_ms.__getitem__, last_of_run)),
        values=tuple(map(values.__getitem__, last_of_run)),
    )


def joined(parts: Sequence[Samples]) -> Samples:
    """Samples of several parts in one: where parts overlap, the later part wins."""
    if len(parts) == 1:
        return parts[0]
    return in_order(
        [at_ms for part in parts for at_ms in part.times_ms],
        [value for part in parts for value in part.values],
    )


def overlaid(under: Samples, span: TimeRange, over: Samples) -> Samples:
    """`under`, with what `over` holds of a range in the place of what it held there itself."""
    first = bisect_left(under.times_ms, span.start_ms)
    last = bisect_left(under.times_ms, span.end_ms, lo=first)
    new = within(over, span)
    return Samples(
        times_ms=array("q", [*under.times_ms[:first], *new.times_ms, *under.times_ms[last:]]),
        values=(*under.values[:first], *new.values, *under.values[last:]),
    )


def within(samples: Samples, span: TimeRange) -> Samples:
    """Only the samples inside the half-open range."""
    times_ms = samples.times_ms
    if not times_ms or (span.start_ms <= times_ms[0] and times_ms[-1] < span.end_ms):
        return samples
    first = bisect_left(times_ms, span.start_ms)
    last = bisect_left(times_ms, span.end_ms, lo=first)
    return Samples(times_ms=array("q", times_ms[first:last]), values=tuple(samples.values[first:last]))
