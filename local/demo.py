"""`make demo`: the main job through HTTP, on free ports, every sample checked against the truth.

It starts the whole stack, asks as a user would, shows what came back, how fast and from where,
and stops. Exit status 0 only if every answer is right.
"""

import json
import os
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import httpx
from rich import box
from rich.console import Console
from rich.table import Table

from local.demo_job import follow
from local.demo_page import PICTURE, picture_of
from local.expected import expected_samples
from local.logs import LogLine, readable
from local.stack import Stack, StackError, StackOptions
from local.upstream.truth import Truth

DAY_MS: Final = 86_400_000
HOUR_MS: Final = 3_600_000
TIMEOUT_S: Final = 60.0
YEAR_DAYS: Final = 366
MANY_POINT_DAYS: Final = 1_100
"""Days of a point that are a job by the size rule, at 100 samples a day."""

STORE_S: Final = 1.0
"""A pause after each request: storing goes on after the answer has left."""

MIN_WIDTH: Final = 110
"""Columns that the tables need; a terminal with fewer wraps lines, which is better than cut words."""

RIGHT: Final = "stopped; every answer equals the truth, sample for sample"
"""Its last line, if all went well."""

LIST_ROWS: Final = 8
"""Points shown of a site; the rest is counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One request of the demo: what it shows, which points of which range (UTC epoch ms), and the
    status and route that it must get.
    """

    shows: str
    site: str
    points: tuple[str, ...]
    start_ms: int
    end_ms: int
    route: str | None = None
    status: int = 200
    taken: str = "direct"

    @property
    def fields(self) -> dict[str, Any]:
        """The body of the POST."""
        chosen = {} if self.route is None else {"route": self.route}
        times = {"start_time": _iso(self.start_ms), "end_time": _iso(self.end_ms)}
        return {"site": self.site, "points": list(self.points), **times, **chosen}


@dataclass(frozen=True, slots=True, kw_only=True)
class AskResult:
    """What came back for an ask."""

    status: int
    route: str
    cache: str
    duration_ms: float
    upstream_ms: str
    sample_count: int
    body_bytes: int
    verdict: str
    right: bool
    document: Mapping[str, Any]


def main() -> int:
    """Run the demo. 0 if all is right, 1 with a message otherwise."""
    console = Console(highlight=False)
    console = Console(highlight=False, width=max(console.width, MIN_WIDTH))
    logs: list[LogLine] = []
    data = Path(os.environ.get("DATA", "local/sample"))
    with tempfile.TemporaryDirectory(prefix="edgeseries-demo-") as state:
        try:
            console.print("starting the Workers runtime and the upstream simulator ...")
            with Stack(StackOptions(state=Path(state), data=data, on_log=logs.append)) as stack:
                right = _play(console, stack, Truth(data))
        except (StackError, httpx.HTTPError, ValueError, KeyError) as fault:
            for line in logs[-LIST_ROWS:]:
                console.print(readable(line, colour=False), markup=False)
            console.print(f"make demo: {type(fault).__name__}: {fault}", markup=False)
            return 1
    console.print(RIGHT if right else "make demo: an answer was wrong, see the table")
    return 0 if right else 1


def _play(console: Console, stack: Stack, truth: Truth) -> bool:
    console.print(f"EdgeSeries answers on {stack.url}, the upstream on {stack.upstream_url}\n")
    with httpx.Client(base_url=stack.url, timeout=TIMEOUT_S, trust_env=False) as client:
        health = client.get("/api/health?deep=1")
        parts = {name: part["status"] for name, part in health.json()["parts"].items()}
        console.print("health: " + ", ".join(f"{name} {status}" for name, status in parts.items()))
        site = _a_site(truth)
        if site is None:
            console.print("the data folder holds no samples")
            return False
        right = health.status_code == httpx.codes.OK and _show_points(console, client, truth, site)
        table = Table(box=box.SIMPLE, pad_edge=False)
        for heading in ("request", "status", "route", "cache"):
            table.add_column(heading)
        for heading in ("samples", "bytes", "ms", "upstream ms"):
            table.add_column(heading, justify="right")
        table.add_column("check")
        sample_count = 0
        job: tuple[Ask, Mapping[str, Any]] | None = None
        for ask in _asks(truth, site):
            result = _ask(client, truth, ask)
            time.sleep(STORE_S)
            right = right and result.right
            sample_count += result.sample_count
            table.add_row(
                ask.shows,
                str(result.status),
                result.route,
                result.cache,
                f"{result.sample_count:,}",
                f"{result.body_bytes:,}",
                f"{result.duration_ms:.0f}",
                result.upstream_ms,
                result.verdict,
            )
            if result.route == "queued" and result.right:
                job = (ask, result.document)
        console.print(table)
        if job is not None:
            right = _watch(console, client, truth, *job) and right
        if "--page" in sys.argv:
            week = next(ask for ask in _asks(truth, site) if ask.taken == "cached")
            start, end = _iso(week.start_ms), _iso(week.end_ms)
            told = picture_of(stack.url, site, week.points[:5], start, end)
            console.print(f"the console: {told}\n  a picture of it: {PICTURE.relative_to(Path.cwd())}\n")
        stats = httpx.get(f"{stack.upstream_url}/_stats", timeout=TIMEOUT_S, trust_env=False).json()
        console.print(
            f"the upstream was called {stats['calls']} times and delivered {stats['samples']:,} samples"
        )
    return right and sample_count > 0


def _watch(
    console: Console, client: httpx.Client, truth: Truth, ask: Ask, accepted: Mapping[str, Any]
) -> bool:
    """The job of a request, to its end and its result."""
    console.print(f"{ask.shows}: job {accepted['jobId']}, {accepted['estimatedSamples']:,} samples estimated")
    result = follow(console, client, accepted, truth, span_ms=(ask.start_ms, ask.end_ms))
    if result.right:
        megabytes = result.result_bytes / 1e6
        console.print(
            f"  {result.fetched_count:,} samples fetched in {result.duration_s:.1f} s, others were stored; "
            f"the result, {result.sample_count:,} samples, {megabytes:.1f} MB of JSON from blocks in "
            f"{result.result_s:.1f} s, equals the truth\n"
        )
    else:
        console.print(f"  wrong: {', '.join(result.wrong)}\n", markup=False)
    return result.right


def _a_site(truth: Truth) -> str | None:
    """The first site with a point that has samples."""
    return next((site for site in truth.sites() if _points_with_samples(truth, site)), None)


def _points_with_samples(truth: Truth, site: str) -> list[tuple[str, int]]:
    """Names, and the first whole UTC day (epoch ms) of each point that has samples."""
    spans = [(point.name, truth.span_ms(site, point.name)) for point in truth.points(site)]
    return [(name, span[0] // DAY_MS * DAY_MS + DAY_MS) for name, span in spans if span is not None]


def _show_points(console: Console, client: httpx.Client, truth: Truth, site: str) -> bool:
    listed = client.get(f"/api/sites/{quote(site, safe='')}/points").json()["points"]
    table = Table("point", "unit", "every", title=f"points of {site}", box=box.SIMPLE)
    for point in listed[:LIST_ROWS]:
        interval = point["intervalSeconds"]
        table.add_row(point["name"], point["unit"] or "", f"{interval} s" if interval else "")
    if len(listed) > LIST_ROWS:
        table.add_row(f"and {len(listed) - LIST_ROWS} more", "", "")
    console.print(table)
    return [point["name"] for point in listed] == [point.name for point in truth.points(site)]


def _asks(truth: Truth, site: str) -> Sequence[Ask]:
    points = _points_with_samples(truth, site)
    (first, day_ms), names = points[0], tuple(name for name, _ in points)
    week = Ask(
        shows="every point, a week",
        site=site,
        points=names,
        start_ms=day_ms,
        end_ms=day_ms + 7 * DAY_MS,
        route="cached",
        taken="cached",
    )
    few = tuple(sorted(name for name, first_ms in points if first_ms == day_ms))[:5]
    return (
        Ask(
            shows="one point, one hour", site=site, points=(first,), start_ms=day_ms, end_ms=day_ms + HOUR_MS
        ),
        Ask(
            # An hour of it was asked before: now the day comes whole, and is stored.
            shows="one point, its day",
            site=site,
            points=(first,),
            start_ms=day_ms,
            end_ms=day_ms + DAY_MS,
            taken="cached",
        ),
        Ask(
            shows=f"{len(few)} points, one day",
            site=site,
            points=few,
            start_ms=day_ms,
            end_ms=day_ms + DAY_MS,
        ),
        Ask(shows="a day without data", site=site, points=(first,), start_ms=0, end_ms=DAY_MS),
        Ask(
            shows="two weeks, forced direct",
            site=site,
            points=(first,),
            start_ms=day_ms,
            end_ms=day_ms + 14 * DAY_MS,
            route="direct",
        ),
        week,
        replace(week, shows="the same again"),
        replace(week, shows="two of them, two days", points=names[:2], end_ms=day_ms + 2 * DAY_MS),
        Ask(
            shows="every point, for years",
            site=site,
            points=names,
            start_ms=day_ms,
            end_ms=day_ms + max(YEAR_DAYS, MANY_POINT_DAYS // len(names)) * DAY_MS,
            status=httpx.codes.ACCEPTED,
            taken="queued",
        ),
    )


def _ask(client: httpx.Client, truth: Truth, ask: Ask) -> AskResult:
    started_s = time.perf_counter()
    response = client.post("/api/timeseries", json=ask.fields)
    duration_ms = (time.perf_counter() - started_s) * 1000
    document = response.json()
    timing = dict(part.strip().split(";dur=") for part in response.headers["server-timing"].split(","))
    route = response.headers.get("x-route-type", "")
    if (response.status_code, route) != (ask.status, ask.taken):
        verdict, right, count = f"expected {ask.status} {ask.taken}: {document.get('detail', '')}", False, 0
    elif route == "queued":
        verdict, right, count = "a job, below", True, 0
    else:
        wrong = [point for point in ask.points if not _is_right(document["data"][point], truth, ask, point)]
        verdict, right = (f"wrong: {', '.join(wrong)}", False) if wrong else ("equal", True)
        count = int(document["_meta"]["sampleCount"])
    return AskResult(
        status=response.status_code,
        route=route,
        cache=response.headers.get("cache-status", "").removeprefix("EdgeSeries; ").partition(";")[0],
        duration_ms=duration_ms,
        upstream_ms=timing.get("upstream", "-"),
        sample_count=count,
        body_bytes=len(response.content),
        verdict=verdict,
        right=right,
        document=document,
    )


def _is_right(result: Mapping[str, Any], truth: Truth, ask: Ask, point: str) -> bool:
    """Equal sample for sample and type for type: as JSON texts, in which true is not 1."""
    expected = expected_samples(truth, ask.site, point, ask.start_ms, ask.end_ms)
    return json.dumps(result) == json.dumps({"samples": expected, "count": len(expected), "error": None})


def _iso(epoch_ms: int) -> str:
    return datetime.fromtimestamp(epoch_ms / 1000, tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


if __name__ == "__main__":
    sys.exit(main())
