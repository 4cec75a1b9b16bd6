"""The stores of one event over a Worker's bindings: the same in every Worker."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from edgeseries.adapters.answer_store import AnswerStore
from edgeseries.adapters.block_memory import BlockMemory
from edgeseries.adapters.block_store import BlockStore
from edgeseries.adapters.compression_workers import RuntimeCompression
from edgeseries.adapters.d1 import D1Database
from edgeseries.adapters.ffi import raw
from edgeseries.adapters.r2 import R2Bucket
from edgeseries.ports.clock import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Stores:
    """Blocks and answers, and the database that they and others stand on."""

    database: D1Database
    blocks: BlockStore
    answers: AnswerStore


def stores_of(
    *, bucket: Any, database: Any, memory: BlockMemory, clock: Clock, wait_until: Callable[[Any], object]
) -> Stores:
    """`bucket` and `database` are the SDK's bindings; `memory` is the isolate's."""
    d1, r2, compression = D1Database(raw(database)), R2Bucket(raw(bucket)), RuntimeCompression()
    answers = AnswerStore(bucket=r2, database=d1, compression=compression, clock=clock, wait_until=wait_until)
    blocks = BlockStore(
        bucket=r2, database=d1, compression=compression, memory=memory, clock=clock, answers=answers
    )
    return Stores(database=d1, blocks=blocks, answers=answers)
