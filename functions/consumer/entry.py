"""The consumer Worker: a batch of messages in, acknowledgements and retries out. It decides nothing."""

from typing import Any

from workers import WorkerEntrypoint

from consumer.bindings import Bindings
from consumer.flow import Delivery, consume
from edgeseries.adapters.ffi import whole_number
from edgeseries.adapters.journal import PlatformJournal


class Default(WorkerEntrypoint):
    """The handler of queue batches."""

    async def queue(self, batch: Any, env: Any, ctx: Any) -> None:  # noqa: ARG002 - the platform's signature
        """Carry out the disposition of every message, each by itself."""
        bindings = Bindings.from_env(self.env)
        journal = PlatformJournal(function="consumer", dataset=bindings.analytics)
        messages = list(batch.messages)
        deliveries = [
            Delivery(message_id=str(one.id), attempts=whole_number(one.attempts, "attempts"))
            for one in messages
        ]
        for message, disposition in zip(
            messages, consume(str(batch.queue), deliveries, journal), strict=True
        ):
            message.retry(delaySeconds=disposition.delay_s)
