"""Counting what is asked. It never fails, and never stands in the way of an answer."""

from typing import Protocol

from edgeseries.warming.asks import Ask


class AskCounter(Protocol):
    """Counts questions."""

    def count(self, ask: Ask, now_ms: int) -> None:
        """Count one, asked at a moment (UTC epoch)."""
        ...
