"""The week of the one-minute sample that most points have data of: what requests are made of.

The sample's points were measured in different months. Must not know what is asked.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from local.upstream.truth import Truth

SITE: Final = "opengrid_minute"
DAY_MS: Final = 86_400_000
DAY_US: Final = 1_000 * DAY_MS
WEEK_DAYS: Final = 7
SAMPLES_OF_A_DAY: Final = 1_440


@dataclass(frozen=True, slots=True, kw_only=True)
class Week:
    """Points that have all samples of all seven days from `first_day` (since 1970), and whole days of
    points outside of the week, none of which a request for the week touches.
    """

    points: tuple[str, ...]
    first_day: int
    other_days: tuple[tuple[str, int], ...]

    @property
    def start_ms(self) -> int:
        """The first instant."""
        return self.first_day * DAY_MS

    @property
    def end_ms(self) -> int:
        """The first instant after it."""
        return self.start_ms + WEEK_DAYS * DAY_MS


def fullest_week(truth: Truth) -> Week:
    """The week with the most whole days."""
    whole = {
        point.name: frozenset(
            day
            for day, count in Counter(at // DAY_US for at in truth.series(point).times_us).items()
            if count == SAMPLES_OF_A_DAY
        )
        for point in truth.points(SITE)
    }
    first_day = max(sorted(set().union(*whole.values())), key=lambda day: len(_having(whole, day)))
    days = range(first_day, first_day + WEEK_DAYS)
    others = tuple(
        (point, day) for point, found in sorted(whole.items()) for day in sorted(found.difference(days))
    )
    return Week(points=_having(whole, first_day), first_day=first_day, other_days=others)


def _having(whole: Mapping[str, frozenset[int]], first_day: int) -> tuple[str, ...]:
    days = range(first_day, first_day + WEEK_DAYS)
    return tuple(point for point, found in sorted(whole.items()) if found.issuperset(days))
