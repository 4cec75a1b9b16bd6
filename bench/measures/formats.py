"""Every format of samples against JSON in the same run: speed, size, CPU time; and what Arrow and Parquet
leave in the memory of a router that has served them.
"""

import tempfile
from pathlib import Path
from statistics import median
from typing import Any, Final

import httpx

from bench.client import Client, plain
from bench.copies import copied, running, timed_jobs
from bench.cpu import spending
from bench.finding import Finding, Measurement, Report, Setting
from local.runtime_memory import resident_mb, runtime_of
from local.stack import Stack

COPIES, QUICK_COPIES = 20, 4
"""Twenty copies are 900,000 samples of a result; five are what a format that is made whole may have."""

WHOLE_COPIES: Final = 5
READS: Final = 3
MB: Final = 1_000_000
MICROSECOND: Final = 1e6

STREAMED: Final = ("json", "rows", "ndjson", "csv", "arrow", "parquet")
WHOLE: Final = (
    "json",
    "columns",
    "columns&time_unit=s",
    "columns&shape=long",
    "csv&shape=wide",
    "msgpack",
    "arrow&shape=wide",
)


def _run(setting: Setting) -> Report:
    with tempfile.TemporaryDirectory(prefix="formats-") as name:
        folder = Path(name)
        made = copied(folder / "data", setting.sample, QUICK_COPIES if setting.quick else COPIES)
        with running(folder, made) as stack, httpx.Client(base_url=stack.url, trust_env=False) as client:
            small = made.points[: min(len(made.points), WHOLE_COPIES)]
            jobs, _ = timed_jobs(client, [made.body(made.points), made.body(small)])
            large, few = (f"/api/jobs/{job['jobId']}/result?format=" for job in jobs)
            pid = runtime_of(stack.host.child.pid)
            with Client(stack.url) as one:
                memory, figures = _served(stack, pid, one, large), []
                samples = made.sample_count
                figures += _figures("sent while it is made", STREAMED, large, samples, pid, one)
                samples = len(small) * len(made.rows)
                figures += _figures("made whole", WHOLE, few, samples, pid, one)
    return Report(findings=memory, figures=tuple(figures), method=METHOD)


def _served(stack: Stack, pid: int, client: Client, path: str) -> tuple[Finding, ...]:
    """The memory of a router before and after its first Arrow and Parquet."""
    for form in ("json", "csv", "ndjson", "rows"):
        plain(client, path + form)
    heap, resident = stack.host.heap_bytes("router"), resident_mb(pid)
    first = plain(client, path + "arrow").duration_ms
    second = plain(client, path + "arrow").duration_ms
    plain(client, path + "parquet")
    after, grown = stack.host.heap_bytes("router"), resident_mb(pid) - resident
    return (
        Finding(
            what="a router that has served Arrow and Parquet: its interpreter's memory",
            measured=after / MB,
            unit="MB",
            note=f"{heap / MB:.1f} MB after the same samples as text; the process grew by {grown:.0f} MB",
        ),
        Finding(
            what="the first Arrow of an isolate takes longer than the second, the import with it, by",
            measured=first - second,
            unit="ms",
            note=f"{second:.0f} ms",
        ),
    )


def _figures(  # noqa: PLR0917 - what is read, how much that is, and of whom
    how: str, forms: tuple[str, ...], path: str, samples: int, pid: int, client: Client
) -> list[dict[str, Any]]:
    """A row a format. They are read in turns, so that a busy machine is busy for all of them."""
    read: dict[str, list[tuple[float, float, int]]] = {form: [] for form in forms}
    for _ in range(READS):
        for form in forms:
            cpu_s, reply = spending(pid, lambda: plain(client, path + form))  # noqa: B023 - called at once
            read[form].append((reply.duration_ms, cpu_s, len(reply.body)))
    json_ms = median(one[0] for one in read["json"])
    return [
        {
            "format": form,
            "how": how,
            "samples": samples,
            "bytes_a_sample": found[0][2] / samples,
            "MB_a_second": found[0][2] / MB / (duration_ms / 1_000),
            "M_samples_a_second": samples / duration_ms / 1_000,
            "times_as_fast_as_json": json_ms / duration_ms,
            "CPU_us_a_sample": median(one[1] for one in found) / samples * MICROSECOND,
        }
        for form, found in read.items()
        for duration_ms in (median(one[0] for one in found),)
    ]


METHOD: Final = (
    "Copies of one one-minute meter, each a point of its own, fetched by one job; formats that are made "
    "whole are of fewer. The results are read in turns over one connection, uncompressed. CPU time is that "
    "of the one process that all Workers and the simulated R2, D1 and queues share. Memory is the "
    "interpreter's (WebAssembly), which never shrinks; four text formats are read before Arrow is."
)

FORMATS: Final = Measurement(name="formats", bounds=frozenset(), run=_run)
