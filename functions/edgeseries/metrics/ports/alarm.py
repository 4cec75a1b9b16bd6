"""Where people are told."""

from collections.abc import Sequence
from typing import Protocol

from edgeseries.metrics.alerting import Notice


class Alarm(Protocol):
    """Tells people."""

    async def tell(self, notices: Sequence[Notice]) -> None:
        """Tell all of them at once. Raises Transient if nobody took the message: then nobody was told."""
        ...
