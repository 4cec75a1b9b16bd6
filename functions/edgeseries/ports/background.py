"""Work that goes on after the response has left."""

from collections.abc import Coroutine
from typing import Any, Protocol


class Background(Protocol):
    """Runs work to its end, while the caller already has the answer. What it raises is written down."""

    def after(self, work: Coroutine[Any, Any, None]) -> None:
        """Start the work; the event stays open until it is done."""
        ...
