"""The Tails port in the memory of the isolate: plain data, bounded in samples, least recently used out first.

All requests of an isolate share it. Nothing in it belongs to a request, so that is allowed.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence

from edgeseries.planning.live_edge import Tail
from edgeseries.storage.limits import TAIL_OWN_SAMPLES, TAILS_MAX_SAMPLES


class LiveMemory:
    """Tails of one isolate. `sample_count` is what they take, each with its own size counted in."""

    def __init__(self, *, max_samples: int = TAILS_MAX_SAMPLES) -> None:
        self._max_samples = max_samples
        self._tails: OrderedDict[tuple[str, str], Tail] = OrderedDict()
        self.sample_count = 0

    def recall(self, site: str, points: Sequence[str]) -> Mapping[str, Tail]:
        """See the port."""
        found = {}
        for point in points:
            tail = self._tails.get((site, point))
            if tail is not None:
                self._tails.move_to_end((site, point))
                found[point] = tail
        return found

    def learn(self, site: str, learned: Mapping[str, Tail], *, instead_of: Mapping[str, Tail]) -> None:
        """See the port. One tail that takes more than an eighth of the memory is not remembered."""
        for point, tail in learned.items():
            if self._tails.get((site, point)) is not instead_of.get(point):
                continue
            self._drop((site, point))
            if _size(tail) <= self._max_samples // 8:
                self._tails[site, point] = tail
                self.sample_count += _size(tail)
        while self.sample_count > self._max_samples:
            self._drop(next(iter(self._tails)))

    def forget(self, site: str, points: Sequence[str] | None) -> None:
        """See the port."""
        named = None if points is None else set(points)
        for owner, point in list(self._tails):
            if owner == site and (named is None or point in named):
                self._drop((owner, point))

    def _drop(self, key: tuple[str, str]) -> None:
        held = self._tails.pop(key, None)
        if held is not None:
            self.sample_count -= _size(held)


def _size(tail: Tail) -> int:
    return len(tail.samples) + TAIL_OWN_SAMPLES
