"""Something that is done again and again while a request or a batch is at work, and ends with it."""

from collections.abc import Awaitable, Callable
from typing import Protocol


class Beating(Protocol):
    """A heart that beats."""

    def stop(self) -> None:
        """The work is done. It may be called again."""
        ...


class Heartbeats(Protocol):
    """Starts them. They belong to the running event: when the platform ends it, they stop without a word."""

    def start(self, beat: Callable[[], Awaitable[None]], *, every_ms: int) -> Beating:
        """Await `beat` again and again, `every_ms` after the last one ended. It may not raise."""
        ...
