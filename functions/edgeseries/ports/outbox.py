"""Sending work to the queues. A queue that refuses raises StoreUnavailable."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from edgeseries.core.jobs.job import Priority
from edgeseries.core.jobs.messages import JobMessage, Letter


class Outbox(Protocol):
    """The sending ends of the job queues."""

    async def send(self, messages: Sequence[JobMessage], *, priority: Priority, delay_s: int = 0) -> None:
        """Put messages into the queue of a priority; each is delivered at least once, in any order."""
        ...

    async def resend(self, message: Mapping[str, object], *, queue: str, delay_s: int = 0) -> bool:
        """Put a message as it was into the queue it came from; False if we do not send to that queue."""
        ...


class Undertaker(Protocol):
    """The sending end of the dead-letter queue."""

    async def bury(self, letter: Letter) -> None:
        """Send a letter."""
        ...
