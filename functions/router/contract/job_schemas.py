"""JSON Schemas of jobs and dead letters. Format: `docs/formats/jobs.md`."""

from typing import Any, Final

from edgeseries.http.parameters import Schema
from edgeseries.jobs.job import FULL_PERCENT, Priority
from edgeseries.jobs.states import ACTIVE, JobStatus
from router.contract.schemas import (
    ANY_OBJECT,
    COUNT,
    MOMENT,
    NUMBER,
    TEXT,
    listed,
    maybe,
    record,
    ref,
    words,
)

PROGRESS: Final = "progress"
"""The name of events of a job that is under way; the last one is named by how it ended."""

JOB: Final = record(
    jobId=TEXT,
    status=words(*JobStatus),
    progress={"type": "number", "minimum": 0, "maximum": FULL_PERCENT},
    site=TEXT,
    pointCount=COUNT,
    startTime=MOMENT,
    endTime=MOMENT,
    priority=words(*Priority),
    createdAt=MOMENT,
    startedAt=maybe(MOMENT),
    endedAt=maybe(MOMENT),
    updatedAt=MOMENT,
    batches=record(done=COUNT, total=COUNT),
    estimatedSize=COUNT,
    samplesCount=COUNT,
    retries=COUNT,
    ratePerSecond=maybe(NUMBER),
    etaSeconds=maybe(COUNT),
    error=maybe(TEXT),
    statusUrl=TEXT,
    eventsUrl=TEXT,
    resultUrl=maybe(TEXT),
    resultParts=maybe(COUNT),
    pollInterval=maybe(COUNT),
)


def job_and(**fields: Schema) -> dict[str, Any]:
    """A job with more fields."""
    return record(**{**JOB["properties"], **fields})


ACCEPTED_JOB: Final = job_and(message=TEXT, estimatedSamples=COUNT)
CANCELLED_JOB: Final = job_and(success={"type": "boolean", "const": True}, message=TEXT)
EVENT: Final = {
    "type": "object",
    "properties": {
        "id": TEXT,
        "event": words(PROGRESS, *(status for status in JobStatus if status not in ACTIVE)),
        "data": {"type": "string", "contentMediaType": "application/json", "contentSchema": ref("Job")},
        "retry": COUNT,
    },
    "description": "A server-sent event.",
}
JOBS: Final = record(jobs=listed(ref("Job")), cursor=maybe(TEXT))

DEAD_LETTER: Final = record(
    letterId=TEXT,
    queue=TEXT,
    jobId=maybe(TEXT),
    batchIndex=maybe(COUNT),
    message=ANY_OBJECT,
    cause=TEXT,
    attempts=COUNT,
    buriedAt=MOMENT,
    replayedAt=maybe(MOMENT),
    replayUrl=TEXT,
)
DEAD_LETTERS: Final = record(letters=listed(ref("DeadLetter")), cursor=maybe(TEXT))
REPLAYED: Final = record(letter=ref("DeadLetter"), job=maybe(ref("Job")))
