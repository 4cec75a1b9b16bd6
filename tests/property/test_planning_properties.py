"""Days and planning: what is asked of upstream plus what is stored is the request, no more, no less."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from edgeseries.core.days import by_month, day_of, days_in, days_touched, month_days, month_of, runs
from edgeseries.core.limits import DAY_MS
from edgeseries.core.planning import (
    Gap,
    Need,
    covered_ms,
    exact_gaps,
    need_of,
    overlap_ms,
    whole_day_gaps,
    with_probe,
)
from edgeseries.core.timerange import TimeRange

SOME_DAY = 19_700
days = st.integers(0, 47_000)
few_days = st.sets(st.integers(SOME_DAY - 3, SOME_DAY + 12))
points = st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=8, unique=True).map(sorted)
spans = st.builds(
    lambda start_ms, length_ms: TimeRange(start_ms=start_ms, end_ms=start_ms + length_ms),
    st.integers((SOME_DAY - 1) * DAY_MS, (SOME_DAY + 5) * DAY_MS),
    st.integers(1, 6 * DAY_MS),
)


@st.composite
def needs(draw: st.DrawFn) -> tuple[Need, list[str], dict[str, set[int]], int]:
    names = draw(points)
    covered = {name: draw(few_days) for name in names if draw(st.booleans())}
    now_ms = draw(st.integers((SOME_DAY - 2) * DAY_MS, (SOME_DAY + 20) * DAY_MS))
    lag_ms = draw(st.integers(0, 2 * DAY_MS))
    need = need_of(
        names, draw(spans), covered=covered, density_per_day={}, now_ms=now_ms, settle_lag_ms=lag_ms
    )
    return need, names, covered, now_ms - lag_ms


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


@given(spans)
def test_days_touched_hold_the_range_and_nothing_else(span: TimeRange) -> None:
    touched = days_touched(span)
    assert sum(overlap_ms(span, day) for day in touched) == span.duration_ms
    assert all(overlap_ms(span, day) > 0 for day in touched)


@given(needs())
def test_missing_days_are_the_sealed_uncovered_days_of_the_range(
    drawn: tuple[Need, list[str], dict[str, set[int]], int],
) -> None:
    need, names, covered, settled_ms = drawn
    for name in names:
        for day in days_touched(need.span):
            sealed = (day + 1) * DAY_MS <= settled_ms
            lacking = sealed and day not in covered.get(name, set())
            assert (day in need.missing_days.get(name, ())) == lacking
    assert need.sealed == ((day_of(need.span.end_ms - 1) + 1) * DAY_MS <= settled_ms)


@given(needs())
def test_exact_gaps_are_what_blocks_do_not_hold(
    drawn: tuple[Need, list[str], dict[str, set[int]], int],
) -> None:
    need, names, covered, settled_ms = drawn
    gaps = exact_gaps(need, names)
    for name in names:
        own = [gap.span for gap in gaps if name in gap.points]
        assert sum(gap.duration_ms for gap in own) == sum(
            overlap_ms(need.span, day)
            for day in days_touched(need.span)
            if (day + 1) * DAY_MS > settled_ms or day not in covered.get(name, set())
        )
        assert all(need.span.start_ms <= gap.start_ms and gap.end_ms <= need.span.end_ms for gap in own)
        ordered = sorted(own, key=lambda gap: gap.start_ms)
        assert all(a.end_ms < b.start_ms for a, b in pairwise(ordered))


@given(needs())
def test_whole_day_gaps_are_the_missing_days(
    drawn: tuple[Need, list[str], dict[str, set[int]], int],
) -> None:
    need, names, _, _ = drawn
    fetched: dict[str, list[int]] = {}
    for gap in whole_day_gaps(need):
        assert gap.span.start_ms % DAY_MS == gap.span.end_ms % DAY_MS == 0
        for name in gap.points:
            fetched.setdefault(name, []).extend(days_touched(gap.span))
    assert {name: tuple(sorted(got)) for name, got in fetched.items()} == dict(need.missing_days)
    assert set(fetched) <= set(names)


@given(needs())
def test_what_is_missing_of_a_range_is_the_sum_of_its_missing_days(
    drawn: tuple[Need, list[str], dict[str, set[int]], int],
) -> None:
    need, _, _, _ = drawn
    for days in need.missing_days.values():
        assert covered_ms(need.span, days) == sum(overlap_ms(need.span, day) for day in days)


@given(needs(), st.sampled_from([{}, dict.fromkeys("abcd", 100.0), dict.fromkeys("abcdefgh", 100.0)]))
def test_a_probe_changes_the_order_of_gaps_and_not_what_is_fetched(
    drawn: tuple[Need, list[str], dict[str, set[int]], int], learned: dict[str, float]
) -> None:
    need, _, _, _ = drawn
    # Many points of each gap, so that it might be too large.
    gaps = [replace(gap, points=gap.points * 40) for gap in whole_day_gaps(need)]
    probed = with_probe(gaps, learned)
    assert point_days(probed) == point_days(gaps)
    if len(probed) > len(gaps):
        assert probed[0].span.duration_ms == DAY_MS
        assert any(point not in learned for point in probed[0].points)


def point_days(gaps: Sequence[Gap]) -> Counter[tuple[str, int]]:
    return Counter((point, day) for gap in gaps for point in gap.points for day in days_touched(gap.span))
