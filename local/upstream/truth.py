"""What upstream holds: the data folder as sites, points and samples. Tests and the demo compare against it.

Owns lazy reading, the cache of what was read, replayed sites, and samples that arrive late. Must not know of
paging, JSON or HTTP. One `Truth` may be used from several threads.
"""

from bisect import bisect_left
from collections.abc import Iterable
from pathlib import Path
from threading import Lock

from local.upstream.catalogue import DataFault, PointInfo, read_catalogue
from local.upstream.instants import MICROSECONDS_PER_MILLISECOND
from local.upstream.kept_series import kept_or_read
from local.upstream.replay import Replay
from local.upstream.series import Series, read_series, with_late

__all__ = ["PointInfo", "Truth"]


class Truth:
    """A data folder `<folder>/<site>/<point>.csv.gz`; listed at once, samples read at first use and kept."""

    def __init__(self, folder: Path | str, *, replay: Replay | None = None) -> None:
        self._folder = Path(folder)
        self._catalogue = read_catalogue(self._folder)
        self._replay = replay
        unknown = sorted(replay.sites - set(self._catalogue.by_site)) if replay else []
        if unknown:
            raise DataFault(f"{folder} holds no site {unknown[0]!r} that could be replayed")
        self._points = {point.name: point for points in self._catalogue.by_site.values() for point in points}
        self._cached: dict[str, Series] = {}
        self._version = 0
        # Held while one file is read or one point changed: seldom longer than 0.2 s.
        self._lock = Lock()

    @property
    def notes(self) -> tuple[str, ...]:
        """What whoever starts a server from this folder should be told, one sentence each."""
        return self._catalogue.notes

    @property
    def version(self) -> int:
        """Grows whenever samples arrive late or are forgotten: views made earlier are then out of date."""
        return self._version

    @property
    def replays(self) -> bool:
        """Whether some samples lie after the clock, and are not to be known yet."""
        return self._replay is not None

    def sites(self) -> tuple[str, ...]:
        """Names of sites, sorted."""
        return tuple(self._catalogue.by_site)

    def points(self, site: str) -> tuple[PointInfo, ...]:
        """Points of a site, sorted by name. KeyError when there is no such site."""
        return self._catalogue.by_site[site]

    def find(self, name: str) -> PointInfo | None:
        """The point of that name at any site: names are unique across sites."""
        return self._points.get(name)

    def rows(self, site: str, name: str, start_ms: int, end_ms: int) -> list[tuple[int, str]]:
        """Samples of [start_ms, end_ms) as (UTC epoch ms, source text) in delivery order.

        Instants are floored to milliseconds. Of rows with one instant the last is the one that counts.
        KeyError when the site has no such point.
        """
        series = self.series(self._at(site, name))
        times_us, texts = series.times_us, series.texts
        first = bisect_left(times_us, start_ms * MICROSECONDS_PER_MILLISECOND)
        last = bisect_left(times_us, end_ms * MICROSECONDS_PER_MILLISECOND, lo=first)
        return [
            (times_us[place] // MICROSECONDS_PER_MILLISECOND, texts[place]) for place in range(first, last)
        ]

    def span_ms(self, site: str, name: str) -> tuple[int, int] | None:
        """First and last instant of a point (both held, UTC epoch ms); None when it has no sample."""
        times_us = self.series(self._at(site, name)).times_us
        if not times_us:
            return None
        return times_us[0] // MICROSECONDS_PER_MILLISECOND, times_us[-1] // MICROSECONDS_PER_MILLISECOND

    def series(self, point: PointInfo) -> Series:
        """All samples of a point, read from its file the first time. DataFault when the file is broken."""
        cached = self._cached.get(point.name)
        if cached is not None:
            return cached
        with self._lock:
            cached = self._cached.get(point.name) or self._read(point)
            self._cached[point.name] = cached
            return cached

    def add_late(self, site: str, name: str, samples: Iterable[tuple[int, str]]) -> None:
        """Let samples (UTC epoch microseconds, text) arrive now. KeyError when the site has no such point."""
        point = self._at(site, name)
        self.series(point)
        with self._lock:
            self._cached[point.name] = with_late(self._cached[point.name], samples)
            self._version += 1

    def forget_late(self) -> None:
        """Know only what the files hold, and read them again when asked."""
        with self._lock:
            self._cached.clear()
            self._version += 1

    def _read(self, point: PointInfo) -> Series:
        series = kept_or_read(self._folder / point.site / point.file, read_series)
        replay = self._replay
        return replay.moved(series) if replay is not None and point.site in replay.sites else series

    def _at(self, site: str, name: str) -> PointInfo:
        point = self._points[name]
        if point.site != site:
            raise KeyError(f"{site} has no point {name!r}")
        return point
