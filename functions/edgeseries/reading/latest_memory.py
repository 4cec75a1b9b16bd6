"""What an isolate has read lately of the last sample of each point, so that any number of callers ask the
upstream once.

Plain data, which all requests of an isolate share. It is a memory, not a truth: it may be empty at any time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from edgeseries.limits import DIRECTORY_MAX_POINTS
from edgeseries.series.values import Value


@dataclass(frozen=True, slots=True, kw_only=True)
class LastSample:
    """The last sample of a point that was there at `read_ms` (UTC epoch): its instant and value, or None and
    perhaps why. `searched_ms` is when stored days were searched for it, None where it came by itself.
    """

    read_ms: int
    sample: tuple[int, Value] | None = None
    error: str | None = None
    searched_ms: int | None = None


class LatestMemory:
    """Last samples by site and point, at most DIRECTORY_MAX_POINTS, the site that was read the longest ago
    out first.
    """

    def __init__(self) -> None:
        self._sites: dict[str, dict[str, LastSample]] = {}

    def learn(self, site: str, found: Mapping[str, LastSample]) -> None:
        """Remember what was read."""
        held = {**self._sites.pop(site, {}), **found}
        count = len(held) + sum(len(others) for others in self._sites.values())
        while self._sites and count > DIRECTORY_MAX_POINTS:
            count -= len(self._sites.pop(next(iter(self._sites))))
        self._sites[site] = held

    def recall(self, site: str, points: Sequence[str]) -> Mapping[str, LastSample]:
        """What is remembered of points, however old."""
        held = self._sites.get(site, {})
        return {point: held[point] for point in points if point in held}

    def forget(self, site: str) -> None:
        """Remember nothing of a site: something of it was purged."""
        self._sites.pop(site, None)
