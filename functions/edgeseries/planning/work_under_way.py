"""What requests of an isolate are at right now (last samples that they read, a result that they cut), so that
others wait for it. Missing days are claimed one by one: `leases/claims.py`.

All requests of an isolate share it, so it is plain data: what one request waits with, no other may touch (on
Workers a promise belongs to the request that made it). Who waits looks again and again. The platform may
end a request without a word, so nothing is under way but for a time.
"""

from collections.abc import Hashable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class _Work:
    ticket: int
    until_ms: int


class WorkUnderWay:
    """The works of one isolate, by key."""

    def __init__(self) -> None:
        self._numbers = 0
        self._works: dict[Hashable, _Work] = {}

    def begin(self, key: Hashable, now_ms: int, *, until_ms: int) -> int | None:
        """A ticket for who is to do it, until then at most; None while somebody else does."""
        for other, work in list(self._works.items()):
            if work.until_ms <= now_ms:
                del self._works[other]
        if key in self._works:
            return None
        self._numbers += 1
        self._works[key] = _Work(self._numbers, until_ms)
        return self._numbers

    def is_under_way(self, key: Hashable, now_ms: int) -> bool:
        """Whether somebody is at it."""
        work = self._works.get(key)
        return work is not None and now_ms < work.until_ms

    def end(self, key: Hashable, ticket: int) -> None:
        """It is done, or was given up. It may be called again."""
        work = self._works.get(key)
        if work is not None and work.ticket == ticket:
            del self._works[key]
