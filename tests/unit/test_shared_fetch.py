"""Requests that lack the same days, in an isolate and in several: each day is fetched once, the others wait
for its blocks.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from edgeseries.errors import OriginUnreachable, StoreUnavailable
from edgeseries.http.messages import HttpRequest, HttpResponse
from edgeseries.leases.claims import Claims
from edgeseries.leases.limits import CLAIM_MS, LEASE_MS, LEASE_OF_JOB_WAIT_MS
from edgeseries.leases.ports.leases import Holder
from edgeseries.limits import DAY_MS
from edgeseries.planning.work_under_way import WorkUnderWay
from edgeseries.series.days import days_touched
from edgeseries.series.timerange import parse_instant
from router.flow import answer
from tests.fake_leases import FakeHeartbeats, FakeLeases
from tests.fakes import Afterwards, FakeClock, FakeOrigin
from tests.made_ports import router_ports

SITE = "hq"
JUNE = parse_instant("2023-06-01T00:00:00Z") // DAY_MS
NOW_MS = parse_instant("2023-09-01T00:00:00Z")
CALLERS = 20
DAYS = CALLERS + 3
ROWS = [(JUNE * DAY_MS + hour * 3_600_000, float(hour)) for hour in range(DAYS * 24)]
DEADLINE_MS = 30_000


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
        self.waits: list[int] = []
        self.meanwhile: Callable[[], Awaitable[None]] | None = None

    async def pause(self, wait_ms: int) -> None:
        self.waits.append(wait_ms)
        self.clock.at_ms += wait_ms * self.alone
        if self.meanwhile is not None:
            await self.meanwhile()
        await asyncio.sleep(0)


@dataclass
class World:
    """Isolates over the same stores. Time goes on for who waits if `alone`."""

    alone: bool = False
    failure: Exception | None = None
    count: int = 1
    clock: FakeClock = field(default_factory=lambda: FakeClock(at_ms=NOW_MS))

    def __post_init__(self) -> None:
        self.origin = SlowOrigin({SITE: {"a": ROWS, "b": ROWS}}, failure=self.failure)
        self.timer = Turns(self.clock, alone=self.alone)
        self.leases = FakeLeases(clock=self.clock)
        first = router_ports(
            clock=self.clock,
            origin=self.origin,
            timer=self.timer,
            leases=self.leases,
            heartbeats=FakeHeartbeats(),
        )
        self.operations = first.operations
        self.isolates = [replace(first, claims=Claims(), background=Afterwards()) for _ in range(self.count)]

    async def ask(
        self, first: int = 0, days: int = 2, *, isolate: int = 0, points: str = "a", **more: str
    ) -> HttpResponse:
        """Whole days, from the first hour on."""
        ports = self.isolates[isolate]
        query = {
            "site": SITE,
            "points": points,
            "route": "cached",
            "start_time": str((JUNE + first) * DAY_MS),
        }
        query["end_time"] = str((JUNE + first + days) * DAY_MS)
        cache_control = more.pop("cache_control", "")
        request = HttpRequest(
            method="GET",
            path="/api/timeseries",
            query=tuple({**query, **more}.items()),
            request_id="r",
            arrived_ms=self.clock.at_ms,
            headers={"cache-control": cache_control},
        )
        response = await answer(request, ports)
        assert isinstance(ports.background, Afterwards)
        await ports.background.finish()
        return response

    def most(self) -> int:
        """How often a day was fetched, at most."""
        return max(Counter(day for span in self.origin.spans for day in days_touched(span)).values())

    def idle(self) -> bool:
        return not self.leases.rows and not any(ports.claims._sites for ports in self.isolates)


def together(*work: Coroutine[Any, Any, HttpResponse]) -> list[HttpResponse]:
    async def gathered() -> list[HttpResponse]:
        return [*await asyncio.gather(*work)]

    return asyncio.run(gathered())


def right(response: HttpResponse, first: int = 0, days: int = 2, *, points: str = "a") -> bool:
    rows = [[*row] for row in ROWS[first * 24 : (first + days) * 24]]
    body = response.body if response.stream is None else response.stream
    assert isinstance(body, bytes)
    told = json.loads(body)["data"]
    return response.status == 200 and all(told[point]["samples"] == rows for point in points.split(","))


@pytest.mark.parametrize("isolates", [1, 2, 3])
def test_many_who_lack_the_same_days_fetch_them_once(isolates: int) -> None:
    world = World(count=isolates)
    responses = together(*(world.ask(isolate=place % isolates) for place in range(CALLERS)))
    assert all(right(response) for response in responses)
    assert world.most() == 1
    statuses = Counter(response.headers["Cache-Status"] for response in responses)
    assert statuses == {"EdgeSeries; hit; detail=shared": CALLERS - 1, "EdgeSeries; fwd=miss; stored": 1}
    assert world.idle()


@pytest.mark.parametrize("isolates", [1, 2, 3])
def test_who_lacks_some_of_the_same_days_fetches_the_others(isolates: int) -> None:
    world = World(count=isolates)
    responses = together(*(world.ask(place, 3, isolate=place % isolates) for place in range(CALLERS)))
    assert all(right(response, place, 3) for place, response in enumerate(responses))
    assert world.most() == 1
    assert all("shared" in response.headers["Cache-Status"] for response in responses[1:])
    assert world.idle()


def test_points_are_claimed_one_by_one() -> None:
    world = World()
    asked = ("a", "a,b", "b")
    responses = together(*(world.ask(points=points) for points in asked))
    assert all(right(one, points=points) for one, points in zip(responses, asked, strict=True))
    assert sum(len(days_touched(span)) for span in world.origin.spans) == 4, "two days of two points"


def test_a_refresh_and_who_wants_nothing_stored_fetch_for_themselves() -> None:
    world = World()
    asked = ("", "no-cache", "no-store")
    assert all(map(right, together(*(world.ask(cache_control=words) for words in asked))))
    assert world.most() == 3


def test_when_a_fetch_fails_who_waited_tries_himself() -> None:
    world = World(failure=OriginUnreachable("gone"))
    assert [one.status for one in together(*(world.ask() for _ in range(3)))] == [502, 502, 502]
    assert world.idle()


def test_a_claim_of_a_request_that_has_died_is_taken_over() -> None:
    world = World(alone=True)
    ports = world.isolates[0]
    ports.claims.take(SITE, {"a": (JUNE, JUNE + 1)}, NOW_MS)
    assert right(asyncio.run(world.ask()))
    assert world.most() == 1
    assert CLAIM_MS <= sum(world.timer.waits) <= CLAIM_MS + 100
    assert ports.operations["fetches_taken_over"] == 1


def test_a_lease_of_an_isolate_that_has_died_is_taken_over() -> None:
    world = World(alone=True)
    asyncio.run(world.leases.take(SITE, {"a": (JUNE,)}, Holder.REQUEST))
    assert right(asyncio.run(world.ask()))
    assert world.most() == 1
    assert LEASE_MS <= sum(world.timer.waits) <= LEASE_MS + 2_000
    assert world.operations["fetches_taken_over"] == 1
    assert world.idle()


def test_nobody_waits_for_a_claim_longer_than_half_of_the_time_he_has() -> None:
    world = World(alone=True)
    claims = world.isolates[0].claims
    claim = claims.take(SITE, {"a": (JUNE, JUNE + 1)}, NOW_MS)

    async def beat() -> None:
        claims.beat(claim, world.clock.at_ms)

    world.timer.meanwhile = beat
    assert right(asyncio.run(world.ask()))
    assert DEADLINE_MS // 2 <= sum(world.timer.waits) <= DEADLINE_MS // 2 + 100
    assert world.operations["waits_in_vain"] == 1


@pytest.mark.parametrize(
    ("holder", "longest_ms"), [(Holder.REQUEST, DEADLINE_MS // 2), (Holder.JOB, LEASE_OF_JOB_WAIT_MS)]
)
def test_nobody_waits_for_a_lease_longer_than_that_and_not_as_long_for_a_job(
    holder: Holder, longest_ms: int
) -> None:
    world = World(alone=True)
    lease = asyncio.run(world.leases.take(SITE, {"a": (JUNE,)}, holder))

    async def renew() -> None:
        await world.leases.renew(lease)

    world.timer.meanwhile = renew
    assert right(asyncio.run(world.ask()))
    assert longest_ms <= sum(world.timer.waits) <= longest_ms + 1_000
    assert world.most() == 1


def test_where_leases_are_not_to_be_had_everybody_fetches_and_nobody_waits() -> None:
    world = World(count=2)
    world.leases.failure = StoreUnavailable("down")
    responses = together(*(world.ask(isolate=place % 2) for place in range(CALLERS)))
    assert all(map(right, responses))
    assert world.most() == 2, "once an isolate"
    assert world.isolates[0].faults["leases_unavailable"] > 0


def test_while_it_fetches_a_request_renews_its_claim_and_its_lease() -> None:
    world = World()
    hearts = world.isolates[0].heartbeats
    assert isinstance(hearts, FakeHeartbeats)

    async def ask_and_beat() -> HttpResponse:
        asked = asyncio.create_task(world.ask())
        for _ in range(100):
            await asyncio.sleep(0)
        assert world.leases.rows
        for _ in range(3 * CLAIM_MS // 1_000):
            world.clock.at_ms += 1_000
            await hearts.beat()
        assert world.isolates[0].claims.is_held(SITE, {"a": (JUNE,)}, world.clock.at_ms)
        assert not (await world.leases.taken(SITE, {"a": (JUNE,)})).empty
        return await asked

    assert right(asyncio.run(ask_and_beat()))
    assert all(heart.stopped for heart in hearts.hearts)
    assert world.idle()


def test_a_hit_and_what_is_fetched_exactly_take_no_lease() -> None:
    world = World()
    assert right(asyncio.run(world.ask(route="direct")))
    assert world.leases.calls == []
    assert right(asyncio.run(world.ask()))
    calls = list(world.leases.calls)
    assert calls == ["take", "release"]
    assert right(asyncio.run(world.ask()))
    assert right(asyncio.run(world.ask(1, 1)), 1, 1)
    assert world.leases.calls == calls


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
