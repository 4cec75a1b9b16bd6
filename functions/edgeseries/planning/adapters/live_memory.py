"""The LiveCache port in the memory of the isolate: plain data, bounded in samples, an LRU cache.

All requests of an isolate share it. Nothing in it belongs to a request, so that is allowed.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence

from edgeseries.planning.live_edge import RecentSamples
from edgeseries.storage.limits import LIVE_CACHE_ENTRY_SAMPLES, LIVE_CACHE_MAX_SAMPLES


class LiveMemory:
    """Recent samples of one isolate. `sample_count` is what they take, each with its own size counted in."""

    def __init__(self, *, max_samples: int = LIVE_CACHE_MAX_SAMPLES) -> None:
        self._max_samples = max_samples
        self._entries: OrderedDict[tuple[str, str], RecentSamples] = OrderedDict()
        self.sample_count = 0

    def recall(self, site: str, points: Sequence[str]) -> Mapping[str, RecentSamples]:
        """See the port."""
        found = {}
        for point in points:
            recent = self._entries.get((site, point))
            if recent is not None:
                self._entries.move_to_end((site, point))
                found[point] = recent
        return found

    def learn(
        self, site: str, learned: Mapping[str, RecentSamples], *, instead_of: Mapping[str, RecentSamples]
    ) -> None:
        """See the port. One entry that takes more than an eighth of the memory is not remembered."""
        for point, recent in learned.items():
            if self._entries.get((site, point)) is not instead_of.get(point):
                continue
            self._drop((site, point))
            if _size(recent) <= self._max_samples // 8:
                self._entries[site, point] = recent
                self.sample_count += _size(recent)
        while self.sample_count > self._max_samples:
            self._drop(next(iter(self._entries)))

    def forget(self, site: str, points: Sequence[str] | None) -> None:
        """See the port."""
        named = None if points is None else set(points)
        for owner, point in list(self._entries):
            if owner == site and (named is None or point in named):
                self._drop((owner, point))

    def _drop(self, key: tuple[str, str]) -> None:
        held = self._entries.pop(key, None)
        if held is not None:
            self.sample_count -= _size(held)


def _size(recent: RecentSamples) -> int:
    return len(recent.samples) + LIVE_CACHE_ENTRY_SAMPLES
