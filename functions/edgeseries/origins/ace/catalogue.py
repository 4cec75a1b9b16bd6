"""What an isolate remembers of one upstream: names of points by site, the batch shape it takes, which
points had samples lately (`activity.py`), and the sizes of calls that it serves well.

Plain Python data, so that all requests of an isolate may share it (platform objects may not
be shared). It is a memory, not a truth: it may be empty at any time.
"""

from collections.abc import Iterable

from edgeseries.limits import CATALOGUE_FRESH_MS, CATALOGUE_MAX_NAMES, CATALOGUE_TTL_MS
from edgeseries.origins.ace.activity import Activity
from edgeseries.origins.ace.limits import BATCH_STEPS, CALL_STEPS, PAGE_STEPS
from edgeseries.origins.ace.wire import BatchShape
from edgeseries.origins.learned_sizes import LearnedSizes


class Catalogue:
    """Names with the time they were learned, at most CATALOGUE_MAX_NAMES of them, oldest site out first."""

    def __init__(self) -> None:
        self.activity = Activity()
        self.sizes = LearnedSizes(points=BATCH_STEPS, samples=CALL_STEPS, page_rows=PAGE_STEPS)
        self._sites: dict[str, tuple[int, frozenset[str]]] = {}
        self._texts: dict[str, frozenset[str]] = {}
        self._taken: BatchShape | None = None
        self._refused_ms: dict[BatchShape, int] = {}

    def learn(self, site: str, names: Iterable[str], now_ms: int, *, texts: Iterable[str] = ()) -> None:
        """Remember a site's points as read at `now_ms`, and those of them whose values are texts."""
        self._texts[site] = frozenset(texts)
        self._sites.pop(site, None)
        learned = frozenset(names)
        kept = len(learned) + sum(len(others) for _, others in self._sites.values())
        while self._sites and kept > CATALOGUE_MAX_NAMES:
            oldest = next(iter(self._sites))
            kept -= len(self._sites.pop(oldest)[1])
            self._texts.pop(oldest, None)
        self._sites[site] = (now_ms, learned)

    def names(self, site: str, now_ms: int) -> frozenset[str] | None:
        """The site's points, if they were read not longer ago than CATALOGUE_TTL_MS."""
        return self._read_within(site, now_ms, CATALOGUE_TTL_MS)

    def texts(self, site: str, names: Iterable[str]) -> frozenset[str]:
        """Those of a site's points whose values are texts, as far as its list was read."""
        return self._texts.get(site, frozenset()).intersection(names)

    def is_fresh(self, site: str, now_ms: int) -> bool:
        """Whether the list was read so lately that a name it lacks is taken as not there."""
        return self._read_within(site, now_ms, CATALOGUE_FRESH_MS) is not None

    def shared_names(self, site: str, names: Iterable[str]) -> frozenset[str]:
        """Those of a site's names that the list of another site holds, too, as far as it was read: calls by
        name would bring rows of whichever the vendor means.
        """
        wanted = frozenset(names)
        others = [listed for other, (_, listed) in self._sites.items() if other != site]
        return wanted.intersection(frozenset().union(*(wanted & listed for listed in others)))

    def batch_shapes(self, now_ms: int) -> tuple[BatchShape, ...]:
        """The shapes worth trying; a refused one is tried again after CATALOGUE_TTL_MS."""
        if self._taken is not None:
            return (self._taken,)
        long_ago_ms = now_ms - CATALOGUE_TTL_MS
        return tuple(
            shape for shape in BatchShape if self._refused_ms.get(shape, long_ago_ms - 1) < long_ago_ms
        )

    def batch_shape_taken(self, shape: BatchShape) -> None:
        """The upstream answered a batch call of this shape."""
        self._taken = shape

    def batch_shape_refused(self, shape: BatchShape, now_ms: int) -> None:
        """The upstream refused this shape; if it was the one it took before, all are open again."""
        if self._taken is shape:
            self._taken = None
            self._refused_ms.clear()
        else:
            self._refused_ms[shape] = now_ms

    def _read_within(self, site: str, now_ms: int, age_ms: int) -> frozenset[str] | None:
        learned_ms, names = self._sites.get(site, (0, None))
        return names if names is not None and now_ms - learned_ms <= age_ms else None
