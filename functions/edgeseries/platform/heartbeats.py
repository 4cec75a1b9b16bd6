"""The Heartbeats port with a task of the event: it ends with it, as its timers do."""

import asyncio
from collections.abc import Awaitable, Callable

from edgeseries.limits import SECOND_MS


class TaskBeating:
    """A heart that a task keeps beating."""

    def __init__(self, beat: Callable[[], Awaitable[None]], every_ms: int) -> None:
        self._beat = beat
        self._every_s = every_ms / SECOND_MS
        self._task = asyncio.ensure_future(self._run())

    def stop(self) -> None:
        """See the port. Cancelled, so that no timer is left to an event that has ended."""
        self._task.cancel()

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._every_s)
            await self._beat()


class PlatformHeartbeats:
    """Hearts of one event."""

    def start(self, beat: Callable[[], Awaitable[None]], *, every_ms: int) -> TaskBeating:
        """See the port."""
        return TaskBeating(beat, every_ms)
