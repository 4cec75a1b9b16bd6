"""Batches of jobs as the consumer works on them.

Every change is a compare-and-set: whoever lost the race changes nothing. A store that is down raises
StoreUnavailable.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from edgeseries.jobs.job import Batch, Claim
from edgeseries.jobs.states import JobStatus


class Refused(Enum):
    """Why a batch cannot be claimed."""

    GONE = "there is no such job or batch"
    ENDED = "its job is not under way"
    DONE = "it is done"
    GIVEN_UP = "it has failed"
    HELD = "somebody else works on it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """A batch that was counted, and where its job is now."""

    job_status: JobStatus


class Batches(Protocol):
    """Plans, claims and finishes batches."""

    async def plan(self, job_id: str, batches: Sequence[Batch], *, now_ms: int) -> JobStatus | None:
        """Lay down the batches of a queued job, once; where the job is then, or None if somebody else
        had done it or the job is not queued. No batches: the job is completed.
        """
        ...

    async def claim(self, job_id: str, batch_index: int, *, holder: str, now_ms: int) -> Claim | Refused:
        """Take a batch for BATCH_LEASE_MS: a queued one, or one whose lease has run out."""
        ...

    async def renew(self, claim: Claim, *, delivered: int, now_ms: int) -> bool:
        """Hold it for another BATCH_LEASE_MS; `delivered` is what was stored since it was claimed, in all,
        so that reporting it twice counts once. False if the claim is lost or the job is not under way.
        """
        ...

    async def finish(self, claim: Claim, *, delivered: int, now_ms: int) -> Finished | None:
        """Mark the batch done and count it, exactly once; `delivered` as for `renew`. None if the claim is
        lost or the job ended.
        """
        ...

    async def put_back(
        self,
        claim: Claim,
        *,
        cause: str,
        counts: bool,
        now_ms: int,
        due_ms: int | None = None,
        delivered: int = 0,
    ) -> None:
        """Give the batch back; `counts` if it is an attempt used up. Nothing if the claim is lost.

        `due_ms` is when its message comes, if that is not soon: before, nobody misses it. `delivered` as
        for `renew`; fewer than were reported take nothing back.
        """
        ...
