"""The stores of one event over a Worker's bindings: the same in every Worker."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from edgeseries.blocks.adapters.block_memory import BlockMemory
from edgeseries.blocks.adapters.block_store import BlockStore
from edgeseries.metrics.adapters.metrics_buffer import MetricsBuffer
from edgeseries.platform.answer_store import AnswerStore
from edgeseries.platform.blocks import platform_blocks
from edgeseries.platform.compression_workers import RuntimeCompression
from edgeseries.platform.d1 import D1Database
from edgeseries.platform.ffi import raw
from edgeseries.platform.r2 import R2Bucket
from edgeseries.ports.clock import Clock
from edgeseries.storage.limits import ANSWER_TTL_MS, BUCKET_CALLS_BUDGET, STATEMENTS_BUDGET


@dataclass(frozen=True, slots=True, kw_only=True)
class Stores:
    """Blocks and answers, and the database that they and others stand on. `faults` counts, by name, what
    went wrong in them during the event.
    """

    bucket: R2Bucket
    database: D1Database
    blocks: BlockStore
    answers: AnswerStore
    faults: Counter[str]

    def spent(self) -> bool:
        """See Budget."""
        return self.database.statements > STATEMENTS_BUDGET or self.bucket.calls > BUCKET_CALLS_BUDGET


def stores_of(
    *,
    stack: str,
    bucket: Any,
    database: Any,
    memory: BlockMemory,
    metrics_buffer: MetricsBuffer,
    clock: Clock,
    wait_until: Callable[[Any], object],
    kernel: bool,
    answer_ttl_ms: int = ANSWER_TTL_MS,
) -> Stores:
    """`stack` is the stack's name; `bucket` and `database` are the SDK's bindings; `memory` and
    `metrics_buffer` are the isolate's. Blocks go through the kernel, or through the Python code alone.
    """
    d1, r2 = (
        D1Database(raw(database), metrics_buffer.operations),
        R2Bucket(raw(bucket), metrics_buffer.operations),
    )
    compression, faults = RuntimeCompression(), Counter[str]()
    answers = AnswerStore(
        stack=stack,
        bucket=r2,
        database=d1,
        compression=compression,
        clock=clock,
        wait_until=wait_until,
        faults=faults,
        used=metrics_buffer.used,
        ttl_ms=answer_ttl_ms,
    )
    blocks = platform_blocks(
        bucket=r2,
        database=d1,
        memory=memory,
        clock=clock,
        kernel=kernel,
        faults=faults,
        used=metrics_buffer.used,
    )
    return Stores(bucket=r2, database=d1, blocks=blocks, answers=answers, faults=faults)
