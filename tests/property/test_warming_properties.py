"""Laws of warming: never above the budget, nothing twice, what stops is forgotten, the same every time."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from edgeseries.limits import DAY_MS, HOUR_MS
from edgeseries.planning.capabilities import Capabilities
from edgeseries.warming.asks import Window
from edgeseries.warming.limits import KEEP_DAYS, LEAD_MS
from edgeseries.warming.patterns import Pattern, days_alike, same_weekdays, weekday_of, wishes_of
from edgeseries.warming.planning import Need, TakenDays, WarmBudget, fitting, pieces_of

TODAY = 20_000
CALLS = Capabilities(batch_points=3, call_samples=500)
DENSE = 1_440

windows = st.tuples(st.integers(1, 40), st.integers(1, 40)).map(
    lambda two: Window(first_back=max(two), last_back=min(two))
)
patterns = st.builds(
    Pattern,
    digest=st.sampled_from("abc"),
    site=st.just("hq"),
    point_count=st.just(2),
    window=windows,
    hour=st.integers(0, 23),
    days=st.frozensets(st.integers(TODAY - KEEP_DAYS, TODAY - 1), max_size=KEEP_DAYS),
    asks=st.integers(1, 1_000),
    origin_ms=st.integers(0, 60_000),
)
moments = st.integers(TODAY * DAY_MS, (TODAY + 1) * DAY_MS - 1)
point_days = st.dictionaries(
    st.sampled_from(["p", "q", "r", "s"]),
    st.sets(st.integers(TODAY - 9, TODAY - 1), min_size=1).map(lambda days: tuple(sorted(days))),
)
needs = st.builds(
    Need,
    site=st.sampled_from(["hq", "lab"]),
    missing_days=point_days,
    density_per_day=st.dictionaries(st.sampled_from(["p", "q"]), st.floats(0, 3_000)),
    capabilities=st.just(CALLS),
)
budgets = st.builds(WarmBudget, samples=st.integers(0, 20_000), calls=st.integers(0, 20))


@given(needs, budgets)
def test_never_above_the_budget(need: Need, budget: WarmBudget) -> None:
    chosen = fitting(pieces_of(need, DENSE), budget)
    assert sum(one.samples for one in chosen) <= budget.samples
    assert sum(one.calls for one in chosen) <= budget.calls


@given(needs)
def test_pieces_are_what_is_missing_each_day_once(need: Need) -> None:
    found = Counter(
        (point, day)
        for piece in pieces_of(need, DENSE)
        for point in piece.points
        for day in range(piece.first_day, piece.last_day + 1)
    )
    assert found == Counter((point, day) for point, days in need.missing_days.items() for day in days)
    assert sum(one.point_days for one in pieces_of(need, DENSE)) == found.total()


@given(st.lists(needs, max_size=4))
def test_nothing_is_taken_twice(several: list[Need]) -> None:
    taken = TakenDays()
    seen: set[tuple[str, str, int]] = set()
    for need in several:
        left = taken.without(need.site, need.missing_days)
        these = {(need.site, point, day) for point, days in left.items() for day in days}
        assert not these & seen
        seen |= these
        for piece in pieces_of(
            Need(
                site=need.site,
                missing_days=left,
                density_per_day=need.density_per_day,
                capabilities=CALLS,
            ),
            DENSE,
        ):
            taken.add(piece.site, piece.points, piece.first_day, piece.last_day)
    wanted = {
        (one.site, point, day) for one in several for point, days in one.missing_days.items() for day in days
    }
    assert seen == wanted


@given(st.lists(patterns, max_size=6), moments)
def test_only_days_that_are_over_for_hours_that_come(several: list[Pattern], now_ms: int) -> None:
    for wish in wishes_of(several, now_ms=now_ms):
        assert wish.days == tuple(sorted(set(wish.days)))
        assert wish.days[-1] < now_ms // DAY_MS
        soon = {hour % 24 for hour in range(now_ms // HOUR_MS, (now_ms + LEAD_MS) // HOUR_MS + 1)}
        assert any(one.digest == wish.digest and one.hour in soon for one in several)


@given(st.lists(patterns, max_size=6), moments, st.randoms())
def test_the_order_of_what_was_counted_changes_nothing(
    several: list[Pattern], now_ms: int, random: object
) -> None:
    mixed = list(several)
    random.shuffle(mixed)  # type: ignore[attr-defined]
    wishes = wishes_of(several, now_ms=now_ms)
    assert wishes == wishes_of(mixed, now_ms=now_ms)
    assert [one.weight for one in wishes] == sorted((one.weight for one in wishes), reverse=True)
    assert len({one.digest for one in wishes}) == len(wishes)


@given(patterns, st.integers(0, 60))
def test_what_stops_is_forgotten_within_two_same_weekdays(pattern: Pattern, later: int) -> None:
    """After two same days of the week and a week of its kind of days without it, nobody fetches for it."""
    day = TODAY + 15 + later
    assert not pattern.comes_on(day)


@given(st.integers(0, 40_000))
def test_days_that_are_like_a_day(day: int) -> None:
    assert all(weekday_of(one) == weekday_of(day) and one < day for one in same_weekdays(day))
    alike = days_alike(day)
    assert len(alike) == 5
    assert all((weekday_of(one) < 5) == (weekday_of(day) < 5) and one < day for one in alike)
    assert list(alike) == sorted(alike, reverse=True)
