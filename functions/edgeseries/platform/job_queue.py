"""The JobQueue and DeadLetterQueue ports over the platform's queue bindings."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from pyodide.ffi import JsException

from edgeseries.errors import DeadlineExceeded, StoreUnavailable
from edgeseries.jobs.job import Priority
from edgeseries.jobs.limits import MESSAGES_OF_A_SEND
from edgeseries.jobs.messages import FailedMessage, JobMessage
from edgeseries.metrics.prices import QUEUE_OPERATIONS_A_MESSAGE
from edgeseries.platform.ffi import in_time, js_object, raw
from edgeseries.storage.limits import QUEUE_TIMEOUT_MS

OPERATIONS_OF_A_SEND: Final = QUEUE_OPERATIONS_A_MESSAGE - 1
"""A message is written and deleted once; its reads are counted where they happen."""


class PlatformJobQueue:
    """Sends to the job queues. `queues` are the SDK's bindings by priority; `meter` counts what is billed."""

    def __init__(self, queues: Mapping[str, Any], meter: Counter[str] | None = None) -> None:
        self._queues = queues
        self._meter: Counter[str] = Counter() if meter is None else meter

    async def send(self, messages: Sequence[JobMessage], *, priority: Priority, delay_s: int = 0) -> None:
        """See JobQueue."""
        bodies = [message.to_wire() for message in messages]
        for first in range(0, len(bodies), MESSAGES_OF_A_SEND):
            some = bodies[first : first + MESSAGES_OF_A_SEND]
            await _send(self._queues[priority], some, delay_s)
            self._meter["queue_operations"] += OPERATIONS_OF_A_SEND * len(some)

    async def resend(self, message: Mapping[str, object], *, queue: str, delay_s: int = 0) -> bool:
        """See JobQueue. A queue's physical name ends with its priority."""
        for priority, binding in self._queues.items():
            if queue.endswith(f"-{priority}"):
                await _send(binding, [dict(message)], delay_s)
                self._meter["queue_operations"] += OPERATIONS_OF_A_SEND
                return True
        return False


class PlatformDeadLetterQueue:
    """Sends to the dead-letter queue."""

    def __init__(self, queue: Any, meter: Counter[str] | None = None) -> None:
        self._queue = queue
        self._meter: Counter[str] = Counter() if meter is None else meter

    async def add(self, message: FailedMessage) -> None:
        """See DeadLetterQueue."""
        await _send(self._queue, [message.to_wire()], 0)
        self._meter["queue_operations"] += OPERATIONS_OF_A_SEND


async def _send(binding: Any, bodies: Sequence[Mapping[str, object]], delay_s: int) -> None:
    """One sendBatch: JSON bodies, so that any Worker and any consumer can read them."""
    messages = js_object([{"body": body, "contentType": "json"} for body in bodies])
    options = js_object({"delaySeconds": delay_s} if delay_s else {})
    try:
        await in_time(raw(binding).sendBatch(messages, options), QUEUE_TIMEOUT_MS, "the queue")
    except JsException as error:
        raise StoreUnavailable("the queue does not take messages; try again") from error
    except DeadlineExceeded as error:
        raise StoreUnavailable(error.detail) from error
