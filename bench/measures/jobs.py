"""Jobs: their speed against a bare Worker's, memory while a large one runs, its data after a kill."""

import json
import os
import random
import signal
import tempfile
import time
from pathlib import Path
from typing import Final

import httpx

from bench.copies import (
    ENDED,
    MANY,
    PATIENCE_S,
    POLL_S,
    Copies,
    copied,
    ended_job,
    job_of,
    post_job,
    running,
    timed_jobs,
)
from bench.finding import Finding, Measurement, Report, Setting
from bench.recorded_calls import calls_of_job
from local.host_plan import Script
from local.runtime_memory import watched
from local.stack import Stack

SPEED_COPIES, QUICK_SPEED_COPIES = 6, 2
WHOLE_SAMPLES, USUAL_SAMPLES, QUICK_SAMPLES = 10_000_000, 2_000_000, 600_000
PRIORITIES: Final = ("high", "normal", "low")
KILL_AT: Final = (0.2, 0.7)
"""Of the batches: the moment of the kill is drawn between."""

SEED: Final = 20_26
DAY_MS: Final = 86_400_000
MB: Final = 1_000_000
TURNS: Final = 3

DOWNLOAD: Final = Script(
    name="bench-download",
    source=(Path(__file__).parents[1] / "workers" / "download.mjs").read_text(encoding="utf-8"),
    path="/download/",
)


def _run(setting: Setting) -> Report:
    copies = QUICK_SPEED_COPIES if setting.quick else SPEED_COPIES
    large = QUICK_SAMPLES if setting.quick else WHOLE_SAMPLES if setting.large else USUAL_SAMPLES
    with tempfile.TemporaryDirectory(prefix="jobs-") as folder:
        speed = _speed(Path(folder) / "speed", setting, copies)
        setting.say(f"  a job of {large:,} samples, killed on its way")
        killed = _large(Path(folder) / "large", setting, large)
    return Report(findings=(*speed, *killed), method=METHOD)


def _speed(folder: Path, setting: Setting, copies: int) -> tuple[Finding, ...]:
    """Jobs and bare downloads of other copies in turns; then three jobs at once, through three queues."""
    groups = TURNS + 1 + len(PRIORITIES)
    made = copied(folder / "data", setting.sample, copies * groups)
    parts = [made.points[place::groups] for place in range(groups)]
    count = copies * len(made.rows)
    with (
        running(folder, made, DOWNLOAD) as stack,
        httpx.Client(base_url=stack.url, trust_env=False) as client,
    ):
        calls = [_calls(stack, made, part) for part in parts[: TURNS + 1]]
        timed_jobs(client, [made.body(parts[TURNS])])  # for warmth
        _download(client, calls[TURNS], count)
        jobs_s, bare_s = [], []
        for turn in range(TURNS):
            bare_s.append(_download(client, calls[turn], count))
            jobs_s.append(timed_jobs(client, [made.body(parts[turn])])[1])
        _, together_s = timed_jobs(
            client,
            [
                made.body(part, priority=priority)
                for part, priority in zip(parts[TURNS + 1 :], PRIORITIES, strict=True)
            ],
        )
    job_s, download_s = min(jobs_s), min(bare_s)
    return (
        Finding(
            what="a job, one consumer",
            measured=count / job_s,
            unit="samples/s",
            bound="job-speed",
            note=f"{count:,} samples in {job_s:.1f} s",
        ),
        Finding(
            what="the same, in bare Workers that download and parse its pages",
            measured=job_s / download_s,
            unit="x",
            bound="job-ratio",
            note=f"bare {download_s:.2f} s, {count / download_s:,.0f} samples/s, "
            f"{len(json.loads(calls[0]))} calls",
        ),
        Finding(
            what="three jobs at once, through three queues, one isolate",
            measured=3 * count / together_s,
            unit="samples/s",
            note=f"{3 * count:,} samples in {together_s:.1f} s",
        ),
    )


def _calls(stack: Stack, made: Copies, points: tuple[str, ...]) -> str:
    """The calls of a job of these points; the simulator renders every page once while they are recorded."""
    per_day = len(made.rows) * DAY_MS / made.span.duration_ms
    return json.dumps(calls_of_job(stack.upstream, MANY, points, made.span, density_per_day=per_day))


def _download(client: httpx.Client, calls: str, count: int) -> float:
    """Seconds in which the bare Worker makes the calls."""
    began_s = time.perf_counter()
    reply = client.post(DOWNLOAD.path, content=calls, timeout=PATIENCE_S).raise_for_status()
    seconds = time.perf_counter() - began_s
    if reply.json()["rows"] != count:
        raise AssertionError(f"the bare Worker got {reply.json()['rows']} rows, not {count}")
    return seconds


def _large(folder: Path, setting: Setting, samples: int) -> tuple[Finding, ...]:
    """Kill everything in the middle, start again, and hold the result against the source."""
    one = copied(folder / "one", setting.sample, 1)
    made = copied(folder / "data", setting.sample, -(-samples // len(one.rows)))
    share = random.Random(SEED).uniform(*KILL_AT)  # noqa: S311 - a moment, the same in every run
    with running(folder, made) as stack, httpx.Client(base_url=stack.url, trust_env=False) as client:
        job_id = post_job(client, made.body(made.points))
        with watched(stack.host) as before:
            while (job := job_of(client, job_id))["batches"]["done"] < share * max(
                1, job["batches"]["total"]
            ):
                if job["status"] in ENDED:
                    raise AssertionError(f"the job {job['status']} before its kill: {job['error']}")
                time.sleep(POLL_S)
        os.killpg(stack.host.child.pid, signal.SIGKILL)
        stack.stop()
    with running(folder, made) as stack, httpx.Client(base_url=stack.url, trust_env=False) as client:
        # Leases last minutes; that they run out is shown by the tests, and nothing to wait for here.
        stack.host.query("UPDATE job_batches SET lease_until_ms = 0 WHERE status = 'claimed'")
        time.sleep(1.5)  # rescueAfterSeconds
        with watched(stack.host) as after:
            job = ended_job(client, job_id, stack)
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
    "without delay. Samples a second count from the POST to the job's end, the best of three; in turns with "
    "them a bare JavaScript Worker (bench/workers/download.mjs) in the same runtime makes the same upstream "
    "calls for the same points, one after the other, parses every page and does nothing else. The calls are "
    "recorded before with the Workers' own code, so the simulator has rendered every page once for both. For "
    "the large job the whole local host is ended with SIGKILL at a drawn share of its batches, started on "
    "the same state, swept once, and the result read line by line against the source. The interpreter's "
    "memory is its WebAssembly memory, which never shrinks; JavaScript's own, of one upstream body at a "
    "time, is not in it. Resident memory is that of the one process that all Workers and the simulated R2, "
    "D1 and queues share."
)

JOBS: Final = Measurement(
    name="jobs", bounds=frozenset({"job-speed", "job-ratio", "job-memory", "job-killed"}), run=_run
)
