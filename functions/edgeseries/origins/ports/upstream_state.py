"""Whether the upstream is being called at all."""

from typing import Protocol


class UpstreamState(Protocol):
    """What this isolate knows. Nothing here waits."""

    def suspended(self, site: str) -> bool:
        """Whether the circuit of the upstream that serves a site is not closed: what is answered of it now
        comes from the store alone.
        """
        ...
