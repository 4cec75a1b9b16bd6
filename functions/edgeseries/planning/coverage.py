"""What is stored of the days of a request, in few words: points that are stored alike are one group.

Values in, values out; it knows no store and no HTTP. Format: `docs/formats/coverage.md`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from edgeseries.limits import COVERAGE_MAX_RANGES
from edgeseries.series.days import days_touched, first_unsealed_day, runs
from edgeseries.series.timerange import TimeRange

_NO_DAYS: Final[frozenset[int]] = frozenset()

DayRange = tuple[int, int]
"""First and last day of a run of days, both held."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Days:
    """How many days, and which, as runs; `ranges` is None where there was no room for them."""

    count: int
    ranges: tuple[DayRange, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageGroup:
    """Points of which the same sealed days are stored, by name; `empty` those of them without a sample."""

    points: tuple[str, ...]
    stored: Days
    empty: Days
    missing: Days


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """Every point of the request once, the largest group first. `live` are the days that are not sealed
    yet, of all points; the first of them is `unsealed_day`, if the range reaches it.
    """

    groups: tuple[CoverageGroup, ...]
    live: DayRange | None
    unsealed_day: int

    @property
    def live_day_count(self) -> int:
        """Live days of one point."""
        return 0 if self.live is None else self.live[1] - self.live[0] + 1

    @property
    def complete(self) -> bool:
        """Whether the ranges of all groups are listed."""
        return all(group.stored.ranges is not None for group in self.groups)


def coverage_of(
    points: Sequence[str],
    span: TimeRange,
    *,
    covered: Mapping[str, frozenset[int]],
    empty: Mapping[str, frozenset[int]],
    now_ms: int,
    settle_lag_ms: int,
) -> Coverage:
    """The coverage of a request. `covered` and, of them, `empty` are days by point; what they leave out is
    not covered.

    No more than COVERAGE_MAX_RANGES runs of days are listed, the largest groups' first.
    """
    touched = days_touched(span)
    unsealed_day = first_unsealed_day(now_ms=now_ms, settle_lag_ms=settle_lag_ms)
    sealed = range(touched.start, min(touched.stop, max(unsealed_day, touched.start)))
    live = (max(touched.start, unsealed_day), touched.stop - 1) if unsealed_day < touched.stop else None
    alike: dict[tuple[frozenset[int], frozenset[int]], list[str]] = {}
    for point in points:
        alike.setdefault((covered.get(point, _NO_DAYS), empty.get(point, _NO_DAYS)), []).append(point)
    merged: dict[tuple[tuple[int, ...], tuple[int, ...]], list[str]] = {}
    for (held, silent), names in alike.items():
        merged.setdefault((_sealed_days(held, sealed), _sealed_days(silent, sealed)), []).extend(names)
    room = COVERAGE_MAX_RANGES
    groups = []
    for (days, silent_days), names in sorted(merged.items(), key=lambda one: (-len(one[1]), min(one[1]))):
        stored, unheard = (runs(days), runs(silent_days)) if room else ([], [])
        missing = _between(stored, sealed)
        count = len(stored) + len(unheard) + len(missing)
        listed = count <= room
        room = room - count if listed else 0
        groups.append(
            CoverageGroup(
                points=tuple(sorted(names)),
                stored=Days(count=len(days), ranges=tuple(stored) if listed else None),
                empty=Days(count=len(silent_days), ranges=tuple(unheard) if listed else None),
                missing=Days(count=len(sealed) - len(days), ranges=tuple(missing) if listed else None),
            )
        )
    return Coverage(groups=tuple(groups), live=live, unsealed_day=unsealed_day)


def _sealed_days(held: frozenset[int], sealed: range) -> tuple[int, ...]:
    """Ascending. What is held past the sealed days (the clock may have been set back) does not count."""
    days = tuple(sorted(held))
    if days and (days[0] < sealed.start or days[-1] >= sealed.stop):
        return tuple(day for day in days if day in sealed)
    return days


def _between(ranges: Sequence[DayRange], sealed: range) -> list[DayRange]:
    """The runs of sealed days that lie between (and around) runs of them."""
    edges = [sealed.start - 1, *(day for pair in ranges for day in pair), sealed.stop]
    pairs = zip(edges[::2], edges[1::2], strict=True)
    return [(before + 1, after - 1) for before, after in pairs if after - before > 1]
