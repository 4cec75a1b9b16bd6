"""What an isolate remembers of generations, so that a cached answer costs no look at the index."""

from collections.abc import Sequence
from typing import Protocol


class StampMemory(Protocol):
    """Stamps of queries (`Stamps.total`) by site and points, for STAMPS_TTL_MS. Nothing here waits."""

    def recall(self, site: str, points: Sequence[str], *, now_ms: int) -> int | None:
        """The stamp of these points, if it was read lately."""
        ...

    def turn(self) -> int:
        """To be taken before a look at the index: what it says is remembered only if nothing of the
        isolate was forgotten since.
        """
        ...

    def learn(self, site: str, points: Sequence[str], total: int, *, read_ms: int, turn: int) -> None:
        """Remember a stamp that was asked for at `read_ms`."""
        ...

    def forget(self, site: str) -> None:
        """Forget a site: something of it was purged or refreshed."""
        ...
