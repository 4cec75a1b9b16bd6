"""How much memory for samples the requests of an isolate hold together, and who waits for some.

All requests of an isolate share it, so it is plain data: what one request waits with, no other may touch
(on Workers a promise belongs to the request that made it). Who waits looks again and again; first
come, first served, so that a large request is not overtaken for ever. Small ones, of which hundreds fit,
need not stand behind large ones. The platform may end a request without a word, so nothing is held but
for a time: a share until its owner's end, a place in the queue while its owner looks.
"""

import gc
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from edgeseries.limits import BUDGET_TICKET_MS
from edgeseries.memory_limits import (
    BUDGET_BYTES,
    BUDGET_SMALL_BYTES,
    FETCHED_SAMPLE_BYTES,
    STORED_SAMPLE_BYTES,
)


def bytes_held(*, stored_samples: int, fetched_samples: int) -> int:
    """Memory that an answer of so many samples takes while it is made, its text included."""
    return stored_samples * STORED_SAMPLE_BYTES + fetched_samples * FETCHED_SAMPLE_BYTES


@dataclass(frozen=True, slots=True)
class _Share:
    size: int
    until_ms: int


class SampleBudget:
    """The memory of one isolate for samples, in bytes (`memory_limits.py`). `held_bytes` is what is taken of
    it, `collect_due` is set if something that failed may have left its samples to the collector of cycles,
    which is `collect`.
    """

    def __init__(
        self,
        *,
        max_bytes: int = BUDGET_BYTES,
        small_bytes: int = BUDGET_SMALL_BYTES,
        collect: Callable[[], object] = gc.collect,
    ) -> None:
        self.max_bytes = max_bytes
        self.collect = collect
        self._small_bytes = small_bytes
        self.collect_due = False
        self._numbers = 0
        self._shares: dict[int, _Share] = {}
        self._waiting: OrderedDict[int, int] = OrderedDict()

    @property
    def held_bytes(self) -> int:
        """What is taken by requests that have not ended."""
        return sum(share.size for share in self._shares.values())

    def ticket(self, now_ms: int) -> int:
        """A place in the queue, kept by asking with it every BUDGET_TICKET_MS at least."""
        self._numbers += 1
        self._waiting[self._numbers] = now_ms
        return self._numbers

    def enter(self, ticket: int, size: int, now_ms: int, *, until_ms: int) -> bool:
        """Take a share of `size` bytes, to be given back by `until_ms`; False: not yet.

        An estimate of more than there is waits for all of it. What is then really more is refused (`resize`).
        """
        self._forget(now_ms)
        self._waiting[ticket] = now_ms
        size = min(size, self.max_bytes)
        its_turn = size <= self._small_bytes or next(iter(self._waiting)) == ticket
        if not its_turn or self.held_bytes + size > self.max_bytes:
            return False
        del self._waiting[ticket]
        self._shares[ticket] = _Share(size, until_ms)
        return True

    def resize(self, ticket: int, size: int, now_ms: int, *, until_ms: int) -> bool:
        """Make a share larger or smaller; False, and it stays as it is, where so much is not there.

        Nobody waits while holding: two who did could wait for each other.
        """
        self._forget(now_ms)
        share = self._shares.get(ticket)
        before = 0 if share is None else share.size
        if size > before and self.held_bytes - before + size > self.max_bytes:
            return False
        self._shares[ticket] = _Share(size, until_ms)
        return True

    def leave(self, ticket: int) -> None:
        """Nothing is held or waited for with this ticket any more. It may be called again."""
        self._shares.pop(ticket, None)
        self._waiting.pop(ticket, None)

    def _forget(self, now_ms: int) -> None:
        """Shares and places of requests that ended without a word."""
        for ticket, share in list(self._shares.items()):
            if share.until_ms <= now_ms:
                del self._shares[ticket]
        for ticket, seen_ms in list(self._waiting.items()):
            if now_ms - seen_ms > BUDGET_TICKET_MS:
                del self._waiting[ticket]
