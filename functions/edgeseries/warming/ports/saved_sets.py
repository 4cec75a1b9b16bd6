"""Saved sets. A store that is down raises StoreUnavailable."""

from typing import Protocol

from edgeseries.warming.saved_sets import SavedSet


class SavedSets(Protocol):
    """Sets of points by owner and name."""

    async def save(self, one: SavedSet, *, at_most: int) -> bool:
        """Save a set, in place of the one of its owner and name. False if the owner had so many others."""
        ...

    async def find(self, owner: str, name: str) -> SavedSet | None:
        """The set of an owner; None if there is none of that name."""
        ...

    async def listed(self, owner: str | None, *, at_most: int) -> tuple[SavedSet, ...]:
        """Sets of an owner, or of all (None), by owner and name."""
        ...

    async def remove(self, owner: str, name: str) -> bool:
        """Remove one; False if it was not there."""
        ...

    async def scheduled(self, *, at_most: int) -> tuple[SavedSet, ...]:
        """Sets that are to be fetched in some hours, but for those of revoked keys."""
        ...
