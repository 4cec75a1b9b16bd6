"""The time."""

from typing import Protocol


class Clock(Protocol):
    """Tells the time; on Workers it moves only when I/O happens."""

    def now_ms(self) -> int:
        """UTC epoch milliseconds."""
        ...
