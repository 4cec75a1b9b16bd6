"""Latency on the running stack: every way that a request may take, against a bare JavaScript Worker.

All kinds take turns in one run, in a new random order each round, so that the machine's noise
falls on all alike. Ratios are what counts.
"""

import random
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from typing import Final

from bench.alone import alone
from bench.client import Client, expect, timeseries
from bench.finding import Figure, Finding, Measurement, Report, Setting
from bench.ground import BARE, Ground, ground
from bench.week import DAY_MS, SITE, Week

ROUNDS: Final = 300
QUICK_ROUNDS: Final = 60
MISS_EVERY: Final = 3
"""A miss needs a day of a point that nothing has asked for; the sample has some two hundred."""

WARM_ROUNDS: Final = 20
BLOCK_POINTS: Final = 3
MINUTE_MS: Final = 60_000
REST_S: Final = 0.02
"""After every request: what it goes on to store must not run into the next one's time."""

P95: Final = 94
"""Place of the 95th among the 99 cuts of `quantiles(n=100)`."""

SEED: Final = 20_26


CONSTANT: Final = "Python Worker, constant"
CONSTANT_SOURCE: Final = "constant_worker.py"
"""What an event of a Python Worker costs before it does anything: nothing of ours can be faster."""


Asked = tuple[float, int]
"""Milliseconds and bytes of one request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One way of a request. `ask` gives milliseconds and bytes; `every` says in which rounds."""

    name: str
    ask: Callable[[], Asked]
    every: int = 1


def _run(setting: Setting) -> Report:
    rounds = QUICK_ROUNDS if setting.quick else ROUNDS
    with (
        tempfile.TemporaryDirectory(prefix="constant-") as folder,
        ground(setting, scripts=(BARE,)) as here,
        alone(CONSTANT_SOURCE, Path(folder)) as constant_url,
        Client(here.stack.url) as client,
        Client(constant_url) as constant_client,
    ):
        kinds = [*_kinds(here, client), Kind(name=CONSTANT, ask=_plainly(constant_client, "/"))]
        taken = _measure(kinds, rounds)
    figures = [_figure(kind.name, taken[kind.name]) for kind in kinds]
    return Report(findings=_findings(taken), figures=tuple(figures), method=METHOD)


def _measure(kinds: list[Kind], rounds: int) -> dict[str, list[Asked]]:
    order = random.Random(SEED)  # noqa: S311 - an order of requests, the same in every run
    taken: dict[str, list[Asked]] = {kind.name: [] for kind in kinds}
    for number in range(-WARM_ROUNDS, rounds):
        due = [kind for kind in kinds if number % kind.every == 0 and (number >= 0 or kind.every == 1)]
        order.shuffle(due)
        for kind in due:
            one = kind.ask()
            time.sleep(REST_S)
            if number >= 0:
                taken[kind.name].append(one)
    return taken


def _kinds(here: Ground, client: Client) -> Iterator[Kind]:
    """Every kind over one stack; what hits need is stored first."""
    week = here.week
    large = timeseries(SITE, week.points, week.start_ms, week.end_ms, "cached")
    small = timeseries(SITE, week.points[:1], week.start_ms, week.start_ms + DAY_MS, "cached")
    keys: dict[str, str] = {}
    for name, path in (("large", large), ("small", small)):
        expect(client.get(path))
        stored = here.settled("answers/", len(keys) + 1)
        keys[name] = next(key for key in stored if key not in keys.values())

    for name, path in (("small", small), ("large", large)):
        yield Kind(name=f"answer hit, {name}", ask=_plainly(client, path, cache_status="EdgeSeries; hit"))
        yield Kind(name=f"bare Worker, {name}", ask=_plainly(client, f"/bare/{keys[name]}"))
    limited = _plainly(client, f"/bare/{keys['small']}?limited")
    yield Kind(name="bare Worker with the limiter, small", ask=limited)
    yield Kind(name="block hit", ask=_block_hit(here.week, client))
    yield Kind(name="miss", ask=_miss(here.week, client), every=MISS_EVERY)
    yield Kind(name="direct", ask=_direct(here.week, client))


def _plainly(client: Client, path: str, **wanted: str) -> Callable[[], Asked]:
    """A path that is asked for in the same way each time."""

    def ask() -> Asked:
        reply = expect(client.get(path), **wanted)
        return reply.duration_ms, len(reply.body)

    return ask


def _block_hit(week: Week, client: Client) -> Callable[[], Asked]:
    """Some of the points over a day that begins a minute later each time: stored days, a new answer."""
    starts_ms = iter(range(week.start_ms + MINUTE_MS, week.end_ms - DAY_MS, MINUTE_MS))

    def ask() -> Asked:
        first_ms = next(starts_ms)
        path = timeseries(SITE, week.points[:BLOCK_POINTS], first_ms, first_ms + DAY_MS)
        reply = expect(client.get(path), cache_status="EdgeSeries; hit")
        return reply.duration_ms, len(reply.body)

    return ask


def _miss(week: Week, client: Client) -> Callable[[], Asked]:
    """A whole day of one point that nobody has asked for yet."""
    fresh = iter(week.other_days)

    def ask() -> Asked:
        point, day = next(fresh)
        path = timeseries(SITE, (point,), day * DAY_MS, (day + 1) * DAY_MS, "cached")
        reply = expect(client.get(path))
        if not reply.headers["cache-status"].startswith("EdgeSeries; fwd="):
            raise AssertionError(f"a miss was {reply.headers['cache-status']}")
        return reply.duration_ms, len(reply.body)

    return ask


def _direct(week: Week, client: Client) -> Callable[[], Asked]:
    """A day of one point straight from upstream, past the store."""
    path = timeseries(SITE, week.points[:1], week.start_ms, week.start_ms + DAY_MS, "direct")

    def ask() -> Asked:
        reply = expect(client.get(path, Cache_Control="no-store"), x_route_type="direct")
        return reply.duration_ms, len(reply.body)

    return ask


def _findings(taken: dict[str, list[Asked]]) -> tuple[Finding, ...]:
    p50 = {name: median(ms for ms, _ in asked) for name, asked in taken.items()}
    limited = p50["bare Worker with the limiter, small"]
    added_hit = p50["answer hit, large"] - p50["answer hit, small"]
    added_bare = p50["bare Worker, large"] - p50["bare Worker, small"]
    ratios = [
        Finding(
            what=f"answer hit, {size}",
            measured=p50[f"answer hit, {size}"] / p50[f"bare Worker, {size}"],
            unit="x",
            bound="hit-ratio",
            note=f"{p50[f'answer hit, {size}']:.2f} ms; bare {p50[f'bare Worker, {size}']:.2f} ms",
        )
        for size in ("small", "large")
    ]
    return (
        *ratios,
        Finding(
            what="answer hit, small, in bare Workers that ask the same limiter",
            measured=p50["answer hit, small"] / limited,
            unit="x",
            note=f"bare {limited:.2f} ms",
        ),
        Finding(
            what="a Python Worker that returns a constant, in bare Workers, small",
            measured=p50[CONSTANT] / p50["bare Worker, small"],
            unit="x",
            note=f"{p50[CONSTANT]:.2f} ms",
        ),
        Finding(
            what="answer hit: what a large body adds, in what it adds to the bare Worker",
            measured=max(0.0, added_hit) / added_bare if added_bare > 0 else 0.0,
            unit="x",
            bound="hit-untouched",
            note=f"{added_hit:.2f} ms; bare {added_bare:.2f} ms",
        ),
        Finding(what="answer hit, large", measured=p50["answer hit, large"], unit="ms", bound="earlier-hit"),
        Finding(
            what="block hit, a day of three points, in bare Workers",
            measured=p50["block hit"] / p50["bare Worker, small"],
            unit="x",
            bound="block-ratio",
            note=f"{p50['block hit']:.2f} ms",
        ),
        *(Finding(what=f"{name}, p50", measured=p50[name], unit="ms") for name in ("miss", "direct")),
    )


def _figure(name: str, asked: list[Asked]) -> Figure:
    times_ms = [ms for ms, _ in asked]
    return {
        "request": name,
        "p50_ms": round(median(times_ms), 2),
        "p95_ms": round(quantiles(times_ms, n=100)[P95], 2),
        "body_bytes": round(median(size for _, size in asked)),
        "requests": len(asked),
    }


METHOD: Final = (
    "One stack of `make dev` on the real Workers runtime, over the one-minute sample; a bare JavaScript "
    "Worker (bench/workers/bare.mjs) in the same runtime, behind the same front, streams the very objects "
    "that the answer hits stream. One connection of a light client, whose time is within every figure; "
    "kinds take turns in random order, with a rest of 20 ms after each request; the first rounds are "
    "thrown away. Small is one day of one point, large seven days of seven points of the sample. A block "
    "hit is a day of three points from blocks, at a new minute each time; a miss a day of one point that "
    "nothing had asked for. The local rate limiter is a database of Miniflare's, on Cloudflare it is a "
    "counter in memory: the row with the limiter tells what the comparison is without that. The Python "
    "Worker that returns a constant (bench/workers/constant_worker.py) stands alone on a second host, and "
    "tells what an event costs before any work of ours. The simulator answers at once, so a miss here is "
    "without any vendor's latency."
)

LATENCY: Final = Measurement(
    name="latency", bounds=frozenset({"hit-ratio", "hit-untouched", "earlier-hit", "block-ratio"}), run=_run
)
