"""Where buckets begin: the edges between them over a range, in a time zone.

Widths up to an hour follow the local clock: on the day that clocks go back, the hour that comes twice is two
buckets. Longer ones begin at local times of day, once each; days begin at local midnight, weeks on Monday,
months on the first, years on January 1. A local time that does not come (clocks go forward over it) is the
moment of the change.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from edgeseries.limits import DAY_MS, HOUR_MS
from edgeseries.questions.width import Width
from edgeseries.series.days import EPOCH_DATE
from edgeseries.series.zones import Offsets, offsets_of

MONTHS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """Buckets of a width in a zone, for ranges within `start_ms` to `end_ms` (UTC epoch)."""

    width: Width
    offsets: Offsets

    def edges(self, start_ms: int, end_ms: int) -> "array[int]":
        """The edges (UTC epoch ms, ascending) from the last at or before `start_ms` to the first at or after
        `end_ms`: two at least.
        """
        assert start_ms < end_ms
        clock_ms = self.width.clock_ms
        if clock_ms is not None and clock_ms <= HOUR_MS:
            return self._of_clock(clock_ms, start_ms, end_ms)
        found = sorted({self.offsets.instant_ms(local) for local in self._local_starts(start_ms, end_ms)})
        return array("q", found[bisect_right(found, start_ms) - 1 : bisect_left(found, end_ms) + 1])

    def _of_clock(self, width_ms: int, start_ms: int, end_ms: int) -> "array[int]":
        edges = array("q")
        stretches = self.offsets.stretches
        for place, one in enumerate(stretches):
            ends_ms = stretches[place + 1].start_ms if place + 1 < len(stretches) else end_ms + 2 * width_ms
            # A stretch's first edge lies behind its beginning, where the clock does not change by whole
            # widths.
            first = max(one.start_ms, start_ms - 2 * width_ms) if place else start_ms - 2 * width_ms
            low = first + -(first + one.offset_ms) % width_ms
            high = min(ends_ms, end_ms + 2 * width_ms)
            if place and first == one.start_ms < high:
                before = stretches[place - 1].offset_ms
                if (one.start_ms + before) % width_ms == 0 and low != one.start_ms:
                    edges.append(one.start_ms)
            edges.extend(range(low, high, width_ms))
        return edges[bisect_right(edges, start_ms) - 1 : bisect_left(edges, end_ms) + 1]

    def _local_starts(self, start_ms: int, end_ms: int) -> Iterator[int]:
        """Local times at which buckets begin, from before a range to after it."""
        first = EPOCH_DATE + timedelta(days=self.offsets.local_ms(start_ms) // DAY_MS)
        last = EPOCH_DATE + timedelta(days=self.offsets.local_ms(end_ms) // DAY_MS + 1)
        count, unit = self.width.count, self.width.unit
        match unit:
            case "h":
                for day in _days(first - timedelta(days=1), last, 1):
                    yield from range(day, day + DAY_MS, count * HOUR_MS)
            case "d":
                yield from _days(first - timedelta(days=1), last, 1)
            case "w":
                monday = first - timedelta(days=first.weekday())
                yield from _days(monday - timedelta(days=7), last + timedelta(days=7), 7)
            case _:
                months = count if unit == "M" else MONTHS
                number = (first.year * MONTHS + first.month - 1) // months * months - months
                until = last.year * MONTHS + last.month + months
                for month in range(number, until + 1, months):
                    yield _local_ms(date(month // MONTHS, month % MONTHS + 1, 1))


def grid_of(width: Width, zone: str, start_ms: int, end_ms: int) -> Grid:
    """The buckets of a width in a zone, for a range. Raises ValueError for a zone that nobody knows."""
    margin_ms = max(2 * width.least_ms, 2 * DAY_MS)
    return Grid(width=width, offsets=offsets_of(zone, start_ms - margin_ms, end_ms + margin_ms))


def even_grid(start_ms: int, end_ms: int, count: int) -> "array[int]":
    """The edges of `count` intervals of a range, as even as whole milliseconds are; fewer of a range of fewer
    milliseconds.
    """
    length = end_ms - start_ms
    count = min(count, length)
    return array("q", [start_ms + length * place // count for place in range(count + 1)])


def _days(first: date, last: date, step: int) -> Iterator[int]:
    yield from range(_local_ms(first), _local_ms(last) + 1, step * DAY_MS)


def _local_ms(day: date) -> int:
    return (day - EPOCH_DATE).days * DAY_MS
