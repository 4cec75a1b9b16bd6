"""Whether the things we stand on are there."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One dependency, looked at once. `fault` is None if it answered in time."""

    part: str
    duration_ms: int
    fault: str | None = None
    facts: tuple[tuple[str, int], ...] = ()


class HealthChecker(Protocol):
    """Looks at every dependency."""

    async def check_all(self, *, timeout_ms: int) -> tuple[Finding, ...]:
        """A finding for each dependency, all within `timeout_ms`, in a fixed order. It never raises."""
        ...
