"""Work of jobs that nobody does any more: found, and taken back.

A store that is down raises StoreUnavailable.
"""

from dataclasses import dataclass
from typing import Protocol

from edgeseries.jobs.job import Priority
from edgeseries.jobs.messages import JobMessage


@dataclass(frozen=True, slots=True, kw_only=True)
class Rescued:
    """A message that has to be sent again, and through which queue."""

    message: JobMessage
    priority: Priority


class Rescues(Protocol):
    """Finds abandoned work. What it gives is marked as touched, so that it is not given again at once."""

    async def expired(self, *, now_ms: int, limit: int) -> tuple[Rescued, ...]:
        """Batches whose lease has run out, queued again."""
        ...

    async def lost(self, *, now_ms: int, untouched_since_ms: int, limit: int) -> tuple[Rescued, ...]:
        """Queued batches, and jobs not cut yet, that nobody has touched since, of jobs that stand still."""
        ...
