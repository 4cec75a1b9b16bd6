"""Questions over stored blocks: a year of fifty points as hourly means, and ten years of one as a chart.

With VictoriaMetrics installed (a package of the distribution) and `PEERS=1`, the means are asked of it, too,
over the same samples.
"""

import gzip
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

import httpx

from bench.client import Client, Reply, expect, timeseries
from bench.copies import MANY, METER, Copies, running, timed_jobs
from bench.finding import Finding, Measurement, Report, Setting
from bench.ground import BARE
from bench.peers import PROMETHEUS, PROMTOOL, VICTORIA_METRICS, has, prometheus, victoria_metrics
from bench.week import SITE
from edgeseries.limits import DAY_MS, MINUTE_MS
from edgeseries.series.timerange import TimeRange, iso_instant
from local.expected import expected_samples
from local.stack import Stack
from local.upstream.truth import Truth

FIRST_MS: Final = 1_420_070_400_000
"""2015-01-01T00:00:00Z."""

READS: Final = 3
RAW_KEY: Final = "bench/raw-means"
YEAR_DAYS, QUICK_DAYS = 365, 20
POINTS, QUICK_POINTS = 50, 5
CHART_DAYS, QUICK_CHART_DAYS = 3_652, 60
PEER_POINTS, PEER_DAYS, QUICK_PEER_DAYS = 7, 120, 10
LONG: Final = "long"
FLUSH_S: Final = 15.0
"""What an isolate counted is written by then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """How much is asked: points and days at five minutes, and days of one point at a minute."""

    points: int
    days: int
    chart_days: int
    peer_days: int


FULL: Final = Shape(points=POINTS, days=YEAR_DAYS, chart_days=CHART_DAYS, peer_days=PEER_DAYS)
QUICK: Final = Shape(
    points=QUICK_POINTS, days=QUICK_DAYS, chart_days=QUICK_CHART_DAYS, peer_days=QUICK_PEER_DAYS
)
MINUTES: Final = tuple(f"minute{number}" for number in range(PEER_POINTS))


def _run(setting: Setting) -> Report:
    shape = QUICK if setting.quick else FULL
    with tempfile.TemporaryDirectory(prefix="questions-") as name:
        folder = Path(name)
        values = _values(setting.sample)
        made = _written(folder / "data", values, shape)
        with running(folder, made) as stack, httpx.Client(base_url=stack.url, trust_env=False) as client:
            year = made.body(made.points[: shape.points])
            timed_jobs(client, [year])
            chart = {**made.body((LONG,)), "end_time": FIRST_MS + shape.chart_days * DAY_MS}
            timed_jobs(client, [chart])
            end_ms = FIRST_MS + shape.peer_days * DAY_MS
            timed_jobs(client, [{**made.body(MINUTES), "end_time": end_ms}])
            with Client(stack.url) as one:
                findings = [*_year(made, shape, stack, one), _chart(shape, one)]
                findings += _beside_peers(folder, values, shape, one, peers=setting.peers)
    return Report(findings=tuple(findings), method=METHOD)


def _values(sample: Path) -> list[str]:
    truth = Truth(sample)
    first_ms, last_ms = truth.span_ms(SITE, METER) or (0, 0)
    return [str(value) for _, value in expected_samples(truth, SITE, METER, first_ms, last_ms + 1)]


def _written(data: Path, values: list[str], shape: Shape) -> Copies:
    """A site of points at five minutes, all alike, and one at a minute, which is longer."""
    folder = data / MANY
    folder.mkdir(parents=True)
    points = tuple(f"point{number:02d}" for number in range(shape.points))
    text = _csv(values, shape.days * DAY_MS, 5 * MINUTE_MS)
    for point in points:
        (folder / f"{point}.csv.gz").write_bytes(text)
    (folder / f"{LONG}.csv.gz").write_bytes(_csv(values, shape.chart_days * DAY_MS, MINUTE_MS))
    text = _csv(values, shape.peer_days * DAY_MS, MINUTE_MS)
    for point in MINUTES:
        (folder / f"{point}.csv.gz").write_bytes(text)
    span = TimeRange(start_ms=FIRST_MS, end_ms=FIRST_MS + shape.days * DAY_MS)
    return Copies(data=data, points=points, rows=[], span=span)


def _csv(values: list[str], length_ms: int, step_ms: int) -> bytes:
    """Real values in their order, again and again, at even steps."""
    lines = ["timestamp,value"]
    lines += [
        f"{iso_instant(FIRST_MS + at_ms)},{values[place % len(values)]}"
        for place, at_ms in enumerate(range(0, length_ms, step_ms))
    ]
    return gzip.compress("\n".join(lines).encode(), compresslevel=1)


def _year(made: Copies, shape: Shape, stack: Stack, client: Client) -> tuple[Finding, ...]:
    path = _asked(made.points, made.span.end_ms, "every=1h")
    before = _reads(stack)
    replies = [expect(client.get(path, Accept_Encoding="identity"))]
    reads = _reads(stack) - before
    replies += [expect(client.get(path, Accept_Encoding="identity")) for _ in range(READS - 1)]
    body = replies[0].body
    stack.host.put_object(RAW_KEY, body)
    raw = [client.get(f"{BARE.path}{RAW_KEY}?plain", Accept_Encoding="identity") for _ in range(READS)]
    first, again = replies[0].duration_ms, replies[-1].duration_ms
    samples = shape.points * shape.days * DAY_MS // (5 * MINUTE_MS)
    note = f"{first:.0f} ms, {samples:,} samples, {len(body) / 1e6:.1f} MB; again {again:.0f} ms"
    return (
        Finding(
            what="hourly means of a year of 50 five-minute points, first time, in the bare Worker's stream",
            measured=first / _median(raw),
            unit="x",
            note=note,
        ),
        Finding(
            what="objects read for it",
            measured=reads,
            unit="objects",
            note="as the router counts reads of the bucket",
        ),
    )


def _asked(points: tuple[str, ...], end_ms: int, question: str) -> str:
    names = ",".join(points)
    return f"/api/timeseries?site={MANY}&points={names}&start_time={FIRST_MS}&end_time={end_ms}&{question}"


def _reads(stack: Stack) -> float:
    """Reads of the bucket that were counted, when all are written."""
    time.sleep(FLUSH_S)
    rows = stack.host.query("SELECT coalesce(sum(r2_class_b), 0) AS reads FROM platform_usage")
    return float(rows[0]["reads"])


def _beside_peers(
    folder: Path, values: list[str], shape: Shape, client: Client, *, peers: bool
) -> tuple[Finding, ...]:
    """Seven one-minute points: hourly means, all samples, and single days; ours, and of the peers that are
    installed, over the same samples.
    """
    ours = _ours(shape, client)
    count = shape.peer_days * DAY_MS // MINUTE_MS
    if not peers or not has(VICTORIA_METRICS):
        what = f"{MEANS} (no peer)"
        return (Finding(what=what, measured=ours.means_ms, unit="ms", note=ours.note(count)),)
    series = {point: _series(values, count) for point in MINUTES}
    with victoria_metrics(folder / "victoria", series) as peer:
        theirs = Timed(
            means_ms=_means_ms(peer, count),
            all_ms=_fastest_ms(peer, "/api/v1/export/csv", **_csv_of(MINUTES, 0, count)),
            day_ms=_fastest_ms(peer, "/api/v1/export", **_of(MINUTES[:3], DAY_MS, 2 * DAY_MS)),
        )
    note = f"ours {ours.note(count)}; VictoriaMetrics {theirs.note(count)}"
    findings = [
        Finding(
            what=f"{MEANS}, in VictoriaMetrics' time",
            measured=ours.means_ms / theirs.means_ms,
            unit="x",
            note=note,
        ),
        Finding(
            what="all of these samples as CSV: samples a second, in those of VictoriaMetrics' export",
            measured=theirs.all_ms / ours.all_ms,
            unit="x",
        ),
        Finding(
            what="a day of three one-minute points from blocks, in the time of VictoriaMetrics' export",
            measured=ours.day_ms / theirs.day_ms,
            unit="x",
        ),
    ]
    if has(PROMETHEUS) and has(PROMTOOL):
        with prometheus(folder / "prometheus", {point: _series(values, count) for point in MINUTES}) as peer:
            means_ms = _means_ms(peer, count)
        what = f"{MEANS}, in Prometheus' time"
        note = f"Prometheus {means_ms:.0f} ms"
        findings.append(Finding(what=what, measured=ours.means_ms / means_ms, unit="x", note=note))
    return tuple(findings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """What three questions took, in milliseconds."""

    means_ms: float
    all_ms: float
    day_ms: float

    def note(self, count: int) -> str:
        """All of them, for people."""
        speed = count * len(MINUTES) / self.all_ms / 1_000
        return f"means {self.means_ms:.0f} ms, all {speed:.2f} M samples/s, a day {self.day_ms:.1f} ms"


def _ours(shape: Shape, client: Client) -> Timed:
    """Each as long as its fastest repetition takes; no range is asked twice, so no kept answer helps."""
    days = shape.peer_days
    end_ms = FIRST_MS + days * DAY_MS
    means = [
        expect(client.get(_asked(MINUTES, end_ms - back, "every=1h")))
        for back in range(0, READS * 1_000, 1_000)
    ]
    everything = [
        expect(client.get(_asked(MINUTES, end_ms - back, "format=csv"), Accept_Encoding="identity"))
        for back in range(0, READS * 1_000, 1_000)
    ]
    single = [
        expect(
            client.get(timeseries(MANY, MINUTES[:3], FIRST_MS + day * DAY_MS, FIRST_MS + (day + 1) * DAY_MS))
        )
        for day in range(1, days - 1)
    ]
    return Timed(means_ms=_fastest(means), all_ms=_fastest(everything), day_ms=_median(single))


def _series(values: list[str], count: int) -> Iterator[tuple[int, str]]:
    return ((FIRST_MS + n * MINUTE_MS, values[n % len(values)]) for n in range(count))


def _of(points: tuple[str, ...], start_ms: int, end_ms: int) -> dict[str, str | float]:
    names = "|".join(points)
    return {
        "match[]": f'value{{point=~"{names}"}}',
        "start": (FIRST_MS + start_ms) / 1_000,
        "end": (FIRST_MS + end_ms - 1) / 1_000,
    }


def _csv_of(points: tuple[str, ...], start_ms: int, count: int) -> dict[str, str | float]:
    return {**_of(points, start_ms, count * MINUTE_MS), "format": "point,__timestamp__:rfc3339,__value__"}


def _means_ms(peer: httpx.Client, count: int) -> float:
    asked: dict[str, str | float] = {
        "query": "avg_over_time(value[1h])",
        "start": FIRST_MS / 1_000,
        "end": FIRST_MS / 1_000 + count * 60,
        "step": "1h",
        "nocache": "1",
    }
    reply = peer.get("/api/v1/query_range", params=asked)
    assert len(reply.raise_for_status().json()["data"]["result"]) == len(MINUTES)
    return _fastest_ms(peer, "/api/v1/query_range", **asked)


def _fastest_ms(peer: httpx.Client, path: str, **asked: str | float) -> float:
    taken_ms = []
    for _ in range(READS):
        started = time.perf_counter()
        peer.get(path, params=asked).raise_for_status()
        taken_ms.append((time.perf_counter() - started) * 1_000)
    return min(taken_ms)


def _fastest(replies: list[Reply]) -> float:
    return min(reply.duration_ms for reply in replies)


def _chart(shape: Shape, client: Client) -> Finding:
    end_ms = FIRST_MS + shape.chart_days * DAY_MS
    path = _asked((LONG,), end_ms, "max_points=1000")
    first, m4, lttb = (
        expect(client.get(f"{path}&method={method}")).duration_ms for method in ("minmax", "m4", "lttb")
    )
    samples = shape.chart_days * DAY_MS // MINUTE_MS
    return Finding(
        what="ten years of a one-minute point as a chart of 1,000 samples, from blocks",
        measured=first,
        unit="ms",
        note=f"minmax of {samples:,} samples; m4 {m4:.0f} ms, lttb {lttb:.0f} ms",
    )


def _median(replies: list[Reply]) -> float:
    return median(reply.duration_ms for reply in replies)


MEANS: Final = "120 days of seven one-minute points as hourly means"

METHOD: Final = (
    "Real values of one meter in their order, at even steps, stored by jobs, then asked inline. The first "
    "time in an isolate counts; the bare Worker streams an object of the answer's very bytes."
)

QUESTIONS: Final = Measurement(
    name="questions",
    bounds=frozenset(),
    run=_run,
)
