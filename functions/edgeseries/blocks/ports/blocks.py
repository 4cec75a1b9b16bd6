"""Stored samples, by point and whole UTC day. Blocks are the only stored truth.

The index says which object holds which days of a point and year; objects never change. What is stored is
in normal form (`series/samples.py`) and was delivered for whole sealed days. A store that is down raises
StoreUnavailable; a caller answers from upstream then.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from edgeseries.blocks.stamps import Refresh, Stamps
from edgeseries.blocks.year_rows import PointRefs
from edgeseries.planning.sample_bound import SampleBound
from edgeseries.planning.stored import StoredPoint
from edgeseries.series.samples import Samples
from edgeseries.series.timerange import TimeRange


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredIndex:
    """What one look at the index lists some points in a range.

    `covered` are the days that the range touches and that need not be fetched, by point; who has none is
    left out. `stored` are all days that are held, those to be read again too, and how many samples they
    have.
    `density_per_day` are samples a day of points that something has been learned of. `stamps` are the
    generations at this very moment. `refs` are the blocks by point, None where they are too many. `objects`
    are how many there are to read, by point; who has none is left out.
    """

    covered: Mapping[str, frozenset[int]] = field(default_factory=dict)
    stored: Mapping[str, StoredPoint] = field(default_factory=dict)
    density_per_day: Mapping[str, float] = field(default_factory=dict)
    stamps: Stamps = field(default_factory=Stamps)
    refs: Mapping[str, PointRefs] | None = None
    objects: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSamples:
    """What the store holds of a point in a range: samples cut to it, and the days it holds whole."""

    samples: Samples
    days: frozenset[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class DaysToStore:
    """Whole days of a point to be stored: the days, and all their samples (none is an answer, too)."""

    point: str
    days: tuple[int, ...]
    samples: Samples


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreOutcome:
    """What became of days that were to be stored.

    `superseded` are points that were purged or refreshed after what was to be stored had been fetched:
    nothing of it is stored. `stamps` are the generations that a refresh made, by point.
    """

    superseded: frozenset[str] = frozenset()
    stamps: Stamps = field(default_factory=Stamps)


@dataclass(frozen=True, slots=True, kw_only=True)
class PurgeOutcome:
    """What a purge took away, or would: blocks of which days went, and the bytes of those that went whole."""

    blocks: int
    stored_bytes: int


class Blocks(Protocol):
    """The block store and its index."""

    async def look_up(self, site: str, points: Sequence[str], span: TimeRange) -> StoredIndex:
        """What is held of the days that a range touches, and under which generations: one look."""
        ...

    async def read(
        self,
        site: str,
        points: Sequence[str],
        span: TimeRange,
        index: StoredIndex,
        *,
        bound: SampleBound | None = None,
    ) -> Mapping[str, StoredSamples]:
        """What is held of each point, by point, as a look at the index said. What was purged since may
        still be read; a block that is gone, damaged or another point's counts as not held.
        """
        ...

    async def fingerprint(self, site: str, points: Sequence[str], span: TimeRange) -> str | None:
        """A text that names what is held of whole days, generations included: two contents never have the
        same. None unless every day that the range touches is held of every point.
        """
        ...

    async def store(self, site: str, days: Sequence[DaysToStore], stamps: Stamps) -> StoreOutcome:
        """Merge days that were fetched under some stamps into what is held, unless their points were purged
        or refreshed since. Days that are held already are replaced. Learns densities.
        """
        ...

    async def begin_refresh(self, site: str, points: Sequence[str]) -> Refresh:
        """What a refresh needs to store what it fetches after this."""
        ...

    async def refresh(self, site: str, days: Sequence[DaysToStore], begun: Refresh) -> StoreOutcome:
        """Store what a refresh fetched, whoever stored anything meanwhile, and raise the generations of all
        of its points: what was read before it began is worth nothing after this.
        """
        ...

    async def forget(
        self, site: str, *, points: Sequence[str] | None, span: TimeRange | None, dry_run: bool
    ) -> PurgeOutcome:
        """Take away what is held of a site, or of some points, or of the days that a range touches, and raise
        generations: nothing that was fetched before is stored or given after this. With `dry_run` only
        count.
        """
        ...
