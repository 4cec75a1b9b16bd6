"""What the isolate knows of the live edge. It may be gone at any time, and no other isolate sees it."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from edgeseries.planning.live_edge import RecentSamples


class LiveCache(Protocol):
    """Recent samples by site and point. Nothing here waits: requests of an isolate cannot come in between."""

    def recall(self, site: str, points: Sequence[str]) -> Mapping[str, RecentSamples]:
        """The recent samples of those points that have some."""
        ...

    def learn(
        self, site: str, learned: Mapping[str, RecentSamples], *, instead_of: Mapping[str, RecentSamples]
    ) -> None:
        """Remember recent samples. `instead_of` is what `recall` gave when the request began: where something
        else is remembered by now, or nothing after a purge, that stays.
        """
        ...

    def forget(self, site: str, points: Sequence[str] | None) -> None:
        """Forget some points of a site, or all of them."""
        ...
