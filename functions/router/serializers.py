"""Jobs, dead letters and keys as JSON documents. Formats: `docs/formats/jobs.md`, `keys.md`."""

import json
from base64 import b64decode, urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import quote

from edgeseries.access.grants import Right
from edgeseries.access.keys import ALL_SITES, KeyRecord
from edgeseries.errors import Fault, InvalidRequest
from edgeseries.http.documents import AnyObject, Document, Given, Moment, Section
from edgeseries.jobs.job import FULL_PERCENT, Job, Priority
from edgeseries.jobs.limits import POLL_INTERVAL_MS
from edgeseries.jobs.ports.dead_letters import DeadLetter
from edgeseries.jobs.states import JobStatus
from edgeseries.limits import EARLIEST_MS, LATEST_MS, MAX_ID_CHARS, SECOND_MS
from edgeseries.rates import Tier
from edgeseries.series.json_text import parsed
from edgeseries.series.timerange import iso_instant

JOBS_PATH = "/api/jobs"
DEAD_LETTERS_PATH = "/api/queue/dlq"
KEYS_PATH = "/api/keys"


def status_url(job_id: str) -> str:
    """Where a job is looked up."""
    return f"{JOBS_PATH}/{quote(job_id, safe='')}"


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchesDocument(Section):
    """How many parts of a job are done, of how many."""

    done: int
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class JobDocument(Document):
    """A job. Format: `docs/formats/jobs.md`."""

    job_id: str
    status: JobStatus
    progress: Annotated[float, Given({"type": "number", "minimum": 0, "maximum": FULL_PERCENT})]
    site: str
    point_count: int
    start_time: Moment
    end_time: Moment
    priority: Priority
    created_at: Moment
    started_at: Moment | None
    ended_at: Moment | None
    updated_at: Moment
    batches: BatchesDocument
    estimated_size: int
    samples_count: int
    retries: int
    rate_per_second: float | None
    eta_seconds: int | None
    error: str | None
    status_url: str
    events_url: str
    result_url: str | None
    result_parts: int | None
    poll_interval: int | None


def serialize_job(job: Job, now_ms: int) -> JobDocument:
    """A job as it stands at a moment (UTC epoch ms)."""
    rate, eta_ms = job.rate_per_s(now_ms), job.eta_ms(now_ms)
    here = status_url(job.job_id)
    return JobDocument(
        job_id=job.job_id,
        status=job.status,
        progress=round(job.progress_percent, 1),
        site=job.site,
        point_count=job.point_count,
        start_time=iso_instant(job.span.start_ms),
        end_time=iso_instant(job.span.end_ms),
        priority=job.priority,
        created_at=iso_instant(job.created_ms),
        started_at=_instant(job.started_ms),
        ended_at=_instant(job.ended_ms),
        updated_at=iso_instant(job.updated_ms),
        batches=BatchesDocument(done=job.batches_done, total=job.batch_count),
        estimated_size=job.expected_samples,
        samples_count=job.sample_count,
        retries=job.retry_count,
        rate_per_second=None if rate is None else round(rate, 1),
        eta_seconds=None if eta_ms is None else -(-eta_ms // SECOND_MS),
        error=job.error,
        status_url=here,
        events_url=f"{here}/events",
        result_url=f"{here}/result" if job.status is JobStatus.COMPLETED else None,
        result_parts=job.result_parts,
        poll_interval=POLL_INTERVAL_MS if job.active else None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetterDocument(Document):
    """A dead letter. Format: `docs/formats/jobs.md`."""

    letter_id: str
    queue: str
    job_id: str | None
    batch_index: int | None
    message: AnyObject
    cause: str
    attempts: int
    buried_at: Moment
    replayed_at: Moment | None
    replay_url: str


def serialize_dead_letter(dead_letter: DeadLetter) -> DeadLetterDocument:
    """A dead letter with the address that replays it."""
    return DeadLetterDocument(
        letter_id=dead_letter.letter_id,
        queue=dead_letter.queue,
        job_id=dead_letter.job_id,
        batch_index=dead_letter.batch_index,
        message=dict(dead_letter.message),
        cause=dead_letter.cause,
        attempts=dead_letter.attempts,
        buried_at=iso_instant(dead_letter.buried_ms),
        replayed_at=_instant(dead_letter.replayed_ms),
        replay_url=f"{DEAD_LETTERS_PATH}/{quote(dead_letter.letter_id, safe='')}/replay",
    )


def key_url(key_id: str) -> str:
    """Where a key is looked up."""
    return f"{KEYS_PATH}/{quote(key_id, safe='')}"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyDocument(Document):
    """An API key without its secret. Format: `docs/formats/keys.md`."""

    key_id: str
    owner: str
    sites: tuple[str, ...]
    rights: tuple[Right, ...]
    tier: Tier
    created_at: Moment
    revoked_at: Moment | None
    used_at: Moment | None
    key_url: str


def serialize_key(record: KeyRecord) -> KeyDocument:
    """An API key; one for all sites has the site `*`."""
    return KeyDocument(
        key_id=record.key_id,
        owner=record.owner,
        sites=(ALL_SITES,) if record.sites is None else record.sites,
        rights=record.rights,
        tier=record.tier,
        created_at=iso_instant(record.created_ms),
        revoked_at=_instant(record.revoked_ms),
        used_at=_instant(record.used_ms),
        key_url=key_url(record.key_id),
    )


def name_cursor(name: str) -> str:
    """Where a list by name goes on."""
    return cursor_text(0, name)


def cursor_name(text: str) -> str:
    """What `name_cursor` was made of. Raises InvalidRequest."""
    return cursor_place(text)[1]


POINT_MARK = b"point:"
"""What a cursor of a list of points begins with, so that another list's is none of it."""


def point_cursor(name: str) -> str:
    """Where a list of points goes on after one of them, whatever its name is."""
    return urlsafe_b64encode(POINT_MARK + name.encode()).decode().rstrip("=")


def name_after(text: str) -> str:
    """What `point_cursor` was made of. Raises InvalidRequest."""
    try:
        found = b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        name = found.removeprefix(POINT_MARK).decode()
    except ValueError:
        raise _foreign_cursor() from None
    if not found.startswith(POINT_MARK):
        raise _foreign_cursor()
    return name


def cursor_text(at_ms: int, name: str) -> str:
    """Where a list goes on, as a text that means nothing to callers."""
    return urlsafe_b64encode(json.dumps([at_ms, name]).encode()).decode().rstrip("=")


def cursor_place(text: str) -> tuple[int, str]:
    """What `cursor_text` was made of. Raises InvalidRequest."""
    try:
        at_ms, name = parsed(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, TypeError):
        at_ms, name = None, None
    timed = type(at_ms) is int and EARLIEST_MS <= at_ms <= LATEST_MS
    named = isinstance(name, str) and name.isascii() and name.isprintable() and len(name) <= MAX_ID_CHARS
    if not timed or not named:
        raise _foreign_cursor()
    return at_ms, name


def _foreign_cursor() -> InvalidRequest:
    return InvalidRequest(
        (Fault(parameter="cursor", detail="is none of ours; send what the page before gave"),)
    )


def _instant(at_ms: int | None) -> str | None:
    return None if at_ms is None else iso_instant(at_ms)
