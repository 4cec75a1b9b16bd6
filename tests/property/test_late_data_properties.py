"""Late data: differences are exact, losses need two readings, every day has its turn, floods end."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from edgeseries.limits import DOUBT_MAX_AGE_MS, DOUBT_MS, MINUTE_MS
from edgeseries.planning.late_data import (
    Difference,
    DoubtedDay,
    Verdict,
    difference,
    doubts_after,
    due_doubts,
    verdict_of,
)
from edgeseries.planning.lateness import (
    ADVICE_STEP_MS,
    LATENESS_BOUNDS_MS,
    added,
    advised_lag_ms,
    lateness_of,
    most_ms,
)
from edgeseries.planning.recheck_walk import (
    CYCLE_STEP_DAYS,
    GROUP_POINTS,
    READING_SAMPLES,
    RECENT_DAYS,
    SEEN_MAX,
    WAITING_MAX,
    WALK_MIN_MS,
    HeldPoint,
    RecheckState,
    Walk,
    Where,
    chosen_day,
    cycle_of,
    days_of,
    fitting,
    flood_after,
    next_walk,
    points_on,
    state_of,
    state_text,
)
from edgeseries.series.samples import Samples, in_order
from edgeseries.series.values import Value

NOW_MS = 1_700_000_000_000
VALUES: st.SearchStrategy[Value] = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False), st.booleans(), st.none(), st.sampled_from(["on", "1"])
)
READINGS = st.dictionaries(st.integers(0, 30), VALUES, max_size=20)


def samples_of(reading: dict[int, Value]) -> Samples:
    return in_order(sorted(reading), [reading[at_ms] for at_ms in sorted(reading)])


def same(one: Value, other: Value) -> bool:
    return type(one) is type(other) and repr(one) == repr(other)


@given(READINGS, READINGS)
def test_a_difference_counts_what_was_added_changed_and_removed(
    before: dict[int, Value], now: dict[int, Value]
) -> None:
    """Against the plain definition, instant by instant."""
    found = difference(samples_of(before), samples_of(now))
    changed = {at_ms for at_ms in before.keys() & now.keys() if not same(before[at_ms], now[at_ms])}
    assert found.added == len(now.keys() - before.keys())
    assert found.removed == len(before.keys() - now.keys())
    assert found.changed == len(changed)
    assert found.first_ms == min({*changed, *(before.keys() ^ now.keys())}, default=None)


def test_a_number_that_became_a_truth_value_is_a_change() -> None:
    found = difference(samples_of({1: 1.0, 2: 0.0}), samples_of({1: True, 2: -0.0}))
    assert (found.changed, found.added, found.removed) == (2, 0, 0)


@given(
    st.builds(Difference, added=st.integers(0, 3), changed=st.integers(0, 3), removed=st.integers(0, 3)),
    st.one_of(st.none(), st.integers(0, 2 * DOUBT_MS)),
)
def test_what_takes_samples_away_is_believed_of_two_readings_apart(
    found: Difference, waited_ms: int | None
) -> None:
    doubt_read_ms = None if waited_ms is None else NOW_MS - waited_ms
    verdict = verdict_of(found, doubt_read_ms=doubt_read_ms, now_ms=NOW_MS)
    if found.removed and (waited_ms is None or waited_ms < DOUBT_MS):
        assert verdict is Verdict.DOUBTED
    else:
        assert verdict is (Verdict.CORRECTED if found.count else Verdict.SAME)


DOUBTS = st.builds(
    DoubtedDay,
    read_ms=st.integers(NOW_MS - 2 * DOUBT_MAX_AGE_MS, NOW_MS),
    site=st.sampled_from("st"),
    day=st.integers(0, 2),
    point=st.sampled_from("pqr"),
)


@given(
    st.lists(DOUBTS, max_size=12, unique_by=lambda one: (one.site, one.day, one.point)),
    st.dictionaries(st.sampled_from("pqr"), st.sampled_from(Verdict)),
)
def test_a_doubt_ages_until_it_is_settled(doubts: list[DoubtedDay], verdicts: dict[str, Verdict]) -> None:
    after = doubts_after(doubts, site="s", day=1, verdicts=verdicts, now_ms=NOW_MS)
    living = {one for one in doubts if NOW_MS - one.read_ms < DOUBT_MAX_AGE_MS}
    here = {one.point: one for one in living if (one.site, one.day) == ("s", 1)}
    assert {one for one in after if (one.site, one.day) != ("s", 1)} == living - set(here.values())
    for point in "pqr":
        now = [one for one in after if (one.site, one.day, one.point) == ("s", 1, point)]
        if verdicts.get(point) is Verdict.DOUBTED:
            assert [one.read_ms for one in now] == [here[point].read_ms if point in here else NOW_MS]
        elif point in verdicts:
            assert now == []
        else:
            assert now == [one for one in here.values() if one.point == point]


@given(st.lists(DOUBTS, max_size=12), st.integers(1, 3))
def test_due_doubts_are_of_one_day_and_old_enough(doubts: list[DoubtedDay], at_most: int) -> None:
    due = due_doubts(doubts, now_ms=NOW_MS, at_most=at_most)
    assert len(due) <= at_most
    assert len({(one.site, one.day) for one in due}) <= 1
    assert all(NOW_MS - one.read_ms >= DOUBT_MS for one in due)
    assert bool(due) == any(NOW_MS - one.read_ms >= DOUBT_MS for one in doubts)


@given(st.sets(st.integers(20_000, 20_400), min_size=1), st.integers(0, 2**32), st.integers(0, 999))
def test_as_many_walks_as_a_cycle_read_every_day(days: set[int], offset: int, first: int) -> None:
    ordered = sorted(days)
    cycle = cycle_of(ordered, recent_only=False)
    read = {chosen_day(ordered, walk=first + walk, offset=offset, cycle=cycle) for walk in range(cycle)}
    assert read == days
    assert cycle < len(range(ordered[0], ordered[-1] + 1)) + CYCLE_STEP_DAYS


@given(
    st.lists(st.integers(0, 2), min_size=RECENT_DAYS, max_size=RECENT_DAYS),
    st.sets(st.integers(80, 120)),
    st.integers(0, 2**32),
)
def test_recent_days_have_their_turn_while_days_go_by(passed: list[int], held: set[int], offset: int) -> None:
    """The window moves on between walks, by so many days; whatever stays in it all the while is read."""
    now_day, read, always = 100, set(), set(held)
    for walk, days_passed in enumerate(passed):
        now_day += days_passed if sum(passed[: walk + 1]) < RECENT_DAYS else 0
        days = days_of(
            [HeldPoint(point="p", days=frozenset(held))], sealed_before_day=now_day, recent_only=True
        )
        always &= set(days)
        if days:
            cycle = cycle_of(days, recent_only=True)
            read.add(chosen_day(days, walk=walk, offset=offset, cycle=cycle))
    assert always <= read


HELD = st.builds(
    HeldPoint,
    point=st.text("abc", min_size=1, max_size=3),
    days=st.frozensets(st.integers(90, 120), max_size=8),
    density_per_day=st.sampled_from([0.0, 288.0, 1_440.0, 50_000.0]),
)
GROUPS = st.lists(HELD, min_size=1, max_size=40, unique_by=lambda one: one.point).map(
    lambda some: sorted(some, key=lambda one: one.point)
)


@given(GROUPS, st.sampled_from(Where))
def test_a_reading_is_bounded_and_takes_those_nearest_to_its_place(
    points: list[HeldPoint], where: Where
) -> None:
    group = list(fitting(points, where=where))
    assert 1 <= len(group) <= GROUP_POINTS
    assert group == (points[-len(group) :] if where is Where.BEFORE else points[: len(group)])
    assert len(group) == 1 or sum(one.density_per_day for one in group) <= READING_SAMPLES


@given(GROUPS)
def test_only_sealed_days_that_are_held_are_read(points: list[HeldPoint]) -> None:
    for recent_only in (True, False):
        days = days_of(points, sealed_before_day=115, recent_only=recent_only)
        assert all(day < 115 and points_on(points, day) for day in days)
        assert not recent_only or all(day >= 115 - RECENT_DAYS for day in days)


def test_a_walk_waits_until_the_one_before_it_is_old_enough() -> None:
    walk = Walk(number=3, begun_ms=NOW_MS, site="s", point="p")
    assert next_walk(walk, now_ms=NOW_MS + WALK_MIN_MS - 1) is None
    assert next_walk(walk, now_ms=NOW_MS + WALK_MIN_MS) == Walk(number=4, begun_ms=NOW_MS + WALK_MIN_MS)
    assert next_walk(walk, now_ms=NOW_MS - 1) is not None, "a clock that was set back holds nothing up"


def flood(
    corrected: set[tuple[int, int]], *, groups: int, start: tuple[int, int]
) -> tuple[set[tuple[int, int]], int]:
    """A flood over numbered groups of one point each; the cells that it read, and in how many readings."""
    state = flood_after(
        RecheckState(seed=1),
        site="s",
        group=[HeldPoint(point=f"{start[0]:03}", days=frozenset())],
        day=start[1],
        corrected=["p"] if start in corrected else [],
    )
    read, readings = {start}, 1
    while state.waiting:
        cell, state = state.waiting[0], replace(state, waiting=state.waiting[1:])
        group = int(cell.point) + {Where.AT: 0, Where.AFTER: 1, Where.BEFORE: -1}[cell.where]
        point = HeldPoint(point=f"{group:03}", days=frozenset())
        if not 0 <= group < groups or state_of(state_text(state), seed=0).has_seen(
            "s", point.point, cell.day
        ):
            state = flood_after(state, site="s", group=[point], day=cell.day, corrected=[])
            continue
        readings += 1
        read.add((group, cell.day))
        hit = (group, cell.day) in corrected
        state = flood_after(state, site="s", group=[point], day=cell.day, corrected=["p"] if hit else [])
        assert len(state.waiting) <= WAITING_MAX
        assert len(state.seen) <= SEEN_MAX
    assert state.seen == ()
    return read, readings


@given(st.integers(0, 3), st.integers(0, 3), st.integers(1, 4), st.integers(1, 4))
def test_a_flood_reads_all_of_what_hangs_together_and_little_else(
    group: int, day: int, groups: int, days: int
) -> None:
    corrected = {(at, when) for at in range(group, group + groups) for when in range(day, day + days)}
    read, readings = flood(corrected, groups=8, start=(group, day))
    assert corrected <= read
    assert readings <= len(corrected) + 2 * (groups + days)


def test_a_flood_that_finds_no_end_is_given_up() -> None:
    corrected = {(at, when) for at in range(100) for when in range(100)}
    _, readings = flood(corrected, groups=100, start=(50, 50))
    assert readings <= SEEN_MAX + WAITING_MAX


@given(st.lists(DOUBTS, max_size=3), st.integers(0, 2**40), st.text(max_size=5))
def test_what_is_remembered_is_read_back(doubts: list[DoubtedDay], seed: int, point: str) -> None:
    state = RecheckState(seed=seed, whole=Walk(number=7, begun_ms=NOW_MS, site="s", point=point))
    state = flood_after(
        replace(state, doubts=tuple(doubts)),
        site="s",
        group=[HeldPoint(point=point, days=frozenset())],
        day=5,
        corrected=[point],
    )
    assert state_of(state_text(state), seed=0) == state
    assert state_of("", seed=seed) == RecheckState(seed=seed)
    assert state_of('{"version":0}', seed=seed) == RecheckState(seed=seed)


LATE = st.lists(st.integers(1, 30 * 24 * 60 * MINUTE_MS), max_size=200)


@given(LATE, LATE)
def test_lateness_adds_up_and_advice_covers_the_highest(one: list[int], other: list[int]) -> None:
    both = added(lateness_of(one), lateness_of(other))
    assert both == lateness_of(one + other)
    advice = advised_lag_ms(both)
    if not both.count:
        assert advice is None
        assert most_ms(both) is None
    else:
        assert advice is not None
        assert both.highest_ms <= advice < both.highest_ms + ADVICE_STEP_MS


@given(LATE.filter(bool))
def test_most_of_the_observations_are_no_later_than_it_says(late_ms: list[int]) -> None:
    """Within a bucket: never more than the highest, and never so low that a hundredth more is above it."""
    found = most_ms(lateness_of(late_ms))
    assert found is not None
    assert found <= max(late_ms)
    assert sum(one <= found for one in late_ms) * 100 >= 99 * len(late_ms)
    assert found in {*LATENESS_BOUNDS_MS, max(late_ms)}
