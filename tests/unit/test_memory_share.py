"""A request's share of the isolate's memory: waited for a while, given back however the request ends."""

import asyncio
import contextlib
import gc
import weakref
from collections.abc import Awaitable, Callable

import pytest

from edgeseries.errors import AnswerTooLarge, DeadlineExceeded, MemoryBusy
from edgeseries.limits import BUDGET_LINGER_MS, BUDGET_WAIT_MS
from edgeseries.memory_limits import BUDGET_SMALL_BYTES, FETCHED_SAMPLE_BYTES
from edgeseries.planning.sample_budget import SampleBudget
from router.memory_share import held_body, room_of, take_share
from router.ports import Ports
from tests.fakes import FakeClock, FakeTimer
from tests.made_ports import router_ports

MAX = 100


def ports_with(budget: SampleBudget, clock: FakeClock, timer: FakeTimer | None = None) -> Ports:
    return router_ports(sample_budget=budget, clock=clock, timer=timer or FakeTimer(clock))


def made() -> tuple[SampleBudget, FakeClock]:
    return SampleBudget(max_bytes=MAX, small_bytes=0), FakeClock(at_ms=1_000_000)


def meanwhile(times: int, what: Callable[[], None]) -> Callable[[], Awaitable[None]]:
    """Does something at the so manieth wait."""
    left = [times]

    async def step() -> None:
        await asyncio.sleep(0)
        left[0] -= 1
        if not left[0]:
            what()

    return step


def test_a_share_is_had_as_soon_as_another_request_gives_its_own_back() -> None:
    budget, clock = made()

    async def whole() -> None:
        first = await take_share(60, ports_with(budget, clock), deadline_ms=clock.at_ms + 30_000)
        timer = FakeTimer(clock, meanwhile=meanwhile(3, first.give_back))
        second = await take_share(60, ports_with(budget, clock, timer), deadline_ms=clock.at_ms + 30_000)
        assert len(timer.waits) == 3
        assert budget.held_bytes == 60
        second.give_back()

    asyncio.run(whole())
    assert (budget.held_bytes, len(budget._waiting)) == (0, 0)


@pytest.mark.parametrize(("left_ms", "waited_ms"), [(30_000, BUDGET_WAIT_MS), (500, 500)])
def test_nobody_waits_longer_than_a_while_or_past_the_deadline(left_ms: int, waited_ms: int) -> None:
    budget, clock = made()
    began_ms = clock.at_ms

    async def whole() -> None:
        holder = await take_share(MAX, ports_with(budget, clock), deadline_ms=clock.at_ms + 60_000)
        with pytest.raises(MemoryBusy) as told:
            await take_share(1, ports_with(budget, clock), deadline_ms=clock.at_ms + left_ms)
        assert told.value.retry_after_s
        assert clock.at_ms - began_ms <= waited_ms
        assert len(budget._waiting) == 0, "who gave up stands in nobody's way"
        holder.give_back()

    asyncio.run(whole())


def test_a_handler_that_fails_while_it_waits_leaves_no_place_behind() -> None:
    budget, clock = made()

    def fail() -> None:
        raise DeadlineExceeded("the platform ended the wait")

    async def whole() -> None:
        holder = await take_share(MAX, ports_with(budget, clock), deadline_ms=clock.at_ms + 60_000)
        timer = FakeTimer(clock, meanwhile=meanwhile(2, fail))
        with pytest.raises(DeadlineExceeded):
            await take_share(1, ports_with(budget, clock, timer), deadline_ms=clock.at_ms + 60_000)
        assert len(budget._waiting) == 0
        holder.give_back()

    asyncio.run(whole())


def test_a_share_stays_until_the_last_of_its_holders_is_done() -> None:
    budget, clock = made()

    async def whole() -> None:
        share = await take_share(50, ports_with(budget, clock), deadline_ms=clock.at_ms + 30_000)
        body = held_body(b"text", share.also_held())
        share.also_held()
        share.give_back()
        share.give_back()
        assert budget.held_bytes == 50, "the body has not left"
        assert [piece async for piece in body] == [b"text"]
        assert budget.held_bytes == 0

    asyncio.run(whole())


def test_a_reader_who_goes_away_gives_the_share_back() -> None:
    budget, clock = made()

    async def whole() -> None:
        share = await take_share(50, ports_with(budget, clock), deadline_ms=clock.at_ms + 30_000)
        body = held_body(b"text", share)
        assert await anext(body) == b"text"
        await body.aclose()
        assert budget.held_bytes == 0

    asyncio.run(whole())


def test_a_share_that_nobody_gives_back_ends_by_itself() -> None:
    budget, clock = made()

    async def whole() -> None:
        await take_share(MAX, ports_with(budget, clock), deadline_ms=clock.at_ms + 1_000)
        clock.at_ms += 1_000 + BUDGET_LINGER_MS
        share = await take_share(MAX, ports_with(budget, clock), deadline_ms=clock.at_ms + 1_000)
        share.give_back()

    asyncio.run(whole())


def test_growing_beyond_what_is_there_is_refused_and_changes_nothing() -> None:
    budget, clock = made()

    async def whole() -> None:
        one = await take_share(40, ports_with(budget, clock), deadline_ms=clock.at_ms + 1_000)
        other = await take_share(40, ports_with(budget, clock), deadline_ms=clock.at_ms + 1_000)
        one.grow(30)
        one.grow(60)
        with pytest.raises(MemoryBusy):
            other.grow(41)
        assert budget.held_bytes == 100
        one.shrink(70)
        one.shrink(10)
        other.grow(90)
        assert budget.held_bytes == 100
        one.give_back()
        other.give_back()
        assert budget.held_bytes == 0

    asyncio.run(whole())


def test_more_than_an_isolate_has_for_answers_is_refused_and_not_waited_for() -> None:
    budget, clock = made()

    async def whole() -> None:
        share = await take_share(10 * MAX, ports_with(budget, clock), deadline_ms=clock.at_ms + 30_000)
        assert budget.held_bytes == MAX, "an estimate may be too high"
        bound = room_of(share).bound
        with pytest.raises(AnswerTooLarge) as told:
            bound.add_fetched(MAX // FETCHED_SAMPLE_BYTES + 1)
        assert told.value.estimated_samples == MAX // FETCHED_SAMPLE_BYTES + 1
        assert not bound.hold_besides(1)
        with pytest.raises(MemoryBusy):
            share.grow(MAX + 1)
        share.give_back()

    asyncio.run(whole())


def test_what_a_failure_left_in_cycles_is_collected_before_much_is_held_again() -> None:
    budget, clock = SampleBudget(), FakeClock(at_ms=1_000_000)

    class Samples:
        pass

    async def fails() -> None:
        share = await take_share(1, ports_with(budget, clock), deadline_ms=clock.at_ms + 30_000)
        left, error = Samples(), DeadlineExceeded("the upstream went away")
        gone.append(weakref.ref(left))
        try:
            raise error
        finally:
            share.give_back()

    async def whole() -> None:
        with contextlib.suppress(DeadlineExceeded):
            await fails()
        for size, held in ((1, True), (BUDGET_SMALL_BYTES + 1, False)):
            share = await take_share(size, ports_with(budget, clock), deadline_ms=clock.at_ms + 30_000)
            assert (gone[0]() is not None, budget.collect_due) == (held, held)
            share.give_back()

    gone: list[weakref.ref[Samples]] = []
    gc.disable()
    try:
        asyncio.run(whole())
    finally:
        gc.enable()
