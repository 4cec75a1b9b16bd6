"""What an isolate remembers of the points of sites: names, units, kinds, as the upstream listed them.

Plain Python data, so that all requests of an isolate may share it. It is a memory, not a truth: it may be
empty at any time.
"""

from collections.abc import Mapping, Sequence

from edgeseries.limits import DIRECTORY_MAX_POINTS
from edgeseries.series.points import Point


class PointDirectory:
    """Points by site with the moment they were listed (UTC epoch ms), at most DIRECTORY_MAX_POINTS of them,
    the list that was read the longest ago out first.
    """

    def __init__(self) -> None:
        self._sites: dict[str, tuple[int, Mapping[str, Point]]] = {}

    def learn(self, site: str, points: Sequence[Point], now_ms: int) -> Mapping[str, Point]:
        """Remember a site's points as they were listed at `now_ms`; the same by name."""
        self._sites.pop(site, None)
        by_name = {one.name: one for one in points}
        count = len(by_name) + sum(len(others) for _, others in self._sites.values())
        while self._sites and count > DIRECTORY_MAX_POINTS:
            count -= len(self._sites.pop(next(iter(self._sites)))[1])
        self._sites[site] = (now_ms, by_name)
        return by_name

    def recall(self, site: str, *, now_ms: int, max_age_ms: int) -> Mapping[str, Point] | None:
        """The site's points by name, if they were listed not longer ago than that."""
        listed_ms, by_name = self._sites.get(site, (0, None))
        return by_name if by_name is not None and now_ms - listed_ms <= max_age_ms else None
