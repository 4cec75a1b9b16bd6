"""Rows that only grow, kept within bounds. A store that is down raises StoreUnavailable."""

from typing import Protocol


class RecordKeeping(Protocol):
    """Ended jobs, dead letters, and the counts of requests. Every call is bounded and may come twice."""

    async def archive_jobs(self, *, before_ms: int, batches: int, at_most: int) -> int:
        """Move jobs that ended before a time to the history, without their batches: at most so many jobs,
        and so many batches unless one job alone has more. How many were moved.
        """
        ...

    async def prune_history(self, *, before_ms: int, at_most: int) -> int:
        """Forget jobs of the history that ended before a time; how many."""
        ...

    async def purge_letters(self, *, before_ms: int, at_most: int) -> int:
        """Forget dead letters dead-lettered before a time; how many."""
        ...

    async def first_requests(self, *, from_ms: int, before_ms: int) -> int | None:
        """The first minute with counts of requests from one time to before another, if there is one."""
        ...

    async def roll_up(self, *, from_ms: int, before_ms: int, into_ms: int) -> None:
        """Add the counts of a span of minutes up into one, at `into_ms`. Sums stay what they are."""
        ...
