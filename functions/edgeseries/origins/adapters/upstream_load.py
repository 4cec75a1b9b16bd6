"""What an isolate has under way at one upstream: calls, who waits for one, how many there may be at once, and
the circuit breaker.

All requests of an isolate share it, so it is plain data: what one request waits with, no other may touch.
The platform may end a request without a word, so nothing here is held but for a time: a call until its
deadline, a place in the queue and a turn while its owner looks.
"""

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass

from edgeseries.limits import MINUTE_MS, UPSTREAM_ISOLATE_CALLS, UPSTREAM_TICKET_MS, UPSTREAM_TURN_MS
from edgeseries.origins.call_limits import PRESENT_MS, WARMING_SHARE
from edgeseries.origins.call_pace import (
    CallReport,
    Pace,
    calls_at_once,
    held_ms,
    refused,
    rest_ms,
    served,
    timed_out,
)
from edgeseries.origins.circuit import (
    Circuit,
    CircuitState,
    Permit,
    Suspended,
    ask,
    failed,
    succeeded,
)
from edgeseries.origins.fair_queue import FairQueue
from edgeseries.origins.work_class import Work, WorkClass

ANYBODY = Work()
"""Work of nobody in particular."""


def nothing_elsewhere(_now_ms: int) -> int:
    """Calls to other upstreams, where there are none."""
    return 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """No call leaves for `wait_ms`: the upstream has refused one."""

    wait_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Leave:
    """A call may leave; `crowd` calls are under way then, itself included."""

    permit: Permit
    crowd: int


@dataclass(frozen=True, slots=True)
class Ticket:
    """A place in the queue, and what the call is made for."""

    number: int
    work: Work


@dataclass(frozen=True, slots=True)
class _Call:
    work_class: WorkClass
    until_ms: int
    resting: bool = False


class UpstreamLoad:
    """The load of one upstream in one isolate. At most `max_calls` are under way at once, fewer while it does
    not serve them well; `calls_per_minute` (None: any) are begun within a minute; `elsewhere` tells how many
    calls to the isolate's other upstreams are under way at a moment (UTC epoch ms): their answers share its
    memory.

    `refused_count` calls were refused since it was made.
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
        self._calls: dict[Ticket, _Call] = {}
        self._waiting: dict[Ticket, int] = {}
        self._queue: FairQueue[Ticket] = FairQueue()
        self._granted: set[Ticket] = set()
        self._looked_ms = 0
        self._seen_ms: dict[WorkClass, int] = {}
        self.pace = Pace()
        self.circuit = Circuit()
        self.refused_count = 0

    @property
    def suspended(self) -> bool:
        """Whether calls are kept back."""
        return self.circuit.state is not CircuitState.CLOSED

    @property
    def held_until_ms(self) -> int:
        """No call leaves before (UTC epoch): the upstream has refused one."""
        return self.pace.held_until_ms

    def calls_at_once(self, now_ms: int, work_class: WorkClass = WorkClass.INTERACTIVE) -> int:
        """How many calls of a class may be under way. Those of jobs and warming count together for jobs."""
        most = calls_at_once(self.pace, self._max_calls, now_ms, yields=work_class.yields)
        if work_class is WorkClass.WARMING and self._lately(now_ms, WorkClass.INTERACTIVE, WorkClass.JOB):
            most = max(1, most // WARMING_SHARE)
        leaves_one = work_class.yields and self._lately(now_ms, WorkClass.INTERACTIVE)
        return max(1, most - 1) if leaves_one else most

    def _lately(self, now_ms: int, *classes: WorkClass) -> bool:
        return any(now_ms - self._seen_ms[one] < PRESENT_MS for one in classes if one in self._seen_ms)

    def ticket(self, now_ms: int, work: Work = ANYBODY) -> Ticket:
        """A place in the queue, kept by asking with it every UPSTREAM_TICKET_MS at least. Who comes later
        is at its end again.
        """
        ticket = self._numbered(work)
        self._line_up(ticket, now_ms)
        return ticket

    def enter(self, ticket: Ticket, now_ms: int, *, until_ms: int) -> Leave | Suspended | Held | None:
        """Whether the call of a ticket may leave, to end at `until_ms` at the latest; None: not its turn
        yet. A call that left is over with `leave`.
        """
        self._line_up(ticket, now_ms)
        self._forget_lost(now_ms)
        if not self.suspended:
            wait_ms = held_ms(self.pace, now_ms)
            if wait_ms:
                return Held(wait_ms=wait_ms)
            self._grant_turns(now_ms)
            if ticket not in self._granted:
                return None
        self.circuit, verdict = ask(self.circuit, now_ms, call_until_ms=until_ms)
        self._drop(ticket)
        if not isinstance(verdict, Permit):
            return verdict
        self._calls[ticket] = _Call(ticket.work.work_class, until_ms)
        if self._calls_per_minute is not None:
            self._begun_ms.append(now_ms)
        return Leave(permit=verdict, crowd=self.under_way(now_ms))

    def under_way(self, now_ms: int) -> int:
        """Calls that have left and may still be answered."""
        return sum(call.until_ms > now_ms and not call.resting for call in self._calls.values())

    def waiting(self, work_class: WorkClass) -> int:
        """Calls of a class that wait for their turn."""
        return sum(one.work.work_class is work_class for one in self._waiting)

    def facts(self, now_ms: int) -> tuple[tuple[str, int], ...]:
        """How it stands, by the names of `docs/formats/statistics.md`."""
        return (
            ("callsAtOnce", self.calls_at_once(now_ms)),
            ("callsUnderWay", self.under_way(now_ms)),
            ("callsWaiting", len(self._waiting)),
            ("refusedCalls", self.refused_count),
            ("heldMs", held_ms(self.pace, now_ms)),
        )

    def leave(self, ticket: Ticket) -> None:
        """Nothing is under way or waiting for this ticket any more."""
        self._calls.pop(ticket, None)
        self._drop(ticket)

    def served(self, ticket: Ticket, report: CallReport) -> None:
        """The upstream answered a call. A call of work that yields may be followed by a rest."""
        self.pace = served(self.pace, report, ceiling=self._max_calls)
        rest = rest_ms(self.pace, report)
        if rest and ticket in self._calls:
            self._calls[self._numbered(ticket.work)] = _Call(
                self._calls[ticket].work_class, report.ended_ms + rest, resting=True
            )

    def refused(self, report: CallReport, *, asked_ms: int = 0) -> None:
        """The upstream had no room for a call, and wants to be left alone for `asked_ms`, if it says so."""
        self.refused_count += 1
        self.pace = refused(self.pace, report, asked_ms=asked_ms)

    def timed_out(self, report: CallReport) -> None:
        """A call ran out of time."""
        self.pace = timed_out(self.pace, report)

    def succeeded(self, permit: Permit) -> None:
        """The upstream answered, as far as the circuit is concerned."""
        self.circuit = succeeded(self.circuit, permit)

    def failed(self, permit: Permit, now_ms: int, *, first_pause_ms: int, asked_pause_ms: int) -> None:
        """The upstream did not, or not as it should."""
        self.circuit = failed(
            self.circuit, permit, now_ms, first_pause_ms=first_pause_ms, asked_pause_ms=asked_pause_ms
        )

    def _numbered(self, work: Work) -> Ticket:
        self._numbers += 1
        return Ticket(self._numbers, work)

    def _line_up(self, ticket: Ticket, now_ms: int) -> None:
        """The ticket's owner is here now. One that was taken for lost in a busy isolate is let in again."""
        if ticket not in self._waiting:
            self._queue.add(ticket, ticket.work)
        self._waiting[ticket] = now_ms
        self._seen_ms[ticket.work.work_class] = now_ms

    def _forget_lost(self, now_ms: int) -> None:
        """Drop what the platform has ended without a word."""
        self._calls = {ticket: call for ticket, call in self._calls.items() if call.until_ms > now_ms}
        if abs(now_ms - self._looked_ms) < UPSTREAM_TURN_MS:
            return
        self._looked_ms = now_ms
        for ticket, seen_ms in list(self._waiting.items()):
            if now_ms - seen_ms > UPSTREAM_TICKET_MS:
                self._drop(ticket)

    def _drop(self, ticket: Ticket) -> None:
        self._waiting.pop(ticket, None)
        self._granted.discard(ticket)
        self._queue.discard(ticket)

    def _grant_turns(self, now_ms: int) -> None:
        """Give what room there is to the tickets whose turn it is; they leave when they look next."""
        while len(self._queue) and not self._is_full(now_ms):
            ticket = self._queue.take(self._open_classes(now_ms))
            if ticket is None:
                return
            self._granted.add(ticket)

    def _open_classes(self, now_ms: int) -> frozenset[WorkClass]:
        """Classes that have fewer turns than they may."""
        taken = Counter(call.work_class for call in self._calls.values())
        taken.update(ticket.work.work_class for ticket in self._granted)
        yielding = taken[WorkClass.JOB] + taken[WorkClass.WARMING]
        open_classes = {WorkClass.INTERACTIVE}
        if yielding < self.calls_at_once(now_ms, WorkClass.JOB):
            open_classes.add(WorkClass.JOB)
            if taken[WorkClass.WARMING] < self.calls_at_once(now_ms, WorkClass.WARMING):
                open_classes.add(WorkClass.WARMING)
        return frozenset(open_classes)

    def _is_full(self, now_ms: int) -> bool:
        """Whether no more calls may leave, of whatever class."""
        taken = len(self._calls) + len(self._granted)
        if taken >= self.calls_at_once(now_ms) or taken + self._elsewhere(now_ms) >= UPSTREAM_ISOLATE_CALLS:
            return True
        while self._begun_ms and now_ms - self._begun_ms[0] >= MINUTE_MS:
            self._begun_ms.popleft()
        spent = len(self._begun_ms) + len(self._granted)
        return self._calls_per_minute is not None and spent >= self._calls_per_minute
