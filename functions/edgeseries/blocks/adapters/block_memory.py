"""Raw blocks that an isolate remembers, bounded in bytes, least recently used out first.

Plain Python data, so that all requests of an isolate may share it (platform objects may not be
shared). Objects never change, so what is remembered is never stale: whether it still counts, the index says.
"""

from collections import OrderedDict
from collections.abc import Iterable

from edgeseries.storage.limits import MEMORY_MAX_BYTES


class BlockMemory:
    """Blocks by key. It may be empty at any time."""

    def __init__(self, *, max_bytes: int = MEMORY_MAX_BYTES) -> None:
        self._max_bytes = max_bytes
        self._blocks: OrderedDict[str, bytes] = OrderedDict()
        self.stored_bytes = 0

    def find(self, key: str) -> bytes | None:
        """The bytes of an object, if they are remembered."""
        content = self._blocks.get(key)
        if content is not None:
            self._blocks.move_to_end(key)
        return content

    def learn(self, key: str, content: bytes) -> None:
        """Remember an object. One larger than an eighth of the memory is let go."""
        self.forget([key])
        if len(content) > self._max_bytes // 8:
            return
        self._blocks[key] = content
        self.stored_bytes += len(content)
        while self.stored_bytes > self._max_bytes:
            _, oldest = self._blocks.popitem(last=False)
            self.stored_bytes -= len(oldest)

    def forget(self, keys: Iterable[str]) -> None:
        """Objects that are not wanted any more."""
        for key in keys:
            content = self._blocks.pop(key, None)
            if content is not None:
                self.stored_bytes -= len(content)
