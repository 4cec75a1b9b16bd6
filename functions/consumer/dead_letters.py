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
from edgeseries.jobs.ports.dead_letters import Burial, DeadLetter

LATER_S: Final = 60
"""When the database is down, or somebody works on the batch after all. The dead-letter queue has no
further dead-letter queue: nothing is acknowledged that is not kept."""

WITHOUT_A_WORD: Final = (
    "delivered again and again, and every time its Worker ended without a word; see its log"
)


async def keep_letter(delivery: Delivery, ports: Ports) -> Disposition:
    """Keep the letter; it never fails for good."""
    letter = letter_of(delivery, ports.clock.now_ms())
    try:
        burial = await ports.letters.bury(letter)
    except EdgeError as error:
        ports.journal.line("error", "a dead letter could not be kept yet", cause=error.detail)
        return PutBack(delay_s=LATER_S)
    ports.journal.line(
        "error" if burial is Burial.BURIED else "info",
        f"dead letter: {burial.value}",
        letter=letter.letter_id,
        job=letter.job_id,
        batch=letter.batch_index,
        cause=letter.cause,
    )
    return PutBack(delay_s=LATER_S) if burial is Burial.HELD else ACK


def letter_of(delivery: Delivery, now_ms: int) -> DeadLetter:
    """The letter of a delivery, whatever was put into the queue."""
    body = delivery.body
    queue, cause, attempts = delivery.queue, WITHOUT_A_WORD, delivery.attempts
    try:
        message = message_of(body)
        if isinstance(message, FailedMessage):
            queue, cause, attempts, body = message.queue, message.cause, message.attempts, message.message
            message = message_of(body)
    except UnknownMessage as unknown:
        message = None
        cause = unknown.detail if cause == WITHOUT_A_WORD else cause
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
