"""Leases of missing days, across isolates and Workers: who fetches what, for a few seconds at a time.

A store that is down or late raises StoreUnavailable; whoever asked then fetches. A lease ends nothing and
guards nothing: it only tells others what is being fetched.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from edgeseries.leases.days import NO_DAYS, Days


class Holder(StrEnum):
    """Who holds a lease."""

    REQUEST = "request"
    JOB = "job"


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What of some days others are fetching: requests and jobs."""

    by_requests: Days = field(default_factory=lambda: NO_DAYS)
    by_jobs: Days = field(default_factory=lambda: NO_DAYS)

    @property
    def empty(self) -> bool:
        """Whether nobody is fetching any of them."""
        return not self.by_requests and not self.by_jobs


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """A lease of some days, and what of them others had leased before. `took_over` if some of them were
    leased by somebody who let his lease run out, `stale` if some were released since the index was looked at,
    or may have been. `taken_ms` is the store's time.
    """

    lease_id: int
    taken: Taken
    taken_ms: int
    took_over: bool = False
    stale: bool = False


class Leases(Protocol):
    """The leases of all isolates. Their times are the store's own, so no clock needs to be right."""

    async def take(self, site: str, days: Days, holder: Holder, *, looked_ms: int | None = None) -> Lease:
        """Lease some days. Of two who ask for the same exactly one is told of the other. `looked_ms` is a
        time of the store at which the index had not been looked at yet; None where none is known.
        """
        ...

    async def shrink(self, lease: Lease, days: Days) -> None:
        """Lease only these any longer."""
        ...

    async def renew(self, lease: Lease) -> None:
        """Its holder is still there. What has run out, or was released, stays so."""
        ...

    async def release(self, lease: Lease) -> None:
        """The days are stored, or were given up. It may be called again."""
        ...

    async def taken(self, site: str, days: Days) -> Taken:
        """What of some days anybody has leased now."""
        ...
