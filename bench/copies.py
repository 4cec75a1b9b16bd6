"""Large jobs: a site of copies of one meter, a stack that serves it, and jobs that are timed.

Owns what measurements of jobs and of results share. Must not know what is measured.
"""

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx

from bench.ground import BARE
from bench.week import SITE
from edgeseries.series.timerange import TimeRange
from local.expected import expected_samples
from local.host_plan import Script
from local.stack import Stack, StackOptions
from local.upstream.truth import Truth

METER: Final = "water_2923"
"""The series that large jobs are made of copies of: one-minute data that compresses badly."""

MANY: Final = "copies"
POLL_S: Final = 0.1
PATIENCE_S: Final = 1_800.0
ENDED: Final = frozenset({"completed", "failed", "cancelled"})
SETTINGS: Final = {"rescueAfterSeconds": "1", "queueMaxWaitSeconds": "0", "janitorCron": "0 0 1 1 *"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Copies:
    """A folder with one site of copies of one meter, and what each of them holds."""

    data: Path
    points: tuple[str, ...]
    rows: list[list[Any]]
    span: TimeRange

    @property
    def sample_count(self) -> int:
        """Samples of all copies."""
        return len(self.points) * len(self.rows)

    def body(self, points: tuple[str, ...], **more: Any) -> dict[str, Any]:
        """A request for some of them."""
        return {
            "site": MANY,
            "points": list(points),
            "start_time": self.span.start_ms,
            "end_time": self.span.end_ms,
            **more,
        }


def copied(data: Path, sample: Path, count: int) -> Copies:
    """A site of so many copies under `data`."""
    folder = data / MANY
    folder.mkdir(parents=True)
    points = tuple(f"copy{number:04d}" for number in range(count))
    for point in points:
        shutil.copy(sample / SITE / f"{METER}.csv.gz", folder / f"{point}.csv.gz")
    truth = Truth(sample)
    first_ms, last_ms = truth.span_ms(SITE, METER) or (0, 0)
    return Copies(
        data=data,
        points=points,
        rows=expected_samples(truth, SITE, METER, first_ms, last_ms + 1),
        span=TimeRange(start_ms=first_ms, end_ms=last_ms + 1),
    )


@contextmanager
def running(folder: Path, made: Copies, *scripts: Script) -> Iterator[Stack]:
    """A stack over the copies, its state in `folder`, with the bare Worker beside it."""
    options = StackOptions(
        state=folder / "state", data=made.data, settings=SETTINGS, scripts=(BARE, *scripts)
    )
    with Stack(options) as stack:
        yield stack


def timed_jobs(client: httpx.Client, bodies: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], float]:
    """Jobs posted together, and the seconds until the last has ended well."""
    began_s = time.perf_counter()
    ids = [post_job(client, body) for body in bodies]
    jobs = [ended_job(client, job_id) for job_id in ids]
    seconds = time.perf_counter() - began_s
    if any(job["status"] != "completed" for job in jobs):
        raise AssertionError(f"not completed: {jobs}")
    return jobs, seconds


def post_job(client: httpx.Client, body: dict[str, Any]) -> str:
    """The id of a new job."""
    response = client.post("/api/jobs", json=body, timeout=PATIENCE_S)
    return str(response.raise_for_status().json()["jobId"])


def job_of(client: httpx.Client, job_id: str) -> dict[str, Any]:
    """A job as it is."""
    found: dict[str, Any] = client.get(f"/api/jobs/{job_id}", timeout=PATIENCE_S).raise_for_status().json()
    return found


def ended_job(client: httpx.Client, job_id: str, stack: Stack | None = None) -> dict[str, Any]:
    """The job when it has ended; with a stack, the janitor sweeps once at the beginning."""
    if stack is not None:
        janitor = next(worker.name for worker in stack.host.plan.workers if worker.function == "janitor")
        stack.host.fire_schedule(janitor, SETTINGS["janitorCron"])
    until_s = time.monotonic() + PATIENCE_S
    while (job := job_of(client, job_id))["status"] not in ENDED:
        if time.monotonic() > until_s:
            raise AssertionError(f"the job hangs: {job}")
        time.sleep(POLL_S)
    return job
