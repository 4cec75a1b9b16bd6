"""Stored samples, by point and whole UTC day. Blocks are the only stored truth.

A store that is down raises StoreUnavailable; a caller answers from upstream then. What is stored
is in normal form (`series/samples.py`) and was delivered for whole sealed days.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from edgeseries.series.samples import Samples
from edgeseries.series.timerange import TimeRange


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSamples:
    """What the store holds of a point in a range: samples cut to it, and the days it holds whole."""

    samples: Samples
    days: frozenset[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptDays:
    """Whole days of a point to be stored: the days, and all their samples (none is an answer, too)."""

    point: str
    days: tuple[int, ...]
    samples: Samples


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgotten:
    """What a purge removed, or would remove."""

    blocks: int
    answers: int
    stored_bytes: int


class Blocks(Protocol):
    """The block store and its index."""

    async def covered(
        self, site: str, points: Sequence[str], span: TimeRange
    ) -> Mapping[str, frozenset[int]]:
        """Days the range touches that the index says are held, by point; who has none is left out."""
        ...

    async def densities(self, site: str, points: Sequence[str]) -> Mapping[str, float]:
        """Samples a day of each point that something has been learned of."""
        ...

    async def read(self, site: str, points: Sequence[str], span: TimeRange) -> Mapping[str, StoredSamples]:
        """What is held of each point, by point. The blocks are the truth, whatever the index says;
        a block that is damaged or is another point's counts as not held.
        """
        ...

    async def fingerprint(self, site: str, points: Sequence[str], span: TimeRange) -> str:
        """A text that changes when what the index says of these points' months changes."""
        ...

    async def keep(self, site: str, kept: Sequence[KeptDays]) -> None:
        """Merge days into their blocks; a day that is held already is replaced. Learns densities."""
        ...

    async def forget(
        self, site: str, *, points: Sequence[str] | None, span: TimeRange | None, dry_run: bool
    ) -> Forgotten:
        """Remove what is held of a site, or of some points, or of the days a range touches; and every
        kept answer of the site. With `dry_run` only tell.
        """
        ...
