"""Days and planning: what is asked of upstream plus what is stored is the request, no more, no less."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from edgeseries.limits import DAY_MS
from edgeseries.planning.capabilities import Capabilities
from edgeseries.planning.fetch_plan import (
    FetchPlan,
    Gap,
    covered_ms,
    exact_gaps,
    in_fitting_calls,
    plan_fetch,
    whole_day_gaps,
    with_probe,
)
from edgeseries.series.days import (
    by_month,
    day_of,
    days_in,
    days_touched,
    month_days,
    month_of,
    overlap_ms,
    runs,
)
from edgeseries.series.timerange import TimeRange, united

SOME_DAY = 19_700
CALLS = Capabilities(batch_points=50, call_samples=35_000)
days = st.integers(0, 47_000)
few_days = st.sets(st.integers(SOME_DAY - 3, SOME_DAY + 12))
points = st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=8, unique=True).map(sorted)
spans = st.builds(
    lambda start_ms, length_ms: TimeRange(start_ms=start_ms, end_ms=start_ms + length_ms),
    st.integers((SOME_DAY - 1) * DAY_MS, (SOME_DAY + 5) * DAY_MS),
    st.integers(1, 6 * DAY_MS),
)


@st.composite
def needs(draw: st.DrawFn) -> tuple[FetchPlan, list[str], dict[str, set[int]], int]:
    names = draw(points)
    covered = {name: draw(few_days) for name in names if draw(st.booleans())}
    now_ms = draw(st.integers((SOME_DAY - 2) * DAY_MS, (SOME_DAY + 20) * DAY_MS))
    lag_ms = draw(st.integers(0, 2 * DAY_MS))
    fetch_plan = plan_fetch(
        names, draw(spans), covered=covered, density_per_day={}, now_ms=now_ms, settle_lag_ms=lag_ms
    )
    return fetch_plan, names, covered, now_ms - lag_ms


@given(days)
def test_a_day_is_in_its_month(day: int) -> None:
    assert day in month_days(month_of(day))
    assert 28 <= len(month_days(month_of(day))) <= 31


@given(st.sets(days, max_size=60))
def test_bitmaps_and_runs_keep_every_day(some: set[int]) -> None:
    bitmaps = by_month(some)
    assert {day for month, bitmap in bitmaps.items() for day in days_in(month, bitmap)} == some
    assert {day for first, last in runs(some) for day in range(first, last + 1)} == some
    assert all(later[0] - earlier[1] > 1 for earlier, later in pairwise(runs(some)))


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=12))
def test_united_ranges_hold_the_same_instants_and_lie_apart(ranges: list[tuple[int, int]]) -> None:
    found = united(ranges)
    assert {at for start, end in found for at in range(start, end)} == {
        at for start, end in ranges for at in range(start, end)
    }
    assert all(later[0] > earlier[1] for earlier, later in pairwise(found))


@given(spans)
def test_days_touched_hold_the_range_and_nothing_else(span: TimeRange) -> None:
    touched = days_touched(span)
    assert sum(overlap_ms(span, day) for day in touched) == span.duration_ms
    assert all(overlap_ms(span, day) > 0 for day in touched)


@given(needs())
def test_missing_days_are_the_sealed_uncovered_days_of_the_range(
    drawn: tuple[FetchPlan, list[str], dict[str, set[int]], int],
) -> None:
    fetch_plan, names, covered, settled_ms = drawn
    for name in names:
        for day in days_touched(fetch_plan.span):
            sealed = (day + 1) * DAY_MS <= settled_ms
            lacking = sealed and day not in covered.get(name, set())
            assert (day in fetch_plan.missing_days.get(name, ())) == lacking
    assert fetch_plan.sealed == ((day_of(fetch_plan.span.end_ms - 1) + 1) * DAY_MS <= settled_ms)


@given(needs())
def test_exact_gaps_are_what_blocks_do_not_hold(
    drawn: tuple[FetchPlan, list[str], dict[str, set[int]], int],
) -> None:
    fetch_plan, names, covered, settled_ms = drawn
    gaps = exact_gaps(fetch_plan, names)
    for name in names:
        own = [gap.span for gap in gaps if name in gap.points]
        assert sum(gap.duration_ms for gap in own) == sum(
            overlap_ms(fetch_plan.span, day)
            for day in days_touched(fetch_plan.span)
            if (day + 1) * DAY_MS > settled_ms or day not in covered.get(name, set())
        )
        assert all(
            fetch_plan.span.start_ms <= gap.start_ms and gap.end_ms <= fetch_plan.span.end_ms for gap in own
        )
        ordered = sorted(own, key=lambda gap: gap.start_ms)
        assert all(a.end_ms < b.start_ms for a, b in pairwise(ordered))


@given(needs())
def test_whole_day_gaps_are_the_missing_days(
    drawn: tuple[FetchPlan, list[str], dict[str, set[int]], int],
) -> None:
    fetch_plan, names, _, _ = drawn
    fetched: dict[str, list[int]] = {}
    for gap in whole_day_gaps(fetch_plan):
        assert gap.span.start_ms % DAY_MS == gap.span.end_ms % DAY_MS == 0
        for name in gap.points:
            fetched.setdefault(name, []).extend(days_touched(gap.span))
    assert {name: tuple(sorted(got)) for name, got in fetched.items()} == dict(fetch_plan.missing_days)
    assert set(fetched) <= set(names)


@given(needs())
def test_what_is_missing_of_a_range_is_the_sum_of_its_missing_days(
    drawn: tuple[FetchPlan, list[str], dict[str, set[int]], int],
) -> None:
    fetch_plan, _, _, _ = drawn
    for days in fetch_plan.missing_days.values():
        assert covered_ms(fetch_plan.span, days) == sum(overlap_ms(fetch_plan.span, day) for day in days)


@given(needs(), st.sampled_from([{}, dict.fromkeys("abcd", 100.0), dict.fromkeys("abcdefgh", 100.0)]))
def test_a_probe_changes_the_order_of_gaps_and_not_what_is_fetched(
    drawn: tuple[FetchPlan, list[str], dict[str, set[int]], int], learned: dict[str, float]
) -> None:
    fetch_plan, _, _, _ = drawn
    # Many points of each gap, so that it might be too large.
    gaps = [replace(gap, points=gap.points * 40) for gap in whole_day_gaps(fetch_plan)]
    probed = with_probe(gaps, learned)
    assert point_days(probed) == point_days(gaps)
    if len(probed) > len(gaps):
        assert probed[0].span.duration_ms == DAY_MS
        assert any(point not in learned for point in probed[0].points)


def point_days(gaps: Sequence[Gap]) -> Counter[tuple[str, int]]:
    return Counter((point, day) for gap in gaps for point in gap.points for day in days_touched(gap.span))


@given(
    needs(),
    st.dictionaries(st.sampled_from("abcdefgh"), st.sampled_from([1.0, 1_440.0, 20_000.0, 90_000.0])),
)
def test_calls_that_fit_ask_for_the_same_and_are_no_larger_than_they_must(
    drawn: tuple[FetchPlan, list[str], dict[str, set[int]], int], learned: dict[str, float]
) -> None:
    fetch_plan, _, _, _ = drawn
    gaps = whole_day_gaps(fetch_plan)
    fitting = in_fitting_calls(gaps, learned, CALLS)
    assert point_days(fitting) == point_days(gaps)
    for gap in gaps:
        calls = [one for one in fitting if one.span == gap.span and set(one.points) <= set(gap.points)]
        days = gap.span.duration_ms / DAY_MS
        if sum(learned.get(point, 1_440.0) for point in gap.points) * days <= CALLS.call_samples:
            assert calls == [gap]


@given(st.integers(1, 130), st.integers(1, 60), st.sampled_from([None, 0.0, 24.0, 90_000.0]))
def test_no_call_names_more_points_than_the_upstream_takes(
    point_count: int, batch_points: int, density: float | None
) -> None:
    names = tuple(f"p{number:03d}" for number in range(point_count))
    learned = {} if density is None else dict.fromkeys(names, density)
    gap = Gap(points=names, span=TimeRange(start_ms=SOME_DAY * DAY_MS, end_ms=(SOME_DAY + 3) * DAY_MS))
    calls = in_fitting_calls([gap], learned, Capabilities(batch_points=batch_points, call_samples=35_000))
    assert max(len(one.points) for one in calls) <= batch_points
    assert [point for one in calls for point in one.points] == list(names)


def test_a_day_of_fifty_dense_points_is_two_calls_more_or_less_by_what_was_learned() -> None:
    names = tuple(f"p{number:02d}" for number in range(50))
    day = TimeRange(start_ms=SOME_DAY * DAY_MS, end_ms=(SOME_DAY + 1) * DAY_MS)
    month = TimeRange(start_ms=SOME_DAY * DAY_MS, end_ms=(SOME_DAY + 30) * DAY_MS)

    def sizes(span: TimeRange, density: float | None) -> list[int]:
        learned = {} if density is None else dict.fromkeys(names, density)
        return [len(gap.points) for gap in in_fitting_calls([Gap(points=names, span=span)], learned, CALLS)]

    assert sizes(day, None) == [17, 17, 16]
    assert sizes(day, 24.0) == [50]
    assert sizes(month, None) == [10] * 5
    assert sizes(month, 24.0) == [25, 25]
    assert sizes(month, 1e9) == [1] * 50
