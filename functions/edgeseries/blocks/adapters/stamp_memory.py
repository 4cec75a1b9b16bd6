"""The StampMemory port: plain data of the isolate, bounded in entries, the oldest out first."""

from collections import OrderedDict
from collections.abc import Sequence

from edgeseries.storage.limits import STAMPS_MAX_POINTS, STAMPS_MAX_QUERIES, STAMPS_TTL_MS


class IsolateStamps:
    """Stamps that all requests of the isolate share."""

    def __init__(self, *, max_queries: int = STAMPS_MAX_QUERIES, ttl_ms: int = STAMPS_TTL_MS) -> None:
        self._max_queries = max_queries
        self._ttl_ms = ttl_ms
        self._known: OrderedDict[tuple[str, tuple[str, ...]], tuple[int, int]] = OrderedDict()
        self._turn = 0
        self._point_count = 0

    def recall(self, site: str, points: Sequence[str], *, now_ms: int) -> int | None:
        """See the port."""
        found = self._known.get((site, tuple(points)))
        if found is None:
            return None
        total, read_ms = found
        if not 0 <= now_ms - read_ms < self._ttl_ms:
            self._drop((site, tuple(points)))
            return None
        return total

    def turn(self) -> int:
        """See the port."""
        return self._turn

    def learn(self, site: str, points: Sequence[str], total: int, *, read_ms: int, turn: int) -> None:
        """See the port."""
        if turn != self._turn:
            return
        key = (site, tuple(points))
        self._drop(key)
        self._known[key] = (total, read_ms)
        self._point_count += len(key[1])
        while len(self._known) > self._max_queries or (
            self._point_count > STAMPS_MAX_POINTS and len(self._known) > 1
        ):
            self._drop(next(iter(self._known)))

    def forget(self, site: str) -> None:
        """See the port."""
        self._turn += 1
        for key in [key for key in self._known if key[0] == site]:
            self._drop(key)

    def _drop(self, key: tuple[str, tuple[str, ...]]) -> None:
        if self._known.pop(key, None) is not None:
            self._point_count -= len(key[1])
