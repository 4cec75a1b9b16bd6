"""Which sealed days small questions have asked some of. A memory, not a truth: it may forget."""

from typing import Protocol

from edgeseries.planning.asked_days import Missing


class AskedDays(Protocol):
    """Of all isolates. A store that is down raises StoreUnavailable."""

    async def were_asked(self, site: str, missing: Missing) -> bool:
        """Whether all of these days were asked before."""
        ...

    async def remember(self, site: str, missing: Missing) -> None:
        """These days were asked. Of two who remember at once one may be forgotten."""
        ...
