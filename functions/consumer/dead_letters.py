"""A dead letter: keep it with its cause, fail its batch and its job, and say so loudly.

Letters come with their cause from our own flow. A message that the platform itself moved here, after
deliveries that ended without a word, is the bare message.
"""

from collections.abc import Mapping
from typing import Final

from consumer.delivery import Delivery
from consumer.ports import Ports
from edgeseries.errors import EdgeError
from edgeseries.jobs.dispositions import ACK, Disposition, PutBack
from edgeseries.jobs.messages import BatchMessage, FailedMessage, PlanMessage, UnknownMessage, message_of
from edgeseries.jobs.ports.dead_letters import DeadLetter, DeadLetterOutcome

LATER_S: Final = 60
"""When the database is down, or somebody works on the batch after all. The dead-letter queue has no
further dead-letter queue: nothing is acknowledged that is not kept."""

NO_CAUSE: Final = "delivered again and again, and every time its Worker ended without a word; see its log"


async def handle_dead_letter(delivery: Delivery, ports: Ports) -> Disposition:
    """Store the dead letter; it never fails for good."""
    dead_letter = dead_letter_of(delivery, ports.clock.now_ms())
    try:
        outcome = await ports.dead_letters.add(dead_letter)
    except EdgeError as error:
        ports.journal.line("error", "a dead letter could not be kept yet", cause=error.detail)
        return PutBack(delay_s=LATER_S)
    ports.journal.line(
        "error" if outcome is DeadLetterOutcome.STORED else "info",
        f"dead letter: {outcome.value}",
        dead_letter=dead_letter.letter_id,
        job=dead_letter.job_id,
        batch=dead_letter.batch_index,
        cause=dead_letter.cause,
    )
    return PutBack(delay_s=LATER_S) if outcome is DeadLetterOutcome.HELD else ACK


def dead_letter_of(delivery: Delivery, now_ms: int) -> DeadLetter:
    """The dead letter of a delivery, whatever was put into the queue."""
    body = delivery.body
    queue, cause, attempts = delivery.queue, NO_CAUSE, delivery.attempts
    try:
        message = message_of(body)
        if isinstance(message, FailedMessage):
            queue, cause, attempts, body = message.queue, message.cause, message.attempts, message.message
            message = message_of(body)
    except UnknownMessage as unknown:
        message = None
        cause = unknown.detail if cause == NO_CAUSE else cause
    about = message if isinstance(message, PlanMessage | BatchMessage) else None
    return DeadLetter(
        letter_id=delivery.message_id,
        queue=queue,
        job_id=about.job_id if about else None,
        batch_index=about.batch_index if isinstance(about, BatchMessage) else None,
        message=body if isinstance(body, Mapping) else {"body": body},
        cause=cause,
        attempts=attempts,
        buried_ms=now_ms,
    )
