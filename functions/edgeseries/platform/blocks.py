"""The block store of one event over R2 and D1: the same in every Worker."""

from collections import Counter

from edgeseries.blocks.adapters.block_memory import BlockMemory
from edgeseries.blocks.adapters.block_store import BlockStore
from edgeseries.blocks.block_columns import PythonBlockCodec
from edgeseries.platform.compression_workers import RuntimeCompression
from edgeseries.platform.d1 import D1Database
from edgeseries.platform.kernel import KernelBlockCodec
from edgeseries.platform.r2 import R2Bucket
from edgeseries.platform.streaming import PlatformTimer
from edgeseries.ports.clock import Clock
from edgeseries.storage.object_keys import Used, nobody_counts


def platform_blocks(
    *,
    bucket: R2Bucket,
    database: D1Database,
    memory: BlockMemory,
    clock: Clock,
    kernel: bool,
    faults: Counter[str] | None = None,
    used: Used = nobody_counts,
) -> BlockStore:
    """`memory` is the isolate's. Blocks are read and written by the kernel, or by the Python code alone."""
    python = PythonBlockCodec(compressor=RuntimeCompression())
    return BlockStore(
        bucket=bucket,
        database=database,
        codec=KernelBlockCodec(python) if kernel else python,
        memory=memory,
        clock=clock,
        pause=PlatformTimer().pause,
        faults=faults,
        used=used,
    )
