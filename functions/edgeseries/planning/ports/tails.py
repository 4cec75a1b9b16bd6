"""What the isolate knows of the live edge. It may be gone at any time, and no other isolate sees it."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from edgeseries.planning.live_edge import Tail


class Tails(Protocol):
    """Tails by site and point. Nothing here waits: requests of one isolate cannot come in between."""

    def recall(self, site: str, points: Sequence[str]) -> Mapping[str, Tail]:
        """The tails of those points that have one."""
        ...

    def learn(self, site: str, learned: Mapping[str, Tail], *, instead_of: Mapping[str, Tail]) -> None:
        """Remember tails. `instead_of` is what `recall` gave when the request began: where something
        else is remembered by now, or nothing after a purge, that stays.
        """
        ...

    def forget(self, site: str, points: Sequence[str] | None) -> None:
        """Forget some points of a site, or all of them."""
        ...
