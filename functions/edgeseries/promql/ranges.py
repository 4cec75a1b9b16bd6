"""What functions make of the samples of a range, as Prometheus defines them (promql/functions.go)."""

from array import array  # noqa: TC003 - named in quotes: it has no subscript at run time
from collections.abc import Callable, Mapping
from itertools import pairwise
from math import fsum, sqrt
from typing import Final

from edgeseries.limits import SECOND_MS

OfRange = Callable[["array[int]", "array[float]", int, int], float | None]
"""Of instants and numbers, one at least, in (start_ms, end_ms]."""

NEAR: Final = 1.1
"""A range whose first or last sample is within so many intervals of its end is taken to reach it."""


def _extrapolated(
    times_ms: "array[int]", numbers: "array[float]", start_ms: int, end_ms: int, *, counts: bool
) -> float | None:
    """How much it grew over the whole range, judged by the samples in it: two at least."""
    if len(times_ms) < 2:  # noqa: PLR2004 - a difference
        return None
    growth = numbers[-1] - numbers[0]
    if counts:
        growth += sum(before for before, after in pairwise(numbers) if after < before)
    to_start = (times_ms[0] - start_ms) / SECOND_MS
    to_end = (end_ms - times_ms[-1]) / SECOND_MS
    sampled = (times_ms[-1] - times_ms[0]) / SECOND_MS
    interval = sampled / (len(times_ms) - 1)
    if counts and growth > 0 and numbers[0] >= 0:
        # A counter is never below zero: it is not extrapolated to before it was zero.
        to_start = min(to_start, sampled * (numbers[0] / growth))
    whole = sampled
    whole += to_start if to_start < NEAR * interval else interval / 2
    whole += to_end if to_end < NEAR * interval else interval / 2
    return growth * (whole / sampled)


def _increase(times_ms: "array[int]", numbers: "array[float]", start_ms: int, end_ms: int) -> float | None:
    return _extrapolated(times_ms, numbers, start_ms, end_ms, counts=True)


def _delta(times_ms: "array[int]", numbers: "array[float]", start_ms: int, end_ms: int) -> float | None:
    return _extrapolated(times_ms, numbers, start_ms, end_ms, counts=False)


def _rate(times_ms: "array[int]", numbers: "array[float]", start_ms: int, end_ms: int) -> float | None:
    grown = _increase(times_ms, numbers, start_ms, end_ms)
    return None if grown is None else grown / ((end_ms - start_ms) / SECOND_MS)


def _deviation(numbers: "array[float]") -> float:
    """Of the whole population."""
    mean = fsum(numbers) / len(numbers)
    return sqrt(fsum((number - mean) ** 2 for number in numbers) / len(numbers))


RANGE_VALUES: Final[Mapping[str, OfRange]] = {
    "avg_over_time": lambda _times, numbers, _start, _end: fsum(numbers) / len(numbers),
    "min_over_time": lambda _times, numbers, _start, _end: min(numbers),
    "max_over_time": lambda _times, numbers, _start, _end: max(numbers),
    "sum_over_time": lambda _times, numbers, _start, _end: fsum(numbers),
    "count_over_time": lambda _times, numbers, _start, _end: float(len(numbers)),
    "last_over_time": lambda _times, numbers, _start, _end: numbers[-1],
    "stddev_over_time": lambda _times, numbers, _start, _end: _deviation(numbers),
    "rate": _rate,
    "increase": _increase,
    "delta": _delta,
}
