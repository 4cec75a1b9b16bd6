"""Raw blocks that an isolate remembers, bounded in bytes, least recently used out first.

Plain Python data, so that all requests of an isolate may share it (platform objects may not be
shared). It may be empty at any time. What another isolate writes is not seen here:

- Days that a remembered block covers are believed for MEMORY_TTL_MS after it was read. Sealed days
  change only by a purge or a refresh, so for that long a purge or refresh made through another
  isolate is not seen here; one made through this isolate is.
- Days that it does not cover are always looked for in the bucket.
"""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass

from edgeseries.storage.limits import MEMORY_MAX_BYTES, MEMORY_TTL_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """The bytes of a block, the days they cover (bitmap), and when the bucket gave them."""

    content: bytes
    covered_days: int
    read_ms: int


class BlockMemory:
    """Blocks by key."""

    def __init__(self, *, max_bytes: int = MEMORY_MAX_BYTES) -> None:
        self._max_bytes = max_bytes
        self._blocks: OrderedDict[str, Remembered] = OrderedDict()
        self.stored_bytes = 0

    def find(self, key: str, wanted_days: int, now_ms: int) -> bytes | None:
        """The block, if it is fresh and covers every day of the bitmap."""
        held = self._blocks.get(key)
        if held is None:
            return None
        if not 0 <= now_ms - held.read_ms <= MEMORY_TTL_MS:
            self.forget([key])
            return None
        if wanted_days & ~held.covered_days:
            return None
        self._blocks.move_to_end(key)
        return held.content

    def learn(self, key: str, block: Remembered) -> None:
        """Remember a block as read just now. One larger than an eighth of the memory is let go."""
        self.forget([key])
        if len(block.content) > self._max_bytes // 8:
            return
        self._blocks[key] = block
        self.stored_bytes += len(block.content)
        while self.stored_bytes > self._max_bytes:
            _, oldest = self._blocks.popitem(last=False)
            self.stored_bytes -= len(oldest.content)

    def forget(self, keys: Iterable[str]) -> None:
        """Blocks that are no longer what they were."""
        for key in keys:
            held = self._blocks.pop(key, None)
            if held is not None:
                self.stored_bytes -= len(held.content)
