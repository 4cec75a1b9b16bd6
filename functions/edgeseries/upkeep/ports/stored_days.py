"""Which points have which days stored, in order by site and name.

A store that is down raises StoreUnavailable.
"""

from dataclasses import dataclass
from typing import Protocol

from edgeseries.planning.recheck_walk import HeldPoint, Where


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbours:
    """Points of a site, by name, with the days that are stored of each in blocks of years."""

    site: str
    points: tuple[HeldPoint, ...]


class StoredDays(Protocol):
    """The index of blocks as one walks along it, some points at a time."""

    async def following(self, site: str, point: str) -> Neighbours | None:
        """The next points after a place (empty names: the first), of one site; None at the end."""
        ...

    async def neighbours(self, site: str, where: Where, point: str) -> Neighbours | None:
        """Points of a site from a place on, or those next to it; None if there are none."""
        ...
