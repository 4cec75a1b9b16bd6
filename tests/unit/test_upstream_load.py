"""The calls of an isolate: classes and owners in turn, refusals waited out, nobody left waiting for ever."""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeseries.errors import DeadlineExceeded, EdgeError, OriginBusy, OriginThrottled
from edgeseries.http.messages import HttpCall, HttpReply
from edgeseries.limits import SECOND_MS, UPSTREAM_ISOLATE_CALLS, UPSTREAM_TICKET_MS, UPSTREAM_TURN_MS
from edgeseries.origins.adapters.guarded_web import GuardedWeb
from edgeseries.origins.adapters.upstream_load import Held, Leave, Ticket, UpstreamLoad
from edgeseries.origins.call_limits import (
    PACE_FIRST_PAUSE_MS,
    PACE_START_CALLS,
    PRESENT_MS,
    REFUSED_WAIT_MS,
)
from edgeseries.origins.call_pace import CallReport, Pace
from edgeseries.origins.work_class import Requester, Work, WorkClass
from tests.fakes import FakeClock, ListJournal

CALL = HttpCall(method="GET", url="https://upstream.example.com/api", timeout_ms=30_000, max_bytes=10)
OK = HttpReply(status=200, headers={}, body=b"")
FULL = Pace(limit=UPSTREAM_ISOLATE_CALLS, fast=False)


def work(work_class: WorkClass, owner: str = "") -> Work:
    return Work(work_class=work_class, owner=owner)


@dataclass
class Line:
    """Tickets that look in turn, on one load, with a clock that moves with each round."""

    load: UpstreamLoad
    now_ms: int = 0
    waiting: dict[Ticket, Work] = field(default_factory=dict)
    under_way: dict[Ticket, Work] = field(default_factory=dict)
    order: list[Work] = field(default_factory=list)
    most: int = 0

    def arrive(self, *works: Work) -> None:
        for one in works:
            self.waiting[self.load.ticket(self.now_ms, one)] = one

    def look(self) -> None:
        """Each one looks once."""
        for ticket in list(self.waiting):
            verdict = self.load.enter(ticket, self.now_ms, until_ms=self.now_ms + 30_000)
            if isinstance(verdict, Leave):
                one = self.waiting.pop(ticket)
                self.under_way[ticket] = one
                self.order.append(one)
                assert verdict.crowd == len(self.under_way)
        self.most = max(self.most, len(self.under_way))
        self.now_ms += UPSTREAM_TURN_MS

    def end(self, ticket: Ticket) -> None:
        one = self.under_way.pop(ticket)
        report = CallReport(began_ms=self.now_ms - 1, ended_ms=self.now_ms, yields=one.work_class.yields)
        self.load.served(ticket, report)
        self.load.leave(ticket)


@settings(max_examples=40)
@given(st.data())
def test_every_call_leaves_and_never_more_than_there_may_be(data: st.DataObject) -> None:
    ceiling = data.draw(st.integers(1, 4))
    line = Line(UpstreamLoad(max_calls=ceiling))
    works = st.builds(Work, work_class=st.sampled_from(WorkClass), owner=st.sampled_from("ab"))
    arrived = 0
    for _ in range(data.draw(st.integers(1, 25))):
        some = data.draw(st.lists(works, max_size=3))
        arrived += len(some)
        line.arrive(*some)
        line.look()
        ending = list(line.under_way) if data.draw(st.booleans()) else []
        if ending:
            line.end(data.draw(st.sampled_from(ending)))
    for _ in range(arrived):
        for ticket in list(line.under_way):
            line.end(ticket)
        line.look()
    assert not line.waiting
    assert len(line.order) == arrived
    assert line.most <= ceiling


def test_a_job_leaves_a_call_to_who_waits_and_takes_all_where_nobody_does() -> None:
    line = Line(UpstreamLoad(max_calls=4))
    line.arrive(*[work(WorkClass.JOB)] * 6)
    line.look()
    assert len(line.under_way) == PACE_START_CALLS == 4, "nobody asks anything: a job takes all"
    line.arrive(work(WorkClass.INTERACTIVE))
    for ticket in list(line.under_way)[:2]:
        line.end(ticket)
    line.look()
    assert sorted(one.work_class for one in line.order[4:]) == ["interactive", "job"]
    line.end(next(ticket for ticket, one in line.under_way.items() if not one.work_class.yields))
    line.look()
    assert len(line.under_way) == 3, "one is left to who may come"
    line.arrive(work(WorkClass.INTERACTIVE))
    line.look()
    assert len(line.under_way) == 4, "who finds it at once"
    for ticket in list(line.under_way):
        line.end(ticket)
    line.now_ms += PRESENT_MS
    line.arrive(*[work(WorkClass.JOB)] * 6)
    line.look()
    assert len(line.under_way) == 4


def test_warming_beside_others_has_a_small_part_of_the_calls_and_always_one() -> None:
    load = UpstreamLoad()
    load.pace = FULL
    line = Line(load)
    line.arrive(*[work(WorkClass.WARMING)] * 12)
    line.look()
    assert len(line.under_way) == UPSTREAM_ISOLATE_CALLS, "nobody else is there"
    for ticket in list(line.under_way):
        line.end(ticket)
    line.arrive(work(WorkClass.JOB), *[work(WorkClass.WARMING)] * 12)
    line.look()
    assert len(line.under_way) == 1 + UPSTREAM_ISOLATE_CALLS // 4
    one = Line(UpstreamLoad(max_calls=1))
    one.arrive(work(WorkClass.WARMING))
    one.look()
    assert len(one.under_way) == 1


def test_owners_of_a_class_take_turns() -> None:
    line = Line(UpstreamLoad(max_calls=1))
    line.arrive(*[work(WorkClass.INTERACTIVE, "many")] * 6, work(WorkClass.INTERACTIVE, "one"))
    while line.waiting:
        line.look()
        line.end(next(iter(line.under_way)))
    assert [one.owner for one in line.order][:3] == ["many", "one", "many"]


def test_a_turn_whose_request_has_ended_goes_to_the_next() -> None:
    load = UpstreamLoad(max_calls=1)
    first, second = load.ticket(0), load.ticket(0)
    assert load.enter(second, 0, until_ms=30_000) is None, "the first one's turn, which never looks"
    for now_ms in range(UPSTREAM_TURN_MS, UPSTREAM_TICKET_MS + 1, UPSTREAM_TURN_MS):
        assert load.enter(second, now_ms, until_ms=30_000) is None
    assert isinstance(load.enter(second, UPSTREAM_TICKET_MS + UPSTREAM_TURN_MS, until_ms=30_000), Leave)
    assert first != second
    assert load.waiting(WorkClass.INTERACTIVE) == 0


def test_who_looks_again_too_late_is_let_in_again_at_the_end() -> None:
    load = UpstreamLoad(max_calls=1)
    late, first, second = (load.ticket(0) for _ in range(3))
    now_ms = 0
    for now_ms in range(0, UPSTREAM_TICKET_MS + 2 * UPSTREAM_TURN_MS, UPSTREAM_TURN_MS):
        left = load.enter(first, now_ms, until_ms=30_000)
        if left is not None:
            break
        load.enter(second, now_ms, until_ms=30_000)
    assert isinstance(left, Leave)
    assert load.enter(late, now_ms, until_ms=30_000) is None
    load.leave(first)
    assert load.enter(late, now_ms, until_ms=30_000) is None, "the second one's turn"
    assert isinstance(load.enter(second, now_ms, until_ms=30_000), Leave)
    load.leave(second)
    assert isinstance(load.enter(late, now_ms, until_ms=30_000), Leave)


@dataclass
class BoundedUpstream:
    """Takes so many calls at once, and refuses others at once with the headers that it is given."""

    clock: FakeClock
    room: int
    took_ms: int = 300
    headers: dict[str, str] = field(default_factory=dict)
    status: int = 429
    ends_ms: list[int] = field(default_factory=list)
    refused: int = 0
    calls: int = 0

    async def send(self, _call: HttpCall) -> HttpReply:
        self.calls += 1
        await asyncio.sleep(0)
        self.ends_ms = [end_ms for end_ms in self.ends_ms if end_ms > self.clock.at_ms]
        if len(self.ends_ms) >= self.room:
            self.refused += 1
            return HttpReply(status=self.status, headers=self.headers, body=b"")
        end_ms = self.clock.at_ms + self.took_ms
        self.ends_ms.append(end_ms)
        while self.clock.at_ms < end_ms:  # noqa: ASYNC110 - the clock is the test's
            await asyncio.sleep(0)
        return OK


def guard(
    web: BoundedUpstream,
    load: UpstreamLoad,
    requester: Requester | None = None,
    meter: Counter[str] | None = None,
) -> Callable[[], GuardedWeb]:
    async def pause(_wait_ms: int) -> None:
        await asyncio.sleep(0)

    return lambda: GuardedWeb(
        web,
        load=load,
        clock=web.clock,
        pause=pause,
        journal=ListJournal(),
        requester=requester,
        meter=meter,
    )


async def told_of(new_guard: Callable[[], GuardedWeb], call: HttpCall = CALL) -> HttpReply | EdgeError:
    try:
        return await new_guard().send(call)
    except EdgeError as error:
        return error


def side_by_side(web: BoundedUpstream, *new_guards: Callable[[], GuardedWeb]) -> list[HttpReply | EdgeError]:
    """One call of each, while the clock moves by a millisecond with each look of them all."""

    async def run() -> list[HttpReply | EdgeError]:
        calls = [asyncio.ensure_future(told_of(one)) for one in new_guards]
        while not all(call.done() for call in calls):
            web.clock.at_ms += 1
            await asyncio.sleep(0)
        return [call.result() for call in calls]

    return asyncio.run(run())


def test_an_upstream_that_takes_two_calls_at_once_answers_all_of_two_keys_and_a_job() -> None:
    web, load = BoundedUpstream(FakeClock(at_ms=1_000_000), room=2), UpstreamLoad()
    requesters: list[Requester] = []
    for owner, work_class, calls in (("a", "interactive", 6), ("b", "interactive", 6), ("j", "job", 6)):
        requesters += [Requester(work_class=WorkClass(work_class), owner=owner) for _ in range(calls)]
    meter: Counter[str] = Counter()
    outcomes = side_by_side(web, *[guard(web, load, one, meter) for one in requesters])
    assert {getattr(one, "status", one) for one in outcomes} == {200}
    assert 0 < web.refused < 8
    assert load.refused_count == meter["refused_calls"] == web.refused
    assert meter["job_wait_ms"] / 6 > meter["interactive_wait_ms"] / 12, "a job's call waits longer"


def test_no_call_leaves_for_as_long_as_the_upstream_asks_and_callers_are_told_so() -> None:
    web = BoundedUpstream(FakeClock(at_ms=1_000_000), room=0, headers={"retry-after": "30"})
    load = UpstreamLoad()
    (first,) = side_by_side(web, guard(web, load))
    assert isinstance(first, HttpReply)
    assert (first.status, web.calls) == (429, 1), "longer than a call waits: it is told at once"
    (second,) = side_by_side(web, guard(web, load))
    assert isinstance(second, OriginThrottled)
    assert (second.retry_after_s, web.calls) == (30, 1)
    web.clock.at_ms += 30 * SECOND_MS
    web.room = 1
    (third,) = side_by_side(web, guard(web, load))
    assert isinstance(third, HttpReply)
    assert (third.status, web.calls) == (200, 2)


@pytest.mark.parametrize(
    ("status", "headers"), [(429, {}), (429, {"retry-after": "2"}), (503, {"retry-after": "1"})]
)
def test_a_refused_call_is_made_again_within_a_bound(status: int, headers: dict[str, str]) -> None:
    web = BoundedUpstream(FakeClock(at_ms=1_000_000), room=0, headers=headers, status=status)
    (outcome,) = side_by_side(web, guard(web, UpstreamLoad()))
    assert isinstance(outcome, HttpReply)
    assert outcome.status == status
    assert 1 < web.calls <= 8
    assert web.clock.at_ms - 1_000_000 <= REFUSED_WAIT_MS


def test_a_503_that_asks_for_no_time_is_not_made_again_here() -> None:
    web = BoundedUpstream(FakeClock(at_ms=1_000_000), room=0, status=503)
    load = UpstreamLoad()
    (outcome,) = side_by_side(web, guard(web, load))
    assert isinstance(outcome, HttpReply)
    assert (outcome.status, web.calls) == (503, 1)
    held = load.enter(load.ticket(web.clock.at_ms), web.clock.at_ms, until_ms=web.clock.at_ms + 9)
    assert isinstance(held, Held)
    assert held.wait_ms <= PACE_FIRST_PAUSE_MS


@pytest.mark.parametrize(("waited_ms", "expected"), [(29_500, OriginBusy), (20_000, DeadlineExceeded)])
def test_who_spent_its_time_waiting_is_told_that_there_were_too_many(
    waited_ms: int, expected: type[EdgeError]
) -> None:
    load = UpstreamLoad(max_calls=1)
    clock = FakeClock(at_ms=1_000_000)

    class Silent:
        async def send(self, call: HttpCall) -> HttpReply:
            raise DeadlineExceeded(f"nothing within {call.timeout_ms} ms")

    async def pause(wait_ms: int) -> None:
        clock.at_ms += wait_ms

    held = load.ticket(clock.at_ms)
    load.enter(held, clock.at_ms, until_ms=clock.at_ms + waited_ms)
    silent = GuardedWeb(Silent(), load=load, clock=clock, pause=pause, journal=ListJournal())
    with pytest.raises(expected):
        asyncio.run(silent.send(CALL))
