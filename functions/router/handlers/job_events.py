"""`/api/jobs/{job}/events`: what happens to a job, as server-sent events (WHATWG HTML, 9.2).

Each event carries the whole job, and an id by which a client that connects again says what it knows. The
last event is named by how the job ended; a client that has it gets 204 and connects no more.
"""

from collections.abc import AsyncIterator

from edgeseries.access.grants import Grant
from edgeseries.answers.answer import json_bytes
from edgeseries.errors import StoreUnavailable
from edgeseries.http.messages import HttpResponse
from edgeseries.jobs.job import Job
from edgeseries.jobs.limits import EVENT_BEAT_MS, EVENT_STEP_MS, EVENTS_MAX_MS, POLL_INTERVAL_MS
from router.authorize import still_holds
from router.contract.job_schemas import PROGRESS
from router.endpoints import Arrival
from router.outcome import Outcome
from router.ports import Ports
from router.serializers import serialize_job


def events_outcome(job: Job, arrival: Arrival, ports: Ports) -> Outcome:
    """The stream, or 204 for who knows already how the job ended."""
    known = arrival.request.headers.get("last-event-id", "")
    if not job.active and known == mark_of(job):
        return Outcome(response=HttpResponse(status=204))
    headers = {"Content-Type": "text/event-stream; charset=utf-8"}
    if arrival.request.method == "HEAD":
        return Outcome(response=HttpResponse(status=200, headers=headers))
    stream = ports.streaming.stream(events(job, known, arrival.grant, ports))
    return Outcome(response=HttpResponse(status=200, headers=headers, stream=stream))


async def events(job: Job, known: str, grant: Grant, ports: Ports) -> AsyncIterator[bytes]:
    """An event for every change of the job, a comment where nothing happens for long. A key that is revoked
    meanwhile gets no more.
    """
    began_ms = told_ms = ports.clock.now_ms()
    yield b"retry: %d\n\n" % POLL_INTERVAL_MS
    while ports.clock.now_ms() - began_ms < EVENTS_MAX_MS:
        if mark_of(job) != known:
            known = mark_of(job)
            yield event_of(job, ports.clock.now_ms())
            told_ms = ports.clock.now_ms()
        if not job.active:
            return
        if ports.clock.now_ms() - told_ms >= EVENT_BEAT_MS:
            yield b": still here\n\n"
            told_ms = ports.clock.now_ms()
        await ports.timer.pause(EVENT_STEP_MS)
        try:
            if not await still_holds(grant, ports):
                return
            job = await ports.book.find(job.job_id) or job
        except StoreUnavailable as error:
            ports.journal.line("warning", "a job cannot be looked up", cause=error.detail)


def mark_of(job: Job) -> str:
    """What a client knows that has seen this state of the job."""
    return f"{job.updated_ms:x}-{job.batches_done}-{job.status}"


def event_of(job: Job, now_ms: int) -> bytes:
    """One event."""
    name = PROGRESS if job.active else str(job.status)
    return b"id: %b\nevent: %b\ndata: %b\n\n" % (
        mark_of(job).encode(),
        name.encode(),
        json_bytes(serialize_job(job, now_ms)),
    )
