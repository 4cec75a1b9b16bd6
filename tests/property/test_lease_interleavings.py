"""Requests of three isolates and batches of jobs that lack overlapping days, in any order; some are killed in
the middle, clocks are a minute apart, the database of leases fails now and then.

Nobody is answered wrongly, nobody waits past half of his time, nobody is waited for for ever; and where
nobody dies and nothing fails, each day of a point is fetched once.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consumer.fetching import FetchBuffer, fetch_batch
from consumer.ports import Ports as BatchPorts
from edgeseries.blocks.adapters.stamp_memory import IsolateStamps
from edgeseries.errors import StoreUnavailable
from edgeseries.http.messages import HttpRequest
from edgeseries.jobs.job import Claim, Priority
from edgeseries.leases.adapters.lease_records import LeasePause, LeaseRecords
from edgeseries.leases.claims import Claims
from edgeseries.leases.limits import BATCH_LEASE_WAIT_MS, LEASE_LONGEST_TURN_MS, LEASE_MS
from edgeseries.limits import DAY_MS, MINUTE_MS
from edgeseries.planning.sample_budget import SampleBudget
from edgeseries.series.days import days_touched
from edgeseries.series.timerange import TimeRange
from edgeseries.storage.database import Command, Row
from router.flow import answer
from router.ports import Ports
from tests.fake_leases import FakeHeartbeats
from tests.fake_stores import FakeBlocks
from tests.fakes import Afterwards, FakeClock, FakeOrigin, FixedBudget
from tests.interleaving import ACTOR, Gate, GatedDatabase, everybody_waits
from tests.made_ports import router_ports

SITE = "hq"
DAY = 19_800
NOW_MS = (DAY + 30) * DAY_MS
DEADLINE_MS = 30_000
ROWS = [(day * DAY_MS + hour * 3_600_000, float(hour)) for day in range(DAY, DAY + 6) for hour in range(24)]
SKEWS_MS = (0, MINUTE_MS, -MINUTE_MS)
MOST_STEPS = 20_000

Step = tuple[str, int, tuple[str, ...], tuple[int, int]]

ACTORS = st.lists(
    st.tuples(
        st.sampled_from(["get", "get", "get", "job"]),
        st.integers(0, 2),
        st.sampled_from([("a",), ("b",), ("a", "b")]),
        st.tuples(st.integers(0, 3), st.integers(1, 3)),
    ),
    min_size=2,
    max_size=6,
)
"""What is asked: by a request of an isolate or a job; points; first day and how many."""

CHOICES = st.lists(st.integers(0, 5), max_size=40)
DEATHS = st.dictionaries(st.integers(0, 5), st.integers(0, 8), max_size=2)
"""Actors that are never let on again after so many calls; the first request always lives."""

FAILURES = st.sets(st.integers(0, 12), max_size=4)
"""Which calls for leases fail."""


@dataclass
class FairGate(Gate):
    """After the last choice everybody goes on in turn. Who has died is never let on."""

    deaths: dict[int, int] = field(default_factory=dict)
    passed: Counter[int] = field(default_factory=Counter)

    async def play(self, work: Sequence[Coroutine[Any, Any, None]], choices: Sequence[int]) -> None:
        tasks = [asyncio.create_task(self._as(number, one)) for number, one in enumerate(work)]
        order = iter(choices)
        while any(not task.done() for number, task in enumerate(tasks) if not self.dead(number)):
            await everybody_waits()
            actors = sorted(actor for actor, turns in self.waiting.items() if turns and not self.dead(actor))
            if actors:
                self.moment += 1
                actor = actors[next(order, self.moment) % len(actors)]
                self.passed[actor] += 1
                self.waiting[actor].pop(0).set_result(None)
            assert self.moment < MOST_STEPS, "somebody waits for ever"
        for number, task in enumerate(tasks):
            if not self.dead(number):
                task.result()
        # The power goes: what the dead held stays as it is until here.
        for task in tasks:
            task.cancel()

    def dead(self, actor: int) -> bool:
        return actor in self.deaths and self.passed[actor] >= self.deaths[actor]


@dataclass
class FailingDatabase(GatedDatabase):
    """Fails at some calls."""

    failures: frozenset[int] = frozenset()
    calls: int = 0

    async def read(self, command: Command) -> list[Row]:
        self._fail()
        return await super().read(command)

    async def write(self, commands: Sequence[Command]) -> list[list[Row]]:
        self._fail()
        return await super().write(commands)

    def _fail(self) -> None:
        self.calls += 1
        if self.calls - 1 in self.failures:
            raise StoreUnavailable("the database of leases is down")


@dataclass
class SlowOrigin(FakeOrigin):
    """Answers in two steps. Which days of which point went out."""

    gate: Gate = field(default_factory=Gate)
    days: Counter[tuple[str, int]] = field(default_factory=Counter)

    async def fetch(self, site: str, points: Sequence[str], span: TimeRange, **more: Any) -> Any:
        await self.gate.wait()
        found = await super().fetch(site, points, span, **more)
        self.days.update((point, day) for point in points for day in days_touched(span))
        await self.gate.wait()
        return found


@dataclass
class Skewed:
    """A clock that is wrong."""

    base: FakeClock
    by_ms: int

    def now_ms(self) -> int:
        return self.base.at_ms + self.by_ms


@dataclass
class PassingTimer:
    """A wait is one step; time passes if it may. What each actor has waited."""

    gate: Gate
    clock: FakeClock
    passes: bool
    waited: Counter[int] = field(default_factory=Counter)

    async def pause(self, wait_ms: int) -> None:
        self.waited[ACTOR.get()] += wait_ms
        await self.gate.wait()
        self.clock.at_ms += wait_ms * self.passes


class World:
    """Three isolates of the router, their clocks a minute apart, and a consumer, over the same stores."""

    def __init__(self, *, passes: bool, deaths: dict[int, int], failures: set[int]) -> None:
        self.clock = FakeClock(at_ms=NOW_MS)
        self.gate = FairGate(deaths=deaths)
        self.database = FailingDatabase(gate=self.gate, clock=self.clock, failures=frozenset(failures))
        self.origin = SlowOrigin({SITE: {"a": ROWS, "b": ROWS}}, gate=self.gate)
        self.timer = PassingTimer(self.gate, self.clock, passes=passes)
        self.blocks = FakeBlocks()
        self.after: list[Afterwards] = []
        first = router_ports(
            origin=self.origin, blocks=self.blocks, timer=self.timer, heartbeats=FakeHeartbeats()
        )
        self.isolates: list[Ports] = []
        for skew_ms in SKEWS_MS:
            clock = Skewed(self.clock, skew_ms)
            leases = LeaseRecords(database=self.database, pause=LeasePause(), clock=clock)
            self.isolates.append(
                replace(first, clock=clock, leases=leases, claims=Claims(), stamps=IsolateStamps())
            )

    async def act(self, step: Step) -> None:
        what, isolate, points, (first, count) = step
        span = TimeRange(start_ms=(DAY + first) * DAY_MS, end_ms=(DAY + first + count) * DAY_MS)
        if what == "job":
            await self.batch(isolate, points, span)
        else:
            await self.get(self.isolates[isolate], points, span)

    async def get(self, ports: Ports, points: tuple[str, ...], span: TimeRange) -> None:
        background = Afterwards()
        self.after.append(background)
        query = {"site": SITE, "points": ",".join(points), "route": "cached"}
        query |= {"start_time": str(span.start_ms), "end_time": str(span.end_ms)}
        request = HttpRequest(
            method="GET",
            path="/api/timeseries",
            query=tuple(query.items()),
            request_id="r",
            arrived_ms=ports.clock.now_ms(),
        )
        response = await answer(request, replace(ports, background=background))
        await background.finish()
        body = response.body if response.stream is None else response.stream
        assert isinstance(body, bytes)
        assert response.status == 200, body
        rows = [[*row] for row in ROWS if span.start_ms <= row[0] < span.end_ms]
        assert {point: one["samples"] for point, one in json.loads(body)["data"].items()} == dict.fromkeys(
            points, rows
        )

    async def batch(self, isolate: int, points: tuple[str, ...], span: TimeRange) -> None:
        claim = Claim(
            job_id="j",
            batch_index=0,
            holder="h",
            site=SITE,
            points=points,
            span=span,
            priority=Priority.NORMAL,
            attempts=0,
            claims=1,
            sample_count=0,
        )
        await fetch_batch(claim, FetchBuffer(site=SITE), self.consumer(self.isolates[isolate]))
        for point in points:
            assert set(days_touched(span)) <= set(self.blocks.held[SITE, point])

    def consumer(self, ports: Ports) -> BatchPorts:
        class Renewing:
            async def renew(self, *_: object, **__: object) -> bool:
                return True

        batch_ports: Any = replace(ports, live_cache=None)  # type: ignore[arg-type]
        shared = {
            name: getattr(batch_ports, name)
            for name in ("origin", "blocks", "leases", "heartbeats", "clock", "identity", "journal", "timer")
        }
        unused: Any = None
        batches: Any = Renewing()
        return BatchPorts(
            **shared,
            job_reader=unused,
            batches=batches,
            dead_letters=unused,
            job_queue=unused,
            dead_letter_queue=unused,
            budget=FixedBudget(),
            batch_sizes=unused,
            settle_lag_ms=ports.settle_lag_ms,
            sample_budget=SampleBudget(),
            operations=ports.operations,
        )

    def waited_too_long(self) -> dict[int, int]:
        """Actors, and what they waited (ms) beyond what a request or a batch may."""
        longest_ms = max(DEADLINE_MS // 2, BATCH_LEASE_WAIT_MS) + LEASE_LONGEST_TURN_MS
        return {actor: ms for actor, ms in self.timer.waited.items() if ms > longest_ms}


@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(ACTORS, CHOICES)
def test_where_nobody_dies_each_day_of_a_point_is_fetched_once(
    actors: list[Step], choices: list[int]
) -> None:
    """Time stands still, so nothing runs out."""
    world = World(passes=False, deaths={}, failures=set())
    asyncio.run(world.gate.play([world.act(step) for step in actors], choices))
    wanted = {
        (point, day)
        for _, _, points, (first, count) in actors
        for point in points
        for day in range(DAY + first, DAY + first + count)
    }
    assert world.origin.days == dict.fromkeys(wanted, 1)
    assert world.database.rows("SELECT * FROM fetch_leases WHERE holder <> 'released'") == []


@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(ACTORS, CHOICES, DEATHS, FAILURES)
def test_whoever_dies_or_fails_the_others_are_answered_in_time(
    actors: list[Step], choices: list[int], deaths: dict[int, int], failures: set[int]
) -> None:
    """Nobody beats, so even who is at work may be taken for dead while others wait."""
    world = World(passes=True, deaths=deaths, failures=failures)

    async def play() -> None:
        await world.gate.play([world.act(step) for step in actors], choices)
        assert not world.waited_too_long()
        # Who comes when all that the dead held has run out is held up by nobody.
        world.clock.at_ms += LEASE_MS + MINUTE_MS
        waited = world.timer.waited.total()
        world.gate.deaths.clear()
        world.gate.waiting.clear()
        everything: list[Step] = [("get", isolate, ("a", "b"), (0, 6)) for isolate in range(3)]
        for step in everything:
            await world.gate.play([world.act(step)], [])
        assert world.timer.waited.total() == waited

    asyncio.run(play())
    for work in (work for background in world.after for work in background.work):
        work.close()  # What the dead had still to do.
