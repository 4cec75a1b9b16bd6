"""Which questions come again: tables of weeks, in days of the week."""

from datetime import date

import pytest

from edgeseries.limits import DAY_MS, HOUR_MS
from edgeseries.planning.capabilities import Capabilities
from edgeseries.series.timerange import TimeRange
from edgeseries.warming.asks import Asked, PointSet, Window, window_of
from edgeseries.warming.patterns import Pattern, hours_ahead, sealed, wishes_of
from edgeseries.warming.planning import Need, Piece, WarmBudget, fitting, pieces_of

MONDAY = (date(2026, 11, 30) - date(1970, 1, 1)).days
WEEK = Window(first_back=7, last_back=1)


def pattern(*before: int, hour: int = 7, window: Window = WEEK, **changes: int) -> Pattern:
    """Asked so many days before the Monday."""
    counts = {"asks": 10, "origin_ms": 1_000, **changes}
    return Pattern(
        digest="d",
        site="hq",
        point_count=2,
        window=window,
        hour=hour,
        days=frozenset(MONDAY - one for one in before),
        **counts,
    )


@pytest.mark.parametrize(
    ("before", "comes"),
    [
        ((7, 14), True),
        ((7, 21), True),
        ((14, 21), True),
        ((7,), False),
        ((21,), False),
        ((3, 4, 5), True),
        ((3, 4), False),
        ((1, 2, 8), False),
        ((3, 4, 5, 17), False),
        ((), False),
    ],
    ids=[
        "two Mondays",
        "a Monday was a holiday",
        "the last one was",
        "once",
        "long ago",
        "new: Wednesday to Friday",
        "new: twice",
        "new: on weekends",
        "not new: no Monday among them",
        "never",
    ],
)
def test_a_question_comes_again_on_a_monday(before: tuple[int, ...], *, comes: bool) -> None:
    assert pattern(*before).comes_on(MONDAY) is comes


def test_monday_morning_wishes_for_the_weekend_before_its_hour() -> None:
    asked = pattern(7, 14, 21)
    midnight_ms = MONDAY * DAY_MS
    assert wishes_of([asked], now_ms=midnight_ms + 4 * HOUR_MS) == ()
    (wish,) = wishes_of([asked], now_ms=midnight_ms + 5 * HOUR_MS)
    assert wish.days == tuple(range(MONDAY - 7, MONDAY))
    assert wish.weight == 10 * 1_000 // 3
    assert wishes_of([asked], now_ms=midnight_ms + 7 * HOUR_MS + 1) == (wish,)
    assert wishes_of([asked], now_ms=midnight_ms + 8 * HOUR_MS) == ()


def test_an_hour_after_midnight_is_prepared_the_evening_before_but_for_the_day_that_is_not_over() -> None:
    asked = pattern(7, 14, hour=0)
    (wish,) = wishes_of([asked], now_ms=MONDAY * DAY_MS - HOUR_MS)
    assert wish.days == tuple(range(MONDAY - 7, MONDAY - 1))


def test_windows_of_one_set_are_one_wish() -> None:
    day = Window(first_back=1, last_back=1)
    several = [pattern(7, 14), pattern(7, 14, window=day, asks=40)]
    (wish,) = wishes_of(several, now_ms=MONDAY * DAY_MS + 6 * HOUR_MS)
    assert wish.days == tuple(range(MONDAY - 7, MONDAY))
    assert wish.weight == 5 * 1_000 + 20 * 1_000


def test_a_warmed_question_keeps_some_weight() -> None:
    assert pattern(7, 14, origin_ms=0).weight == 10 * 500 // 2


def test_hours_ahead_are_the_one_under_way_and_the_lead() -> None:
    assert hours_ahead(100 * HOUR_MS) == range(100, 103)
    assert hours_ahead(100 * HOUR_MS + 59 * 60_000) == range(100, 103)


def test_only_sealed_days_are_fetched_ahead() -> None:
    now_ms = MONDAY * DAY_MS + HOUR_MS // 2
    assert sealed((MONDAY - 2, MONDAY - 1), now_ms=now_ms, settle_lag_ms=HOUR_MS) == (MONDAY - 2,)
    assert sealed((MONDAY - 2, MONDAY - 1), now_ms=now_ms + HOUR_MS, settle_lag_ms=HOUR_MS) == (
        MONDAY - 2,
        MONDAY - 1,
    )


@pytest.mark.parametrize(
    ("start_h", "end_h", "window"),
    [
        (-24, 0, Window(first_back=1, last_back=1)),
        (-24 * 7, 7, Window(first_back=7, last_back=1)),
        (-48, -24, Window(first_back=2, last_back=2)),
        (0, 7, None),
        (24, 48, None),
        (-24 * 401, 0, Window(first_back=15, last_back=1)),
        (-24 * 372, -24 * 365, Window(first_back=372, last_back=366)),
        (-24 * 500, -24 * 401, None),
        (-24, 240, Window(first_back=1, last_back=1)),
    ],
    ids=[
        "yesterday",
        "a week until now",
        "the day before",
        "today",
        "tomorrow",
        "long",
        "a year ago",
        "history",
        "future",
    ],
)
def test_the_window_of_a_range(start_h: int, end_h: int, window: Window | None) -> None:
    today_ms = MONDAY * DAY_MS
    span = TimeRange(start_ms=today_ms + start_h * HOUR_MS, end_ms=today_ms + end_h * HOUR_MS)
    assert window_of(span, now_ms=today_ms + 7 * HOUR_MS) == window


def test_a_sliding_window_stays_one_question_all_day() -> None:
    spans = [
        TimeRange(start_ms=at_ms - 6 * DAY_MS, end_ms=at_ms)
        for at_ms in range(MONDAY * DAY_MS + 1, (MONDAY + 1) * DAY_MS, HOUR_MS)
    ]
    assert {window_of(span, now_ms=span.end_ms) for span in spans} == {Window(first_back=6, last_back=1)}


def test_a_month_until_now_is_the_same_question_on_mondays() -> None:
    """Monday 23 and 30 November, and 7 December: the last of them begins in another month."""
    asked = [(MONDAY - 7, 22), (MONDAY, 29)]
    windows = [
        window_of(
            TimeRange(start_ms=(day - back) * DAY_MS, end_ms=day * DAY_MS + HOUR_MS),
            now_ms=day * DAY_MS + HOUR_MS,
        )
        for day, back in asked
    ]
    (window,) = set(windows)
    assert window == Window(first_back=15, last_back=1)
    found = Pattern(
        digest="d",
        site="hq",
        point_count=2,
        window=window,
        hour=7,
        days=frozenset(day for day, _ in asked),
        asks=2,
        origin_ms=0,
    )
    assert found.comes_on(MONDAY + 7)


def test_a_set_is_named_by_site_and_points() -> None:
    one = PointSet(site="hq", points=("a", "b"))
    assert one.digest != PointSet(site="lab", points=("a", "b")).digest
    assert one.digest != PointSet(site="hq", points=("a,b",)).digest
    assert one.points_json == '["a","b"]'
    assert one.countable
    assert not PointSet(site="hq", points=tuple(f"p{number}" for number in range(1_001))).countable
    assert not PointSet(site="hq", points=tuple(f"{number:0100}" for number in range(900))).countable


def test_counts_of_an_hour_add_up() -> None:
    one = Asked(
        digest="d",
        hour=3,
        window=WEEK,
        asks=1,
        point_days=14,
        missing_point_days=6,
        origin_ms=900,
        asked_ms=5,
    )
    other = Asked(
        digest="d", hour=3, window=WEEK, asks=2, point_days=28, missing_point_days=0, origin_ms=0, asked_ms=9
    )
    assert one + other == Asked(
        digest="d",
        hour=3,
        window=WEEK,
        asks=3,
        point_days=42,
        missing_point_days=6,
        origin_ms=900,
        asked_ms=9,
    )


def need(missing: dict[str, tuple[int, ...]]) -> Need:
    return Need(
        site="hq",
        missing_days=missing,
        density_per_day={"a": 100.0, "b": 10.5},
        capabilities=Capabilities(batch_points=2, call_samples=300),
    )


def test_points_that_lack_the_same_days_are_one_piece_the_newest_days_first() -> None:
    pieces = pieces_of(need({"a": (1, 2, 9), "b": (1, 2, 9), "c": (2,)}), 1_440)
    assert pieces == (
        Piece(site="hq", points=("a", "b"), first_day=9, last_day=9, samples=111, calls=1),
        Piece(site="hq", points=("a", "b"), first_day=1, last_day=2, samples=221, calls=1),
        Piece(site="hq", points=("c",), first_day=2, last_day=2, samples=1_440, calls=5),
    )


def test_a_piece_that_is_too_large_keeps_no_smaller_one_out() -> None:
    pieces = pieces_of(need({"a": (9,), "b": (9,), "c": (9, 10)}), 1_440)
    assert [one.points for one in fitting(pieces, WarmBudget(samples=1_000, calls=9))] == [("a", "b")]
    assert fitting(pieces, WarmBudget(samples=0, calls=9)) == ()
    assert WarmBudget(samples=5, calls=0).spent
