"""What requests of an isolate are at right now (days that they fetch, a result that they cut), so that
others wait for it.

All requests of an isolate share it, so it is plain data: what one request waits with, no other may touch (on
Workers a promise belongs to the request that made it). Who waits looks again and again. The platform may
end a request without a word, so nothing is under way but for a time.
"""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class _Fetch:
    ticket: int
    until_ms: int


def fetch_key(site: str, missing_days: Mapping[str, tuple[int, ...]]) -> Hashable:
    """What is equal for requests that lack the same days of the same points, whatever ranges they asked
    for.
    """
    return site, tuple(sorted(missing_days.items()))


class WorkUnderWay:
    """The fetches of one isolate, by key."""

    def __init__(self) -> None:
        self._numbers = 0
        self._fetches: dict[Hashable, _Fetch] = {}

    def begin(self, key: Hashable, now_ms: int, *, until_ms: int) -> int | None:
        """A ticket for who is to fetch, until then at most; None while somebody else does."""
        for other, fetch in list(self._fetches.items()):
            if fetch.until_ms <= now_ms:
                del self._fetches[other]
        if key in self._fetches:
            return None
        self._numbers += 1
        self._fetches[key] = _Fetch(self._numbers, until_ms)
        return self._numbers

    def is_under_way(self, key: Hashable, now_ms: int) -> bool:
        """Whether somebody fetches it."""
        fetch = self._fetches.get(key)
        return fetch is not None and now_ms < fetch.until_ms

    def end(self, key: Hashable, ticket: int) -> None:
        """It is stored, or was given up. It may be called again."""
        fetch = self._fetches.get(key)
        if fetch is not None and fetch.ticket == ticket:
            del self._fetches[key]
