"""Requests of an isolate that lack the same days: one fetches them, the others wait for its blocks."""

import asyncio
import json
from typing import Any

import pytest

from edgeseries.errors import OriginUnreachable
from edgeseries.http.messages import HttpRequest, HttpResponse
from edgeseries.limits import DAY_MS
from edgeseries.planning.work_under_way import WorkUnderWay, fetch_key
from edgeseries.series.timerange import parse_instant
from router.flow import answer
from router.ports import Ports
from tests.fakes import Afterwards, FakeClock, FakeOrigin
from tests.made_ports import router_ports

SITE = "hq"
JUNE = parse_instant("2023-06-01T00:00:00Z") // DAY_MS
NOW_MS = parse_instant("2023-09-01T00:00:00Z")
CALLERS = 20
ROWS = [(JUNE * DAY_MS + minute * 60_000, float(minute)) for minute in range(2 * 1_440)]


class SlowOrigin(FakeOrigin):
    """Answers when everybody else has had many turns."""

    async def fetch(self, *words: Any, **named: Any) -> Any:
        for _ in range(200):
            await asyncio.sleep(0)
        return await super().fetch(*words, **named)


class Turns:
    """A timer that gives others a turn. Time goes on for who waits alone: many who wait wait at the same
    time.
    """

    def __init__(self, clock: FakeClock, *, alone: bool) -> None:
        self.clock = clock
        self.alone = alone
        self.waits = 0

    async def pause(self, wait_ms: int) -> None:
        self.waits += 1
        self.clock.at_ms += wait_ms * self.alone
        await asyncio.sleep(0)


def made(*, alone: bool = False, **changes: Any) -> Ports:
    clock = FakeClock(at_ms=NOW_MS)
    origin = SlowOrigin({SITE: {"a": ROWS}}, **changes)
    return router_ports(clock=clock, origin=origin, timer=Turns(clock, alone=alone))


async def one(ports: Ports, *, first_ms: int = 0, cache_control: str = "") -> HttpResponse:
    query = (
        ("site", SITE),
        ("points", "a"),
        ("start_time", str(JUNE * DAY_MS + first_ms)),
        ("end_time", str((JUNE + 2) * DAY_MS)),
        ("route", "cached"),
    )
    request = HttpRequest(
        method="GET",
        path="/api/timeseries",
        query=query,
        request_id="r",
        arrived_ms=NOW_MS,
        headers={"cache-control": cache_control},
    )
    response = await answer(request, ports)
    assert isinstance(ports.background, Afterwards)
    await ports.background.finish()
    return response


def fetches(ports: Ports) -> int:
    assert isinstance(ports.origin, FakeOrigin)
    return len(ports.origin.spans)


def test_many_who_lack_the_same_days_fetch_them_once() -> None:
    ports = made()

    async def all_at_once() -> list[HttpResponse]:
        return await asyncio.gather(*(one(ports, first_ms=place * 60_000) for place in range(CALLERS)))

    responses = asyncio.run(all_at_once())
    for place, response in enumerate(responses):
        assert response.status == 200
        document = json.loads(response.body)
        assert document["data"]["a"]["samples"] == [[*row] for row in ROWS[place:]]
    assert fetches(ports) == 1
    verdicts = [response.headers["Cache-Status"] for response in responses]
    assert sum("hit" in verdict for verdict in verdicts) == CALLERS - 1
    assert not ports.under_way._fetches


def test_a_refresh_and_who_wants_nothing_stored_fetch_for_themselves() -> None:
    ports = made()

    async def together() -> list[HttpResponse]:
        asked = ("", "no-cache", "no-store")
        return await asyncio.gather(*(one(ports, cache_control=words) for words in asked))

    assert [response.status for response in asyncio.run(together())] == [200, 200, 200]
    assert fetches(ports) == 3


def test_when_a_fetch_fails_who_waited_tries_once_itself() -> None:
    ports = made(failure=OriginUnreachable("gone"))

    async def together() -> list[HttpResponse]:
        return await asyncio.gather(*(one(ports) for _ in range(3)))

    assert [response.status for response in asyncio.run(together())] == [502, 502, 502]
    assert not ports.under_way._fetches


def test_nobody_waits_longer_than_half_of_the_time_he_has() -> None:
    ports = made(alone=True)
    key = fetch_key(SITE, {"a": (JUNE, JUNE + 1)})
    assert ports.under_way.begin(key, NOW_MS, until_ms=NOW_MS + 10 * DAY_MS) is not None
    assert asyncio.run(one(ports)).status == 200
    assert fetches(ports) == 1
    assert isinstance(ports.timer, Turns)
    assert 700 < ports.timer.waits <= 750, "15 of 30 seconds, 20 ms each"


def test_a_turn_ends_by_itself_and_belongs_to_whom_it_was_given() -> None:
    board = WorkUnderWay()
    first = board.begin("k", 0, until_ms=10)
    assert first is not None
    assert board.begin("k", 9, until_ms=20) is None
    assert board.is_under_way("k", 9)
    second = board.begin("k", 10, until_ms=20)
    assert second is not None
    board.end("k", first)
    assert board.is_under_way("k", 11)
    board.end("k", second)
    board.end("k", second)
    assert not board.is_under_way("k", 11)


@pytest.mark.parametrize(
    ("one_days", "other_days", "same"),
    [
        ({"a": (1, 2), "b": (1,)}, {"b": (1,), "a": (1, 2)}, True),
        ({"a": (1, 2)}, {"a": (1,)}, False),
        ({"a": (1,)}, {"b": (1,)}, False),
    ],
)
def test_fetches_are_the_same_by_points_and_days(
    one_days: dict[str, tuple[int, ...]],
    other_days: dict[str, tuple[int, ...]],
    same: bool,  # noqa: FBT001
) -> None:
    assert (fetch_key(SITE, one_days) == fetch_key(SITE, other_days)) is same
