"""Which fault befalls which request: a pure function of the settings, the seed and the request's number.

Owns the order in which faults are drawn. Must not know how a fault is carried out.
"""

import random
from enum import StrEnum
from typing import Final

from local.upstream.knobs import Knobs
from local.upstream.paths import Endpoint


class Fault(StrEnum):
    """Faults by the names that statistics use; `rate_<name>` sets each."""

    TOO_MANY = "429"
    SERVER_ERROR = "500"
    RESET = "reset"
    STALL = "stall"
    TRUNCATED = "truncated"
    EMPTY_PAGE = "empty_page"


# Drawn in this order; the first that falls is the request's fault. What a proxy does comes before what the
# application does.
_DRAWN: Final = (
    Fault.TOO_MANY,
    Fault.SERVER_ERROR,
    Fault.RESET,
    Fault.STALL,
    Fault.TRUNCATED,
    Fault.EMPTY_PAGE,
)
_PAGES_ONLY: Final = frozenset({Fault.EMPTY_PAGE})


def befalls(knobs: Knobs, endpoint: Endpoint) -> bool:
    """Whether faults, latency too, are meant for this endpoint."""
    return knobs.only is None or endpoint in knobs.only


def fault_for(knobs: Knobs, endpoint: Endpoint, request_index: int) -> Fault | None:
    """The fault of the request that is `request_index`th (from 0) since the seed was set; most have none."""
    if not befalls(knobs, endpoint):
        return None
    rates = {fault: _rate(knobs, fault) for fault in _DRAWN}
    if not any(rates.values()):
        return None
    # A generator for each request: its faults then depend on its number only, not on what others drew.
    draw = random.Random(f"{knobs.seed}:{request_index}")  # noqa: S311 - faults need repeating, not secrecy
    for fault, rate in rates.items():
        fell = draw.random() < rate
        if fell and (fault not in _PAGES_ONLY or endpoint is Endpoint.SITE_TIMESERIES_PAGINATED):
            return fault
    return None


def mood_befalls(knobs: Knobs, endpoint: Endpoint, request_index: int) -> bool:
    """Whether the mood that is set shows in the request's answer."""
    if knobs.mood is None or not befalls(knobs, endpoint):
        return False
    # A draw of its own, so that moods change nothing about which faults fall.
    draw = random.Random(f"{knobs.seed}:{request_index}:mood")  # noqa: S311 - repeating, not secrecy
    return draw.random() < knobs.rate_mood


def _rate(knobs: Knobs, fault: Fault) -> float:
    match fault:
        case Fault.TOO_MANY:
            return knobs.rate_429
        case Fault.SERVER_ERROR:
            return knobs.rate_500
        case Fault.RESET:
            return knobs.rate_reset
        case Fault.STALL:
            return knobs.rate_stall
        case Fault.TRUNCATED:
            return knobs.rate_truncated
        case Fault.EMPTY_PAGE:
            return knobs.rate_empty_page
