"""Sending work to the queues. A queue that refuses raises StoreUnavailable."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from edgeseries.jobs.job import Priority
from edgeseries.jobs.messages import FailedMessage, JobMessage


class JobQueue(Protocol):
    """The sending ends of the job queues."""

    async def send(self, messages: Sequence[JobMessage], *, priority: Priority, delay_s: int = 0) -> None:
        """Put messages into the queue of a priority; each is delivered at least once, in any order."""
        ...

    async def resend(self, message: Mapping[str, object], *, queue: str, delay_s: int = 0) -> bool:
        """Put a message as it was into the queue it came from; False if we do not send to that queue."""
        ...


class DeadLetterQueue(Protocol):
    """The sending end of the dead-letter queue."""

    async def add(self, message: FailedMessage) -> None:
        """Send a letter."""
        ...
