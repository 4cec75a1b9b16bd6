"""Cold requests at once, identical and overlapping, through one isolate and two: how often the upstream
delivers what one fetch would have given.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from http import HTTPStatus
from typing import Any, Final

import httpx

from bench.client import Client, Reply, timeseries
from bench.finding import Finding, Measurement, Report, Setting
from bench.ground import Ground, ground
from bench.week import DAY_MS, SITE, WEEK_DAYS
from local.stack import SECOND_HOST
from local.upstream.truth import Truth

EPOCH: Final = date(1970, 1, 1)
AT_ONCE: Final = 100
LATENCY_MS: Final = 1_000
"""Of the simulator: a vendor that takes a second, and all requests are there before it answers."""

DAYS: Final = 2
"""Of each request. Overlapping ones begin on any of six days of the week."""

FIRST_DAYS: Final = {"identical": 1, "overlapping": WEEK_DAYS - DAYS + 1}
"""On how many days the requests begin."""


def _run(setting: Setting) -> Report:
    truth = Truth(setting.sample)
    with ground(setting, second_isolate=True) as here:
        for host in ("", SECOND_HOST):  # An interpreter that boots is not what is measured.
            _ask(here, "/api/health", host)
        findings = [_measured(here, truth, kind, isolates) for isolates in (1, 2) for kind in FIRST_DAYS]
    return Report(findings=tuple(findings), method=METHOD)


def _measured(here: Ground, truth: Truth, kind: str, isolates: int) -> Finding:
    """All requests of a kind at once, over nothing that is stored."""
    purge = httpx.delete(f"{here.stack.url}/api/cache", params={"site": SITE}, trust_env=False, timeout=60)
    purge.raise_for_status()
    control = f"{here.stack.upstream_url}/_control"
    settings = {"reset_stats": True, "latency_ms": LATENCY_MS}
    httpx.post(control, json=settings, trust_env=False).raise_for_status()
    point, days = here.week.points[0], FIRST_DAYS[kind]

    def ask(place: int) -> Reply:
        first = here.week.first_day + place % days
        path = timeseries(SITE, (point,), first * DAY_MS, (first + DAYS) * DAY_MS, "cached")
        return _ask(here, path, SECOND_HOST if place // days % isolates else "")

    with ThreadPoolExecutor(AT_ONCE) as threads:
        replies = list(threads.map(ask, range(AT_ONCE)))
    stats = httpx.get(f"{here.stack.upstream_url}/_stats", trust_env=False).json()
    through = f"through {isolates} isolates" if isolates > 1 else "through one isolate"
    return Finding(
        what=f"{AT_ONCE} {kind} cold requests at once, {through}: fetches of a day they miss, at most",
        measured=_most(stats, truth, point),
        unit="times",
        bound="shared-fetch",
        note=_note(replies, stats),
    )


def _ask(here: Ground, path: str, host: str) -> Reply:
    with Client(here.stack.url) as client:
        return client.get(path, **({"Host": host} if host else {}))


def _most(stats: dict[str, Any], truth: Truth, point: str) -> float:
    """How often a day of the point went out whole, at most."""
    most = 0.0
    for key, delivered in stats["by_point_day"].items():
        start_ms = _day_of(key) * DAY_MS
        most = max(most, delivered / len(truth.rows(SITE, point, start_ms, start_ms + DAY_MS)))
    return most


def _day_of(key: str) -> int:
    """The day of `<point>|<YYYY-MM-DD>`."""
    year, month, day = map(int, key.rpartition("|")[2].split("-"))
    return (date(year, month, day) - EPOCH).days


def _note(replies: Sequence[Reply], stats: dict[str, Any]) -> str:
    answered = sorted(one.duration_ms for one in replies if one.status == HTTPStatus.OK)
    failed = len(replies) - len(answered)
    shared = sum("detail=shared" in one.headers.get("cache-status", "") for one in replies)
    spread = f"p50 {answered[len(answered) // 2]:.0f} ms, last {answered[-1]:.0f} ms; " if answered else ""
    return f"{spread}{stats['calls']} calls, {shared} shared, {failed} not answered"


METHOD: Final = (
    "100 connections ask at the same time for two days of one point that nothing is stored of: all for the "
    "same two, or beginning on six days of a week; all of one router, or half of another isolate of it over "
    "the same stores. The simulator, a second slow, counts how often each sample goes out."
)

COLD: Final = Measurement(name="cold", bounds=frozenset({"shared-fetch"}), run=_run)
