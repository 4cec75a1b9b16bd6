"""Measurements of a bench Worker inside workerd: months of each set, posted to it and timed by itself."""

import json
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import httpx

from bench.alone import alone
from bench.finding import Setting
from bench.telemetry import Month, read_set, some_of, year_key
from edgeseries.series.days import in_year

SAMPLES_MAX: Final = 60_000
"""Of a set: Python in the runtime takes some seconds for so many."""

QUICK_SAMPLES_MAX: Final = 4_000
QUICK_POINTS: Final = 2
TIMEOUT_S: Final = 300.0


@contextmanager
def client_of(source: str) -> Iterator[httpx.Client]:
    """A client of `bench/workers/<source>`, alone on a host of its own."""
    with (
        tempfile.TemporaryDirectory(prefix="runtime-") as folder,
        alone(source, Path(folder)) as url,
        httpx.Client(base_url=url, timeout=TIMEOUT_S, trust_env=False) as client,
    ):
        yield client


def months_by_set(setting: Setting) -> Iterator[tuple[str, list[Month]]]:
    """Name and months (spread evenly) of each set that has some."""
    for name, path in setting.sets.items():
        telemetry = read_set(path, points_max=QUICK_POINTS if setting.quick else None)
        months = some_of(telemetry.months, QUICK_SAMPLES_MAX if setting.quick else SAMPLES_MAX)
        if months:
            setting.say(f"  {name}: {sum(len(month.samples) for month in months):,} samples")
            yield name, months


def timed_reply(
    client: httpx.Client,
    month: Month,
    body: bytes,
    *,
    times: Mapping[str, int],
    inside_s: Callable[[dict[str, Any]], float],
) -> dict[str, Any]:
    """What the Worker says of one month. `times` says how often it repeats what; `inside_s` adds up the
    seconds that it says it took. Raises AssertionError if they do not agree with the time outside.
    """
    key = year_key(month)
    order = {
        "key": {"site": key.site, "point": key.point, "year": key.year},
        "days": str(in_year(month.key.month, month.days)),
        **times,
    }
    started = time.perf_counter()
    reply = client.post("/", content=json.dumps(order).encode() + b"\n" + body)
    outside_s = time.perf_counter() - started
    found: dict[str, Any] = reply.raise_for_status().json()
    inside = inside_s(found)
    if not 0 < inside < outside_s:
        raise AssertionError(f"the Worker's clock says {inside} s of {outside_s} s: it does not move there")
    return found
