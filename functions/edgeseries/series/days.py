"""UTC days and months as numbers, and which days are sealed.

A day is an integer, days since 1970-01-01. A month is the text `YYYY-MM`. A set of days of one
month is a bitmap: bit 0 is the 1st. All of it is UTC; local days are somebody else's affair.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final

from edgeseries.limits import DAY_MS
from edgeseries.series.timerange import TimeRange

EPOCH_DATE: Final = date(1970, 1, 1)
DECEMBER: Final = 12


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


def month_of(day: int) -> str:
    """The month of a day, `YYYY-MM`."""
    return (EPOCH_DATE + timedelta(days=day)).strftime("%Y-%m")


def month_days(month: str) -> range:
    """The days of a month."""
    year, number = int(month[:4]), int(month[5:])
    following = date(year + number // DECEMBER, number % DECEMBER + 1, 1)
    return range((date(year, number, 1) - EPOCH_DATE).days, (following - EPOCH_DATE).days)


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
