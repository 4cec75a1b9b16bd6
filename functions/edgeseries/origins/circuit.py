"""The circuit breaker of one upstream: whether it is called at all, as a value and one table.

Calls that fail one after the other open the circuit: for a while nobody calls, so that an upstream in
trouble is left alone and nobody waits for it in vain. Then one call probes. It knows no clock and no call.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from edgeseries.limits import (
    CIRCUIT_FAILURES,
    CIRCUIT_LONGEST_PAUSES,
    CIRCUIT_PROBE_WAIT_MS,
)


class CircuitState(StrEnum):
    """Where a circuit is."""

    CLOSED = "closed"
    OPEN = "open"
    PROBING = "probing"


class CircuitEvent(StrEnum):
    """What may happen to it."""

    SUCCEED = "a call succeeds"
    FAIL = "a call fails, others before it did not"
    TRIP = "one failure too many"
    PROBE = "the pause is over: one call is let through"
    PROBE_AGAIN = "the probe was lost: another is let through"
    PROBE_SUCCEEDS = "the probe succeeds"
    PROBE_FAILS = "the probe fails"


CIRCUIT_TRANSITIONS: Final[Mapping[tuple[CircuitState, CircuitEvent], CircuitState]] = {
    (CircuitState.CLOSED, CircuitEvent.SUCCEED): CircuitState.CLOSED,
    (CircuitState.CLOSED, CircuitEvent.FAIL): CircuitState.CLOSED,
    (CircuitState.CLOSED, CircuitEvent.TRIP): CircuitState.OPEN,
    (CircuitState.OPEN, CircuitEvent.PROBE): CircuitState.PROBING,
    (CircuitState.PROBING, CircuitEvent.PROBE_AGAIN): CircuitState.PROBING,
    (CircuitState.PROBING, CircuitEvent.PROBE_SUCCEEDS): CircuitState.CLOSED,
    (CircuitState.PROBING, CircuitEvent.PROBE_FAILS): CircuitState.OPEN,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Circuit:
    """A circuit at rest: `failures` one after the other; `until_ms` is when an open one is probed, and how
    long a probe is waited for. `turn` names what its calls were let through in: what comes back of an
    earlier turn says nothing of this one.
    """

    state: CircuitState = CircuitState.CLOSED
    failures: int = 0
    until_ms: int = 0
    pause_ms: int = 0
    turn: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Permit:
    """A call may leave. Its end is reported with the turn."""

    turn: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspended:
    """No call may leave for `wait_ms`."""

    wait_ms: int


def ask(circuit: Circuit, now_ms: int, *, call_until_ms: int) -> tuple[Circuit, Permit | Suspended]:
    """Whether a call may leave now that ends at `call_until_ms` at the latest, and the circuit after it."""
    match circuit.state:
        case CircuitState.CLOSED:
            return circuit, Permit(turn=circuit.turn)
        case CircuitState.OPEN:
            event = CircuitEvent.PROBE
            wait_ms = circuit.until_ms - now_ms
        case CircuitState.PROBING:
            # A probe may be lost with its request, which the platform ends without a word.
            event = CircuitEvent.PROBE_AGAIN
            wait_ms = min(circuit.until_ms - now_ms, CIRCUIT_PROBE_WAIT_MS)
    if now_ms < circuit.until_ms:
        return circuit, Suspended(wait_ms=wait_ms)
    probing = replace(_after(circuit, event), until_ms=call_until_ms, turn=circuit.turn + 1)
    return probing, Permit(turn=probing.turn)


def succeeded(circuit: Circuit, permit: Permit) -> Circuit:
    """The circuit after a call came back well."""
    if permit.turn != circuit.turn or circuit.state is CircuitState.OPEN:
        return circuit
    if circuit.state is CircuitState.CLOSED:
        return replace(_after(circuit, CircuitEvent.SUCCEED), failures=0)
    closed = _after(circuit, CircuitEvent.PROBE_SUCCEEDS)
    return replace(closed, failures=0, until_ms=0, pause_ms=0, turn=circuit.turn + 1)


def failed(
    circuit: Circuit, permit: Permit, now_ms: int, *, first_pause_ms: int, asked_pause_ms: int = 0
) -> Circuit:
    """The circuit after a call failed; `asked_pause_ms` is how long the upstream wants to be left alone.

    With a first pause of nothing it never opens.
    """
    if permit.turn != circuit.turn or circuit.state is CircuitState.OPEN or not first_pause_ms:
        return circuit
    if circuit.state is CircuitState.CLOSED and circuit.failures + 1 < CIRCUIT_FAILURES:
        return replace(_after(circuit, CircuitEvent.FAIL), failures=circuit.failures + 1)
    tripped = circuit.state is CircuitState.CLOSED
    event = CircuitEvent.TRIP if tripped else CircuitEvent.PROBE_FAILS
    own_ms = first_pause_ms if tripped else 2 * circuit.pause_ms
    pause_ms = min(max(own_ms, asked_pause_ms), CIRCUIT_LONGEST_PAUSES * first_pause_ms)
    return replace(
        _after(circuit, event),
        failures=circuit.failures + 1,
        until_ms=now_ms + pause_ms,
        pause_ms=pause_ms,
        turn=circuit.turn + 1,
    )


def _after(circuit: Circuit, event: CircuitEvent) -> Circuit:
    return replace(circuit, state=CIRCUIT_TRANSITIONS[circuit.state, event])
