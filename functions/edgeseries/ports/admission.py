"""Who may come in how often."""

from typing import Protocol


class Admission(Protocol):
    """Counts a caller's requests against the platform's limit."""

    async def admits(self, caller: str) -> bool:
        """Whether this request is within the limit. A limiter that is down admits."""
        ...
