"""A job and questions at a vendor that takes few calls at once: what each of them loses by the other."""

import http.client
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Final

import httpx

from bench.client import Client, timeseries
from bench.copies import ENDED, MANY, Copies, copied, job_of, post_job, running, timed_jobs
from bench.finding import Finding, Measurement, Report, Setting

ROOM: Final = 2
"""Calls that the vendor takes at once; others are 429 without a Retry-After."""

LATENCY_MS: Final = 300
ALONE: Final = 20
REST_S: Final = 0.3
"""Between two questions."""

HOUR_MS: Final = 3_600_000


def _run(setting: Setting) -> Report:
    copies = 60 if setting.quick else 120
    with tempfile.TemporaryDirectory(prefix="contention-") as folder:
        made = copied(Path(folder) / "data", setting.sample, 3 * copies + 1)
        warm, first, second = (made.points[place * copies : (place + 1) * copies] for place in range(3))
        with (
            running(Path(folder), made) as stack,
            httpx.Client(base_url=stack.url, trust_env=False) as jobs,
            Client(stack.url) as client,
        ):
            timed_jobs(jobs, [made.body(warm)])
            control = f"{stack.upstream_url}/_control"
            settings = {"reset_stats": True, "latency_ms": LATENCY_MS, "max_calls": ROOM}
            httpx.post(control, json=settings, trust_env=False).raise_for_status()
            ask = _question(client, made)
            alone = [ask() for _ in range(ALONE)]
            setting.say("  a job alone, then one beside questions")
            job_alone_s = timed_jobs(jobs, [made.body(first)])[1]
            beside, job_beside_s = _beside(jobs, made.body(second), ask)
            refused = httpx.get(f"{stack.upstream_url}/_stats", trust_env=False).json()["by_fault"]
    alone_ms, beside_ms = (median(ms for _, ms in some) for some in (alone, beside))
    lost = sum(status != http.client.OK for status, _ in beside)
    return Report(
        findings=(
            _finding("questions alone: median", alone_ms, "ms"),
            _finding("questions beside a job: median", beside_ms, "ms"),
            _finding("questions beside a job, against alone", beside_ms / alone_ms, "x"),
            _finding(f"questions beside a job: slowest of {len(beside)}", max(ms for _, ms in beside), "ms"),
            _finding("questions beside a job: not answered", lost, "answers"),
            _finding("a job alone", job_alone_s, "s"),
            _finding("a job beside questions, against alone", job_beside_s / job_alone_s, "x"),
            _finding("calls that the vendor refused", float(refused.get("429", 0)), "calls"),
        ),
        method=METHOD,
    )


def _question(client: Client, made: Copies) -> Callable[[], tuple[int, float]]:
    """Asks for an hour of one point, past the store: status and milliseconds."""
    start_ms = made.span.start_ms
    path = timeseries(MANY, made.points[-1:], start_ms, start_ms + HOUR_MS, "direct")

    def ask() -> tuple[int, float]:
        reply = client.get(path, Cache_Control="no-store")
        return reply.status, reply.duration_ms

    return ask


def _beside(
    jobs: httpx.Client, body: dict[str, object], ask: Callable[[], tuple[int, float]]
) -> tuple[list[tuple[int, float]], float]:
    """Questions until a job has ended, and the seconds that it took."""
    began_s = time.perf_counter()
    job_id, told = post_job(jobs, body), []
    while (job := job_of(jobs, job_id))["status"] not in ENDED:
        told.append(ask())
        time.sleep(REST_S)
    assert job["status"] == "completed", job
    return told, time.perf_counter() - began_s


def _finding(what: str, measured: float, unit: str) -> Finding:
    vendor = f"a vendor that takes {ROOM} calls at once, {LATENCY_MS} ms each"
    return Finding(what=f"{vendor}; {what}", measured=measured, unit=unit)


METHOD: Final = (
    f"The simulator answers {ROOM} calls at once, {LATENCY_MS} ms slow, and refuses others with 429 without "
    "a Retry-After. One connection asks for an hour of one point past the store, every 0.3 s: alone, "
    "then while a job of copies of the one-minute meter runs. Another such job runs alone between."
)

CONTENTION: Final = Measurement(name="contention", bounds=frozenset(), run=_run)
