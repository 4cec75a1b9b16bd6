"""A job and its batches as values; what callers see of a job.

It knows no HTTP and no SQL. Times are UTC epoch milliseconds.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from edgeseries.jobs.states import ACTIVE, JobStatus
from edgeseries.limits import SECOND_MS
from edgeseries.planning.query import TimeseriesQuery
from edgeseries.series.timerange import TimeRange

ID_DIGEST_CHARS: Final = 24
"""96 bits of the digest stand in an id; D1 compares the whole digest."""

FULL_PERCENT: Final = 100.0

JOB_VERSION: Final = "job/v1"
"""Leads the digest of a job: with another meaning of jobs no old one is joined."""


class Priority(StrEnum):
    """Which queue a job's messages go through."""

    HIGH = "high"
    NORMAL = "normal"
    LOW = "low"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRequest:
    """What a job is to fetch, and for whom. `owner` is the API key's id, empty while access is open."""

    query: TimeseriesQuery
    owner: str = ""
    priority: Priority = Priority.NORMAL

    @property
    def digest(self) -> str:
        """SHA-256, hexadecimal: one for the same request of the same owner, whatever its priority."""
        return self.query.digest(version=JOB_VERSION, context=[self.owner])


def job_id_of(digest: str, generation: int) -> str:
    """The id of a request's job. A generation is the moment (epoch ms) at which it was made."""
    return f"{digest[:ID_DIGEST_CHARS]}-{generation:x}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A job as it stands, without its points."""

    job_id: str
    owner: str
    site: str
    point_count: int
    span: TimeRange
    priority: Priority
    status: JobStatus
    planned_ms: int | None
    batch_count: int
    batches_done: int
    expected_samples: int
    expected_done: int
    sample_count: int
    retry_count: int
    error: str | None
    created_ms: int
    started_ms: int | None
    ended_ms: int | None
    updated_ms: int
    result_parts: int | None = None
    """In how many parts the result is asked; None until it has been cut."""

    @property
    def active(self) -> bool:
        """Whether it is under way."""
        return self.status in ACTIVE

    def joins(self, ended_after_ms: int) -> bool:
        """Whether its request needs no new job: it is under way, or was completed then or later."""
        completed = self.status is JobStatus.COMPLETED and self.ended_ms is not None
        return self.active or (completed and (self.ended_ms or 0) >= ended_after_ms)

    @property
    def progress_percent(self) -> float:
        """0 to 100, by expected samples of the batches that are done; 100 only when it is completed."""
        if self.status is JobStatus.COMPLETED:
            return FULL_PERCENT
        if not self.expected_samples:
            return 0.0
        return min(FULL_PERCENT * self.expected_done / self.expected_samples, FULL_PERCENT - 1)

    def rate_per_s(self, now_ms: int) -> float | None:
        """Samples a second since it was cut into batches; None while nothing is done."""
        until_ms = self.ended_ms if self.ended_ms is not None else now_ms
        if self.planned_ms is None or not self.sample_count or until_ms <= self.planned_ms:
            return None
        return self.sample_count * SECOND_MS / (until_ms - self.planned_ms)

    def eta_ms(self, now_ms: int) -> int | None:
        """Milliseconds until the end at the pace so far; None while there is no pace, or no end to come."""
        if not self.active or self.planned_ms is None or not self.expected_done or now_ms <= self.planned_ms:
            return None
        left = max(0, self.expected_samples - self.expected_done)
        return round((now_ms - self.planned_ms) * left / self.expected_done)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultPart:
    """A slice of the points of a result (from `first_point`, counted from 0) in a part of its range."""

    first_point: int
    point_count: int
    span: TimeRange


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """A part of a job: a slice of its points (from `first_point`, counted from 0) in one span of whole
    days of one month. `expected_samples` by learned density, of the days that were missing.
    """

    index: int
    first_point: int
    point_count: int
    span: TimeRange
    expected_samples: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A batch that this holder may work on until its lease ends, with the names of its points.

    `sample_count` is what earlier attempts had stored of it, `owner` whose job it is.
    """

    job_id: str
    batch_index: int
    holder: str
    site: str
    points: tuple[str, ...]
    span: TimeRange
    priority: Priority
    attempts: int
    claims: int
    sample_count: int
    owner: str = ""
