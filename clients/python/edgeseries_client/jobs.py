"""Jobs: what one is, how it is followed to its end, how lists of them are walked through."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self
from urllib.parse import quote

from edgeseries_client.errors import JobEnded
from edgeseries_client.retrying import RetryPolicy, asked
from edgeseries_client.steps import Call, Flow, Tell, Wait

ENDED: Final = frozenset({"completed", "failed", "cancelled"})
DEFAULT_POLL_MS: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A job as the server told it. `progress` is in percent; `document` has every field of the answer."""

    job_id: str
    status: str
    progress: float
    site: str
    result_url: str | None
    result_parts: int
    eta_s: float | None
    rate_per_s: float | None
    error: str | None
    poll_ms: int
    document: Mapping[str, Any]

    @property
    def ended(self) -> bool:
        """Whether it is completed, failed or cancelled."""
        return self.status in ENDED

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """A job from the JSON of the server, of which fields may be missing in older answers."""
        return cls(
            job_id=document["jobId"],
            status=document["status"],
            progress=float(document.get("progress") or 0.0),
            site=document.get("site") or "",
            result_url=document.get("resultUrl"),
            result_parts=document.get("resultParts") or 1,
            eta_s=document.get("etaSeconds"),
            rate_per_s=document.get("ratePerSecond"),
            error=document.get("error"),
            poll_ms=document.get("pollInterval") or DEFAULT_POLL_MS,
            document=document,
        )


def path_of(job_id: str) -> str:
    """The job's path."""
    return f"/api/jobs/{quote(job_id, safe='')}"


def job_now(job_id: str, policy: RetryPolicy) -> Flow[Job]:
    """Look at a job once. Raises NotFound."""
    answer = yield from asked(Call(method="GET", path=path_of(job_id)), policy)
    return Job.from_document(json.loads(answer.body))


def follow(job: Job, policy: RetryPolicy) -> Flow[Job]:
    """Look at a job as often as it says, until it is completed.

    Looking is as quick as the job's events are (one a second), and survives any broken connection.
    Returns: the job with `result_url`. Raises: JobEnded where it failed or was cancelled.
    """
    yield Tell(job=job)
    # A 202 does not say in how many parts a result comes.
    while not job.ended or (job.status == "completed" and job.document.get("resultParts") is None):
        if not job.ended:
            yield Wait(seconds=job.poll_ms / 1000)
        known = job
        job = yield from job_now(job.job_id, policy)
        yield Tell(job=job)
        if known.ended:
            break
    if job.status != "completed":
        raise JobEnded(job)
    return job


def changed(method: str, job_id: str, action: str, policy: RetryPolicy) -> Flow[Job]:
    """Cancel (DELETE) or try again (POST, `/retry`). Raises Conflict where it is in no state for it."""
    answer = yield from asked(Call(method=method, path=path_of(job_id) + action), policy)
    return Job.from_document(json.loads(answer.body))


def pages(
    path: str, field: str, query: tuple[tuple[str, str], ...], policy: RetryPolicy, *, limit: int | None
) -> Flow[list[dict[str, Any]]]:
    """All entries of a list that comes in pages, `limit` of them at most."""
    found: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        more = query if cursor is None else (*query, ("cursor", cursor))
        answer = yield from asked(Call(method="GET", path=path, query=more), policy)
        document = json.loads(answer.body)
        found += document[field]
        cursor = document.get("cursor")
        if cursor is None or (limit is not None and len(found) >= limit):
            return found[:limit]
