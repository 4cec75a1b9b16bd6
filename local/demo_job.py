"""The demo's large request: a job, watched through its events, its result held against the truth."""

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import httpx
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from local.expected import expected_samples
from local.upstream.truth import Truth

EVENTS_TIMEOUT_S: Final = 120.0
"""Between two events of a job: a comment comes every 15 s while nothing happens."""

ACTIVE: Final = frozenset({"queued", "processing", "retrying"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """How a job went, as a caller saw it."""

    status: str
    sample_count: int
    fetched_count: int
    duration_s: float
    result_s: float
    result_bytes: int
    wrong: tuple[str, ...]

    @property
    def right(self) -> bool:
        """Whether it completed, and its result equals the truth."""
        return self.status == "completed" and not self.wrong


def follow(
    console: Console,
    client: httpx.Client,
    accepted: Mapping[str, Any],
    truth: Truth,
    *,
    span_ms: tuple[int, int],
) -> Finished:
    """Watch a job to its end with a bar, then download its result and compare it."""
    began_s = time.perf_counter()
    job = dict(accepted)
    with Progress(
        TextColumn("  job {task.fields[status]:<10}"),
        BarColumn(bar_width=40),
        TextColumn("{task.percentage:>5.1f} %"),
        MofNCompleteColumn(),
        TextColumn("batches  {task.fields[samples]:>9,} samples"),
        TimeElapsedColumn(),
        console=console,
    ) as bar:
        task = bar.add_task("job", total=None, status="queued", samples=0)
        for job in job_events(client, str(accepted["eventsUrl"])):
            bar.update(
                task,
                total=job["batches"]["total"] or None,
                completed=job["batches"]["done"],
                status=job["status"],
                samples=job["samplesCount"],
            )
    duration_s = time.perf_counter() - began_s
    if job["status"] != "completed":
        wrong = (f"the job {job['status']}: {job['error']}",)
        return Finished(
            status=job["status"],
            sample_count=0,
            fetched_count=job["samplesCount"],
            duration_s=duration_s,
            result_s=0.0,
            result_bytes=0,
            wrong=wrong,
        )
    began_s = time.perf_counter()
    response = client.get(str(job["resultUrl"]))
    result_s = time.perf_counter() - began_s
    data = response.raise_for_status().json()["data"]
    site = str(job["site"])
    return Finished(
        status=job["status"],
        sample_count=sum(one["count"] for one in data.values()),
        fetched_count=job["samplesCount"],
        duration_s=duration_s,
        result_s=result_s,
        result_bytes=len(response.content),
        wrong=tuple(point for point in data if not _is_right(data[point], truth, site, point, span_ms)),
    )


def job_events(client: httpx.Client, url: str) -> Iterator[dict[str, Any]]:
    """The job as each of its events tells it, to the last one."""
    with client.stream("GET", url, timeout=EVENTS_TIMEOUT_S) as stream:
        for line in stream.iter_lines():
            if line.startswith("data: "):
                job = json.loads(line.removeprefix("data: "))
                yield job
                if job["status"] not in ACTIVE:
                    return


def _is_right(answered: object, truth: Truth, site: str, point: str, span_ms: tuple[int, int]) -> bool:
    expected = expected_samples(truth, site, point, *span_ms)
    return json.dumps(answered) == json.dumps({"samples": expected, "count": len(expected), "error": None})
