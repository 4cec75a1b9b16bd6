"""Generations of what is stored: what was fetched under one is worth nothing under another.

Every purge, and every refresh that stores, raises the generation of its points or of the whole site.
Generations only grow, so equal sums of them mean that nothing changed. It knows no store.
Why it is built so: `docs/adr/0014-immutable-objects.md`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """The generations that something of a point was read under, the site's and the point's own, and the
    latest ticket that was in force for it then.
    """

    site: int
    point: int
    ticket: int

    @property
    def total(self) -> int:
        """One number: equal only while neither was raised."""
        return self.site + self.point


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamps:
    """The generations of a site and of some of its points. Who was never purged nor refreshed is left out."""

    site: int = 0
    points: Mapping[str, Stamp] = field(default_factory=dict)

    def of(self, point: str) -> Stamp:
        """The stamp of a point."""
        return self.points.get(point) or Stamp(site=self.site, point=0, ticket=0)

    def total(self, points: Iterable[str]) -> int:
        """The stamp of a query: the same only while nothing of its points is purged or refreshed."""
        return self.site + sum(self.points[point].point for point in points if point in self.points)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refresh:
    """A refresh that has begun: the site's generation then, and a ticket of its own for each point.

    What it stores takes the place of everything that was fetched before it began, and gives way to a
    purge or a refresh that began later and is in force already.
    """

    site: int
    tickets: Mapping[str, int]
