"""Queues: the job queues with their dead-letter queue, and the consumers of them.

Owns how queues and consumers are made. Consumers are apart from queues, because a consumer
needs a deployed Worker and Workers need the queues. Must not know what messages say.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import pulumi
import pulumi_cloudflare as cloudflare

from stack.wiring import Consumption

DAY_SECONDS: Final = 86_400
SECOND_MS: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueSpec:
    """One queue: its logical and its physical name, and how long it keeps messages."""

    queue: str
    queue_name: str
    retention_days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuesSpec:
    """All queues of a stack."""

    account_id: str
    queues: tuple[QueueSpec, ...]
    protect: bool


class Queues(pulumi.ComponentResource):
    """The queues of one stack, by logical name."""

    def __init__(self, name: str, spec: QueuesSpec, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("edgeseries:stack:Queues", name, None, opts)
        self.by_name: Mapping[str, cloudflare.Queue] = {
            queue.queue: cloudflare.Queue(
                queue.queue,
                account_id=spec.account_id,
                queue_name=queue.queue_name,
                settings=cloudflare.QueueSettingsArgs(
                    message_retention_period=queue.retention_days * DAY_SECONDS
                ),
                opts=pulumi.ResourceOptions(parent=self, protect=spec.protect),
            )
            for queue in spec.queues
        }
        self.register_outputs({"names": [queue.queue_name for queue in self.by_name.values()]})


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsumersSpec:
    """The queues that one Worker consumes."""

    account_id: str
    script_name: pulumi.Input[str]
    queues: Mapping[str, cloudflare.Queue]
    consumes: tuple[Consumption, ...]
    protect: bool


class Consumers(pulumi.ComponentResource):
    """One QueueConsumer for each queue. `opts.depends_on` holds them back until the Worker runs."""

    def __init__(self, name: str, spec: ConsumersSpec, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("edgeseries:stack:Consumers", name, None, opts)
        depends_on = opts.depends_on if opts is not None else None
        for consumption in spec.consumes:
            dead_letters = consumption.dead_letter_queue
            cloudflare.QueueConsumer(
                consumption.queue,
                account_id=spec.account_id,
                queue_id=spec.queues[consumption.queue].queue_id,
                type="worker",
                script_name=spec.script_name,
                dead_letter_queue=None if dead_letters is None else spec.queues[dead_letters].queue_name,
                settings=cloudflare.QueueConsumerSettingsArgs(
                    batch_size=consumption.batch_messages,
                    max_wait_time_ms=consumption.max_wait_seconds * SECOND_MS,
                    max_retries=consumption.max_retries,
                    max_concurrency=consumption.max_concurrency,
                    retry_delay=consumption.retry_delay_seconds,
                ),
                # Pulumi does not hand a component's own dependencies down to its children.
                opts=pulumi.ResourceOptions(parent=self, depends_on=depends_on, protect=spec.protect),
            )
        self.register_outputs({"queues": [consumption.queue for consumption in spec.consumes]})
