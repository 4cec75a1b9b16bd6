"""Who may come in how often."""

from typing import Protocol

from edgeseries.core.rates import Tier


class Admission(Protocol):
    """Counts a caller's requests against the platform's limits."""

    async def admits(self, caller: str, tier: Tier) -> bool:
        """Whether this request is within the limit of the tier. A limiter that is down admits."""
        ...
