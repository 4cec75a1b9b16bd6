"""What an isolate remembers of API keys: plain data, bounded, oldest out first."""

from collections import OrderedDict
from collections.abc import Iterable

from edgeseries.access.keys import KeyRecord
from edgeseries.access.ports.keys import Recalled
from edgeseries.limits import KEY_MEMORY_KEYS, KEY_MEMORY_MS


class KeyMemory:
    """Records, and ids without one, each with when it was read.

    The two are bounded apart: callers who make up ids push out each other, never a key.
    """

    def __init__(self, *, max_keys: int = KEY_MEMORY_KEYS) -> None:
        self._max_keys = max_keys
        self._there: OrderedDict[str, tuple[int, Recalled]] = OrderedDict()
        self._absent: OrderedDict[str, tuple[int, Recalled]] = OrderedDict()
        self._all_read_ms: int | None = None

    def has_all(self, now_ms: int) -> bool:
        """Whether all keys in force were read not longer than KEY_MEMORY_MS ago."""
        return self._all_read_ms is not None and 0 <= now_ms - self._all_read_ms < KEY_MEMORY_MS

    def learn_all(self, records: Iterable[KeyRecord], now_ms: int) -> None:
        """Remember all keys in force, as they were read at `now_ms`."""
        for record in records:
            self.learn(record.key_id, record, now_ms)
        self._all_read_ms = now_ms

    def learn(self, key_id: str, record: KeyRecord | None, now_ms: int) -> None:
        """Remember what was read at `now_ms`."""
        self.forget(key_id)
        kind = self._absent if record is None else self._there
        kind[key_id] = (now_ms, Recalled(record=record))
        while len(kind) > self._max_keys:
            kind.popitem(last=False)

    def recall(self, key_id: str, now_ms: int) -> Recalled | None:
        """What was read not longer than KEY_MEMORY_MS ago. A clock that went back makes nothing younger."""
        read_ms, recalled = self._there.get(key_id) or self._absent.get(key_id) or (0, None)
        return recalled if 0 <= now_ms - read_ms < KEY_MEMORY_MS else None

    def forget(self, key_id: str) -> None:
        """Forget one."""
        self._there.pop(key_id, None)
        self._absent.pop(key_id, None)
