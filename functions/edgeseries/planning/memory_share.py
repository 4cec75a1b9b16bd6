"""A share of the isolate's memory for samples: waited for, grown, given back.

The numbers are in `sample_budget.py`; here one request or batch looks at them again and again, with waits of
its own. What it holds is given back when the last of its holders (a request, what is stored after it, the
body that is still being sent) is done.
"""

import sys
from dataclasses import dataclass

from edgeseries.errors import MemoryBusy
from edgeseries.limits import BUDGET_LINGER_MS, BUDGET_RETRY_S, BUDGET_TURN_MS
from edgeseries.memory_limits import BUDGET_SMALL_BYTES
from edgeseries.planning.sample_budget import SampleBudget
from edgeseries.ports.clock import Clock
from edgeseries.ports.streaming import Pause


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """The budget, and with what somebody waits for a share of it."""

    budget: SampleBudget
    clock: Clock
    pause: Pause


class MemoryShare:
    """Bytes that are held. `until_ms` is when the share ends by itself, should nobody give it back."""

    def __init__(self, ticket: int, size: int, *, until_ms: int, waiting: Waiting) -> None:
        self._ticket = ticket
        self._size = size
        self._until_ms = until_ms
        self._waiting = waiting
        self._holders = 1

    @property
    def most_bytes(self) -> int:
        """What a share can be at most, alone."""
        return self._waiting.budget.max_bytes

    def grow(self, size: int) -> None:
        """Hold at least so many bytes. Raises MemoryBusy where they are not there: nobody waits while
        holding.
        """
        if size > self._size:
            if not self._resized(size):
                raise busy()
            self._size = size

    def shrink(self, size: int) -> None:
        """Hold so many bytes at most."""
        if size < self._size and self._resized(size):
            self._size = size

    def also_held(self) -> "MemoryShare":
        """For one holder more."""
        self._holders += 1
        return self

    def give_back(self) -> None:
        """One holder is done. An error that is under way lies in a cycle with the frames that it passes, and
        their samples, until that is collected.
        """
        if sys.exception() is not None:
            self._waiting.budget.collect_due = True
        self._holders -= 1
        if self._holders <= 0:
            self._waiting.budget.leave(self._ticket)

    def _resized(self, size: int) -> bool:
        now_ms = self._waiting.clock.now_ms()
        return self._waiting.budget.resize(self._ticket, size, now_ms, until_ms=self._until_ms)


async def wait_for_share(size: int, waiting: Waiting, *, deadline_ms: int, wait_ms: int) -> MemoryShare:
    """A share of `size` bytes. Raises MemoryBusy when it is not there within `wait_ms` and the deadline."""
    budget, clock = waiting.budget, waiting.clock
    if budget.collect_due and size > BUDGET_SMALL_BYTES:
        budget.collect()
        budget.collect_due = False
    now_ms = clock.now_ms()
    latest_ms = min(now_ms + wait_ms, deadline_ms)
    until_ms = deadline_ms + BUDGET_LINGER_MS
    ticket = budget.ticket(now_ms)
    taken = False
    try:
        while not (taken := budget.enter(ticket, size, now_ms, until_ms=until_ms)):
            if now_ms + BUDGET_TURN_MS > latest_ms:
                raise busy()
            await waiting.pause(BUDGET_TURN_MS)
            now_ms = clock.now_ms()
    finally:
        if not taken:
            budget.leave(ticket)
    return MemoryShare(ticket, min(size, budget.max_bytes), until_ms=until_ms, waiting=waiting)


def busy() -> MemoryBusy:
    """The error for a caller for whom there is no room."""
    return MemoryBusy(
        "too many large answers are being made at once; try again", retry_after_s=BUDGET_RETRY_S
    )
