"""Samples of many points in one order, as the vendor's flat pages need them.

Owns merging by instant, cutting by range, and five-minute buckets. Must not know of pages, JSON or HTTP.
"""

import math
from array import array
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, repeat
from typing import Final

from local.upstream.instants import MICROSECONDS_PER_SECOND
from local.upstream.series import INSTANT_CODE, Series

BUCKET_US: Final = 300 * MICROSECONDS_PER_SECOND
DAY_US: Final = 86_400 * MICROSECONDS_PER_SECOND

# One sort keeps the interpreter to itself. This many rows take about 10 ms, so other requests get their turn.
_ROWS_PER_SORT: Final = 20_000
_OWNER_CODE: Final = "L"


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """A range of instants, UTC epoch microseconds: [start, end), or [start, end] with the end included."""

    start_us: int
    end_us: int
    end_included: bool

    def places(self, times_us: "array[int]") -> tuple[int, int]:
        """First place and the place after the last of what lies inside."""
        first = bisect_left(times_us, self.start_us)
        cut = bisect_right if self.end_included else bisect_left
        return first, max(first, cut(times_us, self.end_us))


@dataclass(frozen=True, slots=True, kw_only=True)
class Interleave:
    """Rows as columns, ordered by instant, then by point, then as delivered; `owners` index `names`."""

    names: Sequence[str]
    times_us: "array[int]"
    owners: "array[int]"
    texts: Sequence[str]

    def part(self, first: int, last: int) -> "Interleave":
        """The rows of the places [first, last)."""
        return Interleave(
            names=self.names,
            times_us=self.times_us[first:last],
            owners=self.owners[first:last],
            texts=self.texts[first:last],
        )

    def by_day(self, first: int, last: int) -> Counter[tuple[str, int]]:
        """Rows of the places [first, last), counted by (name, days since the epoch, UTC)."""
        counts = Counter[tuple[str, int]]()
        while first < last:
            day = self.times_us[first] // DAY_US
            after = bisect_left(self.times_us, (day + 1) * DAY_US, lo=first, hi=last)
            for owner, count in Counter(self.owners[first:after]).items():
                counts[self.names[owner], day] += count
            first = after
        return counts


def cut(series: Series, limits: Range) -> Series:
    """The part of a series inside a range."""
    first, last = limits.places(series.times_us)
    return Series(times_us=series.times_us[first:last], texts=series.texts[first:last])


def merged(parts: Sequence[tuple[str, Series]], *, rows_per_sort: int = _ROWS_PER_SORT) -> Interleave:
    """All samples of all parts, sorted some rows at a time. Rows of one instant: in order of the parts."""
    times_us, owners, texts = array(INSTANT_CODE), array(_OWNER_CODE), list[str]()
    held = [series.times_us for _, series in parts if series.times_us]
    total = sum(map(len, held))
    start_us = min((times[0] for times in held), default=0)
    end_us = max((times[-1] for times in held), default=0)
    windows = total // rows_per_sort + 1
    width_us = (end_us - start_us) // windows + 1
    done = [0] * len(parts)
    for window in range(1, windows + 1):
        window_us, window_owners, window_texts = list[int](), list[int](), list[str]()
        for owner, (_, series) in enumerate(parts):
            first = done[owner]
            last = bisect_left(series.times_us, start_us + window * width_us, lo=first)
            window_us.extend(series.times_us[first:last])
            window_owners.extend(repeat(owner, last - first))
            window_texts.extend(series.texts[first:last])
            done[owner] = last
        order = sorted(range(len(window_us)), key=window_us.__getitem__)
        times_us.extend(map(window_us.__getitem__, order))
        owners.extend(map(window_owners.__getitem__, order))
        texts.extend(map(window_texts.__getitem__, order))
    return Interleave(names=[name for name, _ in parts], times_us=times_us, owners=owners, texts=texts)


def bucketed(series: Series) -> Series:
    """One sample for each five minutes that hold any, stamped at their start: the mean of the numbers in it.

    Where there is no finite number, the last text. The first bucket of a cut series may be stamped before
    the cut.
    """
    times_us, texts = array(INSTANT_CODE), list[str]()
    starts = (instant - instant % BUCKET_US for instant in series.times_us)
    for start_us, group in groupby(zip(starts, series.texts, strict=True), key=lambda row: row[0]):
        held = [text for _, text in group]
        numbers = [number for number in map(_number, held) if number is not None]
        times_us.append(start_us)
        texts.append(repr(math.fsum(numbers) / len(numbers)) if numbers else held[-1])
    return Series(times_us=times_us, texts=texts)


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
