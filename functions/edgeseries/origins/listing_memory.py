"""What an isolate remembers of one upstream: lists of points by site, and what its installation takes.

Plain Python data, so that all requests of an isolate may share it. It is a memory, not a truth: it may be
empty at any time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from edgeseries.limits import CATALOGUE_FRESH_MS, CATALOGUE_MAX_NAMES, CATALOGUE_TTL_MS
from edgeseries.origins.learned_sizes import LearnedSizes
from edgeseries.origins.ports.dialect import ListedPoint


@dataclass(slots=True)
class ListingMemory:
    """Points by site with the time they were read (UTC epoch ms), at most CATALOGUE_MAX_NAMES of them: the
    list that was read the longest ago goes first. `facts` are what was found out of the installation, by
    name, and `facts_ms` when; `sizes` what was learned of the sizes of its calls.
    """

    sizes: LearnedSizes | None = None
    facts: dict[str, str] = field(default_factory=dict)
    facts_ms: dict[str, int] = field(default_factory=dict)
    _sites: dict[str, tuple[int, Mapping[str, ListedPoint]]] = field(default_factory=dict)

    def learn(self, site: str, points: Sequence[ListedPoint], now_ms: int) -> Mapping[str, ListedPoint]:
        """Remember a site's points as read at `now_ms`; the same by name."""
        self._sites.pop(site, None)
        by_name = {one.point.name: one for one in points}
        count = len(by_name) + sum(len(others) for _, others in self._sites.values())
        while self._sites and count > CATALOGUE_MAX_NAMES:
            count -= len(self._sites.pop(next(iter(self._sites)))[1])
        self._sites[site] = (now_ms, by_name)
        return by_name

    def recall(self, site: str, wanted: Sequence[str], now_ms: int) -> Mapping[str, ListedPoint] | None:
        """The site's points by name, if what is remembered will do: it was read within CATALOGUE_TTL_MS, and
        has all that is wanted or is so fresh that what it lacks is not there.
        """
        if site not in self._sites:
            return None
        read_ms, by_name = self._sites[site]
        age_ms = now_ms - read_ms
        if age_ms > CATALOGUE_TTL_MS:
            return None
        complete = all(name in by_name for name in wanted)
        return by_name if complete or age_ms <= CATALOGUE_FRESH_MS else None

    def fact(self, name: str, now_ms: int) -> str | None:
        """What was found out within CATALOGUE_TTL_MS."""
        known = now_ms - self.facts_ms.get(name, -CATALOGUE_TTL_MS - 1) <= CATALOGUE_TTL_MS
        return self.facts.get(name) if known else None

    def note(self, name: str, text: str, now_ms: int) -> None:
        """Remember what was found out."""
        self.facts[name], self.facts_ms[name] = text, now_ms
