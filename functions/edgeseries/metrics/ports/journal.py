"""What the operator reads: log lines, and one measured record a request, a batch, a sweep."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

Level = Literal["info", "warning", "error"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRecord:
    """One answered request, for Analytics Engine. Columns: `docs/formats/analytics.md`.

    `cache_verdict` is empty where no store is concerned. `origin_samples` are those that the
    upstream delivered for it, `store_faults` what went wrong in the stores before it left, `dropped_rows`
    what the upstream sent and nobody had asked for. `expected_ms` and `expected_samples` (of the upstream)
    are what was expected before it was made, None where nothing was.
    """

    endpoint: str
    method: str
    route: str
    status: int
    duration_ms: int
    origin_ms: int
    point_count: int
    sample_count: int
    body_bytes: int
    cache_verdict: str = ""
    origin_samples: int = 0
    store_faults: int = 0
    dropped_rows: int = 0
    expected_samples: int = 0
    expected_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchRecord:
    """One batch of a job, begun and ended in one way or another. Columns: `docs/formats/analytics.md`.

    `outcome` is a word such as `done`, `retry`, `failed`, `cancelled`, `skipped`; `attempt` is which
    delivery of its message this was, from 1; `dropped_rows` as of a request.
    """

    outcome: str
    priority: str
    duration_ms: int
    origin_ms: int
    point_count: int
    sample_count: int
    block_count: int
    attempt: int
    dropped_rows: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepRecord:
    """One sweep of the janitor. `late_ms` is how long after its schedule it began."""

    duration_ms: int
    late_ms: int
    duty_count: int
    failed_count: int
    held_count: int
    changed_count: int


def counts_text(counts: Mapping[str, int]) -> str | None:
    """Counts as the log shows them: names and numbers; None without any."""
    return " ".join(f"{name}={count}" for name, count in sorted(counts.items())) or None


class Journal(Protocol):
    """Writes down what happened. It never fails and never carries secrets or names of users."""

    def line(self, level: Level, event: str, **fields: str | float | None) -> None:
        """One log line: what happened, and plain facts about it."""
        ...

    def request(self, record: RequestRecord) -> None:
        """One answered request, counted."""
        ...

    def batch(self, record: BatchRecord) -> None:
        """One batch of a job, counted."""
        ...

    def sweep(self, record: SweepRecord) -> None:
        """One sweep, counted."""
        ...
