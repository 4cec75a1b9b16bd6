"""Who may come in how often."""

from typing import Protocol

from edgeseries.rates import Tier


class RateLimiter(Protocol):
    """Counts a caller's requests against the platform's limits."""

    async def allows(self, caller: str, tier: Tier) -> bool:
        """Whether this request is within the limit of the tier. A limiter that is down admits."""
        ...
