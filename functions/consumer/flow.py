"""What becomes of a batch of queue messages.

Jobs do not exist yet, so nothing sends messages; one that arrives all the same is logged and
left in its queue. Nothing is acknowledged that was not done.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from edgeseries.ports.journal import Journal

UNKNOWN_MESSAGE_DELAY_S: Final = 60
"""How long a message that nobody understands waits before it is looked at again. After the queue's
retries (three by default) it is moved to the dead letters, where it waits for 100 times as long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One delivery of one message. `attempts` counts deliveries, the first is 1."""

    message_id: str
    attempts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryAfter:
    """Put the message back; deliver it again after `delay_s` seconds."""

    delay_s: int


def consume(queue: str, deliveries: Sequence[Delivery], journal: Journal) -> tuple[RetryAfter, ...]:
    """A disposition for each delivery, in order."""
    for delivery in deliveries:
        journal.line(
            "warning",
            "message left in its queue: this version has no jobs",
            queue=queue,
            message=delivery.message_id,
            attempts=delivery.attempts,
        )
    return tuple(RetryAfter(delay_s=UNKNOWN_MESSAGE_DELAY_S) for _ in deliveries)
