"""What becomes of a queue message: a plan, a batch, or a dead letter, each with a file of its own.

A message is dealt with by itself; whatever becomes of it, the others of its delivery are not concerned.
"""

from typing import Final

from consumer.batch import failed, run_batch
from consumer.dead_letters import LATER_S, handle_dead_letter
from consumer.delivery import Delivery, failed_unclaimed
from consumer.planning import plan_job
from consumer.ports import Ports
from edgeseries.errors import EdgeError, Transient
from edgeseries.jobs.dispositions import Disposition, PutBack
from edgeseries.jobs.messages import (
    BatchMessage,
    PlanMessage,
    UnknownMessage,
    is_dead_letter_queue,
    message_of,
)

UNKNOWN_MESSAGE_DELAY_S: Final = 60
"""How long a message that nobody understands waits: during a rollout a newer Worker may. After the
queue's retries it is moved to the dead letters, and kept."""


UNEXPECTED_DELAY_S: Final = 10
"""After a fault of ours that could not even be written down."""


async def consume(delivery: Delivery, ports: Ports) -> Disposition:
    """Deal with one delivery."""
    if is_dead_letter_queue(delivery.queue):
        return await handle_dead_letter(delivery, ports)
    try:
        match message_of(delivery.body):
            case PlanMessage() as message:
                return await plan_job(message, delivery, ports)
            case BatchMessage() as message:
                return await run_batch(message, delivery, ports)
            case _:
                return await handle_dead_letter(delivery, ports)
    except UnknownMessage as unknown:
        ports.journal.line("warning", "message put back", queue=delivery.queue, cause=unknown.detail)
        return PutBack(delay_s=UNKNOWN_MESSAGE_DELAY_S)
    except EdgeError as error:
        return await failed_unclaimed(error, delivery, ports)


async def recover(fault: Exception, delivery: Delivery, ports: Ports) -> Disposition:
    """After a fault of ours, of whatever kind: the batch is given back at once, and tried again as after
    any failure that may pass, so that a fault which does not pass ends the job with its cause.
    """
    if is_dead_letter_queue(delivery.queue):
        return PutBack(delay_s=LATER_S)
    error = Transient(f"a fault of ours, the log has its trace: {type(fault).__name__}: {fault}")
    try:
        for claim in delivery.claims:
            _, disposition = await failed(error, claim, delivery, ports)
            return disposition
        return await failed_unclaimed(error, delivery, ports)
    except EdgeError as further:
        ports.journal.line("warning", "a message is put back", queue=delivery.queue, cause=further.detail)
        return PutBack(delay_s=UNEXPECTED_DELAY_S)
