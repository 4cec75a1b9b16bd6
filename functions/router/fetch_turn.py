"""Whose turn it is to fetch: of requests that lack the same days one fetches, the others wait for its
blocks.
"""

from collections.abc import Hashable

from edgeseries.limits import BUDGET_LINGER_MS, SHARED_FETCH_TURN_MS
from edgeseries.planning.freshness import Freshness
from edgeseries.planning.routing import Route
from edgeseries.planning.work_under_way import WorkUnderWay, fetch_key
from edgeseries.reading.survey import Survey
from router.endpoint import Arrival
from router.ports import Ports


class FetchTurn:
    """The turn of a request. It ends when its last holder is done: the request, and what is stored after
    it.
    """

    def __init__(self, fetches: WorkUnderWay, key: Hashable, ticket: int) -> None:
        self._fetches = fetches
        self._key = key
        self._ticket = ticket
        self._holders = 1

    def also_held(self) -> "FetchTurn":
        """For one holder more."""
        self._holders += 1
        return self

    def give_back(self) -> None:
        """One holder is done."""
        self._holders -= 1
        if self._holders <= 0:
            self._fetches.end(self._key, self._ticket)


def shared_fetch(route: Route, freshness: Freshness, survey: Survey) -> Hashable | None:
    """What requests share that lack the same; None where nothing is fetched, or nothing is stored of it."""
    if route is not Route.CACHED or not freshness.reads or not freshness.keeps or not survey.index.known:
        return None
    missing_days = survey.fetch_plan.missing_days
    return fetch_key(survey.wanted.site, missing_days) if missing_days else None


def half_time_of(arrival: Arrival, ports: Ports) -> int:
    """Until when (UTC epoch) a request waits for another one's fetch: then there is time for its own."""
    return arrival.deadline_ms - ports.request_deadline_ms // 2


def take_turn(key: Hashable, arrival: Arrival, ports: Ports) -> FetchTurn | None:
    """The turn to fetch it; None while somebody else does. It ends by itself when the request must have
    ended.
    """
    until_ms = arrival.deadline_ms + BUDGET_LINGER_MS
    ticket = ports.under_way.begin(key, ports.clock.now_ms(), until_ms=until_ms)
    return None if ticket is None else FetchTurn(ports.under_way, key, ticket)


async def wait_for_turn(key: Hashable, ports: Ports, *, until_ms: int) -> None:
    """Wait until nobody fetches it any more, until then (UTC epoch) at most."""
    while ports.under_way.is_under_way(key, now_ms := ports.clock.now_ms()) and now_ms < until_ms:
        await ports.timer.pause(SHARED_FETCH_TURN_MS)
