"""One delivery of one message, and what a failure of its work leads to."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from consumer.ports import Ports
from edgeseries.errors import EdgeError
from edgeseries.jobs.dispositions import ACK, Disposition, PutBack
from edgeseries.jobs.job import Claim
from edgeseries.jobs.messages import FailedMessage
from edgeseries.jobs.retrying import GiveUp, after_failure


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A message as the queue hands it over. `attempts` counts deliveries, the first is 1.

    `claims` is what its work has claimed, noted for whoever has to give it back after a fault.
    """

    queue: str
    message_id: str
    attempts: int
    body: object
    claims: list[Claim] = field(default_factory=list)


async def failed_unclaimed(error: EdgeError, delivery: Delivery, ports: Ports) -> Disposition:
    """What to do with a message whose work failed without a claim: deliveries are its attempts."""
    verdict = after_failure(error, attempts=delivery.attempts - 1, claims=delivery.attempts)
    ports.journal.line(
        "warning", "a message failed", queue=delivery.queue, attempts=delivery.attempts, cause=error.detail
    )
    if isinstance(verdict, GiveUp):
        await send_to_dead_letters(verdict, delivery, attempts=delivery.attempts, ports=ports)
        return ACK
    return PutBack(delay_s=verdict.delay_s)


async def send_to_dead_letters(verdict: GiveUp, delivery: Delivery, *, attempts: int, ports: Ports) -> None:
    """Send the message to the dead letters with its cause."""
    message = dict(delivery.body) if isinstance(delivery.body, Mapping) else {"body": delivery.body}
    ports.journal.line("error", "a message is given up", queue=delivery.queue, cause=verdict.cause)
    await ports.dead_letter_queue.add(
        FailedMessage(queue=delivery.queue, message=message, cause=verdict.cause, attempts=attempts)
    )
