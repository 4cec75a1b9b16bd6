"""What is stored, as its keeper sees it: objects with a size and a time of use, whatever they hold."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptObject:
    """One stored object. `used_ms` is when it was written or given last, as far as is known."""

    key: str
    stored_bytes: int
    used_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What was mended in one stretch of keys, and the place after it (empty: that was all).

    `adopted` objects had no row, `dropped` rows had no object; `strange` objects are not ours to read.
    """

    adopted: int
    dropped: int
    strange: int
    place: str


class KeptObjects(Protocol):
    """Blocks and kept answers together: the bucket, and the index of it. A store that is down raises
    StoreUnavailable.
    """

    async def stored_bytes(self) -> int:
        """The bytes of all objects, by the index."""
        ...

    async def expired(self, *, now_ms: int, at_most: int) -> tuple[KeptObject, ...]:
        """Objects whose time is over, the longest first."""
        ...

    async def least_used(self, *, at_most: int) -> tuple[KeptObject, ...]:
        """Objects by their last use, the oldest first."""
        ...

    async def remove(self, objects: Sequence[KeptObject]) -> None:
        """Remove objects and what the index says of them. Twice is once; half of it is done by the next.

        What somebody wrote anew meanwhile may lose its object, not its row: a read finds that out.
        """
        ...

    async def compare(self, place: str, *, before_ms: int, now_ms: int) -> Comparison:
        """Make bucket and index agree over a stretch of keys from a place on (empty: the first).

        What was written at `before_ms` or later is left alone: its writer is still at it.
        """
        ...
