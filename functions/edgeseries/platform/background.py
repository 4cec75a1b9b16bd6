"""The Background port with the event's waitUntil, which the platform gives 30 seconds after the response."""

import asyncio
from collections.abc import Coroutine
from typing import Any


class PlatformBackground:
    """Work of one event. The task is handed to the platform, so none is left pending unseen."""

    def __init__(self, ctx: Any) -> None:
        self._ctx = ctx

    def after(self, work: Coroutine[Any, Any, None]) -> None:
        """See the port."""
        self._ctx.waitUntil(asyncio.ensure_future(work))
