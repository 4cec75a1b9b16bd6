"""Work that is carried on one call of a store or of upstream at a time, in an order that a test chooses.

Every call of the bucket, the database, the cached answers and the origin waits at a gate before it is done.
When everybody waits, the test lets one of them go on. So any order in which the platform may let requests,
jobs and purges come in between each other can be tried.
"""

import asyncio
from collections.abc import Coroutine, Mapping, Sequence, Sized
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from edgeseries.blocks.ports.answers import AnswerFacts, CachedAnswer
from edgeseries.limits import DAY_MS
from edgeseries.origins.ports.origin import Bulk
from edgeseries.origins.ports.surplus import Surplus
from edgeseries.planning.capabilities import Capabilities
from edgeseries.series.days import days_touched
from edgeseries.series.points import PointSeries
from edgeseries.series.samples import in_order, within
from edgeseries.series.timerange import TimeRange
from edgeseries.storage.database import Command, Row
from tests.fake_stores import FakeAnswers, MemoryBucket, SqliteDatabase
from tests.fakes import FakeClock, FakeOrigin

PAUSES = 10
"""A pause of a gated timer is so many: what is tried is order. Who waits is let go on as often as others."""

ACTOR: ContextVar[int] = ContextVar("actor")
"""Whose call it is; the tasks that an actor makes inherit it."""


async def everybody_waits() -> None:
    """Let the loop turn until nobody but the caller has anything to do."""
    ready: Sized = asyncio.get_running_loop()._ready  # type: ignore[attr-defined]
    while True:
        await asyncio.sleep(0)
        if not ready:
            return


@dataclass
class Gate:
    """Where calls wait, by whose they are. `moment` counts what was let through: the time of a test."""

    waiting: dict[int, list[asyncio.Future[None]]] = field(default_factory=dict)
    moment: int = 0
    failed: bool = False
    """Nobody lets anybody on any more: who is cancelled may not wait for it."""

    async def wait(self) -> None:
        if self.failed:
            raise RuntimeError("the run has failed")
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.waiting.setdefault(ACTOR.get(), []).append(turn)
        await turn

    async def run(self, work: Sequence[Coroutine[Any, Any, None]], choices: Sequence[int]) -> None:
        """All of the work to its end. A choice is which of the actors that wait goes on by one call; after
        the last choice it is always the first of them.
        """
        tasks = [asyncio.create_task(self._as(number, one)) for number, one in enumerate(work)]
        order = iter(choices)
        while not all(task.done() for task in tasks):
            if any(task.done() and task.exception() is not None for task in tasks):
                break
            await everybody_waits()
            actors = sorted(actor for actor, turns in self.waiting.items() if turns)
            if actors:
                self.moment += 1
                self.waiting[actors[next(order, 0) % len(actors)]].pop(0).set_result(None)
        self.failed = any(task.done() and task.exception() is not None for task in tasks)
        for task in tasks:
            if task.done():
                task.result()

    @staticmethod
    async def _as(number: int, work: Coroutine[Any, Any, None]) -> None:
        ACTOR.set(number)
        await work


@dataclass
class GatedBucket(MemoryBucket):
    """A bucket in memory behind a gate."""

    gate: Gate = field(default_factory=Gate)

    async def _call(self) -> None:
        await self.gate.wait()


@dataclass
class GatedDatabase(SqliteDatabase):
    """A database behind a gate; each transaction is one step."""

    gate: Gate = field(default_factory=Gate)

    async def read(self, command: Command) -> list[Row]:
        await self.gate.wait()
        return list(self._run(command).fetchall())

    async def write(self, commands: Sequence[Command]) -> list[list[Row]]:
        await self.gate.wait()
        self.connection.execute("BEGIN")
        rows: list[list[Row]] = [self._run(command).fetchall() for command in commands]
        self.connection.execute("COMMIT")
        return rows


@dataclass
class GatedTimer:
    """A timer behind a gate. Nobody beats, so a claim or a lease may run out while its holder is at work."""

    gate: Gate
    clock: FakeClock

    async def pause(self, wait_ms: int) -> None:
        await self.gate.wait()
        self.clock.at_ms += PAUSES * wait_ms


@dataclass
class GatedAnswers(FakeAnswers):
    """Cached answers behind a gate."""

    gate: Gate = field(default_factory=Gate)

    async def find(self, digest: str, *, accepts_brotli: bool) -> CachedAnswer | None:
        await self.gate.wait()
        return await super().find(digest, accepts_brotli=accepts_brotli)

    async def store(self, digest: str, body: bytes, facts: AnswerFacts) -> None:
        await self.gate.wait()
        await super().store(digest, body, facts)


@dataclass
class Vendor:
    """An upstream whose samples say which version of a point's day they are; it corrects days at will. Each
    fetch brings the points of `site` along.
    """

    gate: Gate
    site: Sequence[str] = ()
    since: dict[tuple[str, int], list[int]] = field(default_factory=dict)
    instants: Sequence[int] = (0, DAY_MS // 2)

    def capabilities(self, site: str) -> Capabilities:
        return FakeOrigin({}).capabilities(site)

    def correct(self, point: str, day: int) -> None:
        """A new version of a day, from this moment on."""
        self._versions(point, day).append(self.gate.moment)

    def was_current(self, point: str, at_ms: int, version: float, *, from_moment: int) -> bool:
        """Whether a version was what the vendor said at any time after the step of `from_moment`."""
        versions = self._versions(point, at_ms // DAY_MS)
        following = int(version) + 1
        return following >= len(versions) or versions[following] > from_moment

    def _versions(self, point: str, day: int) -> list[int]:
        return self.since.setdefault((point, day), [0])

    async def fetch(
        self,
        site: str,
        points: Sequence[str],
        span: TimeRange,
        *,
        deadline_ms: int,
        bulk: Bulk | None = None,
        surplus: Surplus | None = None,
    ) -> tuple[PointSeries, ...]:
        """What it says at one moment, which is neither the first nor the last of the call."""
        assert site
        assert deadline_ms
        if bulk is not None:
            await bulk.before_call()
        await self.gate.wait()
        said = {
            point: [
                (day * DAY_MS + instant, float(len(self._versions(point, day)) - 1))
                for day in days_touched(span)
                for instant in self.instants
            ]
            for point in dict.fromkeys((*points, *self.site))
        }
        await self.gate.wait()
        found = {
            point: PointSeries(
                point=point, samples=within(in_order([at for at, _ in rows], [v for _, v in rows]), span)
            )
            for point, rows in said.items()
        }
        if surplus is not None:
            surplus.add(span, [found[point] for point in self.site if point not in points])
        return tuple(found[point] for point in points)


@dataclass
class Floors:
    """Since when a day of a point may be told: from the beginning of its last purge or refresh that ended."""

    moments: dict[tuple[str, int], int] = field(default_factory=dict)

    def ended(self, points: Sequence[str], days: Sequence[int], *, began: int) -> None:
        for point in points:
            for day in days:
                self.moments[point, day] = max(self.moments.get((point, day), 0), began)

    def now(self) -> Mapping[tuple[str, int], int]:
        return dict(self.moments)
