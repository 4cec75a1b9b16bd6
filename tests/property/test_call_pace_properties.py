"""How many calls are under way at once: bounds that hold whatever an upstream answers, and what becomes of
upstreams with a bound of their own.
"""

import heapq
import random
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeseries.limits import (
    MINUTE_MS,
    SECOND_MS,
    UPSTREAM_CONCURRENCY,
    UPSTREAM_ISOLATE_CALLS,
    UPSTREAM_TURN_MS,
)
from edgeseries.origins.call_limits import (
    PACE_FIRST_PAUSE_MS,
    PACE_KINDS,
    PACE_LONGEST_HOLD_MS,
    PACE_LONGEST_PAUSE_MS,
    PACE_PAUSES,
)
from edgeseries.origins.call_pace import (
    CallReport,
    Pace,
    calls_at_once,
    held_ms,
    refused,
    rest_ms,
    served,
    timed_out,
)

CEILING = UPSTREAM_ISOLATE_CALLS
steps = st.lists(
    st.tuples(
        st.sampled_from(["served", "refused", "timed out"]),
        st.integers(0, 30_000),
        st.integers(0, 6_000_000),
        st.integers(1, CEILING),
        st.booleans(),
        st.sampled_from([0, 0, 1_000, 3_600_000]),
    ),
    max_size=80,
)


@settings(max_examples=30)
@given(steps, st.integers(1, CEILING))
def test_never_none_never_more_than_the_ceiling_and_never_held_for_long(
    drawn: list[tuple[str, int, int, int, bool, int]], ceiling: int
) -> None:
    pace, now_ms = Pace(), 0
    for what, took_ms, size, crowd, yields, asked_ms in drawn:
        now_ms += took_ms
        report = CallReport(began_ms=now_ms - took_ms, ended_ms=now_ms, size=size, crowd=crowd, yields=yields)
        before = calls_at_once(pace, ceiling, now_ms)
        if what == "served":
            pace = served(pace, report, ceiling=ceiling)
        elif what == "refused":
            pace = refused(pace, report, asked_ms=asked_ms)
            assert held_ms(pace, now_ms) >= min(asked_ms, PACE_LONGEST_HOLD_MS)
            assert 0 < held_ms(pace, now_ms) <= PACE_LONGEST_HOLD_MS
        else:
            pace = timed_out(pace, report)
        for also in (False, True):
            assert 1 <= calls_at_once(pace, ceiling, now_ms, yields=also) <= ceiling
        if what != "served":
            assert calls_at_once(pace, ceiling, now_ms) <= before
    # However it came here: an upstream that is well again gets all that it may.
    for _ in range(250):
        now_ms += MINUTE_MS
        crowd = calls_at_once(pace, ceiling, now_ms)
        report = CallReport(began_ms=now_ms - 100, ended_ms=now_ms, size=1_000, crowd=crowd)
        pace = served(pace, report, ceiling=ceiling)
    assert calls_at_once(pace, ceiling, now_ms) == ceiling


def test_pauses_double_up_to_a_bound_which_is_lower_where_somebody_waits() -> None:
    for yields, longest_ms in ((False, PACE_PAUSES * PACE_FIRST_PAUSE_MS), (True, PACE_LONGEST_PAUSE_MS)):
        pace, now_ms, pauses = Pace(), 0, []
        for _ in range(8):
            report = CallReport(began_ms=now_ms, ended_ms=now_ms, yields=yields)
            pace = refused(pace, report)
            pauses.append(held_ms(pace, now_ms))
            now_ms = pace.held_until_ms
        assert pauses == [min(PACE_FIRST_PAUSE_MS << place, longest_ms) for place in range(8)]
        report = CallReport(began_ms=now_ms, ended_ms=now_ms)
        assert held_ms(refused(served(pace, report, ceiling=4), report), now_ms) == PACE_FIRST_PAUSE_MS


def test_calls_that_are_refused_together_cut_once() -> None:
    pace = Pace(limit=8)
    for _ in range(5):
        pace = refused(pace, CallReport(began_ms=1_000, ended_ms=1_010, crowd=8))
    assert calls_at_once(pace, CEILING, 1_010) == 5


@dataclass
class Isolate:
    """One isolate's calls in a simulation: `workers` call again after `rest_ms` each, drawn."""

    yields: bool
    workers: int
    rest_ms: int
    pace: Pace = field(default_factory=Pace)
    taken: int = 0
    resting: int = 0
    refusals: int = 0
    waits_ms: list[int] = field(default_factory=list)


def simulate(
    isolates: list[Isolate], *, room: int, took_ms: Callable[[int], float], until_ms: int = MINUTE_MS
) -> None:
    """An upstream that takes `room` calls at once and refuses others; `took_ms` by calls under way."""
    draws = random.Random(1)  # noqa: S311 - a simulation
    events: list[tuple[int, int, str, int, int, int, int]] = []
    under_way = order = 0

    def at(moment_ms: float, what: str, place: int, *call: int) -> None:
        nonlocal order
        order += 1
        since_ms, began_ms, crowd = call or (-1, 0, 0)
        heapq.heappush(events, (int(moment_ms), order, what, place, since_ms, began_ms, crowd))

    for place, isolate in enumerate(isolates):
        for _ in range(isolate.workers):
            at(draws.randrange(100), "wants", place)
    while events and events[0][0] < until_ms:
        now_ms, _, what, place, since_ms, began_ms, crowd = heapq.heappop(events)
        isolate = isolates[place]
        if what == "wants":
            since_ms = now_ms if since_ms < 0 else since_ms
            may = calls_at_once(isolate.pace, CEILING, now_ms, yields=isolate.yields)
            if isolate.taken >= may or held_ms(isolate.pace, now_ms):
                at(now_ms + UPSTREAM_TURN_MS, "wants", place, since_ms, 0, 0)
                continue
            isolate.taken += 1
            crowd = isolate.taken - isolate.resting
            if under_way >= room:
                at(now_ms + 10, "refused", place, since_ms, now_ms, crowd)
            else:
                under_way += 1
                later_ms = took_ms(under_way) * draws.uniform(1, 1.3)
                at(now_ms + later_ms, "served", place, since_ms, now_ms, crowd)
            continue
        report = CallReport(
            began_ms=began_ms, ended_ms=now_ms, size=50_000, crowd=crowd, yields=isolate.yields
        )
        if what == "rested":
            isolate.taken, isolate.resting = isolate.taken - 1, isolate.resting - 1
        elif what == "refused":
            isolate.taken, isolate.refusals = isolate.taken - 1, isolate.refusals + 1
            isolate.pace = refused(isolate.pace, report)
            at(now_ms + UPSTREAM_TURN_MS, "wants", place, since_ms, 0, 0)
        else:
            under_way -= 1
            isolate.pace = served(isolate.pace, report, ceiling=CEILING)
            isolate.resting += 1
            at(now_ms + rest_ms(isolate.pace, report), "rested", place)
            isolate.waits_ms.append(now_ms - since_ms)
            at(now_ms + UPSTREAM_TURN_MS + draws.expovariate(1) * isolate.rest_ms, "wants", place)


def job() -> Isolate:
    return Isolate(yields=True, workers=6, rest_ms=0)


def dashboard() -> Isolate:
    return Isolate(yields=False, workers=2, rest_ms=1_500)


@pytest.mark.parametrize("room", [1, 2, 4])
def test_a_job_alone_uses_most_of_what_an_upstream_takes_and_is_seldom_refused(room: int) -> None:
    alone = job()
    simulate([alone], room=room, took_ms=lambda _: 300)
    possible = room * MINUTE_MS / (300 * 1.15 + UPSTREAM_TURN_MS)
    assert len(alone.waits_ms) > 0.7 * possible
    assert alone.refusals < 0.15 * len(alone.waits_ms)


@pytest.mark.parametrize("room", [1, 2, 4])
def test_an_isolate_that_somebody_waits_for_gets_in_beside_a_job_of_another_isolate(room: int) -> None:
    both = [job(), dashboard()]
    simulate(both, room=room, took_ms=lambda _: 300)
    waits_ms = sorted(both[1].waits_ms)
    assert len(waits_ms) > 30
    assert waits_ms[len(waits_ms) // 2] < SECOND_MS
    assert waits_ms[-1] < 10 * SECOND_MS
    assert len(both[0].waits_ms) > 0.2 * room * MINUTE_MS / 400, "the job goes on"


def test_an_upstream_that_refuses_nothing_is_given_all_that_a_job_has() -> None:
    alone = job()
    simulate([alone], room=100, took_ms=lambda _: 300)
    assert not alone.refusals
    assert len(alone.waits_ms) > 0.9 * 6 * MINUTE_MS / (300 * 1.15 + UPSTREAM_TURN_MS)


def test_an_upstream_that_works_on_one_call_at_a_time_gets_few_at_once() -> None:
    alone = Isolate(yields=True, workers=12, rest_ms=0)
    simulate([alone], room=100, took_ms=lambda under_way: 100 * under_way)
    assert calls_at_once(alone.pace, CEILING, MINUTE_MS) <= 4
    assert len(alone.waits_ms) > 0.8 * MINUTE_MS / 115, "and loses little by it"


@settings(max_examples=8)
@given(st.integers(0, 999))
def test_calls_that_differ_by_what_is_asked_and_not_by_how_many_there_are_leave_a_request_its_calls(
    seed: int,
) -> None:
    draws = random.Random(seed)  # noqa: S311 - a simulation
    pace, now_ms = Pace(), 0
    for _ in range(400):
        took_ms, crowd = draws.choice([5, 50, 500, 5_000]), draws.randint(1, CEILING)
        now_ms += took_ms
        report = CallReport(
            began_ms=now_ms - took_ms, ended_ms=now_ms, kind="GET timeseries", size=900, crowd=crowd
        )
        pace = served(pace, report, ceiling=CEILING)
        assert calls_at_once(pace, CEILING, now_ms) >= UPSTREAM_CONCURRENCY
        assert len(pace.usual_ms) <= PACE_KINDS + 1


def test_another_kind_of_call_is_no_slower_one() -> None:
    pace, now_ms = Pace(), 0
    for turn in range(400):
        kind, took_ms = ("GET sites", 10) if turn % 4 == 0 else ("POST get_timeseries", 800)
        crowd = 1 + turn % calls_at_once(pace, CEILING, now_ms)
        now_ms += took_ms
        report = CallReport(began_ms=now_ms - took_ms, ended_ms=now_ms, kind=kind, size=900, crowd=crowd)
        pace = served(pace, report, ceiling=CEILING)
    assert calls_at_once(pace, CEILING, now_ms) == CEILING
