"""Bodies that are made while they are sent, and waiting between two looks."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Protocol

from edgeseries.http.messages import BodyStream

Pause = Callable[[int], Awaitable[None]]
"""Waits for so many milliseconds, as `Timer.pause` does, with what belongs to the running event."""


class Streaming(Protocol):
    """Turns pieces into a body that leaves while it is made."""

    def stream(self, pieces: AsyncGenerator[bytes]) -> BodyStream:
        """A body of these pieces, made no faster than it is read. A piece that raises breaks the body
        off, so that nobody takes it for whole; a reader who goes away ends the making.
        """
        ...


class Timer(Protocol):
    """Waits."""

    async def pause(self, wait_ms: int) -> None:
        """Return after so many milliseconds."""
        ...
