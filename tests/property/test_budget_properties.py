"""Memory that requests share: never more than there is, first come first served, and none is lost."""

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from edgeseries.limits import BUDGET_TICKET_MS, FORCED_DIRECT_MAX_SAMPLES, WHOLE_MAX_SAMPLES
from edgeseries.memory_limits import BUDGET_BYTES
from edgeseries.planning.sample_budget import SampleBudget, bytes_held

MAX = 100
T = 1_700_000_000_000


def test_the_largest_answer_has_room_when_it_is_alone() -> None:
    assert bytes_held(stored_samples=WHOLE_MAX_SAMPLES, fetched_samples=0) <= BUDGET_BYTES
    assert bytes_held(stored_samples=0, fetched_samples=FORCED_DIRECT_MAX_SAMPLES) <= BUDGET_BYTES


def test_a_large_request_is_not_overtaken_by_small_ones() -> None:
    budget = SampleBudget(max_bytes=MAX, small_bytes=0)
    first, large, small = (budget.ticket(T) for _ in range(3))
    assert budget.enter(first, 60, T, until_ms=T + 1_000)
    assert not budget.enter(large, 90, T, until_ms=T + 1_000)
    assert not budget.enter(small, 10, T, until_ms=T + 1_000), "there is room, and it is not its turn"
    budget.leave(first)
    assert budget.enter(large, 90, T, until_ms=T + 1_000)
    assert budget.enter(small, 10, T, until_ms=T + 1_000)


def test_small_requests_need_not_stand_behind_large_ones() -> None:
    budget = SampleBudget(max_bytes=MAX, small_bytes=10)
    first, large, small, other = (budget.ticket(T) for _ in range(4))
    assert budget.enter(first, 60, T, until_ms=T + 1_000)
    assert not budget.enter(large, 90, T, until_ms=T + 1_000)
    assert not budget.enter(other, 11, T, until_ms=T + 1_000)
    assert budget.enter(small, 10, T, until_ms=T + 1_000)
    budget.leave(first)
    assert budget.enter(large, 90, T, until_ms=T + 1_000)


def test_whoever_wants_more_than_there_is_gets_all_of_it_alone() -> None:
    budget = SampleBudget(max_bytes=MAX, small_bytes=0)
    small, huge = budget.ticket(T), budget.ticket(T)
    assert budget.enter(small, 1, T, until_ms=T + 1_000)
    assert not budget.enter(huge, 10 * MAX, T, until_ms=T + 1_000)
    budget.leave(small)
    assert budget.enter(huge, 10 * MAX, T, until_ms=T + 1_000)
    assert budget.held_bytes == MAX


def test_a_request_that_ended_without_a_word_holds_nothing_and_keeps_nobody() -> None:
    budget = SampleBudget(max_bytes=MAX, small_bytes=0)
    dead, gone, alive = (budget.ticket(T) for _ in range(3))
    assert budget.enter(dead, MAX, T, until_ms=T + 30_000)
    assert not budget.enter(gone, 1, T, until_ms=T + 30_000)
    for now_ms in range(T, T + 30_000, BUDGET_TICKET_MS):
        assert not budget.enter(alive, 1, now_ms, until_ms=T + 60_000)
    assert len(budget._waiting) == 1, "who did not look any more has lost its place"
    assert budget.enter(alive, 1, T + 30_000, until_ms=T + 60_000)
    assert budget.held_bytes == 1


def test_growing_takes_what_is_there_and_never_waits() -> None:
    budget = SampleBudget(max_bytes=MAX, small_bytes=0)
    one, other = budget.ticket(T), budget.ticket(T)
    assert budget.enter(one, 40, T, until_ms=T + 1_000)
    assert budget.enter(other, 40, T, until_ms=T + 1_000)
    assert budget.resize(one, 60, T, until_ms=T + 1_000)
    assert not budget.resize(other, 41, T, until_ms=T + 1_000)
    assert budget.held_bytes == MAX, "a refusal changes nothing"
    assert budget.resize(one, 5, T, until_ms=T + 1_000)
    assert budget.resize(other, 95, T, until_ms=T + 1_000)


@dataclass
class Client:
    """A request as the router runs it: waits, holds, changes its share, ends in one of four ways."""

    ticket: int
    size: int
    held: bool = False
    gone: bool = False
    ended: bool = False


steps = st.lists(
    st.tuples(
        st.sampled_from(["arrive", "look", "look", "look", "end", "vanish", "grow"]),
        st.integers(0, 7),
        st.integers(1, 130),
        st.integers(0, 600),
    ),
    max_size=60,
)


def step(budget: SampleBudget, verb: str, client: Client, size: int, now_ms: int) -> None:
    """One thing that a living request does, or that is done to it."""
    if verb == "look" and not client.held:
        client.held = budget.enter(client.ticket, client.size, now_ms, until_ms=now_ms + 5_000)
    elif verb == "grow" and client.held:
        budget.resize(client.ticket, size, now_ms, until_ms=now_ms + 5_000)
    elif verb == "end":
        budget.leave(client.ticket)
        client.ended = True
    elif verb == "vanish":
        client.gone = True


@given(steps)
def test_whatever_happens_the_bound_holds_and_everybody_alive_is_served(
    drawn: list[tuple[str, int, int, int]],
) -> None:
    budget = SampleBudget(max_bytes=MAX, small_bytes=0)
    now_ms, clients = T, list[Client]()
    for verb, which, size, wait_ms in drawn:
        now_ms += wait_ms
        if verb == "arrive":
            clients.append(Client(budget.ticket(now_ms), size))
        living = [client for client in clients if not (client.gone or client.ended)]
        if living and verb != "arrive":
            step(budget, verb, living[which % len(living)], size, now_ms)
        assert 0 <= budget.held_bytes <= MAX
    # Whoever is still alive and looks is served within the lives of the others.
    waiting = [one for one in clients if not (one.held or one.gone or one.ended)]
    for client in clients:
        if client.held and not client.gone:
            budget.leave(client.ticket)
    for _ in range(20):
        now_ms += BUDGET_TICKET_MS // 2
        for client in list(waiting):
            if budget.enter(client.ticket, client.size, now_ms, until_ms=now_ms + 100):
                waiting.remove(client)
                budget.leave(client.ticket)
    assert not waiting
    now_ms += 10_000
    last = budget.ticket(now_ms)
    assert budget.enter(last, MAX, now_ms, until_ms=now_ms + 1), "nothing has leaked"
