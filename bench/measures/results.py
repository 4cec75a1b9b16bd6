"""Results of jobs and large answers: their time against a raw object's, their CPU time, and their memory."""

import tempfile
import time
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Final

import httpx

from bench.client import Client, expect, plain, timeseries
from bench.copies import MANY, PATIENCE_S, Copies, copied, running, timed_jobs
from bench.cpu import cpu_s, spending
from bench.finding import Finding, Measurement, Report, Setting
from bench.ground import BARE
from edgeseries.limits import INLINE_MAX_SAMPLES
from local.runtime_memory import runtime_of, watched
from local.stack import Stack

COPIES, QUICK_COPIES = 45, 4
"""Forty-five copies are as many samples as an answer may have."""

LARGE_COPIES = 448
"""Twenty million samples: what one part of a result may have."""

READS: Final = 5
RAW_KEY: Final = "bench/raw"
MB: Final = 1_000_000
FORMATS: Final = ("csv", "json")

MICROSECOND: Final = 1e6


def _run(setting: Setting) -> Report:
    with tempfile.TemporaryDirectory(prefix="results-") as name:
        folder = Path(name)
        count = QUICK_COPIES if setting.quick else LARGE_COPIES if setting.large else COPIES
        made = copied(folder / "data", setting.sample, count)
        few = replace(made, points=made.points[:COPIES])
        with running(folder, made) as stack, httpx.Client(base_url=stack.url, trust_env=False) as client:
            jobs, _ = timed_jobs(client, [few.body(few.points)])
            path = f"/api/jobs/{jobs[0]['jobId']}/result?format="
            with Client(stack.url) as one:
                large = _large_answer(few, stack, one)
                findings = [
                    finding for form in FORMATS for finding in _of_format(form, path + form, few, stack, one)
                ]
            if setting.large:
                setting.say(f"  a result of {made.sample_count:,} samples")
                findings.append(_flat(made, stack, client))
    return Report(findings=(*findings, large), method=METHOD)


def _of_format(form: str, path: str, made: Copies, stack: Stack, client: Client) -> tuple[Finding, ...]:
    """A result and a raw object of the same bytes in turns."""
    body = plain(client, path).body
    stack.host.put_object(RAW_KEY, body)
    pid = runtime_of(stack.host.child.pid)
    result_ms, raw_ms, cpu_s = [], [], []
    for _ in range(READS):
        spent, reply = spending(pid, lambda: plain(client, path))
        cpu_s.append(spent)
        result_ms.append(reply.duration_ms)
        raw_ms.append(plain(client, f"{BARE.path}{RAW_KEY}?plain").duration_ms)
    result, raw = median(result_ms), median(raw_ms)
    speed = len(body) / MB / (result / 1_000)
    return (
        Finding(
            what=f"a job's result as {form.upper()}, in the time of a raw object of that size",
            measured=result / raw,
            unit="x",
            bound="result-ratio",
            note=f"{len(body) / MB:.1f} MB, {speed:.0f} MB/s, "
            f"{made.sample_count / result / 1_000:.2f} M samples/s",
        ),
        Finding(
            what=f"a job's result as {form.upper()}: CPU time of a sample",
            measured=median(cpu_s) / made.sample_count * MICROSECOND,
            unit="us",
            bound="result-cpu",
            note=f"{made.sample_count:,} samples; the stores and the front are in it",
        ),
    )


def _large_answer(made: Copies, stack: Stack, client: Client) -> Finding:
    """As many points as an answer may have samples of; the first of its kind in the isolate."""
    count = min(len(made.points), INLINE_MAX_SAMPLES // len(made.rows))
    path = timeseries(MANY, made.points[:count], made.span.start_ms, made.span.end_ms)
    with watched(stack.host) as watch:
        reply = expect(plain(client, path), cache_status="EdgeSeries; hit")
    samples = count * len(made.rows)
    return Finding(
        what="a large answer made at once from blocks: what the runtime's resident memory grows by",
        measured=watch.grown_mb,
        unit="MB",
        bound="inline-memory",
        note=f"{samples:,} samples, {len(reply.body) / MB:.0f} MB in {reply.duration_ms:,.0f} ms; "
        f"interpreter {stack.host.heap_bytes('router') / MB:.0f} MB",
    )


def _flat(made: Copies, stack: Stack, client: httpx.Client) -> Finding:
    """The largest part that a result has, read to its end by a reader that keeps nothing."""
    jobs, _ = timed_jobs(client, [made.body(made.points)])
    path, pid = f"/api/jobs/{jobs[0]['jobId']}/result?format=csv", runtime_of(stack.host.child.pid)
    lines, before_s, began_s = -1, cpu_s(pid), time.perf_counter()
    with watched(stack.host) as watch, client.stream("GET", path, timeout=PATIENCE_S) as response:
        for piece in response.raise_for_status().iter_raw():
            lines += piece.count(b"\n")
    seconds, spent_s = time.perf_counter() - began_s, cpu_s(pid) - before_s
    if lines != made.sample_count:
        raise AssertionError(f"{lines} lines of {made.sample_count} samples")
    return Finding(
        what="the largest part of a result as CSV: what the runtime's resident memory grows by meanwhile",
        measured=watch.grown_mb,
        unit="MB",
        note=f"{lines:,} samples in {seconds:.1f} s; {spent_s:.1f} s of CPU time, the stores in it; "
        "the platform gives an event 30 s by default",
    )


METHOD: Final = (
    "Copies of one one-minute meter, each a point of its own, fetched by one job. Its result and a raw "
    "object of the same bytes, which the bare Worker streams from the same bucket in the same runtime, are "
    "read in turns over one connection, uncompressed. CPU time is that of the one process that all Workers "
    "and the simulated R2, D1 and queues share, while a result is read: more than the router's own. The "
    "large answer is asked before any result, so the router's isolate has made none; resident memory is "
    "that process's, so it has the interpreter, the kernel, JavaScript and the simulated stores in it. "
    "With LARGE=1 the largest part that a result may have is read, too."
)

RESULTS: Final = Measurement(
    name="results", bounds=frozenset({"result-ratio", "result-cpu", "inline-memory"}), run=_run
)
