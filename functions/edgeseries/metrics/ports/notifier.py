"""Where alerts are sent."""

from collections.abc import Sequence
from typing import Protocol

from edgeseries.metrics.alerting import Notice


class Notifier(Protocol):
    """Sends alerts."""

    async def notify(self, notices: Sequence[Notice]) -> None:
        """Send all of them in one message. Raises Transient if it was not accepted: then nothing was sent."""
        ...
