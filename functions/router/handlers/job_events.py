"""`/api/jobs/{job}/events`: what happens to a job, as server-sent events (WHATWG HTML, 9.2).

Each event carries the whole job, and an id by which a client that connects again says what it knows. The
last event is named by how the job ended; a client that has it gets 204 and connects no more. A stream ends
earlier, with a `retry:` line, before it has used up what the platform allows one invocation.
"""

from collections.abc import AsyncGenerator

from edgeseries.access.grants import Grant
from edgeseries.answers.answer import json_bytes
from edgeseries.errors import RateLimited, StoreUnavailable
from edgeseries.http.documents import to_json
from edgeseries.http.messages import HttpResponse
from edgeseries.jobs.job import Job
from edgeseries.jobs.limits import (
    EVENT_HEARTBEAT_MS,
    EVENTS_MAX_LOOKS,
    EVENTS_MAX_MS,
    EVENTS_MAX_STREAMS,
    EVENTS_SLOT_MS,
    POLL_INTERVAL_MS,
)
from edgeseries.jobs.pacing import step_ms
from edgeseries.jobs.ports.job_watch import StreamSlot
from edgeseries.limits import SECOND_MS
from edgeseries.rates import RatePolicy
from router.authorize import still_holds
from router.contract.schemas import PROGRESS
from router.endpoint import Arrival
from router.outcome import Outcome
from router.ports import Ports
from router.result_parts import with_parts
from router.serializers import serialize_job

RETRY = b"retry: %d\n\n" % POLL_INTERVAL_MS
"""When a client that lost its stream connects again."""


def events_outcome(job: Job, arrival: Arrival, ports: Ports) -> Outcome:
    """The stream, or 204 for who knows already how the job ended. Raises RateLimited for too many streams."""
    known = arrival.request.headers.get("last-event-id", "")
    if not job.active and known == mark_of(job):
        return Outcome(response=HttpResponse(status=204))
    headers = {"Content-Type": "text/event-stream; charset=utf-8"}
    if arrival.request.method == "HEAD":
        return Outcome(response=HttpResponse(status=200, headers=headers))
    slot = take_slot(arrival, ports)
    stream = ports.streaming.stream(events(job, known, slot, arrival.grant, ports))
    return Outcome(response=HttpResponse(status=200, headers=headers, stream=stream))


def take_slot(arrival: Arrival, ports: Ports) -> StreamSlot:
    """One of the streams that a caller may have. Raises RateLimited where all are taken."""
    grant = arrival.grant
    slot = ports.job_watch.acquire_slot(
        f"key:{grant.key_id}" if grant.key_id else f"ip:{arrival.request.caller}"
    )
    if slot is None:
        raise RateLimited(
            f"{EVENTS_MAX_STREAMS} event streams of this caller are open; end some, or ask for the job",
            retry_after_s=EVENTS_SLOT_MS // SECOND_MS,
            policy=RatePolicy(name="event-streams", quota=EVENTS_MAX_STREAMS),
        )
    return slot


async def events(job: Job, known: str, slot: StreamSlot, grant: Grant, ports: Ports) -> AsyncGenerator[bytes]:
    """An event for every change of the job, a comment where nothing happens for long. A key that is revoked
    meanwhile gets no more.
    """
    began_ms = sent_ms = known_ms = ports.clock.now_ms()
    looks = 0
    yield RETRY
    try:
        job = await with_parts(job, ports)
        while looks < EVENTS_MAX_LOOKS and ports.clock.now_ms() - began_ms < EVENTS_MAX_MS:
            if mark_of(job) != known:
                known = mark_of(job)
                yield event_of(job, ports.clock.now_ms())
                sent_ms = ports.clock.now_ms()
            if not job.active:
                return
            if ports.clock.now_ms() - sent_ms >= EVENT_HEARTBEAT_MS:
                yield b": still here\n\n"
                sent_ms = ports.clock.now_ms()
            wait_ms = step_ms(job, ports.clock.now_ms())
            await ports.timer.pause(wait_ms)
            ports.job_watch.renew_slot(slot)
            try:
                if not await still_holds(grant, ports):
                    return
                seen = await ports.job_watch.look(job.job_id, known_ms=known_ms, max_age_ms=wait_ms)
            except StoreUnavailable as error:
                looks += 1
                ports.journal.line("warning", "a job cannot be looked up", cause=error.detail)
                continue
            if seen is not None:
                looks += seen.asked
                job, known_ms = await with_parts(seen.job or job, ports), seen.read_ms
        yield b": this stream has had its time; connect again\n" + RETRY
    finally:
        ports.job_watch.release_slot(slot)


def mark_of(job: Job) -> str:
    """What a client knows that has seen this state of the job."""
    return f"{job.updated_ms:x}-{job.batches_done}-{job.status}"


def event_of(job: Job, now_ms: int) -> bytes:
    """One event."""
    name = PROGRESS if job.active else str(job.status)
    return b"id: %b\nevent: %b\ndata: %b\n\n" % (
        mark_of(job).encode(),
        name.encode(),
        json_bytes(to_json(serialize_job(job, now_ms))),
    )
