"""Counts of what is stored: real where the index can know; what it can only guess refuses nothing."""

from array import array
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeseries.errors import TooLarge
from edgeseries.limits import DAY_MS, HOUR_MS, INLINE_MAX_SAMPLES, MINUTE_MS
from edgeseries.planning.coverage import coverage_of
from edgeseries.planning.fetch_plan import FetchPlan, plan_fetch
from edgeseries.planning.routing import Route, RouteSizes, choose_route
from edgeseries.planning.stored import estimate_stored, stored_points
from edgeseries.series.days import by_month, days_touched, month_days
from edgeseries.series.timerange import TimeRange, parse_instant


@dataclass(frozen=True, kw_only=True)
class Row:
    """A row of the index."""

    month: str
    days: int
    sample_count: int
    empty_days: int = 0
    unsettled: str = ""
    purged_days: int = 0

    @property
    def object_days(self) -> int:
        return self.days | self.purged_days


def rows_of(times_ms: list[int], days: set[int]) -> list[Row]:
    """What the index has of a point with these samples, of which these days are stored."""
    busy = {at_ms // DAY_MS for at_ms in times_ms}
    return [
        Row(
            month=month,
            days=bitmap,
            empty_days=by_month(days - busy).get(month, 0),
            sample_count=sum(at_ms // DAY_MS in month_days(month) for at_ms in times_ms),
        )
        for month, bitmap in by_month(days).items()
    ]


FIRST = 19_750
stored_days = st.sets(st.integers(FIRST, FIRST + 70), min_size=1, max_size=40)
spans = st.builds(
    lambda start_ms, length_ms: TimeRange(start_ms=start_ms, end_ms=start_ms + length_ms),
    st.integers(FIRST - 2, FIRST + 72).map(lambda day: day * DAY_MS)
    | st.integers(FIRST * DAY_MS, (FIRST + 71) * DAY_MS),
    st.integers(1, 80).map(lambda days: days * DAY_MS) | st.integers(1, 80 * DAY_MS),
)


@given(stored_days, st.data(), spans)
def test_the_real_count_lies_between_the_least_and_the_most(
    days: set[int], data: st.DataObject, span: TimeRange
) -> None:
    times_ms = sorted(
        data.draw(
            st.sets(
                st.tuples(st.sampled_from(sorted(days)), st.integers(0, DAY_MS - 1)).map(
                    lambda pair: pair[0] * DAY_MS + pair[1]
                ),
                max_size=30,
            )
        )
    )
    known = stored_points({"a": rows_of(times_ms, days)}, span, now_ms=0)
    real = sum(span.start_ms <= at_ms < span.end_ms for at_ms in times_ms)
    if "a" not in known:
        assert real == 0
        return
    estimate = estimate_stored(known["a"].count, span)
    assert estimate.least <= real <= estimate.most
    assert estimate.least <= estimate.likely <= estimate.most
    months = by_month(days_touched(span))
    if all(set(month_days(month)) <= set(days_touched(span)) for month in months) and not (
        span.start_ms % DAY_MS or span.end_ms % DAY_MS
    ):
        assert estimate.least == real == estimate.likely == estimate.most, (
            "whole months are counted, not guessed"
        )


def year_of(dense_month: int) -> tuple[list[int], Sequence[int]]:
    """A whole year: one-minute data, but for one month with a sample every two seconds."""
    times_ms = array("q")
    for day in range(FIRST_OF_2023, FIRST_OF_2023 + 365):
        step_ms = 2_000 if month_number(day) == dense_month else MINUTE_MS
        times_ms.extend(range(day * DAY_MS, (day + 1) * DAY_MS, step_ms))
    return list(range(FIRST_OF_2023, FIRST_OF_2023 + 365)), times_ms


FIRST_OF_2023 = parse_instant("2023-01-01T00:00:00Z") // DAY_MS


def month_number(day: int) -> int:
    return 1 + next(place for place in range(12) if day in month_days(f"2023-{place + 1:02d}"))


def planned(rows: dict[str, list[Row]], span: TimeRange, density: float) -> FetchPlan:
    stored = stored_points(rows, span, now_ms=NOW_MS)
    return plan_fetch(
        sorted(rows),
        span,
        covered={point: one.days.usable for point, one in stored.items()},
        density_per_day=dict.fromkeys(rows, density),
        now_ms=NOW_MS,
        settle_lag_ms=HOUR_MS,
        stored=stored,
    )


NOW_MS = parse_instant("2026-11-25T00:00:00Z")


def test_a_week_of_a_stored_year_is_counted_not_guessed() -> None:
    """The case of the review: 413 "about 444,935 samples", really 9,752."""
    days, times_ms = year_of(dense_month=2)
    rows = {
        "a": [
            Row(
                month=month,
                days=bitmap,
                sample_count=bisect_left(times_ms, month_days(month).stop * DAY_MS)
                - bisect_left(times_ms, month_days(month).start * DAY_MS),
            )
            for month, bitmap in by_month(days).items()
        ]
    }
    week = TimeRange(
        start_ms=parse_instant("2023-06-05T00:00:00Z"), end_ms=parse_instant("2023-06-12T00:00:00Z")
    )
    fetch_plan = planned(rows, week, density=444_935 / 7)
    assert (fetch_plan.missing_samples, fetch_plan.answer_samples, fetch_plan.least_samples) == (
        0,
        7 * 1_440,
        0,
    )
    for forced in (None, Route.CACHED, Route.DIRECT):
        assert choose_route(fetch_plan, blocks=1, forced=forced, sizes=RouteSizes()) is not Route.QUEUED
    year = TimeRange(start_ms=FIRST_OF_2023 * DAY_MS, end_ms=(FIRST_OF_2023 + 365) * DAY_MS)
    whole = planned(rows, year, density=1.0)
    assert whole.answer_samples == whole.least_samples == len(times_ms)
    assert choose_route(whole, blocks=12, forced=None, sizes=RouteSizes()) is Route.DIRECT
    twice = replace(whole, least_samples=2 * len(times_ms))
    assert choose_route(twice, blocks=12, forced=None, sizes=RouteSizes()) is Route.QUEUED
    with pytest.raises(TooLarge, match=f"at least {2 * len(times_ms)} samples"):
        choose_route(twice, blocks=12, forced=Route.CACHED, sizes=RouteSizes())


def test_a_refresh_of_what_is_stored_is_estimated_by_what_is_stored() -> None:
    rows = {"a": [Row(month="2023-06", days=(1 << 30) - 1, sample_count=30 * 24)]}
    june = TimeRange(
        start_ms=parse_instant("2023-06-01T00:00:00Z"), end_ms=parse_instant("2023-07-01T00:00:00Z")
    )
    stored = stored_points(rows, june, now_ms=NOW_MS)
    fetch_plan = plan_fetch(
        ["a"],
        june,
        covered={},
        density_per_day={"a": 86_400.0},
        now_ms=NOW_MS,
        settle_lag_ms=HOUR_MS,
        stored=stored,
    )
    assert (fetch_plan.missing_samples, fetch_plan.least_samples) == (720, 0)
    assert len(fetch_plan.missing_days["a"]) == 30


counts = st.integers(0, 3 * INLINE_MAX_SAMPLES)


@given(
    st.lists(counts, min_size=1, max_size=3),
    st.floats(1, 1e6),
    st.sampled_from([Route.CACHED, Route.DIRECT]),
    spans,
)
def test_what_is_stored_is_refused_by_a_real_count_only(
    totals: list[int], density: float, forced: Route, span: TimeRange
) -> None:
    months = list(by_month(range(FIRST - 60, FIRST + 200)).items())
    rows = {
        f"p{place}": [
            Row(month=month, days=(1 << len(month_days(month))) - 1, sample_count=total)
            for month, _ in months
        ]
        for place, total in enumerate(totals)
    }
    fetch_plan = planned(rows, span, density)
    assert fetch_plan.missing_samples == 0
    whole = [
        month
        for month, _ in months
        if span.start_ms <= month_days(month).start * DAY_MS
        and month_days(month).stop * DAY_MS <= span.end_ms
    ]
    certain = sum(totals) * len(whole)
    assert fetch_plan.least_samples == certain
    if certain > INLINE_MAX_SAMPLES:
        with pytest.raises(TooLarge, match=f"at least {certain}"):
            choose_route(fetch_plan, blocks=1, forced=forced, sizes=RouteSizes())
    else:
        assert choose_route(fetch_plan, blocks=1, forced=forced, sizes=RouteSizes()) is forced


def test_days_that_were_read_once_are_missing_again_after_a_day_and_are_stored_again() -> None:
    read_ms = parse_instant("2023-07-01T00:00:00Z")
    june = Row(
        month="2023-06",
        days=(1 << 30) - 1,
        sample_count=29 * 24,
        empty_days=0b1000,
        unsettled=f"{0b1000}@{read_ms}",
    )
    span = TimeRange(
        start_ms=parse_instant("2023-06-03T00:00:00Z"), end_ms=parse_instant("2023-06-05T00:00:00Z")
    )
    empty_day = parse_instant("2023-06-04T00:00:00Z") // DAY_MS
    for later_ms, missing in ((DAY_MS - 1, {}), (DAY_MS, {"a": (empty_day,)})):
        stored = stored_points({"a": [june]}, span, now_ms=read_ms + later_ms)
        assert stored["a"].days.empty == {empty_day}
        fetch_plan = plan_fetch(
            ["a"],
            span,
            covered={"a": stored["a"].days.usable},
            density_per_day={},
            now_ms=read_ms + later_ms,
            settle_lag_ms=0,
            stored=stored,
        )
        assert dict(fetch_plan.missing_days) == missing
        assert fetch_plan.rereads == bool(missing)
        assert fetch_plan.missing_samples == 0, "it was empty, and is likely to be"
        chosen = choose_route(fetch_plan, blocks=1, forced=None, sizes=RouteSizes())
        assert chosen is (Route.CACHED if missing else Route.DIRECT)


def test_what_a_purge_left_of_a_month_is_a_guess() -> None:
    june = TimeRange(
        start_ms=parse_instant("2023-06-01T00:00:00Z"), end_ms=parse_instant("2023-07-01T00:00:00Z")
    )
    left = Row(month="2023-06", days=0b111, purged_days=0b111000, sample_count=6_000)
    estimate = estimate_stored(stored_points({"a": [left]}, june, now_ms=0)["a"].count, june)
    assert (estimate.least, estimate.likely, estimate.most) == (0, 3_000, 6_000)


def test_coverage_tells_empty_days_apart() -> None:
    span = TimeRange(start_ms=FIRST * DAY_MS, end_ms=(FIRST + 4) * DAY_MS)
    days = frozenset({FIRST, FIRST + 1, FIRST + 2})
    found = coverage_of(
        ["a", "b", "c"],
        span,
        covered={"a": days, "b": days, "c": days},
        empty={"b": frozenset({FIRST + 1}), "c": frozenset({FIRST + 1, FIRST + 90})},
        now_ms=NOW_MS,
        settle_lag_ms=0,
    )
    assert [(group.points, group.stored.ranges, group.empty.ranges) for group in found.groups] == [
        (("b", "c"), ((FIRST, FIRST + 2),), ((FIRST + 1, FIRST + 1),)),
        (("a",), ((FIRST, FIRST + 2),), ()),
    ]
