"""Turns for upstream calls: nobody waits for ever, whatever arrives; classes and owners share as stated."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from edgeseries.origins.fair_queue import AGEING_TURNS, FairQueue
from edgeseries.origins.work_class import Work, WorkClass

CLASSES = list(WorkClass)
works = st.builds(Work, work_class=st.sampled_from(CLASSES), owner=st.sampled_from("abcd"))
arrivals = st.lists(st.lists(works, max_size=4), min_size=1, max_size=60)
OVERDUE_TURNS = {
    # Its own ageing, and the turns of classes that are overdue at the same time.
    WorkClass.INTERACTIVE: 3,
    WorkClass.JOB: AGEING_TURNS[WorkClass.JOB] + 2,
    WorkClass.WARMING: AGEING_TURNS[WorkClass.WARMING] + 2,
}


@given(arrivals, st.data())
def test_every_ticket_gets_its_turn_within_a_bound_whatever_arrives(
    rounds: list[list[Work]], data: st.DataObject
) -> None:
    queue: FairQueue[int] = FairQueue()
    number = 0
    bounds: dict[int, int] = {}
    works_of: dict[int, Work] = {}
    turn = 0
    while rounds or len(queue):
        for work in rounds.pop() if rounds else []:
            number += 1
            queue.add(number, work)
            works_of[number] = work
            before_it = sum(works_of[one] == work for one in bounds)
            # A lap of owners (four at most) for each ticket of its owner before it, and its own.
            laps = (before_it + 1) * 4
            bounds[number] = turn + laps * OVERDUE_TURNS[work.work_class]
        if len(queue) and data.draw(st.integers(0, 9)) == 0:
            lost = data.draw(st.sampled_from(sorted(bounds)))
            queue.discard(lost)
            del bounds[lost]
        ticket = queue.take(CLASSES)
        assert (ticket is None) == (not bounds)
        if ticket is not None:
            turn += 1
            assert turn <= bounds.pop(ticket)
            assert ticket not in queue


def served_under_full_load(waiting: list[Work], turns: int) -> Counter[Work]:
    """Turns by work where each that had one asks again at once."""
    queue: FairQueue[int] = FairQueue()
    works_of = dict(enumerate(waiting))
    for ticket, work in works_of.items():
        queue.add(ticket, work)
    served: Counter[Work] = Counter()
    for _ in range(turns):
        taken = queue.take(CLASSES)
        assert taken is not None
        served[works_of[taken]] += 1
        queue.add(taken, works_of[taken])
    return served


def test_interactive_calls_get_most_turns_and_others_their_share() -> None:
    shares = served_under_full_load([Work(work_class=one) for one in CLASSES], 1_700)
    by_class = {work.work_class: count / 1_700 for work, count in shares.items()}
    assert by_class[WorkClass.INTERACTIVE] > 0.7
    assert 0.18 < by_class[WorkClass.JOB] < 0.21
    assert 0.05 < by_class[WorkClass.WARMING] < 0.07


def test_an_owner_with_many_calls_gets_no_more_turns_than_one_with_few() -> None:
    shares = served_under_full_load([Work(owner="many")] * 50 + [Work(owner="one"), Work(owner="two")], 300)
    assert {work.owner: count for work, count in shares.items()} == {"many": 100, "one": 100, "two": 100}


def test_what_somebody_waits_for_goes_first_and_an_owners_calls_leave_as_they_came() -> None:
    queue: FairQueue[int] = FairQueue()
    for ticket, work in enumerate(
        [
            Work(work_class=WorkClass.WARMING),
            Work(work_class=WorkClass.JOB),
            Work(owner="a"),
            Work(owner="a"),
            Work(owner="b"),
        ]
    ):
        queue.add(ticket, work)
    assert queue.take([WorkClass.WARMING]) == 0, "a class that is full is passed by"
    assert [queue.take(CLASSES) for _ in range(5)] == [2, 4, 3, 1, None]
