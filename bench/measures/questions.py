"""Questions over stored blocks: a year of fifty points as hourly means, and ten years of one as a chart.

With VictoriaMetrics installed (a package of the distribution) and `PEERS=1`, the means are asked of it, too,
over the same samples.
"""

import gzip
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

import httpx

from bench.client import Client, Reply, expect
from bench.copies import MANY, METER, Copies, running, timed_jobs
from bench.finding import Finding, Measurement, Report, Setting
from bench.ground import BARE
from bench.peers import load, settled, victoria_metrics
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
                findings += _means(folder, values, shape, one, peers=setting.peers)
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
            bound="year-ratio",
            note=note,
        ),
        Finding(
            what="objects read for it",
            measured=reads,
            unit="objects",
            bound="year-reads",
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


def _means(
    folder: Path, values: list[str], shape: Shape, client: Client, *, peers: bool
) -> tuple[Finding, ...]:
    """Hourly means of seven one-minute points: ours, and the peer's over the same samples."""
    end_ms = FIRST_MS + shape.peer_days * DAY_MS
    questions = [f"every=1h&agg={agg}" for agg in ("mean", "mean,count", "mean,max")]
    ours = [expect(client.get(_asked(MINUTES, end_ms, one))).duration_ms for one in questions]
    note = f"the first {ours[0]:.0f} ms, with a second aggregate {ours[1]:.0f} ms"
    if not peers:
        return (Finding(what=MEANS, measured=ours[0], unit="ms", note=note),)
    theirs = _peers_ms(folder, values, shape)
    return (
        Finding(
            what=MEANS + ", in VictoriaMetrics' time",
            measured=ours[0] / theirs,
            unit="x",
            bound="peer-means",
            note=f"{note}; VictoriaMetrics {theirs:.0f} ms",
        ),
    )


def _peers_ms(folder: Path, values: list[str], shape: Shape) -> float:
    count = shape.peer_days * DAY_MS // MINUTE_MS
    asked: dict[str, str | float] = {
        "query": "avg_over_time(value[1h])",
        "start": FIRST_MS / 1_000,
        "end": FIRST_MS / 1_000 + count * 60,
        "step": "1h",
        "nocache": "1",
    }
    taken_ms = []
    with victoria_metrics(folder / "victoria") as peer:
        for point in MINUTES:
            load(peer, point, ((FIRST_MS + n * MINUTE_MS, values[n % len(values)]) for n in range(count)))
        settled(peer)
        for _ in range(READS):
            started = time.perf_counter()
            reply = peer.get("/api/v1/query_range", params=asked)
            taken_ms.append((time.perf_counter() - started) * 1_000)
            assert len(reply.raise_for_status().json()["data"]["result"]) == len(MINUTES)
    return median(taken_ms)


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
    name="questions", bounds=frozenset({"year-ratio", "year-reads", "peer-means"}), run=_run
)
