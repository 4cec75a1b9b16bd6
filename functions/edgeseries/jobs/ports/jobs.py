"""Jobs as callers change them. A store that is down raises StoreUnavailable."""

from dataclasses import dataclass
from typing import Protocol

from edgeseries.jobs.job import Job, JobRequest
from edgeseries.jobs.states import JobStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """The job of a request, and whether this very call made it."""

    job: Job
    created: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFilter:
    """Which jobs a list holds. None means any; the owner while access is open is an empty text."""

    owner: str | None = ""
    status: JobStatus | None = None
    site: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a list goes on: past the job that was made then, and has this id."""

    created_ms: int
    job_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JobPage:
    """Jobs, the newest first; `after` leads to the next page and is None at the end."""

    jobs: tuple[Job, ...]
    after: Place | None


class Jobs(Protocol):
    """Makes, lists, cancels and reopens jobs. Every change is one compare-and-set."""

    async def create(
        self, request: JobRequest, *, now_ms: int, join_ended_after_ms: int, max_active: int | None = None
    ) -> Joined:
        """The job of a request: one under way, or one completed at `join_ended_after_ms` or later, or a
        new one. However many ask at once, one is made.

        Raises JobsFull where it would be one more than `max_active` under way of its owner.
        """
        ...

    async def page(self, wanted: JobFilter, *, after: Place | None, limit: int) -> JobPage:
        """One page of a list."""
        ...

    async def cancel(self, job_id: str, *, now_ms: int) -> bool:
        """Cancel a job under way; False if it is not under way any more."""
        ...

    async def reopen(self, job_id: str, *, now_ms: int, max_active: int | None = None) -> bool:
        """Take up a failed or cancelled job again where it stopped; False if it is neither, or if it would
        be one more than `max_active` under way of its owner.
        """
        ...
