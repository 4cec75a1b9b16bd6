"""How late samples come, and what sealed days that were read again showed, by site and UTC day.

A store that is down raises StoreUnavailable.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from edgeseries.planning.lateness import NO_LATENESS, Lateness, added


@dataclass(frozen=True, slots=True, kw_only=True)
class LateData:
    """What was seen of a site. `checked_days` are days of single points that were read again, of which
    `corrected_days` differed and were repaired; the samples are those that were added, changed and removed.
    """

    site: str
    lateness: Lateness = NO_LATENESS
    checked_days: int = 0
    corrected_days: int = 0
    added_samples: int = 0
    changed_samples: int = 0
    removed_samples: int = 0


def summed(site: str, some: Sequence[LateData]) -> LateData:
    """All of a site in one."""
    lateness = NO_LATENESS
    for one in some:
        lateness = added(lateness, one.lateness)
    return LateData(
        site=site,
        lateness=lateness,
        checked_days=sum(one.checked_days for one in some),
        corrected_days=sum(one.corrected_days for one in some),
        added_samples=sum(one.added_samples for one in some),
        changed_samples=sum(one.changed_samples for one in some),
        removed_samples=sum(one.removed_samples for one in some),
    )


class LatenessNotes(Protocol):
    """Where a reader notes how late samples came, before it is remembered. Nothing here waits."""

    def late(self, site: str, late_ms: Sequence[int]) -> None:
        """Take note of observations of a site."""
        ...


class Unnoted:
    """The LatenessNotes port of who does not remember."""

    def late(self, site: str, late_ms: Sequence[int]) -> None:
        """See the port."""


class LateDataRecords(Protocol):
    """What is remembered of it."""

    async def add(self, some: Sequence[LateData], *, now_ms: int) -> None:
        """Add to what is remembered of the day that a moment lies in; one entry a site."""
        ...

    async def since(self, from_ms: int, *, site: str | None = None) -> tuple[LateData, ...]:
        """Since the UTC day of a time, an entry a site, by name; of one site where it is named."""
        ...

    async def forget(self, *, before_ms: int) -> None:
        """Forget days before that of a time."""
        ...
