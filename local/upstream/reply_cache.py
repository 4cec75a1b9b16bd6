"""Answers that hold samples, rendered once and kept for whoever asks the same again.

Owns the bound on what is kept. Must not know what an answer holds, nor what makes two requests the same.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Final

from local.upstream.reply import Reply

REPLY_CACHE_BYTES: Final = 128 * 1024 * 1024
"""About 1,700,000 rows: the pages of a site that several clients walk through, or one reads again."""


class ReplyCache:
    """Replies by request, the least recently asked out first. May be used from several threads."""

    def __init__(self, max_bytes: int = REPLY_CACHE_BYTES) -> None:
        self._max_bytes = max_bytes
        self._cached: OrderedDict[Hashable, Reply] = OrderedDict()
        self._size_bytes = 0
        self._lock = Lock()

    def reply(self, key: Hashable, make: Callable[[], Reply]) -> Reply:
        """The reply to this request, made if it is not kept. What `make` raises is not kept."""
        with self._lock:
            cached = self._cached.get(key)
            if cached is not None:
                self._cached.move_to_end(key)
                return cached
        made = make()
        with self._lock:
            if key not in self._cached:
                self._cached[key] = made
                self._size_bytes += len(made.body)
            while self._size_bytes > self._max_bytes:
                self._size_bytes -= len(self._cached.popitem(last=False)[1].body)
        return made
