"""Blocks of an older format, moved into that of today, a bounded piece at a time."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class MovedBlocks:
    """What one step did: `moved` points and years, `failed` ones that stay as they are until the next walk,
    and the place after it (empty: that was all).
    """

    moved: int
    failed: int
    place: str


class OldBlocks(Protocol):
    """Blocks of version 1, by point and month. A store that is down raises StoreUnavailable."""

    async def move(self, place: str, *, samples: int) -> MovedBlocks:
        """Go on from a place (empty: the first), and move points and years with about so many samples, one at
        least if there is one within some thousand rows. Half of a step, done twice, is right.
        """
        ...
