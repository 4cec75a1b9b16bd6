"""Answers that hold samples, rendered once and kept for whoever asks the same again.

Owns the bound on what is kept. Must not know what an answer holds, nor what makes two requests the same.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Final

from local.upstream.reply import Reply

KEPT_REPLY_BYTES: Final = 128 * 1024 * 1024
"""About 1,700,000 rows: the pages of a site that several clients walk through, or one reads again."""


class KeptReplies:
    """Replies by request, the least recently asked out first. May be used from several threads."""

    def __init__(self, max_bytes: int = KEPT_REPLY_BYTES) -> None:
        self._max_bytes = max_bytes
        self._kept: OrderedDict[Hashable, Reply] = OrderedDict()
        self._size_bytes = 0
        self._lock = Lock()

    def reply(self, key: Hashable, make: Callable[[], Reply]) -> Reply:
        """The reply to this request, made if it is not kept. What `make` raises is not kept."""
        with self._lock:
            kept = self._kept.get(key)
            if kept is not None:
                self._kept.move_to_end(key)
                return kept
        made = make()
        with self._lock:
            if key not in self._kept:
                self._kept[key] = made
                self._size_bytes += len(made.body)
            while self._size_bytes > self._max_bytes:
                self._size_bytes -= len(self._kept.popitem(last=False)[1].body)
        return made
