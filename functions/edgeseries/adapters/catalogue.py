"""What an isolate remembers of one upstream: names of points by site, and the batch shape it takes.

Plain Python data, so that all requests of an isolate may share it (platform objects may not
be shared). It is a memory, not a truth: it may be empty at any time.
"""

from collections.abc import Iterable

from edgeseries.core.ace import BatchShape
from edgeseries.core.limits import CATALOGUE_MAX_SITES, CATALOGUE_TTL_MS


class Catalogue:
    """Names with the time they were learned, at most CATALOGUE_MAX_SITES sites, oldest out first."""

    def __init__(self) -> None:
        self._sites: dict[str, tuple[int, frozenset[str]]] = {}
        self._taken: BatchShape | None = None
        self._refused: set[BatchShape] = set()

    def learn(self, site: str, names: Iterable[str], now_ms: int) -> None:
        """Remember a site's points as read at `now_ms`."""
        self._sites.pop(site, None)
        while len(self._sites) >= CATALOGUE_MAX_SITES:
            del self._sites[next(iter(self._sites))]
        self._sites[site] = (now_ms, frozenset(names))

    def names(self, site: str, now_ms: int) -> frozenset[str] | None:
        """The site's points, if they were read not longer ago than CATALOGUE_TTL_MS."""
        learned_ms, names = self._sites.get(site, (0, None))
        return names if names is not None and now_ms - learned_ms <= CATALOGUE_TTL_MS else None

    def batch_shapes(self) -> tuple[BatchShape, ...]:
        """The shapes worth trying, best first; none once all are refused."""
        if self._taken is not None:
            return (self._taken,)
        return tuple(shape for shape in BatchShape if shape not in self._refused)

    def batch_shape_known(self) -> bool:
        """Whether the upstream has ever taken a batch call in this isolate."""
        return self._taken is not None

    def batch_shape_taken(self, shape: BatchShape) -> None:
        """The upstream answered a batch call of this shape."""
        self._taken = shape

    def batch_shape_refused(self, shape: BatchShape) -> None:
        """The upstream refused this shape; if it was the one it took before, all are open again."""
        if self._taken is shape:
            self._taken = None
            self._refused.clear()
        self._refused.add(shape)
