"""Who gets the next upstream call of an isolate: by class, then by owner, then by arrival.

The most urgent class goes first, but a class that was passed over AGEING_TURNS times goes next: nobody
starves. Within a class owners take turns, an owner's own calls leave as they came. It knows no clock and no
call: a turn is an event of whoever asks for one.
"""

from collections import OrderedDict, deque
from collections.abc import Container, Hashable, Mapping
from typing import Final, Generic, TypeVar

from edgeseries.origins.work_class import Work, WorkClass

AGEING_TURNS: Final[Mapping[WorkClass, int]] = {
    WorkClass.INTERACTIVE: 0,
    WorkClass.JOB: 4,
    WorkClass.WARMING: 16,
}
"""Turns that a waiting class lets others have before it takes one: under full load jobs get about a fifth of
the calls, warming a seventeenth."""


Waiter = TypeVar("Waiter", bound=Hashable)


class FairQueue(Generic[Waiter]):
    """Tickets that wait, each with its work. What a ticket is, is the caller's affair."""

    def __init__(self) -> None:
        self._works: dict[Waiter, Work] = {}
        self._owners: dict[WorkClass, OrderedDict[str, deque[Waiter]]] = {
            one: OrderedDict() for one in WorkClass
        }
        self._passed: dict[WorkClass, int] = dict.fromkeys(WorkClass, 0)

    def __len__(self) -> int:
        return len(self._works)

    def __contains__(self, ticket: object) -> bool:
        return ticket in self._works

    def waiting(self, work_class: WorkClass) -> int:
        """Tickets of a class that wait."""
        return sum(len(tickets) for tickets in self._owners[work_class].values())

    def add(self, ticket: Waiter, work: Work) -> None:
        """A ticket waits from now on, behind all others of its owner; a new owner behind all owners."""
        assert ticket not in self._works
        self._works[ticket] = work
        self._owners[work.work_class].setdefault(work.owner, deque()).append(ticket)

    def discard(self, ticket: Waiter) -> None:
        """It waits no more, if it did."""
        work = self._works.pop(ticket, None)
        if work is None:
            return
        owners = self._owners[work.work_class]
        owners[work.owner].remove(ticket)
        if not owners[work.owner]:
            del owners[work.owner]
        if not owners:
            self._passed[work.work_class] = 0

    def take(self, open_classes: Container[WorkClass]) -> Waiter | None:
        """The ticket whose turn it is, of classes that may have one now; it waits no more. None: nobody's."""
        eligible = [one for one in WorkClass if self._owners[one] and one in open_classes]
        if not eligible:
            return None
        chosen = max(eligible, key=self._urgency)
        for one in eligible:
            self._passed[one] = 0 if one is chosen else self._passed[one] + 1
        owners = self._owners[chosen]
        owner = next(iter(owners))
        ticket = owners[owner][0]
        self.discard(ticket)
        if owner in owners:
            owners.move_to_end(owner)
        return ticket

    def _urgency(self, work_class: WorkClass) -> tuple[int, int]:
        """Overdue classes first, the most overdue of them before the others; then the most urgent."""
        overdue = self._passed[work_class] - AGEING_TURNS[work_class]
        aged = work_class.yields and overdue >= 0
        return (1 + overdue if aged else 0, -list(WorkClass).index(work_class))
