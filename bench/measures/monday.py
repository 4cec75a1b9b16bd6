"""Monday morning: fifty people open twenty dashboards at a slow vendor, with warming and without.

Time cannot be moved inside the Workers, so the morning is now: the telemetry is made to end now, the weekend
is what is not stored, and the questions of the last two Mondays are those of the first replay, put back.
"""

import csv
import gzip
import json
import random
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import httpx

from bench.client import TIMEOUT_S, Client, expect, plain
from bench.finding import Figure, Finding, Measurement, Report, Setting
from bench.week import DAY_MS, fullest_week
from bench.week import SITE as WEEK_SITE
from local.stack import Stack, StackOptions
from local.sweep import sweep
from local.upstream.truth import Truth

SITE: Final = "monday"
LATENCY_MS: Final = 300
"""Of the simulator, before every answer."""

WEEK_DAYS: Final = 7
WEEKEND_DAYS: Final = 3
"""Friday to Sunday: sealed since anybody asked for it last."""

DASHBOARD_POINTS: Final = 3
OPENED: Final = 4
"""Dashboards that one person opens, one after the other."""

ARRIVE_WITHIN_S: Final = 40.0
SEED: Final = 7
ACCEPTED: Final = 202
AGAIN_S: Final = 0.5
"""Before a dashboard is asked for again that became a job."""

MINUTE_MS: Final = 60_000
HOUR_MS: Final = 60 * MINUTE_MS
WEEKS_BACK: Final = (1, 2)
WAIT_S: Final = 300
POLL_S: Final = 0.2
SETTINGS: Final = {
    "janitorCron": "0 0 1 1 *",
    "settleLagMinutes": "1",
    "requestDeadlineSeconds": "60",
    "circuitPauseSeconds": "0",
    "warmSamplesPerDay": "2000000",
}
"""The janitor sweeps when it is told to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowd:
    """Who opens what: `users` each open some of so many dashboards."""

    users: int
    dashboards: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """One morning: how long each dashboard took, how many came only when they were asked for again (the
    isolate had no memory for so many at once, and made a job), and what the vendor was asked meanwhile.
    """

    durations_ms: tuple[float, ...]
    later: int
    calls: int
    samples: int

    def quantile(self, share: float) -> float:
        """The smallest duration that at least that share is not above."""
        ordered = sorted(self.durations_ms)
        return ordered[max(0, -int(-len(ordered) * share // 1) - 1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Building:
    """A running stack over telemetry that ends now, and its dashboards."""

    stack: Stack
    today: int
    points: tuple[str, ...]

    def path(self, dashboard: int, *, whole_days: bool = False) -> str:
        """A dashboard: quarter hours of the last seven days, half of them until now, half until midnight."""
        live = dashboard % 2 == 0 and not whole_days
        start_ms = (self.today - WEEK_DAYS) * DAY_MS
        end_ms = int(time.time() * 1000) // MINUTE_MS * MINUTE_MS if live else self.today * DAY_MS
        first = dashboard * DASHBOARD_POINTS
        fields = {"site": SITE, "points": ",".join(self.points[first : first + DASHBOARD_POINTS])}
        times = {"start_time": start_ms, "end_time": end_ms}
        return "/api/timeseries?" + urlencode({**fields, **times, "every": "15m", "agg": "mean"})

    def upstream(self, **knobs: Any) -> None:
        """Set what the simulator does."""
        url = f"{self.stack.upstream_url}/_control"
        _ask("POST", url, json=knobs)

    def delivered(self) -> Mapping[str, Any]:
        """What the simulator has counted."""
        told: dict[str, Any] = _ask("GET", f"{self.stack.upstream_url}/_stats").json()
        return told


def _run(setting: Setting) -> Report:
    crowd = Crowd(users=10, dashboards=5) if setting.quick else Crowd(users=50, dashboards=20)
    with _building(setting, crowd) as here:
        setting.say("  the week before")
        _store_week(here)
        _forget_weekend(here)
        setting.say("  without warming")
        cold = _morning(here, crowd)
        answers = _whole_days(here, crowd)
        _put_back(here)
        _forget_weekend(here)
        here.upstream(reset_stats=True)
        setting.say("  warming")
        _warmed(here)
        warming = here.delivered()
        setting.say("  with warming")
        warm = _morning(here, crowd)
        if _whole_days(here, crowd) != answers:
            raise AssertionError("a dashboard of whole days is not what it was without warming")
    ratio = warm.quantile(0.95) / cold.quantile(0.95)
    findings = (
        Finding(what="Monday morning, p95: with warming against without", measured=ratio, unit="x"),
        Finding(
            what="Monday morning: vendor calls while people wait, with warming against without",
            measured=warm.calls / max(1, cold.calls),
            unit="x",
            note=f"{cold.calls} without, {warm.calls} with, {warming['calls']} before by warming",
        ),
    )
    figures = [_figure("without", cold), _figure("with", warm)]
    figures.append(
        {
            "warming": "itself, before",
            "dashboards": 0,
            "asked_again": 0,
            "p50_ms": 0,
            "p95_ms": 0,
            "vendor_calls": warming["calls"],
            "vendor_samples": warming["samples"],
        }
    )
    return Report(findings=findings, figures=tuple(figures), method=METHOD)


def _figure(name: str, replay: Replay) -> Figure:
    return {
        "warming": name,
        "dashboards": len(replay.durations_ms),
        "asked_again": replay.later,
        "p50_ms": round(replay.quantile(0.5)),
        "p95_ms": round(replay.quantile(0.95)),
        "vendor_calls": replay.calls,
        "vendor_samples": replay.samples,
    }


@contextmanager
def _building(setting: Setting, crowd: Crowd) -> Iterator[Building]:
    with tempfile.TemporaryDirectory(prefix="monday-") as name:
        folder = Path(name)
        points = _telemetry(folder / "data", setting.sample, crowd.dashboards * DASHBOARD_POINTS)
        options = StackOptions(state=folder / "state", data=folder / "data", settings=SETTINGS)
        with Stack(options) as stack:
            here = Building(stack=stack, today=int(time.time() * 1000) // DAY_MS, points=points)
            here.upstream(latency_ms=LATENCY_MS)
            yield here


def _telemetry(folder: Path, sample: Path, count: int) -> tuple[str, ...]:
    """Points of one sample a minute, from a week before today until an hour from now: those of the sample's
    fullest week, moved.
    """
    truth = Truth(sample)
    week = fullest_week(truth)
    now_ms = int(time.time() * 1000)
    first_ms = (now_ms // DAY_MS - WEEK_DAYS) * DAY_MS
    minutes = (now_ms + HOUR_MS - first_ms) // MINUTE_MS
    values = [
        [value for _, value in truth.rows(WEEK_SITE, point, week.start_ms, week.end_ms)]
        for point in week.points
    ]
    stamps = [
        datetime.fromtimestamp((first_ms + minute * MINUTE_MS) / 1000, tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        for minute in range(minutes)
    ]
    site = folder / SITE
    site.mkdir(parents=True)
    names = tuple(f"point_{number:03}" for number in range(count))
    for number, name in enumerate(names):
        column = values[number % len(values)]
        with gzip.open(
            site / f"{name}.csv.gz", "wt", compresslevel=1, newline="", encoding="utf-8"
        ) as handle:
            writer = csv.writer(handle)
            writer.writerow(["timestamp", "value"])
            writer.writerows((at, column[(place + number) % len(column)]) for place, at in enumerate(stamps))
    return names


def _store_week(here: Building) -> None:
    """All sealed days, by one job."""
    body = {"site": SITE, "points": list(here.points), "days": WEEK_DAYS}
    made = _ask("POST", f"{here.stack.url}/api/warm", json=body)
    _until_ended(here, [made.json()["jobId"]])


def _forget_weekend(here: Building) -> None:
    """Nothing of the last sealed days is stored, as on a Monday that nobody has looked at."""
    first_ms = (here.today - WEEKEND_DAYS) * DAY_MS
    asked = {"site": SITE, "start_time": str(first_ms), "end_time": str(here.today * DAY_MS)}
    _ask("DELETE", f"{here.stack.url}/api/cache", params=asked)


def _morning(here: Building, crowd: Crowd) -> Replay:
    """Everybody comes within some seconds and opens some dashboards, one after the other."""
    draws = random.Random(SEED)  # noqa: S311 - the same morning every time
    visits = [
        (
            draws.uniform(0, ARRIVE_WITHIN_S),
            draws.sample(range(crowd.dashboards), min(OPENED, crowd.dashboards)),
        )
        for _ in range(crowd.users)
    ]
    here.upstream(reset_stats=True)
    began = time.monotonic()

    def visit(one: tuple[float, list[int]]) -> list[tuple[float, int]]:
        after_s, dashboards = one
        time.sleep(max(0.0, began + after_s - time.monotonic()))
        with Client(here.stack.url) as client:
            return [_opened(client, here.path(dashboard)) for dashboard in dashboards]

    with ThreadPoolExecutor(crowd.users) as threads:
        opened = [one for some in threads.map(visit, visits) for one in some]
    told = here.delivered()
    return Replay(
        durations_ms=tuple(duration_ms for duration_ms, _ in opened),
        later=sum(tries > 1 for _, tries in opened),
        calls=told["calls"],
        samples=told["samples"],
    )


def _opened(client: Client, path: str) -> tuple[float, int]:
    """How long a dashboard took, from its first request on, and how often it was asked for."""
    began = time.perf_counter()
    tries = 1
    while (reply := client.get(path)).status == ACCEPTED:
        tries += 1
        time.sleep(AGAIN_S)
    expect(reply)
    return (time.perf_counter() - began) * 1000, tries


def _whole_days(here: Building, crowd: Crowd) -> Sequence[Any]:
    """What each dashboard shows of its whole days."""
    with Client(here.stack.url) as client:
        bodies = [plain(client, here.path(one, whole_days=True)).body for one in range(crowd.dashboards)]
    return [json.loads(body)["data"] for body in bodies]


def _put_back(here: Building) -> None:
    """The questions of this morning as if they had been asked one week and two weeks ago, in this hour and
    the next one. Isolates write what they counted within some seconds.
    """
    host = here.stack.host
    end = time.monotonic() + WAIT_S
    while host.query("SELECT count(*) AS n FROM asked_sets")[0]["n"] < len(here.points) // DASHBOARD_POINTS:
        if time.monotonic() > end:
            raise AssertionError("the questions were not counted")
        time.sleep(POLL_S)
    for weeks in WEEKS_BACK:
        for hours in (0, 1):
            host.query(
                "INSERT OR IGNORE INTO asked_hours SELECT hour - ?1 + ?2, set_digest, first_back, last_back, "
                "ask_count, point_days, missing_point_days, origin_ms, asked_ms FROM asked_hours "
                "WHERE hour > ?3",
                *(weeks * WEEK_DAYS * 24, hours, int(time.time()) // 3600 - 24),
            )


def _warmed(here: Building) -> None:
    """Sweeps, as the cron does every quarter of an hour, until one makes no job."""
    known: set[str] = set()
    while True:
        sweep(here.stack.host)
        rows = here.stack.host.query("SELECT job_id FROM warm_runs WHERE reason = 'pattern'")
        new = sorted({str(row["job_id"]) for row in rows} - known)
        if not new:
            return
        known.update(new)
        _until_ended(here, new)


def _until_ended(here: Building, jobs: Sequence[str]) -> None:
    end = time.monotonic() + WAIT_S
    for job in jobs:
        while (told := _job(here, job))["status"] != "completed":
            if told["status"] in ("failed", "cancelled") or time.monotonic() > end:
                raise AssertionError(f"the job did not come to its end: {told}")
            time.sleep(POLL_S)


def _job(here: Building, job: str) -> Mapping[str, Any]:
    told: dict[str, Any] = _ask("GET", f"{here.stack.url}/api/jobs/{job}").json()
    return told


def _ask(method: str, url: str, **what: Any) -> httpx.Response:
    """A request that is not measured."""
    return httpx.request(method, url, trust_env=False, timeout=TIMEOUT_S, **what).raise_for_status()


METHOD: Final = (
    "Fifty people, each opening four of twenty dashboards of three one-minute points, one after the other, "
    "all arriving within forty seconds; a dashboard is quarter hours of the last seven days, half of them "
    "until now, half until midnight. The vendor takes 300 ms before every answer. All but the last three "
    "sealed days is stored. First without warming; then the three days are purged, the questions that were "
    "counted are put one week and two weeks back (time cannot be moved inside the Workers), the janitor "
    "sweeps until it finds nothing more to fetch, and the same morning is replayed. Calls are the "
    "simulator's. What the dashboards show of whole days is compared."
)

MONDAY: Final = Measurement(name="monday", bounds=frozenset(), run=_run)
