"""What is stored, as its keeper sees it: objects with a size and a time of use, whatever they hold."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredObject:
    """One stored object. `used_ms` is when it was written or given last, as far as is known."""

    key: str
    stored_bytes: int
    used_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What was mended in one stretch of keys, and the place after it (empty: that was all).

    `adopted` objects had lost their row, `dropped` rows had no object, `orphans` are objects that nothing
    points to; `strange` objects are not ours to read.
    """

    adopted: int
    dropped: int
    orphans: int
    strange: int
    place: str


class StoredObjects(Protocol):
    """Blocks and cached answers together: the bucket, and the index of it. A store that is down raises
    StoreUnavailable.
    """

    async def stored_bytes(self) -> int:
        """The bytes of all objects, by the index."""
        ...

    async def expired(self, *, now_ms: int, at_most: int) -> tuple[StoredObject, ...]:
        """Objects whose time is over, the longest first."""
        ...

    async def least_used(self, *, at_most: int) -> tuple[StoredObject, ...]:
        """Objects by their last use, the oldest first."""
        ...

    async def remove(self, objects: Sequence[StoredObject], *, now_ms: int) -> None:
        """Take objects out of the index, unless they were used since; they themselves go a day later. Twice
        is once.
        """
        ...

    async def superseded(self, *, before_ms: int, at_most: int) -> tuple[StoredObject, ...]:
        """Objects that nothing has pointed to since before a time, the longest first; `used_ms` is since
        when.
        """
        ...

    async def remove_superseded(self, objects: Sequence[StoredObject]) -> None:
        """Remove such objects from the bucket, unless something points to them again. Half of it is done by
        the next call.
        """
        ...

    async def compare(self, place: str, *, before_ms: int, now_ms: int) -> Comparison:
        """Make bucket and index agree over a stretch of keys from a place on (empty: the first).

        What was written at `before_ms` or later is left alone: its writer is still at it. A row that was
        lost is made again only if nothing of it was purged or refreshed since its object was fetched.
        """
        ...
