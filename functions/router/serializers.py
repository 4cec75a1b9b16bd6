"""Jobs, dead letters and keys as JSON documents. Formats: `docs/formats/jobs.md`, `keys.md`."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from urllib.parse import quote

from edgeseries.access.keys import ALL_SITES, KeyRecord
from edgeseries.errors import Fault, InvalidRequest
from edgeseries.jobs.job import Job
from edgeseries.jobs.limits import POLL_INTERVAL_MS
from edgeseries.jobs.ports.dead_letters import DeadLetter
from edgeseries.jobs.states import JobStatus
from edgeseries.limits import EARLIEST_MS, LATEST_MS, MAX_ID_CHARS, SECOND_MS
from edgeseries.series.json_text import parsed
from edgeseries.series.timerange import iso_instant

JOBS_PATH = "/api/jobs"
DEAD_LETTERS_PATH = "/api/queue/dlq"
KEYS_PATH = "/api/keys"


def status_url(job_id: str) -> str:
    """Where a job is looked up."""
    return f"{JOBS_PATH}/{quote(job_id, safe='')}"


def serialize_job(job: Job, now_ms: int) -> dict[str, object]:
    """Serializes a job."""
    rate, eta_ms = job.rate_per_s(now_ms), job.eta_ms(now_ms)
    here = status_url(job.job_id)
    return {
        "jobId": job.job_id,
        "status": str(job.status),
        "progress": round(job.progress_percent, 1),
        "site": job.site,
        "pointCount": job.point_count,
        "startTime": iso_instant(job.span.start_ms),
        "endTime": iso_instant(job.span.end_ms),
        "priority": str(job.priority),
        "createdAt": iso_instant(job.created_ms),
        "startedAt": _instant(job.started_ms),
        "endedAt": _instant(job.ended_ms),
        "updatedAt": iso_instant(job.updated_ms),
        "batches": {"done": job.batches_done, "total": job.batch_count},
        "estimatedSize": job.expected_samples,
        "samplesCount": job.sample_count,
        "retries": job.retry_count,
        "ratePerSecond": None if rate is None else round(rate, 1),
        "etaSeconds": None if eta_ms is None else -(-eta_ms // SECOND_MS),
        "error": job.error,
        "statusUrl": here,
        "eventsUrl": f"{here}/events",
        "resultUrl": f"{here}/result" if job.status is JobStatus.COMPLETED else None,
        "resultParts": job.result_parts,
        "pollInterval": POLL_INTERVAL_MS if job.active else None,
    }


def serialize_dead_letter(dead_letter: DeadLetter) -> dict[str, object]:
    """Serializes a dead letter."""
    return {
        "letterId": dead_letter.letter_id,
        "queue": dead_letter.queue,
        "jobId": dead_letter.job_id,
        "batchIndex": dead_letter.batch_index,
        "message": dict(dead_letter.message),
        "cause": dead_letter.cause,
        "attempts": dead_letter.attempts,
        "buriedAt": iso_instant(dead_letter.buried_ms),
        "replayedAt": _instant(dead_letter.replayed_ms),
        "replayUrl": f"{DEAD_LETTERS_PATH}/{quote(dead_letter.letter_id, safe='')}/replay",
    }


def key_url(key_id: str) -> str:
    """Where a key is looked up."""
    return f"{KEYS_PATH}/{quote(key_id, safe='')}"


def serialize_key(record: KeyRecord) -> dict[str, object]:
    """Serializes an API key once it is made."""
    return {
        "keyId": record.key_id,
        "owner": record.owner,
        "sites": [ALL_SITES] if record.sites is None else record.sites,
        "rights": record.rights,
        "tier": record.tier,
        "createdAt": iso_instant(record.created_ms),
        "revokedAt": _instant(record.revoked_ms),
        "usedAt": _instant(record.used_ms),
        "keyUrl": key_url(record.key_id),
    }


def name_cursor(name: str) -> str:
    """Where a list by name goes on."""
    return cursor_text(0, name)


def cursor_name(text: str) -> str:
    """What `name_cursor` was made of. Raises InvalidRequest."""
    return cursor_place(text)[1]


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
        raise InvalidRequest(
            (Fault(parameter="cursor", detail="is none of ours; send what the page before gave"),)
        )
    return at_ms, name


def _instant(at_ms: int | None) -> str | None:
    return None if at_ms is None else iso_instant(at_ms)
