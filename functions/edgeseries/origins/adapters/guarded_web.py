"""The Web port over another one, so that an upstream is neither crowded nor called while it is in trouble.

It owns what counts as trouble. The numbers are in `upstream_load.py`, the rule is `origins/circuit.py`.
"""

from dataclasses import replace
from http import HTTPStatus

from edgeseries.errors import (
    DeadlineExceeded,
    OriginBusy,
    OriginOversize,
    OriginSuspended,
    OriginUnreachable,
)
from edgeseries.http.messages import HttpCall, HttpReply
from edgeseries.limits import CIRCUIT_FAIR_MS, CIRCUIT_PAUSE_MS, SECOND_MS, UPSTREAM_TURN_MS
from edgeseries.metrics.ports.journal import Journal
from edgeseries.origins.adapters.upstream_load import UpstreamLoad
from edgeseries.origins.circuit import CircuitState, Permit, Suspended
from edgeseries.ports.clock import Clock
from edgeseries.ports.streaming import Pause
from edgeseries.ports.web import Web

TROUBLE = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS})
"""Statuses below 500 that say that the upstream cannot cope."""


class GuardedWeb:
    """Calls of one request. `load` is shared by the isolate's requests."""

    def __init__(
        self,
        web: Web,
        *,
        load: UpstreamLoad,
        clock: Clock,
        pause: Pause,
        journal: Journal,
        first_pause_ms: int = CIRCUIT_PAUSE_MS,
    ) -> None:
        self._web = web
        self._load = load
        self._clock = clock
        self._pause = pause
        self._journal = journal
        self._first_pause_ms = first_pause_ms

    def suspended(self) -> bool:
        """See UpstreamState."""
        return self._load.suspended

    async def send(self, call: HttpCall) -> HttpReply:
        """See the port. Raises OriginSuspended while the upstream is left alone, OriginBusy when no call
        before this one ended in time.
        """
        until_ms = self._clock.now_ms() + call.timeout_ms
        ticket = self._load.ticket(self._clock.now_ms())
        try:
            permit = await self._turn(ticket, until_ms)
            left_ms = max(1, until_ms - self._clock.now_ms())
            return await self._sent(replace(call, timeout_ms=left_ms), permit)
        finally:
            self._load.leave(ticket)

    async def _turn(self, ticket: int, until_ms: int) -> Permit:
        while True:
            now_ms = self._clock.now_ms()
            match self._load.enter(ticket, now_ms, until_ms=until_ms):
                case Permit() as permit:
                    return permit
                case Suspended(wait_ms=wait_ms):
                    raise OriginSuspended(
                        "the upstream is in trouble and is left alone for a while; what is stored is served",
                        retry_after_s=max(1, -(-wait_ms // SECOND_MS)),
                    )
            if now_ms + UPSTREAM_TURN_MS >= until_ms:
                raise OriginBusy("too many calls to the upstream are under way; try again", retry_after_s=1)
            await self._pause(UPSTREAM_TURN_MS)

    async def _sent(self, call: HttpCall, permit: Permit) -> HttpReply:
        before = self._load.circuit.state
        try:
            reply = await self._web.send(call)
        except DeadlineExceeded:
            # Who gave it next to no time has learned nothing of it.
            if call.timeout_ms >= CIRCUIT_FAIR_MS:
                self._failed(permit)
            raise
        except OriginUnreachable:
            self._failed(permit)
            raise
        except OriginOversize:
            self._load.succeeded(permit)
            raise
        if reply.status >= HTTPStatus.INTERNAL_SERVER_ERROR or reply.status in TROUBLE:
            self._failed(permit, asked_pause_ms=SECOND_MS * _whole(reply.headers.get("retry-after", "")))
            return reply
        self._load.succeeded(permit)
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


def _whole(text: str) -> int:
    """Retry-After in seconds; 0 where it is a date, or nothing. The circuit bounds it."""
    return int(text[:9]) if text.isascii() and text.isdigit() else 0
