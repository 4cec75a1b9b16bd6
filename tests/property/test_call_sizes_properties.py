"""How much is asked in one call: always a size that the vendor allows, less at once after trouble, more where
that pays, and the best size of upstreams that differ.
"""

from collections.abc import Callable
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from edgeseries.limits import MINUTE_MS, SECOND_MS, UPSTREAM_MAX_BODY_BYTES
from edgeseries.origins.call_limits import SIZE_LONGEST_BAR_MS
from edgeseries.origins.call_sizes import CallMeasure, CallSize, SizeOutcome, SizeSteps, after_call, started
from edgeseries.origins.learned_sizes import LearnedSizes, Served

STEPS = SizeSteps(steps=(5, 10, 20, 50, 100, 200), start=50, fault_floor=10, scales=False)
ROWS = SizeSteps(steps=(500, 1_000, 5_000, 10_000, 50_000), start=10_000, fault_floor=1_000)
measures = st.builds(
    CallMeasure,
    asked=st.sampled_from([1, 7, *STEPS.steps]),
    outcome=st.sampled_from(SizeOutcome),
    rows=st.integers(0, 50_000),
    size=st.integers(0, UPSTREAM_MAX_BODY_BYTES),
    max_size=st.just(UPSTREAM_MAX_BODY_BYTES),
    took_ms=st.integers(0, 30_000),
)


@settings(max_examples=40)
@given(st.lists(st.tuples(measures, st.integers(0, 5 * MINUTE_MS)), max_size=60))
def test_a_size_is_always_an_allowed_one_and_trouble_never_makes_it_larger(
    drawn: list[tuple[CallMeasure, int]],
) -> None:
    state, now_ms = started(STEPS), 0
    for measure, later_ms in drawn:
        now_ms += later_ms
        before, state = state, after_call(state, STEPS, measure, now_ms)
        assert state.size in STEPS.steps
        assert STEPS.below(before.size) <= state.size <= STEPS.above(before.size) or state.size < before.size
        if measure.outcome is not SizeOutcome.SERVED:
            assert state.size <= before.size
        if measure.outcome is SizeOutcome.FAULT and before.size >= STEPS.fault_floor:
            assert state.size >= STEPS.fault_floor
        if measure.outcome is SizeOutcome.TOO_LARGE and measure.asked == before.size:
            assert state.size < before.size or before.size == STEPS.steps[0]
    # Whatever happened: served well for a while, it is back where it began, and beyond.
    for _ in range(40):
        now_ms += SIZE_LONGEST_BAR_MS
        well = CallMeasure(asked=state.size, rows=state.size, size=1_000, max_size=10**6, took_ms=100)
        state = after_call(state, STEPS, well, now_ms)
    assert state.size == STEPS.steps[-1]


def test_what_failed_is_left_alone_for_longer_each_time() -> None:
    state, now_ms, tries_ms = started(STEPS), 0, []
    well = CallMeasure(asked=20, rows=20, size=1_000, max_size=10**6, took_ms=100)
    while now_ms < 60 * MINUTE_MS:
        if state.size == 50:
            tries_ms.append(now_ms)
            failed = CallMeasure(asked=50, outcome=SizeOutcome.TOO_LARGE)
            state = after_call(state, STEPS, failed, now_ms)
            late = after_call(state, STEPS, failed, now_ms)
            assert late == state, "another call of that size, under way meanwhile, says nothing new"
        else:
            state = after_call(state, STEPS, well, now_ms)
        now_ms += SECOND_MS
    pauses_s = [(later - earlier) // SECOND_MS for earlier, later in pairwise(tries_ms)]
    assert pauses_s == [61, 121, 241, 481, 961, 961]


def settled(
    steps: SizeSteps, took_ms: Callable[[int], float], *, row_bytes: int, bound: int = 10**9
) -> tuple[int, int]:
    """The size that most of 200 full calls of rows ended with, and how many failed. `took_ms` by rows; more
    than `bound` rows are answered by 500.
    """
    state, now_ms, failed, sizes = started(steps), 0, 0, list[int]()
    for _ in range(200):
        asked, taken_ms = state.size, took_ms(state.size)
        now_ms += int(min(taken_ms, 30_000))
        outcome = SizeOutcome.SERVED
        if asked > bound:
            outcome = SizeOutcome.FAULT
        elif asked * row_bytes > UPSTREAM_MAX_BODY_BYTES:
            outcome = SizeOutcome.TOO_LARGE
        elif taken_ms > 30_000:
            outcome = SizeOutcome.TIMED_OUT
        failed += outcome is not SizeOutcome.SERVED
        measure = CallMeasure(
            asked=asked,
            outcome=outcome,
            rows=asked,
            size=asked * row_bytes,
            max_size=UPSTREAM_MAX_BODY_BYTES,
            took_ms=int(taken_ms),
        )
        state = after_call(state, steps, measure, now_ms)
        sizes.append(state.size)
    return max(set(sizes), key=sizes.count), failed


def test_a_vendor_that_is_slow_by_call_is_asked_for_the_largest_pages() -> None:
    assert settled(ROWS, lambda rows: 1_500 + rows / 100, row_bytes=80) == (50_000, 0)


def test_a_vendor_that_is_slow_by_row_is_asked_for_pages_that_end_in_time() -> None:
    assert settled(ROWS, lambda rows: 100 + 4 * rows, row_bytes=80) == (1_000, 1)


def test_a_vendor_that_takes_ever_longer_by_row_stays_where_a_row_is_cheapest() -> None:
    size, failed = settled(ROWS, lambda rows: 50 + rows / 10 + (rows / 10_000) ** 2 * 100, row_bytes=40)
    assert (size, failed) == (10_000, 0), size


def test_pages_that_would_be_too_large_are_never_tried() -> None:
    assert settled(ROWS, lambda rows: 100 + rows / 1_000, row_bytes=130) == (10_000, 0)


def test_a_vendor_with_a_bound_of_its_own_is_seldom_asked_for_more() -> None:
    size, failed = settled(ROWS, lambda rows: 1_000 + rows / 10, row_bytes=40, bound=10_000)
    assert size == 10_000
    assert failed <= 5


def test_an_upstream_that_is_down_makes_calls_no_smaller_than_the_floor_and_recovers() -> None:
    sizes = LearnedSizes(points=STEPS, samples=ROWS)
    for second in range(100):
        sizes.learn(
            sizes.asking(points=sizes.batch_points),
            Served(outcome=SizeOutcome.FAULT, given_ms=30_000),
            second * SECOND_MS,
        )
    assert sizes.batch_points == 10
    assert sizes.capabilities.call_samples == 10_000, "5xx say nothing of how many samples are too many"
    for minute in range(2, 60):
        served = Served(rows=100, size=10_000, max_size=6_000_000, took_ms=200, given_ms=30_000)
        sizes.learn(sizes.asking(points=sizes.batch_points), served, minute * MINUTE_MS)
    assert sizes.batch_points == 200


def test_a_call_that_had_little_time_says_nothing() -> None:
    sizes = LearnedSizes(points=STEPS, samples=ROWS)
    for given_ms, points in ((3_000, 50), (20_000, 20)):
        timed_out = Served(outcome=SizeOutcome.TIMED_OUT, given_ms=given_ms)
        sizes.learn(sizes.asking(points=50), timed_out, 0)
        assert sizes.batch_points == points
    assert sizes.capabilities.call_samples == 5_000


def test_small_calls_neither_grow_nor_shrink_a_size() -> None:
    state: CallSize = started(STEPS)
    for outcome in SizeOutcome:
        for _ in range(10):
            measure = CallMeasure(asked=10, outcome=outcome, rows=10, size=100, max_size=10**6)
            assert after_call(state, STEPS, measure, 0) == state
