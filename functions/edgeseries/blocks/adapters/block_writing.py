"""Changing one block while others change it too: read, change, write if nobody was there first.

A change is a function of what lies there now, so it can be done again on what another writer
left. The write is conditional on the version that was read: of two writers of different days of
one block, the second merges into what the first wrote, and nothing is lost.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from edgeseries.blocks.adapters.block_content import CODEC, Content, facts_of
from edgeseries.blocks.adapters.block_index import BlockRow
from edgeseries.blocks.adapters.block_memory import BlockMemory, Remembered
from edgeseries.blocks.header import BlockKey
from edgeseries.errors import StoreUnavailable
from edgeseries.limits import SECOND_MS
from edgeseries.ports.clock import Clock
from edgeseries.storage.bucket import Bucket, Found, Written
from edgeseries.storage.limits import KEEP_ATTEMPTS, KEEP_FIRST_WAIT_MS, KEEP_LONGEST_WAIT_MS
from edgeseries.storage.object_keys import block_key

Change = Callable[[Found | None], Content | None]
"""What a block is to be, of what lies there; None if it is to go (or to stay away)."""

Pause = Callable[[int], Awaitable[None]]
"""Waits for so many milliseconds."""


async def pause(wait_ms: int) -> None:
    """The event loop's wait."""
    await asyncio.sleep(wait_ms / SECOND_MS)


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockWriter:
    """Writes blocks of one bucket. `faults` counts lost races."""

    bucket: Bucket
    memory: BlockMemory
    clock: Clock
    faults: Counter[str]
    pause: Pause = pause

    async def write(self, block: BlockKey, change: Change) -> BlockRow | None:
        """Carry out a change; the block as it lies there then, or None if there is none.

        A change that changes nothing writes nothing. Raises StoreUnavailable when other writers
        were first KEEP_ATTEMPTS times.
        """
        key = block_key(block.site, block.point, block.month)
        for attempt in range(KEEP_ATTEMPTS):
            found = await self.bucket.get(key)
            content = change(found)
            if content is None:
                self.memory.forget([key])
                if found is not None:
                    await self.bucket.delete([key])
                return None
            version: Written | None
            if found is not None and found.content == content.data:
                version = found.version
            else:
                version = await self.bucket.put(
                    key, content.data, facts_of(content), replaces=found.version.etag if found else None
                )
            if version is not None:
                read_ms = self.clock.now_ms()
                self.memory.learn(
                    key, Remembered(content=content.data, covered_days=content.days, read_ms=read_ms)
                )
                return _row(content, version)
            self.faults["block_race_lost"] += 1
            await self.pause(_wait_ms(attempt))
        raise StoreUnavailable("other writers were first every time; try again", retry_after_s=1)


def _wait_ms(attempt: int) -> int:
    longest_ms = min(KEEP_FIRST_WAIT_MS << attempt, KEEP_LONGEST_WAIT_MS)
    return random.randint(0, longest_ms)  # noqa: S311 - writers keep out of each other's way, no secret


def _row(content: Content, version: Written) -> BlockRow:
    return BlockRow(
        point=content.key.point,
        month=content.key.month,
        covered_days=content.days,
        sample_count=content.sample_count,
        raw_bytes=content.raw_bytes,
        stored_bytes=len(content.data),
        codec=CODEC,
        version=version,
    )
