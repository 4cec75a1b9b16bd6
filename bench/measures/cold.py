"""Identical cold requests at once: how often the upstream delivers what one fetch would have given."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import httpx

from bench.client import Client, expect, timeseries
from bench.finding import Finding, Measurement, Report, Setting
from bench.ground import ground
from bench.week import DAY_MS, SITE
from local.upstream.truth import Truth

AT_ONCE: Final = 100
LATENCY_MS: Final = 200
"""Of the simulator, so that all requests are there before the first is answered."""


def _run(setting: Setting) -> Report:
    truth = Truth(setting.sample)
    with ground(setting) as here:
        control = f"{here.stack.upstream_url}/_control"
        settings = {"reset_stats": True, "latency_ms": LATENCY_MS}
        httpx.post(control, json=settings, trust_env=False).raise_for_status()
        day, point = here.week.first_day, here.week.points[0]
        path = timeseries(SITE, (point,), day * DAY_MS, (day + 1) * DAY_MS, "cached")

        def ask(_: int) -> None:
            with Client(here.stack.url) as client:
                expect(client.get(path))

        with ThreadPoolExecutor(AT_ONCE) as threads:
            list(threads.map(ask, range(AT_ONCE)))
        stats = httpx.get(f"{here.stack.upstream_url}/_stats", trust_env=False).json()
    held = len(truth.rows(SITE, point, day * DAY_MS, (day + 1) * DAY_MS))
    finding = Finding(
        what="100 identical cold requests at once: fetches of the day they miss",
        measured=_most(stats, held),
        unit="times",
        bound="shared-fetch",
    )
    return Report(findings=(finding,), method=METHOD)


def _most(stats: Mapping[str, Any], held: int) -> float:
    """How often the point's day went out whole."""
    delivered: dict[str, int] = stats["by_point_day"]
    return max(delivered.values()) / held


METHOD: Final = (
    "100 connections ask at the same time for one day of one point that nothing is stored of; the "
    "simulator, 200 ms slow, counts how often each sample goes out."
)

COLD: Final = Measurement(name="cold", bounds=frozenset({"shared-fetch"}), run=_run)
