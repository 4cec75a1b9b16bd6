"""A day that has just been sealed, made from what is known of it: only its end is read from upstream again.

What recent samples hold up to where it had settled was read when it was final. A day that begins in there
needs no more than the rest, and can be stored like one that was fetched whole. Of a day that begins earlier
the part that is known serves who wants no more of it; nothing is stored of it, and who wants more fetches it
whole.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from edgeseries.planning.fetch_plan import FetchPlan, Gap, gaps_of_ranges
from edgeseries.planning.live_edge import RecentSamples
from edgeseries.series.days import day_of, day_span
from edgeseries.series.samples import Samples, joined, within
from edgeseries.series.timerange import TimeRange


@dataclass(frozen=True, slots=True, kw_only=True)
class PartialDay:
    """The settled part of a sealed day of a point, and where reading on begins (`rest` is None if all
    of the day is there up to its end). `whole` if it is there from its beginning: then it can be stored.
    """

    point: str
    day: int
    samples: Samples
    rest: TimeRange | None
    whole: bool = True


def partial_days_of(fetch_plan: FetchPlan, recents: Mapping[str, RecentSamples]) -> tuple[PartialDay, ...]:
    """The missing days that recent samples reach into, as far as the range of the plan needs no more of
    them than what is known and what comes after it.
    """
    return tuple(
        partial_day
        for point, recent in recents.items()
        for day in _reached(fetch_plan.missing_days.get(point, ()), recent)
        if (partial_day := _partial_day(point, recent, day, fetch_plan.span)) is not None
    )


def served_days_of(fetch_plan: FetchPlan, recents: Mapping[str, RecentSamples]) -> tuple[PartialDay, ...]:
    """Those of them that cannot be stored, and of which the range needs nothing that is not known."""
    return tuple(
        one
        for one in partial_days_of(fetch_plan, recents)
        if not one.whole and (one.rest is None or fetch_plan.span.end_ms <= one.rest.start_ms)
    )


def without_partial_days(fetch_plan: FetchPlan, partial_days: Sequence[PartialDay]) -> FetchPlan:
    """The plan without the days that partial days take care of."""
    if not partial_days:
        return fetch_plan
    in_part: dict[str, set[int]] = {}
    for partial_day in partial_days:
        in_part.setdefault(partial_day.point, set()).add(partial_day.day)
    left = {
        point: tuple(day for day in days if day not in in_part[point]) if point in in_part else days
        for point, days in fetch_plan.missing_days.items()
    }
    return replace(fetch_plan, missing_days={point: days for point, days in left.items() if days})


def partial_day_gaps(
    partial_days: Sequence[PartialDay], span: TimeRange, *, whole_days: bool
) -> tuple[Gap, ...]:
    """What is still to be read of the days: inside a range, or to the end of those that can be stored."""
    wanted: dict[tuple[int, int], list[str]] = {}
    for partial_day in partial_days:
        if partial_day.rest is None:
            continue
        start_ms, end_ms = partial_day.rest.start_ms, partial_day.rest.end_ms
        if not (whole_days and partial_day.whole):
            start_ms, end_ms = max(start_ms, span.start_ms), min(end_ms, span.end_ms)
        if start_ms < end_ms:
            wanted.setdefault((start_ms, end_ms), []).append(partial_day.point)
    return gaps_of_ranges(wanted)


def whole_day(partial_day: PartialDay, read: Sequence[Samples]) -> Samples:
    """All samples of the day: what had settled, and what was read of the rest."""
    return within(joined([partial_day.samples, *read]), day_span(partial_day.day, partial_day.day))


def _reached(days: tuple[int, ...], recent: RecentSamples) -> tuple[int, ...]:
    return days[
        bisect_left(days, day_of(recent.from_ms)) : bisect_left(days, day_of(recent.settled_until_ms) + 1)
    ]


def _partial_day(point: str, recent: RecentSamples, day: int, wanted: TimeRange) -> PartialDay | None:
    """Only where the last sample lies past what has settled: the others catch up in order (`live_edge.py`),
    and reading them whole brings little again.
    """
    span = day_span(day, day)
    start_ms = max(recent.from_ms, span.start_ms)
    settled_ms = min(recent.settled_until_ms, span.end_ms)
    whole = start_ms == span.start_ms
    if not (start_ms < settled_ms <= recent.next_ms) or (not whole and wanted.start_ms < start_ms):
        return None
    return PartialDay(
        point=point,
        day=day,
        samples=within(recent.samples, TimeRange(start_ms=start_ms, end_ms=settled_ms)),
        rest=TimeRange(start_ms=settled_ms, end_ms=span.end_ms) if settled_ms < span.end_ms else None,
        whole=whole,
    )
