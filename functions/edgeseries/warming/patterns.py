"""Which questions come again, and what has to be fetched before they do.

Pure: what was asked comes in as days, the moment as a number; what is to be fetched goes out. A question that
was asked in an hour of some days comes again on days that are like them: the same day of the week, or, while
it is new, a day of the same kind. One that stops is forgotten, for the days that speak for it pass.
"""

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from edgeseries.limits import HOUR_MS
from edgeseries.series.days import first_unsealed_day
from edgeseries.warming.asks import DAY_HOURS, Window
from edgeseries.warming.limits import (
    ALIKE_DAYS,
    ALIKE_DAYS_ASKED,
    LEAD_MS,
    SAME_WEEKDAYS,
    SAME_WEEKDAYS_ASKED,
    SLOW_LEAST_MS,
    YOUNG_DAYS,
)

WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
WEEK_DAYS: Final = len(WEEKDAYS)
WORKING_DAYS: Final = 5
EPOCH_WEEKDAY: Final = 3
"""1970-01-01 was a Thursday; Monday is 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """One question in one hour of the day (0 to 23, UTC). `days` are those of the last weeks on which it was
    asked (days since 1970), `asks` how often in all, `origin_ms` how long it waited for the upstream at most.
    Its set of points is told by digest, site and how many they are.
    """

    digest: str
    site: str
    point_count: int
    window: Window
    hour: int
    days: frozenset[int]
    asks: int
    origin_ms: int

    @property
    def weight(self) -> int:
        """How much it is worth to have it fetched: how often a day it is asked, times how slow that is."""
        return self.asks * max(self.origin_ms, SLOW_LEAST_MS) // max(1, len(self.days))

    def comes_on(self, day: int) -> bool:
        """Whether it is asked on a day, as far as the days before it say."""
        before = {one for one in self.days if one < day}
        if not before:
            return False
        if _count(before, same_weekdays(day)) >= SAME_WEEKDAYS_ASKED:
            return True
        is_young = day - min(before) < YOUNG_DAYS
        return is_young and _count(before, days_alike(day)) >= ALIKE_DAYS_ASKED


class Reason(StrEnum):
    """Why something is fetched ahead."""

    PATTERN = "pattern"
    SCHEDULE = "schedule"
    REQUEST = "request"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Days of a set of points (by its digest) that will be asked for. The higher its weight, the sooner it is
    fetched. `owner` and `name` are those of a saved set.
    """

    digest: str
    site: str
    point_count: int
    days: tuple[int, ...]
    weight: int
    reason: Reason = Reason.PATTERN
    owner: str = ""
    name: str = ""


def weekday_of(day: int) -> int:
    """The day of the week, Monday is 0."""
    return (day + EPOCH_WEEKDAY) % WEEK_DAYS


def same_weekdays(day: int) -> tuple[int, ...]:
    """The last same days of the week before a day."""
    return tuple(day - WEEK_DAYS * weeks for weeks in range(1, SAME_WEEKDAYS + 1))


def days_alike(day: int) -> tuple[int, ...]:
    """The last days of its kind (Monday to Friday, or the weekend) before a day."""
    kind = weekday_of(day) < WORKING_DAYS
    fitting = (one for one in range(day - 1, day - 1 - ALIKE_DAYS * WEEK_DAYS, -1))
    return tuple(one for one in fitting if (weekday_of(one) < WORKING_DAYS) is kind)[:ALIKE_DAYS]


def hours_ahead(now_ms: int) -> range:
    """The hours (since 1970) whose questions are prepared at a moment: the one under way, for a sweep may be
    late, and those that begin within the lead.
    """
    return range(now_ms // HOUR_MS, (now_ms + LEAD_MS) // HOUR_MS + 1)


def wishes_of(patterns: Iterable[Pattern], *, now_ms: int) -> tuple[Wish, ...]:
    """What the questions of the next hours will ask for, a wish a set, those of most weight first.

    Days that are not over yet are left out; which of them are sealed is the site's affair (`sealed`).
    """
    days: dict[str, set[int]] = {}
    weights: dict[str, int] = {}
    sets: dict[str, tuple[str, int]] = {}
    for pattern in patterns:
        sets[pattern.digest] = pattern.site, pattern.point_count
        coming = [
            hour // DAY_HOURS
            for hour in hours_ahead(now_ms)
            if hour % DAY_HOURS == pattern.hour and pattern.comes_on(hour // DAY_HOURS)
        ]
        for day in coming:
            days.setdefault(pattern.digest, set()).update(pattern.window.past_days(day, now_ms=now_ms))
            weights[pattern.digest] = weights.get(pattern.digest, 0) + pattern.weight
    wishes = (
        Wish(
            digest=digest,
            site=sets[digest][0],
            point_count=sets[digest][1],
            days=tuple(sorted(some)),
            weight=weights[digest],
        )
        for digest, some in days.items()
        if some
    )
    return tuple(sorted(wishes, key=lambda one: (-one.weight, one.digest)))


def sealed(days: Sequence[int], *, now_ms: int, settle_lag_ms: int) -> tuple[int, ...]:
    """The days of some that are sealed at a moment: the others cannot be stored yet."""
    unsealed = first_unsealed_day(now_ms=now_ms, settle_lag_ms=settle_lag_ms)
    return tuple(day for day in days if day < unsealed)


def _count(days: AbstractSet[int], among: Sequence[int]) -> int:
    return sum(day in days for day in among)
