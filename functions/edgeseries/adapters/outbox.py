"""The Outbox and Undertaker ports over the platform's queue bindings."""

from collections.abc import Mapping, Sequence
from typing import Any

from pyodide.ffi import JsException

from edgeseries.adapters.ffi import in_time, js_object, raw
from edgeseries.adapters.store_limits import QUEUE_TIMEOUT_MS
from edgeseries.core.errors import DeadlineExceeded, StoreUnavailable
from edgeseries.core.jobs.job import Priority
from edgeseries.core.jobs.limits import MESSAGES_OF_A_SEND
from edgeseries.core.jobs.messages import JobMessage, Letter


class PlatformOutbox:
    """Sends to the job queues. `queues` are the SDK's bindings by priority."""

    def __init__(self, queues: Mapping[str, Any]) -> None:
        self._queues = queues

    async def send(self, messages: Sequence[JobMessage], *, priority: Priority, delay_s: int = 0) -> None:
        """See Outbox."""
        bodies = [message.to_wire() for message in messages]
        for first in range(0, len(bodies), MESSAGES_OF_A_SEND):
            await _send(self._queues[priority], bodies[first : first + MESSAGES_OF_A_SEND], delay_s)

    async def resend(self, message: Mapping[str, object], *, queue: str, delay_s: int = 0) -> bool:
        """See Outbox. A queue's physical name ends with its priority."""
        for priority, binding in self._queues.items():
            if queue.endswith(f"-{priority}"):
                await _send(binding, [dict(message)], delay_s)
                return True
        return False


class PlatformUndertaker:
    """Sends to the dead-letter queue."""

    def __init__(self, queue: Any) -> None:
        self._queue = queue

    async def bury(self, letter: Letter) -> None:
        """See Undertaker."""
        await _send(self._queue, [letter.to_wire()], 0)


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
