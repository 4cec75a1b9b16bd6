"""What the operator reads: log lines and one measured record a request."""

from dataclasses import dataclass
from typing import Literal, Protocol

Level = Literal["info", "warning", "error"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRecord:
    """One answered request, for Analytics Engine. Columns: `docs/formats/analytics.md`.

    `cache_verdict` is empty where no store is concerned. `origin_samples` are those that the
    upstream delivered for it, `store_faults` what went wrong in the stores before it left.
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


class Journal(Protocol):
    """Writes down what happened. It never fails and never carries secrets or names of users."""

    def line(self, level: Level, event: str, **fields: str | float | None) -> None:
        """One log line: what happened, and plain facts about it."""
        ...

    def request(self, record: RequestRecord) -> None:
        """One answered request, counted."""
        ...
