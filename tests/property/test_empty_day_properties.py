"""Empty days: read once more after a day, then settled; a silence of everything needs a second reading."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeseries.limits import DOUBT_MAX_AGE_MS, DOUBT_MS, EMPTY_REREAD_MS, HOUR_MS
from edgeseries.planning.empty_days import (
    NO_EMPTY_DAYS,
    EmptyDays,
    Reading,
    after_doubt,
    after_reading,
    due_days,
    first_due_ms,
    readings_of,
    readings_text,
    silent_days,
    unsettled_days,
)

T = 1_700_000_000_000
H24 = EMPTY_REREAD_MS


def once(days: int, read_ms: int = T) -> EmptyDays:
    return EmptyDays(days=days, unsettled=(Reading(days=days, read_ms=read_ms),))


@pytest.mark.parametrize(
    ("before", "read", "found_empty", "now_ms", "after"),
    [
        pytest.param(NO_EMPTY_DAYS, 0b111, 0b010, T, once(0b010), id="found empty for the first time"),
        pytest.param(once(0b1), 0b1, 0b1, T + H24 - 1, once(0b1), id="read again too soon: nothing changes"),
        pytest.param(once(0b1), 0b1, 0b1, T + H24, EmptyDays(days=0b1), id="read again in time: settled"),
        pytest.param(once(0b1), 0b1, 0, T + H24, NO_EMPTY_DAYS, id="there are samples after all"),
        pytest.param(EmptyDays(days=0b1), 0b1, 0b1, T, EmptyDays(days=0b1), id="settled days stay settled"),
        pytest.param(EmptyDays(days=0b1), 0b1, 0, T, NO_EMPTY_DAYS, id="settled, and refreshed with samples"),
        pytest.param(
            once(0b11),
            0b01,
            0b01,
            T + H24,
            EmptyDays(days=0b11, unsettled=(Reading(days=0b10, read_ms=T),)),
            id="only what is read again settles",
        ),
        pytest.param(
            once(0b01),
            0b10,
            0b10,
            T + HOUR_MS,
            EmptyDays(
                days=0b11,
                unsettled=(Reading(days=0b01, read_ms=T), Reading(days=0b10, read_ms=T + HOUR_MS)),
            ),
            id="each day has its own time",
        ),
    ],
)
def test_what_a_reading_changes(
    before: EmptyDays, read: int, found_empty: int, now_ms: int, after: EmptyDays
) -> None:
    assert after_reading(before, read=read, found_empty=found_empty, now_ms=now_ms) == after


DAYS = range(5)
readings = st.lists(
    st.tuples(
        st.integers(0, 2 * H24), st.dictionaries(st.sampled_from(DAYS), st.booleans(), min_size=1, max_size=5)
    ),
    max_size=12,
)


def bits(days: Iterator[int]) -> int:
    return sum(1 << day for day in days)


@given(readings)
def test_an_empty_day_is_due_until_it_was_found_empty_twice_a_day_apart(
    history: list[tuple[int, dict[int, bool]]],
) -> None:
    state, now_ms = NO_EMPTY_DAYS, T
    first_ms: dict[int, int] = {}
    settled: set[int] = set()
    for wait_ms, found in history:
        now_ms += wait_ms
        read = bits(iter(found))
        empty = bits(day for day, is_empty in found.items() if is_empty)
        state = after_reading(state, read=read, found_empty=empty, now_ms=now_ms)
        for day, is_empty in found.items():
            if not is_empty:
                first_ms.pop(day, None)
                settled.discard(day)
            elif day not in settled and now_ms - first_ms.setdefault(day, now_ms) >= H24:
                settled.add(day)
        for day in DAYS:
            assert (state.days >> day & 1) == (day in first_ms)
            assert (unsettled_days(state.unsettled) >> day & 1) == (day in first_ms and day not in settled)
        waiting = [first_ms[day] + H24 for day in first_ms if day not in settled]
        assert first_due_ms(state) == min(waiting, default=None)
        for later_ms in (0, H24 - 1, H24, 3 * H24):
            at_ms = now_ms + later_ms
            due = due_days(state, now_ms=at_ms)
            assert {day for day in DAYS if due >> day & 1} == {
                day for day in first_ms if day not in settled and at_ms - first_ms[day] >= H24
            }
        assert readings_of(readings_text(state.unsettled)) == state.unsettled


@pytest.mark.parametrize("text", ["1", "x@1", "1@y", "1@2@3", ";", "1@2;", "1@2,3@4"])
def test_a_text_that_nobody_wrote_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        readings_of(text)


@pytest.mark.parametrize(
    ("read", "busy", "density", "silent"),
    [
        pytest.param({"a": {1, 2}, "b": {1, 2}}, {}, {"a": 1_440.0}, {1, 2}, id="all points are silent"),
        pytest.param({"a": {1, 2}, "b": {1, 2}}, {"b": {2}}, {"a": 1_440.0}, {1}, id="one of them is heard"),
        pytest.param(
            {"a": {1, 2}, "b": {1, 2}}, {}, {"a": 3.0, "b": 3.0}, set(), id="sparse points may be silent"
        ),
        pytest.param({"a": {1, 2}}, {}, {}, set(), id="nothing was learned"),
        pytest.param(
            {"a": {1}, "b": {2}}, {}, {"a": 24.0}, {1}, id="a day of which only a sparse point was read"
        ),
        pytest.param({"a": {1, 2}}, {"a": {1, 2}}, {"a": 24.0}, set(), id="nothing is silent"),
    ],
)
def test_which_silence_is_doubtful(
    read: dict[str, set[int]], busy: dict[str, set[int]], density: dict[str, float], silent: set[int]
) -> None:
    found = silent_days(
        {point: frozenset(days) for point, days in read.items()},
        {point: frozenset(days) for point, days in busy.items()},
        density,
    )
    assert found == silent


@given(st.lists(st.tuples(st.integers(0, DOUBT_MAX_AGE_MS), st.integers(1, 31)), max_size=10))
def test_silence_is_believed_after_a_second_reading_that_is_one(history: list[tuple[int, int]]) -> None:
    waiting: tuple[Reading, ...] = ()
    first_ms: dict[int, int] = {}
    now_ms = T
    for wait_ms, silent in history:
        now_ms += wait_ms
        first_ms = {day: at_ms for day, at_ms in first_ms.items() if now_ms - at_ms < DOUBT_MAX_AGE_MS}
        doubt = after_doubt(waiting, silent=silent, now_ms=now_ms)
        waiting = doubt.waiting
        for day in DAYS:
            is_silent = bool(silent >> day & 1)
            believed = is_silent and day in first_ms and now_ms - first_ms[day] >= DOUBT_MS
            assert (doubt.believed >> day & 1) == believed
            if believed:
                del first_ms[day]
            elif is_silent:
                first_ms.setdefault(day, now_ms)
            assert (unsettled_days(waiting) >> day & 1) == (day in first_ms)
