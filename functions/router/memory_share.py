"""The memory of a request: a share of the isolate's, and what is done while it is held."""

from collections.abc import AsyncGenerator, Coroutine
from dataclasses import dataclass
from typing import Any, Protocol

from edgeseries.errors import AnswerTooLarge
from edgeseries.limits import BUDGET_WAIT_MS, WHOLE_MAX_SAMPLES
from edgeseries.planning.memory_share import MemoryShare, Waiting, wait_for_share
from edgeseries.planning.sample_bound import SampleBound
from edgeseries.planning.sample_budget import bytes_held
from router.ports import Ports


async def take_share(
    size: int, ports: Ports, *, deadline_ms: int, wait_ms: int = BUDGET_WAIT_MS
) -> MemoryShare:
    """A share of `size` bytes. Raises MemoryBusy when it is not there within `wait_ms` and the deadline."""
    waiting = Waiting(budget=ports.sample_budget, clock=ports.clock, pause=ports.timer.pause)
    return await wait_for_share(size, waiting, deadline_ms=deadline_ms, wait_ms=wait_ms)


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerRoom:
    """What an answer may hold: its share of memory, and the bound that counts its samples."""

    share: MemoryShare
    bound: SampleBound


def room_of(share: MemoryShare) -> AnswerRoom:
    """Room for an answer that is made whole. Every sample that is counted is held in the share; more than an
    isolate has for answers raises AnswerTooLarge, less that is not there now MemoryBusy.
    """

    def reserve(stored: int, fetched: int) -> None:
        size = bytes_held(stored_samples=stored, fetched_samples=fetched)
        if size > share.most_bytes:
            raise AnswerTooLarge(
                f"an answer of {stored} stored and {fetched} fetched samples or more is too large to be made "
                "at once; ask for a shorter range or fewer points",
                estimated_samples=fetched,
            )
        share.grow(size)

    return AnswerRoom(share=share, bound=SampleBound(WHOLE_MAX_SAMPLES, reserve=reserve))


class Held(Protocol):
    """Something that work holds until it is done."""

    def give_back(self) -> None:
        """The work is done."""
        ...


async def held_work(work: Coroutine[Any, Any, None], share: Held) -> None:
    """Work after an answer has left, which holds some of its samples."""
    try:
        await work
    finally:
        share.give_back()


async def held_body(body: bytes, share: MemoryShare) -> AsyncGenerator[bytes]:
    """A body in one piece; its share is given back when it has left, or its reader has. The bytes are whose
    who takes them: they are not held here while they are sent.
    """
    left = [body]
    del body
    try:
        yield left.pop()
    finally:
        share.give_back()
