"""Jobs: samples a second, memory while a large one runs, its data after a kill, results streamed."""

import json
import os
import random
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx

from bench.client import Client
from bench.finding import Finding, Measurement, Report, Setting
from bench.ground import BARE
from bench.week import SITE
from local.expected import expected_samples
from local.runtime_memory import watched
from local.stack import Stack, StackOptions
from local.upstream.truth import Truth

METER: Final = "water_2923"
"""The series that large jobs are made of copies of: one-minute data that compresses badly."""

SPEED_COPIES, QUICK_SPEED_COPIES = 6, 2
WHOLE_SAMPLES, USUAL_SAMPLES, QUICK_SAMPLES = 10_000_000, 2_000_000, 600_000
MANY: Final = "copies"
PRIORITIES: Final = ("high", "normal", "low")
POLL_S: Final = 0.2
PATIENCE_S: Final = 1_800.0
KILL_AT: Final = (0.2, 0.7)
"""Of the batches: the moment of the kill is drawn between."""

SEED: Final = 20_26
READS: Final = 5
RAW_KEY: Final = "bench/raw"
MB: Final = 1_000_000
ENDED: Final = frozenset({"completed", "failed", "cancelled"})

SETTINGS: Final = {"rescueAfterSeconds": "1", "queueMaxWaitSeconds": "0", "janitorCron": "0 0 1 1 *"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Copies:
    """A folder with one site of copies of one meter, and what each of them holds."""

    data: Path
    points: tuple[str, ...]
    rows: list[list[Any]]
    span_ms: tuple[int, int]

    @property
    def sample_count(self) -> int:
        """Samples of all copies."""
        return len(self.points) * len(self.rows)

    def body(self, points: tuple[str, ...], **more: Any) -> dict[str, Any]:
        """A request for some of them."""
        start_ms, end_ms = self.span_ms
        return {"site": MANY, "points": list(points), "start_time": start_ms, "end_time": end_ms, **more}


def _run(setting: Setting) -> Report:
    copies = QUICK_SPEED_COPIES if setting.quick else SPEED_COPIES
    large = QUICK_SAMPLES if setting.quick else WHOLE_SAMPLES if setting.large else USUAL_SAMPLES
    with tempfile.TemporaryDirectory(prefix="jobs-") as folder:
        speed = _speed(Path(folder) / "speed", setting, copies)
        setting.say(f"  a job of {large:,} samples, killed on its way")
        killed = _large(Path(folder) / "large", setting, large)
    return Report(findings=(*speed, *killed), method=METHOD)


def _speed(folder: Path, setting: Setting, copies: int) -> tuple[Finding, ...]:
    """One job alone; three at once, through three queues; the result against a raw object."""
    made = _copied(folder / "data", setting.sample, copies * (1 + len(PRIORITIES)))
    with _running(folder, made) as stack, httpx.Client(base_url=stack.url, trust_env=False) as client:
        parts = [made.points[place::4] for place in range(4)]
        alone, alone_s = _timed(client, [made.body(parts[0])])
        _, together_s = _timed(
            client,
            [
                made.body(part, priority=priority)
                for part, priority in zip(parts[1:], PRIORITIES, strict=True)
            ],
        )
        count = copies * len(made.rows)
        path = f"/api/jobs/{alone[0]['jobId']}/result?format=csv"
        body = client.get(path, timeout=PATIENCE_S).raise_for_status().content
        stack.host.put_object(RAW_KEY, body)
        streamed, raw = [], []
        with Client(stack.url) as one:
            for _ in range(READS):
                streamed.append(len(body) / MB / (one.get(path).duration_ms / 1_000))
                raw.append(len(body) / MB / (one.get(f"{BARE.path}{RAW_KEY}").duration_ms / 1_000))
    best, bare = max(streamed), max(raw)
    return (
        Finding(
            what="a job, one consumer",
            measured=count / alone_s,
            unit="samples/s",
            note=f"{count:,} samples in {alone_s:.1f} s",
        ),
        Finding(
            what="three jobs at once, through three queues, one isolate",
            measured=3 * count / together_s,
            unit="samples/s",
            note=f"{3 * count:,} samples in {together_s:.1f} s",
        ),
        Finding(
            what="a job's result as CSV, streamed from blocks",
            measured=best,
            unit="MB/s",
            note=f"{len(body) / MB:.1f} MB; a raw object of that size through the bare Worker "
            f"{bare:.0f} MB/s, {bare / best:.0f}x",
        ),
    )


def _large(folder: Path, setting: Setting, samples: int) -> tuple[Finding, ...]:
    """Kill everything in the middle, start again, and hold the result against the source."""
    one = _copied(folder / "one", setting.sample, 1)
    made = _copied(folder / "data", setting.sample, -(-samples // len(one.rows)))
    share = random.Random(SEED).uniform(*KILL_AT)  # noqa: S311 - a moment, the same in every run
    with _running(folder, made) as stack, httpx.Client(base_url=stack.url, trust_env=False) as client:
        job_id = _post(client, made.body(made.points))
        with watched(stack.host) as before:
            while (job := _job(client, job_id))["batches"]["done"] < share * max(1, job["batches"]["total"]):
                if job["status"] in ENDED:
                    raise AssertionError(f"the job {job['status']} before its kill: {job['error']}")
                time.sleep(POLL_S)
        os.killpg(stack.host.child.pid, signal.SIGKILL)
        stack.stop()
    with _running(folder, made) as stack, httpx.Client(base_url=stack.url, trust_env=False) as client:
        # Leases last minutes; that they run out is shown by the tests, and nothing to wait for here.
        stack.host.query("UPDATE job_batches SET lease_until_ms = 0 WHERE status = 'claimed'")
        time.sleep(1.5)  # rescueAfterSeconds
        with watched(stack.host) as after:
            job = _ended(client, job_id, stack)
        heap_mb = stack.host.heap_bytes("consumer") / MB
        if job["status"] != "completed":
            raise AssertionError(f"the job {job['status']}: {job['error']}")
        with watched(stack.host) as reading:
            wrong = _differing(client, job_id, made)
        router_mb = stack.host.heap_bytes("router") / MB
    grown = max(before.grown_mb, after.grown_mb)
    return (
        Finding(
            what="memory of the consumer's interpreter after a large job, the most it ever needed",
            measured=heap_mb,
            unit="MB",
            bound="job-memory",
            note=f"{made.sample_count:,} samples; the router's after its result {router_mb:.0f} MB",
        ),
        Finding(
            what="resident memory that the whole runtime grows by while that job runs, at most",
            measured=grown,
            unit="MB",
            note=f"three Workers, simulated stores; while the result is read {reading.grown_mb:.0f} MB",
        ),
        Finding(
            what=f"the same job, killed with {share:.0%} of its batches done: samples that differ",
            measured=float(wrong),
            unit="samples",
            bound="job-killed",
            note=f"of {made.sample_count:,}",
        ),
    )


def _copied(data: Path, sample: Path, count: int) -> Copies:
    folder = data / MANY
    folder.mkdir(parents=True)
    points = tuple(f"copy{number:04d}" for number in range(count))
    for point in points:
        shutil.copy(sample / SITE / f"{METER}.csv.gz", folder / f"{point}.csv.gz")
    truth = Truth(sample)
    first_ms, last_ms = truth.span_ms(SITE, METER) or (0, 0)
    span_ms = (first_ms, last_ms + 1)
    return Copies(
        data=data, points=points, rows=expected_samples(truth, SITE, METER, *span_ms), span_ms=span_ms
    )


@contextmanager
def _running(folder: Path, made: Copies) -> Iterator[Stack]:
    options = StackOptions(state=folder / "state", data=made.data, settings=SETTINGS, scripts=(BARE,))
    with Stack(options) as stack:
        yield stack


def _timed(client: httpx.Client, bodies: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], float]:
    """Jobs posted together, and the seconds until the last has ended well."""
    began_s = time.perf_counter()
    ids = [_post(client, body) for body in bodies]
    ended = [_ended(client, job_id) for job_id in ids]
    seconds = time.perf_counter() - began_s
    if any(job["status"] != "completed" for job in ended):
        raise AssertionError(f"not completed: {ended}")
    return ended, seconds


def _post(client: httpx.Client, body: dict[str, Any]) -> str:
    response = client.post("/api/jobs", json=body, timeout=PATIENCE_S)
    return str(response.raise_for_status().json()["jobId"])


def _job(client: httpx.Client, job_id: str) -> dict[str, Any]:
    found: dict[str, Any] = client.get(f"/api/jobs/{job_id}", timeout=PATIENCE_S).raise_for_status().json()
    return found


def _ended(client: httpx.Client, job_id: str, stack: Stack | None = None) -> dict[str, Any]:
    """The job when it has ended; with a stack, the janitor sweeps once at the beginning."""
    if stack is not None:
        janitor = next(worker.name for worker in stack.host.plan.workers if worker.function == "janitor")
        stack.host.fire_schedule(janitor, SETTINGS["janitorCron"])
    until_s = time.monotonic() + PATIENCE_S
    while (job := _job(client, job_id))["status"] not in ENDED:
        if time.monotonic() > until_s:
            raise AssertionError(f"the job hangs: {job}")
        time.sleep(POLL_S)
    return job


def _differing(client: httpx.Client, job_id: str, made: Copies) -> int:
    """Samples of the result that are not those of the source, or are missing, or too many."""
    wrong, place = 0, 0
    path = f"/api/jobs/{job_id}/result?format=ndjson"
    with client.stream("GET", path, timeout=PATIENCE_S) as response:
        for line in response.raise_for_status().iter_lines():
            sample = json.loads(line)
            point, row = divmod(place, len(made.rows))
            at_ms, value = made.rows[row]
            right = point < len(made.points) and sample["point_name"] == made.points[point]
            seconds = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at_ms // 1_000))
            wrong += not (right and sample["value"] == value and sample["timestamp"].startswith(seconds))
            place += 1
    return wrong + abs(made.sample_count - place)


METHOD: Final = (
    "Copies of one one-minute meter, each a point of its own, through the running stack and the simulator "
    "without delay. Samples a second count from the POST to the job's end. For the large job the whole "
    "local host is ended with SIGKILL at a drawn share of its batches, started on the same state, swept "
    "once, and the result read line by line against the source. The interpreter's memory is its WebAssembly "
    "memory, which never shrinks; JavaScript's own, of one upstream body at a time, is not in it. Resident "
    "memory is that of the one process that all Workers and the simulated R2, D1 and queues share."
)

JOBS: Final = Measurement(name="jobs", bounds=frozenset({"job-memory", "job-killed"}), run=_run)
