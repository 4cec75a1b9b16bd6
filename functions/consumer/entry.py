"""The consumer Worker: messages in, each acknowledged or put back by itself. It decides nothing."""

import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from workers import WorkerEntrypoint

from consumer.delivery import Delivery
from consumer.flow import UNEXPECTED_DELAY_S, consume, recover
from consumer.ports import Ports
from edgeseries.blocks.adapters.block_memory import BlockMemory
from edgeseries.bounded_gather import bounded_gather
from edgeseries.jobs.adapters.job_store import BatchRecords, DeadLetterRecords, JobRecords
from edgeseries.jobs.batching import BatchSizes
from edgeseries.jobs.dispositions import Disposition, PutBack
from edgeseries.jobs.limits import INVOCATION_BUDGET_MS, MESSAGES_AT_ONCE
from edgeseries.leases.adapters.lease_records import LeasePause, LeaseRecords
from edgeseries.leases.limits import LEASE_TIMEOUT_MS
from edgeseries.limits import SECOND_MS
from edgeseries.memory_limits import CONSUMER_BUDGET_BYTES
from edgeseries.metrics.adapters.metrics_buffer import MetricsBuffer
from edgeseries.metrics.adapters.metrics_flusher import MetricsFlusher
from edgeseries.origins.adapters.arrow_parquet import ArrowParquetReader
from edgeseries.origins.adapters.isolate_origins import IsolateOrigins
from edgeseries.origins.work_class import Requester, WorkClass
from edgeseries.planning.sample_budget import SampleBudget
from edgeseries.platform.bindings import Bindings, bindings_of_isolate
from edgeseries.platform.clock import SystemClock
from edgeseries.platform.d1 import D1Database
from edgeseries.platform.ffi import plain_json, raw, whole_number
from edgeseries.platform.heartbeats import PlatformHeartbeats
from edgeseries.platform.identity import RandomIdentity
from edgeseries.platform.job_queue import PlatformDeadLetterQueue, PlatformJobQueue
from edgeseries.platform.journal import PlatformJournal
from edgeseries.platform.native_libraries import PlatformLibraries
from edgeseries.platform.stores import stores_of
from edgeseries.platform.streaming import PlatformTimer
from edgeseries.platform.upstream import Caller, Upstreams, upstreams_of
from edgeseries.settings.workers import (
    BATCH_POINTS,
    BATCH_SAMPLES,
    KERNEL,
    SETTLE_LAG_MINUTES,
)

LEASE_PAUSE = LeasePause()
"""Whether the isolate asks for leases at all."""

METRICS = MetricsBuffer()
"""What invocations of the isolate count before it is written."""

ORIGINS = IsolateOrigins()
"""What all invocations of the isolate have under way at each upstream, whether it is called at all, and names
of points that it has."""

BUDGET = SampleBudget(max_bytes=CONSUMER_BUDGET_BYTES)
"""What the samples of all invocations of the isolate take, which they share."""


class Default(WorkerEntrypoint):
    """The handler of queue batches."""

    async def queue(self, batch: Any, env: Any, ctx: Any) -> None:  # noqa: ARG002 - the platform's signature
        """Deal with every message by itself, some side by side; those that time or calls do not suffice for
        go back at once.
        """
        new_ports = ports_of(bindings_of_isolate(), self.ctx)
        ports, messages = new_ports(), list(batch.messages)
        began_ms = ports.clock.now_ms()

        async def deal_with(place: int) -> None:
            message = messages[place]
            if ports.budget.spent() or ports.clock.now_ms() - began_ms > INVOCATION_BUDGET_MS:
                message.retry()
                return
            _carry_out(await _deal_with(message, str(batch.queue), new_ports()), message)

        await bounded_gather(range(len(messages)), deal_with, at_once=MESSAGES_AT_ONCE)
        METRICS.operations.update({"requests": 1, "queue_operations": len(batch.messages)})
        flusher = MetricsFlusher(
            function="consumer",
            metrics_buffer=METRICS,
            database=D1Database(raw(bindings_of_isolate().database), METRICS.operations),
            clock=ports.clock,
            journal=ports.journal,
        )
        await flusher.flush()


async def _deal_with(message: Any, queue: str, ports: Ports) -> Disposition:
    delivery: Delivery | None = None
    try:
        delivery = Delivery(
            queue=queue,
            message_id=str(message.id),
            attempts=whole_number(message.attempts, "attempts"),
            body=plain_json(raw(message.body)),
        )
        return await consume(delivery, ports)
    except Exception as fault:  # noqa: BLE001 - the last resort: the message stays, the log has the cause
        ports.journal.line("error", "unexpected", trace=traceback.format_exc(), message=str(message.id))
        if delivery is None:
            return PutBack(delay_s=UNEXPECTED_DELAY_S)
        return await recover(fault, delivery, ports)


def _carry_out(disposition: Disposition, message: Any) -> None:
    if isinstance(disposition, PutBack):
        message.retry(delaySeconds=disposition.delay_s)
    else:
        message.ack()


def ports_of(bindings: Bindings, ctx: Any) -> Callable[[], Ports]:
    """Makes the ports of each message of one invocation: stores, whose calls count together, and the
    upstream are the invocation's; what was dropped is counted by message.
    """
    clock = SystemClock()
    journal = PlatformJournal(
        function="consumer", dataset=bindings.analytics, metrics_buffer=METRICS, clock=clock
    )
    # What a batch reads of blocks it reads once: nothing is remembered between batches.
    stores = stores_of(
        stack=bindings.stack,
        bucket=bindings.cache,
        database=bindings.database,
        memory=BlockMemory(max_bytes=0),
        metrics_buffer=METRICS,
        clock=clock,
        wait_until=ctx.waitUntil,
        kernel=bindings.text(KERNEL) == "on",
    )
    caller = Caller(clock=clock, journal=journal, metrics_buffer=METRICS)

    def upstreams(dropped: Counter[str], requester: Requester) -> Upstreams:
        own = replace(caller, requester=requester)
        return upstreams_of(
            bindings, own, isolate=ORIGINS, dropped=dropped, parquet=ArrowParquetReader(PlatformLibraries())
        )

    first = upstreams(Counter(), Requester(work_class=WorkClass.JOB))
    ports = Ports(
        job_reader=JobRecords(stores.database),
        batches=BatchRecords(stores.database),
        dead_letters=DeadLetterRecords(stores.database),
        job_queue=PlatformJobQueue(bindings.job_queues, METRICS.operations),
        dead_letter_queue=PlatformDeadLetterQueue(bindings.env.DEAD_LETTERS, METRICS.operations),
        origin=first.origin,
        blocks=stores.blocks,
        leases=LeaseRecords(
            database=D1Database(raw(bindings.database), METRICS.operations, timeout_ms=LEASE_TIMEOUT_MS),
            pause=LEASE_PAUSE,
            clock=clock,
        ),
        heartbeats=PlatformHeartbeats(),
        operations=METRICS.operations,
        clock=clock,
        identity=RandomIdentity(),
        journal=journal,
        budget=stores,
        batch_sizes=BatchSizes(points=bindings.whole(BATCH_POINTS), samples=bindings.whole(BATCH_SAMPLES)),
        settle_lag_ms=bindings.whole(SETTLE_LAG_MINUTES),
        settle_lags=first.settle_lags,
        timer=PlatformTimer(),
        sample_budget=BUDGET,
    )

    def of_message() -> Ports:
        dropped: Counter[str] = Counter()
        requester = Requester(work_class=WorkClass.JOB)
        origin = upstreams(dropped, requester).origin
        return replace(ports, origin=origin, dropped=dropped, requester=requester)

    return of_message


assert UNEXPECTED_DELAY_S * SECOND_MS < INVOCATION_BUDGET_MS
