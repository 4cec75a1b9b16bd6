"""Jobs as they stand: looked up by id, by whoever works on them or serializes them.

A store that is down raises StoreUnavailable.
"""

from typing import Protocol

from edgeseries.jobs.job import Job
from edgeseries.jobs.messages import JobMessage
from edgeseries.planning.query import TimeseriesQuery


class JobReader(Protocol):
    """Reads jobs."""

    async def find(self, job_id: str) -> Job | None:
        """The job, also one that is only in the history by now; None if there never was one."""
        ...

    async def query(self, job_id: str) -> TimeseriesQuery | None:
        """What a job fetches, with all its points; None if the job is not there or only in the history."""
        ...

    async def waiting(self, job_id: str, *, after: int) -> tuple[JobMessage, ...]:
        """Messages that must be in a queue for the job to go on: its plan, or its queued batches past
        index `after` (-1: from the first), some hundreds at a time; none when all are listed.
        """
        ...
