"""Looks at jobs that somebody follows, shared by all who follow within an isolate.

A job that fifty callers watch is looked up once for all of them. A store that is down raises
StoreUnavailable.
"""

from dataclasses import dataclass
from typing import Protocol

from edgeseries.jobs.job import Job


@dataclass(frozen=True, slots=True, kw_only=True)
class JobReading:
    """A job as it was at `read_ms` or later; None if it was not there. `asked` if this very look read it."""

    job: Job | None
    read_ms: int
    asked: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamSlot:
    """The place of one event stream among those of its caller."""

    caller: str
    number: int


class JobWatch(Protocol):
    """Looks, and the places of those who look for long."""

    async def look(self, job_id: str, *, known_ms: int, max_age_ms: int) -> JobReading | None:
        """What somebody read after `known_ms` and at most `max_age_ms` ago, else what the store says now.
        None while somebody else reads it: look again a step later.
        """
        ...

    def acquire_slot(self, caller: str) -> StreamSlot | None:
        """A place for one more event stream of a caller; None if it has as many as it may."""
        ...

    def renew_slot(self, slot: StreamSlot) -> None:
        """The stream still runs. A place that is not kept for EVENTS_SLOT_MS is free."""
        ...

    def release_slot(self, slot: StreamSlot) -> None:
        """The stream has ended."""
        ...
