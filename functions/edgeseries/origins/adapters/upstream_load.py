"""What an isolate has under way at one upstream: calls, who waits for one, and the circuit breaker.

All requests of an isolate share it, so it is plain data: what one request waits with, no other may touch.
The platform may end a request without a word, so nothing here is held but for a time: a call until its
deadline, a place in the queue while its owner looks.
"""

from collections import OrderedDict, deque
from collections.abc import Callable

from edgeseries.limits import MINUTE_MS, UPSTREAM_ISOLATE_CALLS, UPSTREAM_TICKET_MS
from edgeseries.origins.circuit import (
    Circuit,
    CircuitState,
    Permit,
    Suspended,
    ask,
    failed,
    succeeded,
)


def nothing_elsewhere(_now_ms: int) -> int:
    """Calls to other upstreams, where there are none."""
    return 0


class UpstreamLoad:
    """The load of one upstream in one isolate. `calls_per_minute` (None: any) are begun within a minute;
    `elsewhere` tells how many calls to the isolate's other upstreams are under way at a moment (UTC epoch
    ms): their answers share its memory.
    """

    def __init__(
        self,
        *,
        max_calls: int = UPSTREAM_ISOLATE_CALLS,
        calls_per_minute: int | None = None,
        elsewhere: Callable[[int], int] = nothing_elsewhere,
    ) -> None:
        self._max_calls = max_calls
        self._elsewhere = elsewhere
        self._calls_per_minute = calls_per_minute
        self._begun_ms: deque[int] = deque()
        self._numbers = 0
        self._calls: dict[int, int] = {}
        self._waiting: OrderedDict[int, int] = OrderedDict()
        self.circuit = Circuit()

    @property
    def suspended(self) -> bool:
        """Whether calls are kept back."""
        return self.circuit.state is not CircuitState.CLOSED

    def ticket(self, now_ms: int) -> int:
        """A place in the queue, kept by asking with it every UPSTREAM_TICKET_MS at least."""
        self._numbers += 1
        self._waiting[self._numbers] = now_ms
        return self._numbers

    def enter(self, ticket: int, now_ms: int, *, until_ms: int) -> Permit | Suspended | None:
        """Whether the call of a ticket may leave, to end at `until_ms` at the latest; None: not its turn
        yet. A call that left is over with `leave`.
        """
        self._calls = {number: until for number, until in self._calls.items() if until > now_ms}
        self._waiting[ticket] = now_ms
        for number, seen_ms in list(self._waiting.items()):
            if now_ms - seen_ms > UPSTREAM_TICKET_MS:
                del self._waiting[number]
        ahead = list(self._waiting).index(ticket)
        full = len(self._calls) + ahead >= self._max_calls
        crowded = len(self._calls) + self._elsewhere(now_ms) >= UPSTREAM_ISOLATE_CALLS
        if (full or crowded) and not self.suspended:
            return None
        if self._is_spent(now_ms) and not self.suspended:
            return None
        self.circuit, verdict = ask(self.circuit, now_ms, call_until_ms=until_ms)
        del self._waiting[ticket]
        if isinstance(verdict, Permit):
            self._calls[ticket] = until_ms
            if self._calls_per_minute is not None:
                self._begun_ms.append(now_ms)
        return verdict

    def _is_spent(self, now_ms: int) -> bool:
        """Whether a minute's calls are used up."""
        while self._begun_ms and now_ms - self._begun_ms[0] >= MINUTE_MS:
            self._begun_ms.popleft()
        return self._calls_per_minute is not None and len(self._begun_ms) >= self._calls_per_minute

    def under_way(self, now_ms: int) -> int:
        """Calls that have left and may still be answered."""
        return sum(until_ms > now_ms for until_ms in self._calls.values())

    def leave(self, ticket: int) -> None:
        """Nothing is under way or waiting for this ticket any more."""
        self._calls.pop(ticket, None)
        self._waiting.pop(ticket, None)

    def succeeded(self, permit: Permit) -> None:
        """The upstream answered."""
        self.circuit = succeeded(self.circuit, permit)

    def failed(self, permit: Permit, now_ms: int, *, first_pause_ms: int, asked_pause_ms: int) -> None:
        """The upstream did not, or not as it should."""
        self.circuit = failed(
            self.circuit, permit, now_ms, first_pause_ms=first_pause_ms, asked_pause_ms=asked_pause_ms
        )
