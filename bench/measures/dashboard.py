"""A sliding dashboard: the last hours of 50 points, refreshed every minute for an hour, or less often for a
day.

How many samples upstream delivers for it, in samples that are new. The clock is a port that steps
a minute at a time, so an hour takes seconds: the router's own flow, the real origin adapter over
HTTP to the simulator, and the real block store with its SQL run here on CPython. Bucket, database
and kept answers are the tests' fakes, which pass the conformance suites of their ports.
"""

import asyncio
import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from operator import sub
from pathlib import Path
from statistics import median
from typing import Any, Final

import httpx

from bench.finding import Figure, Finding, Measurement, Report, Setting
from bench.week import DAY_MS, Week, fullest_week
from bench.week import SITE as WEEK_SITE
from edgeseries.blocks.adapters.block_memory import BlockMemory
from edgeseries.blocks.adapters.block_store import BlockStore
from edgeseries.blocks.adapters.compression_cpython import PackageCompression
from edgeseries.blocks.block_columns import PythonBlockCodec
from edgeseries.errors import DeadlineExceeded, OriginOversize, OriginUnreachable
from edgeseries.http.messages import HttpCall, HttpReply, HttpRequest
from edgeseries.origins.ace.catalogue import Catalogue
from edgeseries.origins.ace.origin import AceOrigin
from edgeseries.ports.clock import Clock
from local.upstream.background import running
from local.upstream.truth import Truth
from router.flow import answer
from router.ports import Ports
from tests.fake_stores import FakeAnswers, MemoryBucket, SqliteDatabase
from tests.fakes import Afterwards
from tests.made_ports import router_ports
from tests.store_rig import turns

SITE: Final = "dashboard"
POINTS: Final = 50
MINUTE_MS: Final = 60_000
HOUR_MS: Final = 60 * MINUTE_MS
SETTLE_LAG_MS: Final = HOUR_MS
TOKEN: Final = "any"  # noqa: S105 - the simulator asks for none here
DEADLINE_MS: Final = 120_000
DAYS_BEFORE: Final = 2
"""Days of the week that lie behind when the dashboard is opened."""

PAGE_KEYS: Final = 1_000
"""As R2 lists; the tests' bucket has small pages to be hard on whoever lists."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """A dashboard: how much of the past it shows, when it is opened (UTC, ms of the day), for how long it is
    watched, and how often it looks.
    """

    name: str
    bound: str
    window_ms: int
    opened_ms: int
    minutes: int = 60
    every_minutes: int = 1


DAY: Final = Course(
    name="24 hours, from noon", bound="sliding-dashboard", window_ms=DAY_MS, opened_ms=12 * HOUR_MS
)
SIX_HOURS: Final = Course(
    name="6 hours, while a day is sealed",
    bound="sliding-over-midnight",
    window_ms=6 * HOUR_MS,
    opened_ms=HOUR_MS // 2,
)
DAY_WATCHED: Final = replace(
    DAY, name="24 hours, watched for a day", bound="sliding-all-day", minutes=24 * 60, every_minutes=5
)
SIX_HOURS_WATCHED: Final = replace(
    DAY_WATCHED, name="6 hours, watched for a day", window_ms=6 * HOUR_MS, opened_ms=HOUR_MS // 2
)
COURSES: Final = (DAY, SIX_HOURS, DAY_WATCHED, SIX_HOURS_WATCHED)
QUICK: Final = replace(DAY, name="24 hours, ten minutes", minutes=10)


@dataclass(slots=True)
class SteppedClock:
    """The Clock port at a moment that we set."""

    at_ms: int

    def now_ms(self) -> int:
        """See the port."""
        return self.at_ms


class HostWeb:
    """The Web port over one kept client of the host."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def send(self, call: HttpCall) -> HttpReply:
        """See the port."""
        try:
            reply = await self._client.request(
                call.method, call.url, headers=dict(call.headers), content=call.body
            )
        except httpx.TimeoutException as error:
            raise DeadlineExceeded("the simulator is late") from error
        except httpx.HTTPError as error:
            raise OriginUnreachable("the simulator is gone") from error
        if len(reply.content) > call.max_bytes:
            raise OriginOversize("the simulator's answer is too large")
        return HttpReply(status=reply.status_code, headers=dict(reply.headers), body=reply.content)


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """What upstream delivered for a course: at first, by each refresh after it, and what was new."""

    first_load: int
    by_refresh: tuple[int, ...]
    new_samples: int
    window_samples: int

    @property
    def refreshes(self) -> int:
        """What all refreshes were delivered."""
        return sum(self.by_refresh)


def _run(setting: Setting) -> Report:
    findings: list[Finding] = []
    figures: list[Figure] = []
    week = fullest_week(Truth(setting.sample))
    for course in (QUICK,) if setting.quick else COURSES:
        setting.say(f"  {course.name}")
        with _data(setting.sample, week) as folder:
            watched = asyncio.run(_watch(course, Truth(folder), week))
        with_first = (watched.first_load + watched.refreshes) / (watched.window_samples + watched.new_samples)
        findings += [
            Finding(
                what=f"sliding dashboard, {course.name}",
                measured=watched.refreshes / watched.new_samples,
                unit="x",
                bound=course.bound,
                note=f"{watched.refreshes:,} delivered, {watched.new_samples:,} new, after the first load",
            ),
            Finding(
                what=f"sliding dashboard, {course.name}, with its first load", measured=with_first, unit="x"
            ),
        ]
        figures.append(
            {
                "dashboard": course.name,
                "refreshes": len(watched.by_refresh),
                "samples_first_load": watched.first_load,
                "samples_refreshes": watched.refreshes,
                "samples_usual_refresh": median(watched.by_refresh),
                "samples_largest_refresh": max(watched.by_refresh),
                "samples_new": watched.new_samples,
                "samples_in_window": watched.window_samples,
            }
        )
    return Report(findings=tuple(findings), figures=tuple(figures), method=METHOD)


@contextmanager
def _data(sample: Path, week: Week) -> Iterator[Path]:
    """Fifty points of one-minute data: those of the sample's fullest week, each under several names."""
    files = {point.name: point.file for point in Truth(sample).points(WEEK_SITE)}
    with tempfile.TemporaryDirectory(prefix="dashboard-") as folder:
        site = Path(folder) / SITE
        site.mkdir()
        for number in range(POINTS):
            source = files[week.points[number % len(week.points)]]
            shutil.copy(sample / WEEK_SITE / source, site / f"point_{number:02}.csv.gz")
        yield Path(folder)


async def _watch(course: Course, truth: Truth, week: Week) -> Watched:
    """Load the dashboard, then refresh it minute by minute; every answer is counted against the truth."""
    points = tuple(point.name for point in truth.points(SITE))
    start_ms = week.start_ms + DAYS_BEFORE * DAY_MS + course.opened_ms
    with running(truth) as url:
        async with httpx.AsyncClient(trust_env=False, timeout=DEADLINE_MS / 1000) as client:
            view = _View(url, client, points, course=course, start_ms=start_ms)
            await view.refresh(truth)
            delivered = [await view.delivered()]
            for minute in range(course.every_minutes, course.minutes + 1, course.every_minutes):
                view.clock.at_ms = start_ms + minute * MINUTE_MS
                await view.refresh(truth)
                delivered.append(await view.delivered())
            view.close()
    new = _held(truth, points, start_ms, start_ms + course.minutes * MINUTE_MS)
    window = _held(truth, points, start_ms - course.window_ms, start_ms)
    return Watched(
        first_load=delivered[0],
        by_refresh=tuple(map(sub, delivered[1:], delivered)),
        new_samples=new,
        window_samples=window,
    )


def _held(truth: Truth, points: tuple[str, ...], start_ms: int, end_ms: int) -> int:
    return sum(len(truth.rows(SITE, point, start_ms, end_ms)) for point in points)


class _View:
    """The dashboard, and the system in front of which it stands."""

    def __init__(
        self,
        url: str,
        client: httpx.AsyncClient,
        points: tuple[str, ...],
        *,
        course: Course,
        start_ms: int,
    ) -> None:
        self._window_ms = course.window_ms
        self.clock = SteppedClock(at_ms=start_ms)
        self._points = points
        self._client = client
        self._stats_url = f"{url.removesuffix('/api')}/_stats"
        self._background = Afterwards()
        self._database = SqliteDatabase()
        self._ports = _ports(url, client, self.clock, self._background, self._database)

    async def refresh(self, truth: Truth) -> None:
        """The window as the dashboard asks for them; what was to be stored is stored."""
        now_ms = self.clock.now_ms()
        fields: dict[str, Any] = {
            "site": SITE,
            "points": self._points,
            "start_time": now_ms - self._window_ms,
            "end_time": now_ms,
        }
        request = HttpRequest(
            method="POST",
            path="/api/timeseries",
            request_id="bench",
            arrived_ms=now_ms,
            body=json.dumps(fields).encode(),
        )
        response = await answer(request, self._ports)
        if response.status != httpx.codes.OK:
            raise AssertionError(f"the dashboard got {response.status}: {response.body[:300]!r}")
        await self._background.finish()
        stream: Any = response.stream
        body = response.body if stream is None else b"".join([piece async for piece in stream])
        count = json.loads(body)["_meta"]["sampleCount"]
        if count != _held(truth, self._points, now_ms - self._window_ms, now_ms):
            raise AssertionError(f"the dashboard got {count} samples, which is not what upstream holds")

    async def delivered(self) -> int:
        """Samples that the simulator has sent so far."""
        stats = (await self._client.get(self._stats_url)).json()
        return int(stats["samples"])

    def close(self) -> None:
        """Let go of the database."""
        self._database.close()


def _ports(
    url: str, client: httpx.AsyncClient, clock: Clock, background: Afterwards, database: SqliteDatabase
) -> Ports:
    """The router's ports as its entry makes them, but for what only the platform has."""
    answers = FakeAnswers(clock)
    blocks = BlockStore(
        bucket=MemoryBucket(page_size=PAGE_KEYS),
        database=database,
        codec=PythonBlockCodec(compressor=PackageCompression()),
        memory=BlockMemory(),
        clock=clock,
        pause=turns,
    )
    origin = AceOrigin(base_url=url, token=TOKEN, web=HostWeb(client), clock=clock, catalogue=Catalogue())
    return router_ports(
        database=database,
        origin=origin,
        blocks=blocks,
        answers=answers,
        background=background,
        clock=clock,
        request_deadline_ms=DEADLINE_MS,
        settle_lag_ms=SETTLE_LAG_MS,
    )


METHOD: Final = (
    "The last 24 (and 6) hours of 50 one-minute points (the sample's seven under several names), as one "
    "request each minute for an hour; the settle lag is an hour, and the 6 hours are watched from 00:30 "
    "to 01:30, over the sealing of a day. Watched for a day, one request each five minutes: what is new in "
    "them is the same. The simulator counts what it delivers. New is what came to exist in that time. "
    "Time cannot be sped up inside the Worker, so the router's own flow, the real "
    "origin adapter over HTTP and the real block store with its SQL run on CPython under a clock that "
    "is stepped; bucket, database and kept answers are the tests' fakes. The number of samples of every "
    "answer is compared with the data. The bound is on the refreshes; the row with the first load "
    "counts that, too, against all samples shown."
)

DASHBOARD: Final = Measurement(name="dashboard", bounds=frozenset(one.bound for one in COURSES), run=_run)
