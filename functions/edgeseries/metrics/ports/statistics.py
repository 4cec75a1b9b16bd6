"""What the system says of itself, from views and counters. A store that is down raises StoreUnavailable."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """Objects of one kind (`block`, `answer`) and site."""

    kind: str
    site: str
    object_count: int
    sample_count: int
    raw_bytes: int
    stored_bytes: int
    hit_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """Jobs that ended on one UTC day."""

    day_ms: int
    completed: int
    failed: int
    cancelled: int
    sample_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFacts:
    """Jobs under way by status, ended ones by day (the last first), how long the last completed ones took
    (ascending, some thousand at most), and dead letters that nobody has replayed.
    """

    active: Mapping[str, int]
    ended: tuple[Ended, ...]
    durations_ms: tuple[int, ...]
    dead_letters: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """Requests of one endpoint and route. `buckets` is the histogram of `metrics/latency.py`."""

    endpoint: str
    route: str
    request_count: int
    judged_count: int
    hit_count: int
    refused_count: int
    error_count: int
    mean_duration_ms: float
    sample_count: int
    origin_samples: int
    saved_samples: int
    body_bytes: int
    since_ms: int | None
    buckets: tuple[int, ...]

    @property
    def ok_count(self) -> int:
        """Those that were neither refused nor failed."""
        return self.request_count - self.refused_count - self.error_count


@dataclass(frozen=True, slots=True, kw_only=True)
class Recent:
    """What happened lately: requests and ended jobs with those of them that failed, and dead letters."""

    request_count: int
    failed_requests: int
    job_count: int
    failed_jobs: int
    dead_letters: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamUsage:
    """What one upstream, by its name in the settings, was asked and delivered since it is counted by itself.
    A fetch is that of a request, a batch or a sweep, and some calls.
    """

    upstream: str
    calls: int
    failed_calls: int
    fetches: int
    failed_fetches: int
    samples: int


class Statistics(Protocol):
    """Reads statistics."""

    async def stored(self) -> tuple[Stored, ...]:
        """What is stored, by kind and site."""
        ...

    async def jobs(self) -> JobFacts:
        """Jobs under way and ended."""
        ...

    async def served(self) -> tuple[Served, ...]:
        """Requests since the first, by endpoint and route."""
        ...

    async def operations(self, *, from_ms: int) -> Mapping[str, int]:
        """Billed operations and upstream traffic since the UTC day of a time, by the columns of
        `platform_usage`, all functions together.
        """
        ...

    async def upstreams(self) -> tuple[UpstreamUsage, ...]:
        """What each upstream was asked and delivered, by name."""
        ...

    async def recent(self, *, requests_from_ms: int, jobs_from_ms: int) -> Recent:
        """Counts since two times."""
        ...
