"""What goes through the queues: references to work, as small JSON with a version.

Old and new Workers run side by side during a rollout, so a message that is not understood is no
fault of the sender: it is put back, for a Worker that understands it. Format: `docs/formats/messages.md`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from edgeseries.errors import Defect

VERSION: Final = 1

DEAD_LETTER_QUEUE: Final = "dead-letters"
"""How the name of the dead-letter queue ends, whatever the stack puts before it."""


class UnknownMessage(Defect):
    """A message of another version, or of nobody we know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanMessage:
    """Cut this job into batches."""

    job_id: str

    def to_wire(self) -> dict[str, object]:
        """JSON fields."""
        return {"v": VERSION, "kind": "plan", "jobId": self.job_id}


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchMessage:
    """Fetch and store this batch."""

    job_id: str
    batch_index: int

    def to_wire(self) -> dict[str, object]:
        """JSON fields."""
        return {"v": VERSION, "kind": "batch", "jobId": self.job_id, "batchIndex": self.batch_index}


JobMessage = PlanMessage | BatchMessage


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedMessage:
    """A message that was given up: where it came from, after how many attempts, and why."""

    queue: str
    message: Mapping[str, object]
    cause: str
    attempts: int

    def to_wire(self) -> dict[str, object]:
        """JSON fields."""
        return {
            "v": VERSION,
            "kind": "letter",
            "queue": self.queue,
            "message": dict(self.message),
            "cause": self.cause,
            "attempts": self.attempts,
        }


def message_of(body: object) -> JobMessage | FailedMessage:
    """The message of a queue's JSON body. Raises UnknownMessage."""
    match body:
        case {"v": 1, "kind": "plan", "jobId": str(job_id)}:
            return PlanMessage(job_id=job_id)
        case {"v": 1, "kind": "batch", "jobId": str(job_id), "batchIndex": int(index)} if index >= 0:
            return BatchMessage(job_id=job_id, batch_index=index)
        case {
            "v": 1,
            "kind": "letter",
            "queue": str(queue),
            "message": dict(message),
            "cause": str(cause),
            "attempts": int(attempts),
        }:
            return FailedMessage(queue=queue, message=message, cause=cause, attempts=attempts)
    raise UnknownMessage("this is no message of version 1")


def is_dead_letter_queue(queue: str) -> bool:
    """Whether a queue, by its physical name, is the one of dead letters."""
    return queue.endswith(DEAD_LETTER_QUEUE)
