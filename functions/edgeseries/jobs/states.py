"""The life of a job and of its batches, as one table each.

Every SQL statement that changes a status takes its `WHERE` from here (`jobs/adapters/job_statements.py`),
and the diagrams of `docs/jobs.md` are made from here. Nothing else says which change is legal.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, TypeVar


class JobStatus(StrEnum):
    """Where a job is. The names are those that callers see."""

    QUEUED = "queued"
    PROCESSING = "processing"
    RETRYING = "retrying"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class JobEvent(StrEnum):
    """What may happen to a job."""

    PLAN = "cut into batches"
    PLAN_NOTHING = "nothing is missing"
    PUT_BACK = "a batch failed, to be tried again"
    RESUME = "a batch is begun"
    FINISH_BATCH = "a batch is done, others are not"
    FINISH_LAST = "the last batch is done"
    GIVE_UP = "a message is given up"
    CANCEL = "the caller cancels"
    REOPEN_UNPLANNED = "tried again before it was cut"
    REOPEN = "tried again"
    REOPEN_DONE = "tried again, and all of it was done"


JOB_TRANSITIONS: Final[Mapping[tuple[JobStatus, JobEvent], JobStatus]] = {
    (JobStatus.QUEUED, JobEvent.PLAN): JobStatus.PROCESSING,
    (JobStatus.QUEUED, JobEvent.PLAN_NOTHING): JobStatus.COMPLETED,
    (JobStatus.QUEUED, JobEvent.GIVE_UP): JobStatus.FAILED,
    (JobStatus.QUEUED, JobEvent.CANCEL): JobStatus.CANCELLED,
    (JobStatus.PROCESSING, JobEvent.RESUME): JobStatus.PROCESSING,
    (JobStatus.PROCESSING, JobEvent.FINISH_BATCH): JobStatus.PROCESSING,
    (JobStatus.PROCESSING, JobEvent.FINISH_LAST): JobStatus.COMPLETED,
    (JobStatus.PROCESSING, JobEvent.PUT_BACK): JobStatus.RETRYING,
    (JobStatus.PROCESSING, JobEvent.GIVE_UP): JobStatus.FAILED,
    (JobStatus.PROCESSING, JobEvent.CANCEL): JobStatus.CANCELLED,
    (JobStatus.RETRYING, JobEvent.RESUME): JobStatus.PROCESSING,
    (JobStatus.RETRYING, JobEvent.FINISH_BATCH): JobStatus.PROCESSING,
    (JobStatus.RETRYING, JobEvent.FINISH_LAST): JobStatus.COMPLETED,
    (JobStatus.RETRYING, JobEvent.PUT_BACK): JobStatus.RETRYING,
    (JobStatus.RETRYING, JobEvent.GIVE_UP): JobStatus.FAILED,
    (JobStatus.RETRYING, JobEvent.CANCEL): JobStatus.CANCELLED,
    (JobStatus.FAILED, JobEvent.REOPEN_UNPLANNED): JobStatus.QUEUED,
    (JobStatus.FAILED, JobEvent.REOPEN): JobStatus.RETRYING,
    (JobStatus.FAILED, JobEvent.REOPEN_DONE): JobStatus.COMPLETED,
    (JobStatus.CANCELLED, JobEvent.REOPEN_UNPLANNED): JobStatus.QUEUED,
    (JobStatus.CANCELLED, JobEvent.REOPEN): JobStatus.RETRYING,
    (JobStatus.CANCELLED, JobEvent.REOPEN_DONE): JobStatus.COMPLETED,
}


class BatchStatus(StrEnum):
    """Where a batch is. A batch of a job that ended stays as it is: nobody may claim it."""

    QUEUED = "queued"
    CLAIMED = "claimed"
    DONE = "done"
    FAILED = "failed"


class BatchEvent(StrEnum):
    """What may happen to a batch."""

    CLAIM = "a consumer begins it"
    RECLAIM = "begun anew after its lease ran out"
    FINISH = "its holder has stored everything"
    PUT_BACK = "its holder gives it back"
    RESCUE = "the janitor takes it back"
    GIVE_UP = "its message is given up"
    REOPEN = "its job is tried again"


BATCH_TRANSITIONS: Final[Mapping[tuple[BatchStatus, BatchEvent], BatchStatus]] = {
    (BatchStatus.QUEUED, BatchEvent.CLAIM): BatchStatus.CLAIMED,
    (BatchStatus.QUEUED, BatchEvent.GIVE_UP): BatchStatus.FAILED,
    (BatchStatus.CLAIMED, BatchEvent.RECLAIM): BatchStatus.CLAIMED,
    (BatchStatus.CLAIMED, BatchEvent.FINISH): BatchStatus.DONE,
    (BatchStatus.CLAIMED, BatchEvent.PUT_BACK): BatchStatus.QUEUED,
    (BatchStatus.CLAIMED, BatchEvent.RESCUE): BatchStatus.QUEUED,
    (BatchStatus.CLAIMED, BatchEvent.GIVE_UP): BatchStatus.FAILED,
    (BatchStatus.FAILED, BatchEvent.REOPEN): BatchStatus.QUEUED,
    (BatchStatus.CLAIMED, BatchEvent.REOPEN): BatchStatus.QUEUED,
}

Status = TypeVar("Status", bound=StrEnum)
Event = TypeVar("Event", bound=StrEnum)

ACTIVE: Final = tuple(status for status in JobStatus if (status, JobEvent.CANCEL) in JOB_TRANSITIONS)
"""Jobs that are under way: those that can still be cancelled."""

ENDED: Final = tuple(status for status in JobStatus if status not in ACTIVE)


def sources(transitions: Mapping[tuple[Status, Event], object], event: Event) -> tuple[Status, ...]:
    """The statuses in which an event may happen."""
    return tuple(before for before, happening in transitions if happening is event)


def target(transitions: Mapping[tuple[Status, Event], Status], event: Event) -> Status:
    """The one status that an event leads to."""
    (reached,) = {after for (_, happening), after in transitions.items() if happening is event}
    return reached
