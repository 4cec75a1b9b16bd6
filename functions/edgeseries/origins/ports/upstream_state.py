"""Whether the upstream is being called at all."""

from typing import Protocol


class UpstreamState(Protocol):
    """What this isolate knows. Nothing here waits."""

    def suspended(self) -> bool:
        """Whether the circuit is not closed: what is answered now comes from the store alone."""
        ...
