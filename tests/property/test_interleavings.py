"""Requests, jobs, refreshes and purges that come in between each other in any order, over the real store.

After a purge or a refresh has ended, nothing that was fetched before it began is told any more, and every
sample of every answer is what the vendor said at some moment since.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consumer.fetching import FetchBuffer, Superseded, fetch_batch
from edgeseries.blocks.adapters.block_memory import BlockMemory
from edgeseries.blocks.adapters.block_store import BlockStore
from edgeseries.blocks.adapters.compression_cpython import PackageCompression
from edgeseries.blocks.adapters.stamp_memory import IsolateStamps
from edgeseries.blocks.block_columns import PythonBlockCodec
from edgeseries.http.messages import HttpRequest
from edgeseries.jobs.job import Claim, Priority
from edgeseries.leases.adapters.lease_records import LeasePause, LeaseRecords
from edgeseries.limits import DAY_MS
from edgeseries.planning.adapters.asked_records import AskedMemory, AskedRecords
from edgeseries.planning.adapters.live_memory import LiveMemory
from edgeseries.planning.sample_budget import SampleBudget
from edgeseries.series.days import days_touched
from edgeseries.series.timerange import TimeRange
from router.flow import answer
from router.ports import Ports
from tests.fakes import Afterwards, FakeClock, FixedBudget
from tests.interleaving import Floors, Gate, GatedAnswers, GatedBucket, GatedDatabase, GatedTimer, Vendor
from tests.made_ports import router_ports

SITE = "hq"
POINTS = ("a", "b")
DAY = 19_800
"""The first of two sealed days; the third is live."""

NOW_MS = (DAY + 2) * DAY_MS + DAY_MS // 2 + 1
ATTEMPTS_OF_A_BATCH = 12

Step = tuple[Any, ...]
Asked = tuple[tuple[str, ...], tuple[int, int], str]
"""Points, first day and how many, route."""

SPANS = st.sampled_from([(0, 1), (0, 2), (1, 1), (0, 3), (1, 2), (2, 1)])
"""First day and how many."""

SOME = st.sampled_from([("a",), ("b",), ("a", "b")])
ISOLATES = st.integers(0, 1)
GETS = st.tuples(
    st.just("get"), ISOLATES, SOME, SPANS, st.sampled_from(["", "direct", "cached", "cached"]), st.just("")
)
REFRESHES = st.tuples(
    st.just("get"), ISOLATES, SOME, SPANS, st.sampled_from(["direct", "cached"]), st.just("no-cache")
)
PURGES = st.tuples(st.just("purge"), ISOLATES, st.sampled_from([None, ("a",), ("a", "b")]), st.none() | SPANS)
CORRECTIONS = st.tuples(st.just("correct"), SOME, st.integers(0, 2))
JOBS = st.tuples(st.just("job"), SOME, SPANS)
ACTORS = st.lists(
    st.lists(GETS | REFRESHES | PURGES | CORRECTIONS | JOBS, min_size=1, max_size=3), min_size=2, max_size=4
)


class World:
    """Two isolates over one bucket and database, a vendor that corrects, and what must hold."""

    def __init__(self, *, stamps_ttl_ms: int) -> None:
        self.gate, self.floors = Gate(), Floors()
        self.vendor = Vendor(self.gate, site=POINTS)
        self.clock = FakeClock(at_ms=NOW_MS)
        self.database = GatedDatabase(gate=self.gate, clock=self.clock)
        self.bucket = GatedBucket(gate=self.gate)
        self.answers = GatedAnswers(clock=self.clock, gate=self.gate)
        self.isolates = [self.isolate(stamps_ttl_ms) for _ in range(2)]
        self.job_blocks = self.blocks(BlockMemory(max_bytes=0))
        self.faults: Counter[str] = Counter()

    def blocks(self, memory: BlockMemory) -> BlockStore:
        return BlockStore(
            bucket=self.bucket,
            database=self.database,
            codec=PythonBlockCodec(compressor=PackageCompression()),
            memory=memory,
            clock=self.clock,
            pause=self.pause,
        )

    async def pause(self, _wait_ms: int) -> None:
        await self.gate.wait()

    def isolate(self, stamps_ttl_ms: int) -> Ports:
        blocks = self.blocks(BlockMemory())
        return router_ports(
            origin=self.vendor,
            blocks=blocks,
            answers=self.answers,
            clock=self.clock,
            live_cache=LiveMemory(),
            stamps=IsolateStamps(ttl_ms=stamps_ttl_ms),
            faults=blocks.faults,
            leases=self.leases(),
            asked_days=AskedRecords(database=self.database, memory=AskedMemory()),
            timer=GatedTimer(gate=self.gate, clock=self.clock),
        )

    def leases(self) -> LeaseRecords:
        return LeaseRecords(database=self.database, pause=LeasePause(), clock=self.clock)

    async def act(self, steps: list[Step]) -> None:
        for step in steps:
            match step:
                case ("get", isolate, points, span, route, cache_control):
                    await self.get(isolate, points, span, route, cache_control)
                case ("purge", isolate, points, span):
                    await self.purge(isolate, points, span)
                case ("correct", points, day):
                    # In its turn, like every other step: else it would be done before anybody has begun.
                    await self.gate.wait()
                    for point in points:
                        self.vendor.correct(point, DAY + day)
                case ("job", points, span):
                    await self.job(points, span)
                case _:
                    raise AssertionError(step)

    async def get(
        self, isolate: int, points: tuple[str, ...], span: tuple[int, int], route: str, cache_control: str
    ) -> None:
        asked = span_of(span)
        began, floors = self.gate.moment, self.floors.now()
        query = [("site", SITE), ("points", ",".join(points))]
        query += [("start_time", str(asked.start_ms)), ("end_time", str(asked.end_ms))]
        query += [("route", route)] if route else []
        status, body, cache_status = await self.ask(
            isolate, "GET", "/api/timeseries", query, {"cache-control": cache_control}
        )
        assert status == 200
        rows = 0
        for point, one in json.loads(body)["data"].items():
            for at_ms, version in one["samples"]:
                rows += 1
                floor = floors.get((point, at_ms // DAY_MS), 0)
                assert self.vendor.was_current(point, at_ms, version, from_moment=floor), (
                    f"{point} at {at_ms}: version {version} is of before moment {floor}"
                )
        assert rows == len(points) * 2 * len(days_touched(asked))
        if cache_control == "no-cache" and "stored" in cache_status:
            self.floors.ended(points, days_touched(asked), began=began)

    async def purge(self, isolate: int, points: tuple[str, ...] | None, span: tuple[int, int] | None) -> None:
        began = self.gate.moment
        query = [("site", SITE)]
        query += [] if points is None else [("points", ",".join(points))]
        if span is not None:
            asked = span_of(span)
            query += [("start_time", str(asked.start_ms)), ("end_time", str(asked.end_ms))]
        status, _, _ = await self.ask(isolate, "DELETE", "/api/cache", query, {})
        assert status == 200
        days = range(DAY, DAY + 3) if span is None else days_touched(span_of(span))
        self.floors.ended(points or POINTS, days, began=began)

    async def ask(
        self, isolate: int, method: str, path: str, query: list[tuple[str, str]], headers: dict[str, str]
    ) -> tuple[int, bytes, str]:
        background = Afterwards()
        request = HttpRequest(
            method=method,
            path=path,
            query=tuple(query),
            headers=headers,
            request_id="r",
            arrived_ms=self.clock.at_ms,
        )
        response = await answer(request, replace(self.isolates[isolate], background=background))
        await background.finish()
        body = response.body if response.stream is None else response.stream
        assert isinstance(body, bytes)
        return response.status, body, response.headers.get("Cache-Status", "")

    async def job(self, points: tuple[str, ...], span: tuple[int, int]) -> None:
        """A batch, as often as it takes: whoever is overtaken goes again."""
        claim = Claim(
            job_id="j",
            batch_index=0,
            holder="h",
            site=SITE,
            points=points,
            span=span_of(span),
            priority=Priority.NORMAL,
            attempts=0,
            claims=1,
            sample_count=0,
        )
        for _ in range(ATTEMPTS_OF_A_BATCH):
            try:
                await fetch_batch(claim, FetchBuffer(site=SITE), self.consumer())
            except Superseded:
                continue
            return
        raise AssertionError("overtaken more often than there are purges")

    def consumer(self) -> Any:
        ports = self.isolates[0]

        class Renewing:
            async def renew(self, *_: object, **__: object) -> bool:
                return True

        class Consumer:
            blocks, origin, clock, journal = self.job_blocks, self.vendor, self.clock, ports.journal
            settle_lag_ms, batches, budget = ports.settle_lag_ms, Renewing(), FixedBudget()
            # Each batch as in an isolate of its own: what is tried here is order, not room.
            timer, sample_budget, operations = ports.timer, SampleBudget(), ports.operations
            leases, heartbeats = self.leases(), ports.heartbeats
            reader = replace(ports.reader, blocks=self.job_blocks)

        return Consumer()

    def close(self) -> None:
        for ports in self.isolates:
            self.faults.update(ports.faults)
        self.database.close()


def span_of(span: tuple[int, int]) -> TimeRange:
    first, count = span
    return TimeRange(start_ms=(DAY + first) * DAY_MS, end_ms=(DAY + first + count) * DAY_MS)


ALL_DAYS: list[Asked] = [(POINTS, (0, 3), "cached"), (("a",), (1, 1), "cached"), (POINTS, (0, 2), "direct")]


def asked_at_last(actors: Sequence[Sequence[Step]], isolates: Sequence[int]) -> list[Step]:
    """What is asked when all have ended, of each isolate: every day as it is stored and live, a sealed day
    alone, directly, and whatever was asked on the way, as an answer to that may have been kept.
    """
    asked = [(step[2], step[3], step[4]) for steps in actors for step in steps if step[0] == "get"]
    return [("get", isolate, *one, "") for isolate in isolates for one in dict.fromkeys((*ALL_DAYS, *asked))]


def played(actors: list[list[Step]], choices: list[int], *, stamps_ttl_ms: int) -> World:
    """All of them to their end; then it is asked what both isolates say."""
    world = World(stamps_ttl_ms=stamps_ttl_ms)

    async def play() -> None:
        await world.gate.run([world.act(steps) for steps in actors], choices)
        await world.gate.run([world.act(asked_at_last(actors, (0, 1)))], [])

    try:
        asyncio.run(play())
    finally:
        world.close()
    return world


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(ACTORS, st.lists(st.integers(0, 5), max_size=60))
def test_nothing_of_before_a_purge_or_a_refresh_is_told_after_it(
    actors: list[list[Step]], choices: list[int]
) -> None:
    """Isolates that ask for generations each time: the bound of 30 s is that of remembering them."""
    played(actors, choices, stamps_ttl_ms=0)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(ACTORS, st.lists(st.integers(0, 5), max_size=60))
def test_what_one_isolate_does_it_sees_at_once(actors: list[list[Step]], choices: list[int]) -> None:
    """With generations remembered for ever, and purges and refreshes made where everything is asked."""
    here = [
        [(step[0], 0, *step[2:]) if step[0] in ("get", "purge") else step for step in one] for one in actors
    ]
    world = World(stamps_ttl_ms=10**9)

    async def play() -> None:
        await world.gate.run([world.act(steps) for steps in here], choices)
        await world.gate.run([world.act(asked_at_last(here, (0,)))], [])

    try:
        asyncio.run(play())
    finally:
        world.close()


CORRECTED: list[Step] = [("correct", POINTS, day) for day in range(3)]
OVERTAKEN: dict[str, list[Step]] = {
    "request": [("get", 0, POINTS, (0, 3), "cached", "")],
    "sealed request": [("get", 0, POINTS, (0, 2), "cached", "")],
    "direct": [("get", 0, POINTS, (0, 3), "direct", "")],
    "job": [("job", POINTS, (0, 2))],
    "refresh": [("get", 0, POINTS, (0, 3), "direct", "no-cache")],
}
OVERTAKING: dict[str, list[Step]] = {
    "purge of the site": [*CORRECTED, ("purge", 1, None, None)],
    "purge of points": [*CORRECTED, ("purge", 1, POINTS, None)],
    "purge of a day": [*CORRECTED, ("purge", 1, POINTS, (1, 1))],
    "refresh": [*CORRECTED, ("get", 1, POINTS, (0, 3), "direct", "no-cache")],
    "refresh of a day": [*CORRECTED, ("get", 1, POINTS, (0, 1), "direct", "no-cache")],
}


@pytest.mark.parametrize("overtaken", OVERTAKEN.values(), ids=OVERTAKEN.keys())
@pytest.mark.parametrize("overtaking", OVERTAKING.values(), ids=OVERTAKING.keys())
def test_every_place_at_which_one_is_overtaken_by_the_other(
    overtaken: list[Step], overtaking: list[Step]
) -> None:
    """The one as far as any of its calls, then the other to its end, then the rest."""
    superseded = 0
    for place in range(16):
        world = played([overtaken, overtaking], [0] * place + [1] * 40, stamps_ttl_ms=0)
        superseded += world.faults["store_superseded"] + world.job_blocks.faults["store_superseded"]
    if overtaken is not OVERTAKEN["direct"]:
        assert superseded > 0, "none of them was overtaken in the middle of its work"
