"""Whose turn it is to do what others wait for: of requests of an isolate one does it, the others wait.

Turns by key are here. Of missing days requests share what overlaps: `shared_fetch.py`.
"""

from collections.abc import Callable, Hashable

from edgeseries.limits import BUDGET_LINGER_MS, SHARED_FETCH_TURN_MS
from router.endpoint import Arrival
from router.ports import Ports


class FetchTurn:
    """The turn of a request. It ends, by `end`, when its last holder is done: the request, and what is stored
    after it.
    """

    def __init__(self, end: Callable[[], None]) -> None:
        self._end = end
        self._holders = 1

    def also_held(self) -> "FetchTurn":
        """For one holder more."""
        self._holders += 1
        return self

    def give_back(self) -> None:
        """One holder is done."""
        self._holders -= 1
        if self._holders == 0:
            self._end()


def half_time_of(arrival: Arrival, ports: Ports) -> int:
    """Until when (UTC epoch) a request waits for another one's fetch: then there is time for its own."""
    return arrival.deadline_ms - ports.request_deadline_ms // 2


def take_turn(key: Hashable, arrival: Arrival, ports: Ports) -> FetchTurn | None:
    """The turn to do it; None while somebody else does. It ends by itself when the request must have
    ended.
    """
    until_ms = arrival.deadline_ms + BUDGET_LINGER_MS
    ticket = ports.under_way.begin(key, ports.clock.now_ms(), until_ms=until_ms)
    return None if ticket is None else FetchTurn(lambda: ports.under_way.end(key, ticket))


async def wait_for_turn(key: Hashable, ports: Ports, *, until_ms: int) -> None:
    """Wait until nobody is at it any more, until then (UTC epoch) at most."""
    while ports.under_way.is_under_way(key, now_ms := ports.clock.now_ms()) and now_ms < until_ms:
        await ports.timer.pause(SHARED_FETCH_TURN_MS)
