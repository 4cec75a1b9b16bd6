"""UTC days and months as numbers, and which days are sealed.

A day is an integer, days since 1970-01-01. A month is the text `YYYY-MM`, a year `YYYY`. A set of days of
one of them is a bitmap: bit 0 is the 1st. All of it is UTC; local days are somebody else's affair.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache
from typing import Final

from edgeseries.limits import DAY_MS
from edgeseries.series.timerange import TimeRange

EPOCH_DATE: Final = date(1970, 1, 1)
DECEMBER: Final = 12
YEAR_CHARS: Final = len("2024")
REMEMBERED_SETS: Final = 4_096
REMEMBERED_DAYS: Final = 4_096
"""Eleven years: what most questions of an isolate are about."""
REMEMBERED_MONTHS: Final = 512


def day_of(epoch_ms: int) -> int:
    """The day that an instant (UTC epoch ms) lies in."""
    return epoch_ms // DAY_MS


def day_span(first_day: int, last_day: int) -> TimeRange:
    """From the start of one day to the end of another (both held)."""
    return TimeRange(start_ms=first_day * DAY_MS, end_ms=(last_day + 1) * DAY_MS)


def days_touched(span: TimeRange) -> range:
    """Every day that a range holds at least one millisecond of."""
    return range(day_of(span.start_ms), day_of(span.end_ms - 1) + 1)


def overlap_ms(span: TimeRange, day: int) -> int:
    """How many milliseconds of a day (days since 1970) lie in a range."""
    return max(0, min(span.end_ms, (day + 1) * DAY_MS) - max(span.start_ms, day * DAY_MS))


@dataclass(frozen=True, slots=True, kw_only=True)
class SettleLags:
    """How long after its end a day is taken as final where upstreams of a stack differ in it: milliseconds by
    the prefix of names of sites.
    """

    by_prefix: Mapping[str, int] = field(default_factory=dict)

    def of(self, site: str, stack_ms: int) -> int:
        """The lag of a site: that of the longest prefix that its name begins with, or the stack's."""
        fitting = [prefix for prefix in self.by_prefix if site.startswith(prefix)]
        return self.by_prefix[max(fitting, key=len)] if fitting else stack_ms


def first_unsealed_day(*, now_ms: int, settle_lag_ms: int) -> int:
    """The first day that may still get samples: a day is sealed when it ended at least the lag ago."""
    return (now_ms - settle_lag_ms) // DAY_MS


def iso_day(day: int) -> str:
    """A day as ISO-8601 writes it, `2024-01-01`."""
    return (EPOCH_DATE + timedelta(days=day)).isoformat()


@lru_cache(maxsize=REMEMBERED_DAYS)
def month_of(day: int) -> str:
    """The month of a day, `YYYY-MM`."""
    return (EPOCH_DATE + timedelta(days=day)).strftime("%Y-%m")


@lru_cache(maxsize=REMEMBERED_MONTHS)
def month_days(month: str) -> range:
    """The days of a month."""
    year, number = int(month[:4]), int(month[5:])
    following = date(year + number // DECEMBER, number % DECEMBER + 1, 1)
    return range((date(year, number, 1) - EPOCH_DATE).days, (following - EPOCH_DATE).days)


def year_of(day: int) -> str:
    """The year of a day, `YYYY`."""
    return month_of(day)[:YEAR_CHARS]


@lru_cache(maxsize=REMEMBERED_MONTHS)
def year_days(year: str) -> range:
    """The days of a year."""
    return range(month_days(f"{year}-01").start, month_days(f"{year}-12").stop)


def year_months(year: str) -> tuple[str, ...]:
    """The twelve months of a year."""
    return tuple(f"{year}-{number:02d}" for number in range(1, DECEMBER + 1))


def by_year(days: Iterable[int]) -> dict[str, int]:
    """Days as a bitmap for each year that has some, years ascending."""
    bitmaps: dict[str, int] = {}
    for first, last in runs(days):
        for year in range(int(year_of(first)), int(year_of(last)) + 1):
            of_year = year_days(f"{year:04d}")
            low, high = max(first, of_year.start), min(last, of_year.stop - 1)
            bits = ((1 << (high - low + 1)) - 1) << (low - of_year.start)
            bitmaps[f"{year:04d}"] = bitmaps.get(f"{year:04d}", 0) | bits
    return bitmaps


def days_in_year(year: str, bitmap: int) -> Iterator[int]:
    """The days that a year's bitmap names, ascending."""
    start = year_days(year).start
    for first, last in bit_runs(bitmap):
        yield from range(start + first, start + last + 1)


def of_month(month: str, year_bitmap: int) -> int:
    """Of a year's bitmap the bitmap of one of its months."""
    days = month_days(month)
    return year_bitmap >> (days.start - year_days(month[:YEAR_CHARS]).start) & ((1 << len(days)) - 1)


def in_year(month: str, bitmap: int) -> int:
    """A month's bitmap as one of its year."""
    return bitmap << (month_days(month).start - year_days(month[:YEAR_CHARS]).start)


def bit_runs(bitmap: int) -> Iterator[tuple[int, int]]:
    """First and last place of each run of ones, lowest first."""
    at = 0
    while bitmap:
        zeros = (bitmap & -bitmap).bit_length() - 1
        bitmap >>= zeros
        ones = (~bitmap & -~bitmap).bit_length() - 1
        yield at + zeros, at + zeros + ones - 1
        bitmap >>= ones
        at += zeros + ones


@lru_cache(maxsize=REMEMBERED_SETS)
def days_text(bitmap: int) -> str:
    """A bitmap as runs of days, the first is 1: `1-59 61 70-366`."""
    return " ".join(
        str(first + 1) if first == last else f"{first + 1}-{last + 1}" for first, last in bit_runs(bitmap)
    )


@lru_cache(maxsize=REMEMBERED_SETS)
def days_of_text(text: str) -> int:
    """What `days_text` wrote, as a bitmap; runs may overlap. Raises ValueError for another text."""
    bitmap = 0
    for run in text.split():
        first, _, last = run.partition("-")
        low, high = int(first), int(last or first)
        if not 0 < low <= high:
            raise ValueError(f"{run} is no run of days")
        bitmap |= ((1 << (high - low + 1)) - 1) << (low - 1)
    return bitmap


def by_month(days: Iterable[int]) -> dict[str, int]:
    """Days as a bitmap for each month that has some, months ascending."""
    bitmaps: dict[str, int] = {}
    for day in sorted(days):
        month = month_of(day)
        bitmaps[month] = bitmaps.get(month, 0) | 1 << (day - month_days(month).start)
    return bitmaps


def days_in(month: str, bitmap: int) -> Iterator[int]:
    """The days that a month's bitmap names, ascending."""
    for place, day in enumerate(month_days(month)):
        if bitmap >> place & 1:
            yield day


def runs(days: Iterable[int]) -> list[tuple[int, int]]:
    """First and last day of each run of days without a gap, ascending. Each day comes once."""
    ordered = sorted(days)
    if ordered and ordered[-1] - ordered[0] == len(ordered) - 1:
        return [(ordered[0], ordered[-1])]
    found: list[tuple[int, int]] = []
    for day in ordered:
        if found and found[-1][1] == day - 1:
            found[-1] = (found[-1][0], day)
        else:
            found.append((day, day))
    return found
