"""The Web port over another one, so that an upstream is neither crowded nor called while it is in trouble.

It owns what counts as trouble. What is under way is in `upstream_load.py`; the rules are
`origins/circuit.py`, `call_pace.py` and `fair_queue.py`.
"""

from collections import Counter
from dataclasses import replace
from http import HTTPStatus

from edgeseries.errors import (
    DeadlineExceeded,
    OriginBusy,
    OriginOversize,
    OriginSuspended,
    OriginThrottled,
    OriginUnreachable,
)
from edgeseries.http.messages import HttpCall, HttpReply
from edgeseries.limits import (
    CIRCUIT_FAIR_MS,
    CIRCUIT_PAUSE_MS,
    SECOND_MS,
    UPSTREAM_TICKET_MS,
    UPSTREAM_TURN_MS,
)
from edgeseries.metrics.ports.journal import Journal
from edgeseries.origins.adapters.upstream_load import Held, Leave, Ticket, UpstreamLoad
from edgeseries.origins.call_limits import REFUSED_TRIES, REFUSED_WAIT_MS
from edgeseries.origins.call_pace import CallReport
from edgeseries.origins.circuit import CircuitState, Permit, Suspended
from edgeseries.origins.work_class import Requester
from edgeseries.ports.clock import Clock
from edgeseries.ports.streaming import Pause
from edgeseries.ports.web import Web

TROUBLE = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS})
"""Statuses below 500 that say that the upstream cannot cope."""


REFUSALS = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})
"""Statuses that say that there are too many calls."""


class GuardedWeb:
    """Calls of one event. `load` is shared by the isolate's events; `requester` is whose calls they are;
    `meter` counts refusals, and milliseconds waited by class.
    """

    def __init__(
        self,
        web: Web,
        *,
        load: UpstreamLoad,
        clock: Clock,
        pause: Pause,
        journal: Journal,
        requester: Requester | None = None,
        meter: Counter[str] | None = None,
        first_pause_ms: int = CIRCUIT_PAUSE_MS,
    ) -> None:
        self._web = web
        self._load = load
        self._clock = clock
        self._pause = pause
        self._journal = journal
        self._requester = Requester() if requester is None else requester
        self._meter: Counter[str] = Counter() if meter is None else meter
        self._first_pause_ms = first_pause_ms

    def suspended(self) -> bool:
        """See UpstreamState."""
        return self._load.suspended

    async def send(self, call: HttpCall) -> HttpReply:
        """See the port. A call that is refused (429, or 503 with a Retry-After) is made again when its turn
        comes, within REFUSED_WAIT_MS and its time.

        Raises OriginSuspended while the upstream is left alone, OriginThrottled while it wants no calls for
        longer than this one can wait, OriginBusy when no call before this one ended in time.
        """
        until_ms = self._clock.now_ms() + call.timeout_ms
        patience_ms = min(until_ms, self._clock.now_ms() + REFUSED_WAIT_MS)
        for _ in range(REFUSED_TRIES - 1):
            reply = await self._sent_in_turn(call, until_ms, patience_ms)
            if not _is_refusal(reply) or self._load.held_until_ms >= patience_ms:
                return reply
        return await self._sent_in_turn(call, until_ms, patience_ms)

    async def _sent_in_turn(self, call: HttpCall, until_ms: int, patience_ms: int) -> HttpReply:
        began_ms, work = self._clock.now_ms(), self._requester.work
        ticket = self._load.ticket(began_ms, work)
        try:
            try:
                leave = await self._turn(ticket, until_ms, patience_ms)
            finally:
                self._meter[f"{work.work_class}_wait_ms"] += self._clock.now_ms() - began_ms
            left_ms = max(1, until_ms - self._clock.now_ms())
            try:
                return await self._sent(replace(call, timeout_ms=left_ms), ticket, leave)
            except DeadlineExceeded as error:
                if left_ms < CIRCUIT_FAIR_MS <= call.timeout_ms:
                    # Its time went by while it waited: the upstream had next to none.
                    raise _too_many() from error
                raise
        finally:
            self._load.leave(ticket)

    async def _turn(self, ticket: Ticket, until_ms: int, patience_ms: int) -> Leave:
        while True:
            now_ms = self._clock.now_ms()
            pause_ms = UPSTREAM_TURN_MS
            match self._load.enter(ticket, now_ms, until_ms=until_ms):
                case Leave() as leave:
                    return leave
                case Suspended(wait_ms=wait_ms):
                    raise OriginSuspended(
                        "the upstream is in trouble and is left alone for a while; what is stored is served",
                        retry_after_s=_seconds(wait_ms),
                    )
                case Held(wait_ms=wait_ms):
                    if now_ms + wait_ms >= patience_ms:
                        raise OriginThrottled(
                            "the upstream wants no more calls for a while; try again",
                            retry_after_s=_seconds(wait_ms),
                        )
                    pause_ms = min(wait_ms, UPSTREAM_TICKET_MS // 2)
            if now_ms + pause_ms >= until_ms:
                raise _too_many()
            await self._pause(pause_ms)

    async def _sent(self, call: HttpCall, ticket: Ticket, leave: Leave) -> HttpReply:
        before, permit = self._load.circuit.state, leave.permit
        report = CallReport(
            began_ms=self._clock.now_ms(),
            ended_ms=self._clock.now_ms(),
            kind=_kind_of(call),
            crowd=leave.crowd,
            yields=self._requester.work.work_class.yields,
        )
        try:
            reply = await self._web.send(call)
        except DeadlineExceeded:
            # Who gave it next to no time has learned nothing of it.
            if call.timeout_ms >= CIRCUIT_FAIR_MS:
                self._failed(permit)
                self._load.timed_out(replace(report, ended_ms=self._clock.now_ms()))
            raise
        except OriginUnreachable:
            self._failed(permit)
            raise
        except OriginOversize:
            self._load.succeeded(permit)
            raise
        report = replace(report, ended_ms=self._clock.now_ms(), size=len(reply.body))
        reply = replace(reply, took_ms=report.took_ms)
        asked_ms = SECOND_MS * _whole(reply.headers.get("retry-after", ""))
        if reply.status >= HTTPStatus.INTERNAL_SERVER_ERROR or reply.status in TROUBLE:
            self._failed(permit, asked_pause_ms=asked_ms)
            if reply.status in REFUSALS:
                self._meter["refused_calls"] += 1
                self._load.refused(report, asked_ms=asked_ms)
            elif reply.status == HTTPStatus.GATEWAY_TIMEOUT:
                self._load.timed_out(report)
            return reply
        self._load.succeeded(permit)
        self._load.served(ticket, report)
        if before is not CircuitState.CLOSED and not self._load.suspended:
            self._journal.line("info", "the upstream is called again")
        return reply

    def _failed(self, permit: Permit, *, asked_pause_ms: int = 0) -> None:
        turn = self._load.circuit.turn
        self._load.failed(
            permit,
            self._clock.now_ms(),
            first_pause_ms=self._first_pause_ms,
            asked_pause_ms=asked_pause_ms,
        )
        circuit = self._load.circuit
        if circuit.turn != turn and circuit.state is CircuitState.OPEN:
            self._journal.line(
                "warning", "the upstream is left alone", ms=circuit.pause_ms, failures=circuit.failures
            )


def _is_refusal(reply: HttpReply) -> bool:
    """Whether the same call may be served in a moment, by the upstream's own word."""
    if reply.status == HTTPStatus.SERVICE_UNAVAILABLE:
        return bool(_whole(reply.headers.get("retry-after", "")))
    return reply.status == HTTPStatus.TOO_MANY_REQUESTS


def _kind_of(call: HttpCall) -> str:
    """Calls of one kind take about as long as each other: the method, and the last word of the path."""
    return f"{call.method} {call.url.partition('?')[0].rpartition('/')[2]}"


def _too_many() -> OriginBusy:
    return OriginBusy("too many calls to the upstream are under way; try again", retry_after_s=1)


def _seconds(wait_ms: int) -> int:
    return max(1, -(-wait_ms // SECOND_MS))


def _whole(text: str) -> int:
    """Retry-After in seconds; 0 where it is a date, or nothing. The circuit bounds it."""
    return int(text[:9]) if text.isascii() and text.isdigit() else 0
