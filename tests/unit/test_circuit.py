"""The circuit breaker as a table, and its guard around the calls of an isolate."""

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeseries.errors import DeadlineExceeded, EdgeError, OriginBusy, OriginSuspended, OriginUnreachable
from edgeseries.http.messages import HttpCall, HttpReply
from edgeseries.jobs.retrying import TryAgain, after_failure
from edgeseries.limits import (
    CIRCUIT_FAILURES,
    CIRCUIT_LONGEST_PAUSES,
    CIRCUIT_PAUSE_MS,
    UPSTREAM_TICKET_MS,
    UPSTREAM_TURN_MS,
)
from edgeseries.origins.adapters.guarded_web import GuardedWeb
from edgeseries.origins.adapters.upstream_load import Leave, UpstreamLoad
from edgeseries.origins.circuit import (
    CIRCUIT_TRANSITIONS,
    Circuit,
    CircuitState,
    Permit,
    Suspended,
    ask,
    succeeded,
)
from edgeseries.origins.circuit import failed as failed_with
from tests.asked_router import DELIVERIES, QUERY, make_ports, told
from tests.asked_router import ask as ask_router
from tests.fakes import FakeClock, FakeOrigin, FixedUpstream, ListJournal
from tests.state_diagrams import diagram

CALL = HttpCall(method="GET", url="https://upstream.example.com/api", timeout_ms=30_000, max_bytes=10)
OK = HttpReply(status=200, headers={}, body=b"")
LONGEST_MS = CIRCUIT_LONGEST_PAUSES * CIRCUIT_PAUSE_MS
DOWN = HttpReply(status=500, headers={}, body=b"")


@dataclass
class ScriptedWeb:
    """Answers by a function; keeps how many calls were under way at once."""

    answer: Callable[[], HttpReply | EdgeError]
    calls: int = 0
    under_way: int = 0
    most: int = 0
    hold: int = 0

    async def send(self, call: HttpCall) -> HttpReply:
        assert call.timeout_ms > 0
        self.calls += 1
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        for _ in range(self.hold):
            await asyncio.sleep(0)
        self.under_way -= 1
        outcome = self.answer()
        if isinstance(outcome, EdgeError):
            raise outcome
        return outcome


@dataclass
class Isolate:
    """Requests of one isolate: one load, a guard for each."""

    answer: HttpReply | EdgeError = field(default_factory=lambda: OK)
    clock: FakeClock = field(default_factory=lambda: FakeClock(at_ms=1_000_000))
    load: UpstreamLoad = field(default_factory=UpstreamLoad)
    journal: ListJournal = field(default_factory=ListJournal)

    def __post_init__(self) -> None:
        self.web = ScriptedWeb(lambda: self.answer)

    def guard(self) -> GuardedWeb:
        async def pause(wait_ms: int) -> None:
            self.clock.at_ms += wait_ms
            await asyncio.sleep(0)

        return GuardedWeb(self.web, load=self.load, clock=self.clock, pause=pause, journal=self.journal)

    def send(self, call: HttpCall = CALL) -> HttpReply | EdgeError:
        try:
            return asyncio.run(self.guard().send(call))
        except EdgeError as error:
            return error


def plain(outcome: HttpReply | EdgeError) -> HttpReply | EdgeError:
    """A reply as the upstream sent it."""
    return replace(outcome, took_ms=None) if isinstance(outcome, HttpReply) else outcome


def failed(circuit: Circuit, permit: Permit, now_ms: int, asked_pause_ms: int = 0) -> Circuit:
    return failed_with(
        circuit, permit, now_ms, first_pause_ms=CIRCUIT_PAUSE_MS, asked_pause_ms=asked_pause_ms
    )


def opened() -> Circuit:
    circuit = Circuit()
    for _ in range(CIRCUIT_FAILURES):
        circuit = failed(circuit, Permit(turn=circuit.turn), 0)
    return circuit


def test_every_state_is_reached_and_left() -> None:
    assert {before for before, _ in CIRCUIT_TRANSITIONS} == set(CircuitState)
    assert set(CIRCUIT_TRANSITIONS.values()) == set(CircuitState)


def test_the_diagram_of_the_docs_is_the_table() -> None:
    text = (Path(__file__).parents[2] / "docs" / "security.md").read_text(encoding="utf-8")
    drawn = re.findall(r"```mermaid\n(.*?)\n```", text, re.DOTALL)
    assert drawn == [diagram(CIRCUIT_TRANSITIONS).replace("[*] --> queued", "[*] --> closed")]


Steps = st.lists(
    st.tuples(
        st.sampled_from(["ask", "ok", "fail", "lose"]), st.integers(0, 20_000), st.integers(0, 120_000)
    ),
    max_size=80,
)


@given(Steps)
def test_whatever_happens_an_open_circuit_lets_one_call_through_when_its_pause_is_over(
    steps: list[tuple[str, int, int]],
) -> None:
    circuit, now_ms, left = Circuit(), 0, list[tuple[Permit, int]]()
    failures_in_a_row = 0
    for act, later_ms, asked_ms in steps:
        now_ms += later_ms
        if act == "ask":
            before = circuit
            circuit, verdict = ask(circuit, now_ms, call_until_ms=now_ms + 30_000)
            if isinstance(verdict, Permit):
                assert before.state is CircuitState.CLOSED or now_ms >= before.until_ms
                assert before.state is CircuitState.CLOSED or circuit.state is CircuitState.PROBING
                left.append((verdict, now_ms))
            else:
                assert before.state is not CircuitState.CLOSED
                assert 0 < verdict.wait_ms <= max(LONGEST_MS, 30_000)
                assert circuit == before
        elif left:
            permit, _ = left.pop(0)
            stale = permit.turn != circuit.turn
            before = circuit
            if act == "ok":
                circuit = succeeded(circuit, permit)
                failures_in_a_row = failures_in_a_row if stale else 0
                assert stale or circuit.state is CircuitState.CLOSED
            elif act == "fail":
                circuit = failed(circuit, permit, now_ms, asked_pause_ms=asked_ms)
                failures_in_a_row += 0 if stale else 1
                if not stale and circuit.state is CircuitState.OPEN:
                    assert CIRCUIT_PAUSE_MS <= circuit.until_ms - now_ms <= LONGEST_MS
            assert not stale or circuit == before, "what comes back of an earlier turn changes nothing"
        assert circuit.state is not CircuitState.CLOSED or failures_in_a_row < CIRCUIT_FAILURES
    # However it came here, an upstream that is well again is called again.
    now_ms = max(now_ms, circuit.until_ms)
    circuit, verdict = ask(circuit, now_ms, call_until_ms=now_ms + 1)
    assert isinstance(verdict, Permit)
    assert succeeded(circuit, verdict).state is CircuitState.CLOSED


def test_pauses_double_as_long_as_probes_fail_and_the_upstream_may_ask_for_longer() -> None:
    circuit, now_ms, pauses = opened(), 0, []
    for _ in range(6):
        pauses.append(circuit.pause_ms)
        now_ms = max(now_ms, circuit.until_ms)
        circuit, verdict = ask(circuit, now_ms, call_until_ms=now_ms + 1)
        assert isinstance(verdict, Permit)
        circuit = failed(circuit, verdict, now_ms)
    assert pauses == [5_000, 10_000, 20_000, 40_000, 60_000, 60_000]
    circuit = Circuit()
    for _ in range(CIRCUIT_FAILURES):
        circuit = failed(circuit, Permit(turn=circuit.turn), 0, asked_pause_ms=17_000)
    assert circuit.pause_ms == 17_000


def test_a_first_pause_of_nothing_never_opens() -> None:
    circuit = Circuit()
    for _ in range(5 * CIRCUIT_FAILURES):
        circuit = failed_with(circuit, Permit(turn=0), 0, first_pause_ms=0, asked_pause_ms=9_000)
    assert circuit.state is CircuitState.CLOSED


def test_a_probe_that_never_comes_back_is_followed_by_another() -> None:
    circuit, first = ask(opened(), 5_000, call_until_ms=35_000)
    assert isinstance(first, Permit)
    same, verdict = ask(circuit, 34_999, call_until_ms=60_000)
    assert (same, verdict) == (circuit, Suspended(wait_ms=1))
    circuit, second = ask(circuit, 35_000, call_until_ms=60_000)
    assert isinstance(second, Permit)
    assert succeeded(circuit, first) == circuit, "it came too late to count"
    assert succeeded(circuit, second).state is CircuitState.CLOSED


@pytest.mark.parametrize(
    "trouble",
    [
        DOWN,
        HttpReply(status=503, headers={"retry-after": "29"}, body=b""),
        OriginUnreachable("refused"),
        DeadlineExceeded("late"),
    ],
    ids=["500", "503", "unreachable", "late"],
)
def test_an_upstream_in_trouble_is_left_alone_and_then_probed(trouble: HttpReply | EdgeError) -> None:
    isolate = Isolate(answer=trouble)
    asks_for_time = isinstance(trouble, HttpReply) and trouble.status == 503
    for _ in range(CIRCUIT_FAILURES):
        assert plain(isolate.send()) == trouble
        if asks_for_time:
            isolate.clock.at_ms += 29_000
    isolate.clock.at_ms -= 29_000 if asks_for_time else 0
    refused = isolate.send()
    assert isinstance(refused, OriginSuspended)
    wait_s = 29 if asks_for_time else 5
    assert refused.retry_after_s == wait_s
    assert isolate.web.calls == CIRCUIT_FAILURES
    isolate.clock.at_ms += wait_s * 1_000
    isolate.answer = OK
    assert plain(isolate.send()) == OK
    assert plain(isolate.send()) == OK
    told_lines = [text for _, text, _ in isolate.journal.lines]
    assert told_lines == ["the upstream is left alone", "the upstream is called again"]


@pytest.mark.parametrize("status", [200, 400, 401, 404, 413])
def test_an_upstream_that_answers_is_in_no_trouble(status: int) -> None:
    isolate = Isolate(answer=HttpReply(status=status, headers={}, body=b""))
    for _ in range(3 * CIRCUIT_FAILURES):
        assert isinstance(isolate.send(), HttpReply)


def test_a_call_without_time_says_nothing_of_the_upstream() -> None:
    isolate = Isolate(answer=DeadlineExceeded("late"))
    short = HttpCall(method="GET", url=CALL.url, timeout_ms=999, max_bytes=10)
    for _ in range(3 * CIRCUIT_FAILURES):
        assert isinstance(isolate.send(short), DeadlineExceeded)


def test_calls_of_all_requests_share_one_bound_and_come_in_their_order() -> None:
    isolate = Isolate(load=UpstreamLoad(max_calls=3))
    isolate.web.hold = 5
    order: list[int] = []

    async def one(number: int) -> None:
        await isolate.guard().send(CALL)
        order.append(number)

    async def all_of_them() -> None:
        await asyncio.gather(*(one(number) for number in range(20)))

    asyncio.run(all_of_them())
    assert (isolate.web.calls, isolate.web.most) == (20, 3)
    assert order == sorted(order)
    assert not isolate.load._calls


def test_a_request_that_ended_without_a_word_gives_its_places_back() -> None:
    load = UpstreamLoad(max_calls=1)
    lost_call, lost_waiter, mine = load.ticket(0), load.ticket(0), load.ticket(0)
    assert load.enter(lost_call, 0, until_ms=30_000) == Leave(permit=Permit(turn=0), crowd=1)
    assert load.enter(lost_waiter, 10, until_ms=30_000) is None
    assert load.enter(mine, 20, until_ms=60_000) is None
    # The first is over at its deadline; the second is passed when it has not asked for a second.
    for now_ms in range(40, 30_000, UPSTREAM_TURN_MS):
        assert load.enter(mine, now_ms, until_ms=60_000) is None
    assert load.enter(mine, 30_000, until_ms=60_000) == Leave(permit=Permit(turn=0), crowd=1)
    assert UPSTREAM_TICKET_MS < 30_000


def test_who_gets_no_turn_in_time_is_told_so() -> None:
    isolate = Isolate(load=UpstreamLoad(max_calls=1))
    held = isolate.load.ticket(isolate.clock.at_ms)
    isolate.load.enter(held, isolate.clock.at_ms, until_ms=isolate.clock.at_ms + 600_000)
    refused = isolate.send(HttpCall(method="GET", url=CALL.url, timeout_ms=500, max_bytes=10))
    assert isinstance(refused, OriginBusy)
    assert isolate.web.calls == 0


def test_a_batch_waits_out_a_suspension_without_an_attempt() -> None:
    verdict = after_failure(OriginSuspended("later", retry_after_s=7), attempts=3, claims=1)
    assert verdict == TryAgain(delay_s=7, counts=False)


def test_what_is_stored_is_served_while_the_upstream_is_left_alone_and_labelled() -> None:
    day = (*QUERY[:3], ("end_time", "2024-01-02T00:00:00Z"), ("route", "cached"))
    origin = FakeOrigin(DELIVERIES)
    ports = make_ports(origin=origin, clock=FakeClock(at_ms=1_704_067_200_000 + 40 * 86_400_000, step_ms=5))
    assert ask_router(query=day, ports=ports).headers["Cache-Status"] == "EdgeSeries; fwd=miss; stored"
    assert ask_router(query=day, ports=ports).headers["Cache-Status"] == "EdgeSeries; hit"
    origin.failure = OriginSuspended("left alone", retry_after_s=5)
    assert isinstance(ports.upstream, FixedUpstream)
    ports.upstream.left_alone = True
    part = (*QUERY[:3], ("end_time", "2024-01-01T12:00:00Z"))
    for query in (day, part):
        response = ask_router(query=query, ports=ports)
        assert response.status == 200
        assert response.headers["Cache-Status"] == "EdgeSeries; hit; detail=upstream-suspended"
    missing = ask_router(query=(*QUERY[:3], ("end_time", "2024-01-03T00:00:00Z")), ports=ports)
    assert (missing.status, missing.headers["Retry-After"]) == (503, "5")
    assert told(missing)["type"] == "urn:edgeseries:problem:upstream-suspended"
