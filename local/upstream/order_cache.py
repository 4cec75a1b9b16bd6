"""Merged orders of whole sites, kept while they are likely to be asked for again.

Owns the bound on what is kept, and that one order is made once even when many ask at the same time. Must not
know of pages, JSON or HTTP.
"""

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import Final

from local.upstream.interleave import Interleave, Range, bucketed, cut, merged
from local.upstream.series import Series
from local.upstream.truth import Truth

# A site of 700,000 rows takes about 17 MB. A walk through pages uses one order; a few walk at the same time.
ORDER_CACHE_COUNT: Final = 6

_Key = tuple[object, ...]


class OrderCache:
    """Orders of one truth; an order made before samples arrived late is not used again."""

    def __init__(self, truth: Truth) -> None:
        self._truth = truth
        self._cached: OrderedDict[_Key, Interleave] = OrderedDict()
        self._making: dict[_Key, Lock] = {}
        self._lock = Lock()

    def raw(self, site: str) -> Interleave:
        """Every sample of a site, whatever its range: ranges are then cut from it without merging anew."""
        return self._cached_or_made((self._truth.version, site), lambda: merged(self._parts(site)))

    def buckets(self, site: str, limits: Range) -> Interleave:
        """Five-minute buckets of a site's samples inside a range."""

        def make() -> Interleave:
            return merged([(name, bucketed(cut(series, limits))) for name, series in self._parts(site)])

        return self._cached_or_made((self._truth.version, site, limits), make)

    def _parts(self, site: str) -> list[tuple[str, Series]]:
        return [(point.name, self._truth.series(point)) for point in self._truth.points(site)]

    def _cached_or_made(self, key: _Key, make: Callable[[], Interleave]) -> Interleave:
        with self._lock:
            if (cached := self._looked_up(key)) is not None:
                return cached
            making = self._making.setdefault(key, Lock())
        with making:
            with self._lock:
                if (cached := self._looked_up(key)) is not None:
                    return cached
            made = make()
            with self._lock:
                self._making.pop(key, None)
                self._cached[key] = made
                while len(self._cached) > ORDER_CACHE_COUNT:
                    self._cached.popitem(last=False)
            return made

    def _looked_up(self, key: _Key) -> Interleave | None:
        cached = self._cached.get(key)
        if cached is not None:
            self._cached.move_to_end(key)
        return cached
