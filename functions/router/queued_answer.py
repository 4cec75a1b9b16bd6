"""A request that becomes a job: make it or join it, then answer where it is or wait for it."""

from dataclasses import dataclass, replace
from typing import Annotated, Final

from edgeseries.access.grants import Right, require
from edgeseries.answers.answer import json_bytes
from edgeseries.answers.presentation import JSON, Presentation
from edgeseries.errors import EdgeError, JobsFull, RateLimited, StoreUnavailable
from edgeseries.http.documents import SPREAD, Document, to_json
from edgeseries.http.messages import HttpResponse
from edgeseries.jobs.job import Job, JobRequest, Priority
from edgeseries.jobs.limits import JOIN_COMPLETED_MS, POLL_INTERVAL_MS, WAIT_STEP_MS
from edgeseries.jobs.messages import PlanMessage
from edgeseries.jobs.ports.jobs import Joined
from edgeseries.jobs.prefer import wait_of
from edgeseries.limits import ACTIVE_JOBS_RETRY_S, SECOND_MS
from edgeseries.planning.fetch_plan import FetchPlan
from edgeseries.planning.query import TimeseriesQuery
from edgeseries.planning.routing import Route
from edgeseries.rates import RatePolicy
from edgeseries.reading.faults import note
from router.contract.answers import JOB_HEADERS, json_answer
from router.endpoint import Arrival
from router.job_result import result_outcome
from router.outcome import Outcome
from router.ports import Ports
from router.result_parts import with_parts
from router.serializers import JobDocument, serialize_job, status_url

ACCEPTED_STATUS = 202


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptedJobDocument(Document):
    """A job that a request became."""

    job: Annotated[JobDocument, SPREAD]
    message: str
    estimated_samples: int


ACCEPTED: Final = json_answer("The job of this request.", AcceptedJobDocument, *JOB_HEADERS)
"""What endpoints declare whose requests may become jobs."""

TOO_MUCH_FOR_READERS = "so much at once runs as a job; ask for a shorter range or fewer points: a job"
"""How Forbidden begins for a caller who did not ask for a job."""


async def queue_job(
    query: TimeseriesQuery,
    fetch_plan: FetchPlan,
    arrival: Arrival,
    ports: Ports,
    *,
    priority: Priority = Priority.NORMAL,
    presentation: Presentation = JSON,
) -> Outcome:
    """202 with the job of this request, or its result if it ends while the caller waits.

    Raises Forbidden for a caller who may not have jobs.
    """
    require(arrival.grant, Right.JOBS, what=TOO_MUCH_FOR_READERS)
    joined = await start_job(
        JobRequest(query=query, owner=arrival.grant.key_id, priority=priority), fetch_plan, ports
    )
    wait_s = wait_of(arrival.request.headers.get("prefer", ""))
    if wait_s is None:
        return accepted(joined, fetch_plan, ports)
    job = await wait_for(joined.job, wait_s, ports)
    preferred = {"Preference-Applied": f"wait={wait_s}"}
    job = await with_parts(job, ports)
    outcome = await _result(job, query, presentation, arrival, ports) if job.result_parts == 1 else None
    if outcome is None:
        outcome = accepted(replace(joined, job=job), fetch_plan, ports)
    headers = {**outcome.response.headers, **preferred}
    return replace(outcome, response=replace(outcome.response, headers=headers))


async def start_job(request: JobRequest, fetch_plan: FetchPlan, ports: Ports) -> Joined:
    """Make or join the job. A completed one is joined while everything it fetched is still stored.

    If the queue does not take the message, the janitor sends it later: the job is made all the same.
    """
    now_ms = ports.clock.now_ms()
    all_stored = fetch_plan.sealed and not fetch_plan.missing_days
    try:
        joined = await ports.jobs.create(
            request,
            now_ms=now_ms,
            join_ended_after_ms=0 if all_stored else now_ms - JOIN_COMPLETED_MS,
            max_active=ports.access.max_active_jobs,
        )
    except JobsFull as error:
        raise too_many_jobs(error.detail, ports) from error
    if joined.created:
        try:
            await ports.job_queue.send((PlanMessage(job_id=joined.job.job_id),), priority=request.priority)
        except StoreUnavailable as error:
            ports.journal.line("warning", "a job's message waits for the janitor", cause=error.detail)
    return joined


async def _result(
    job: Job, query: TimeseriesQuery, presentation: Presentation, arrival: Arrival, ports: Ports
) -> Outcome | None:
    """The result; None if it cannot be had now: who asks for it later is told why."""
    try:
        return await result_outcome(job, query, presentation, arrival.request, ports)
    except EdgeError as error:
        note(ports, "a result cannot be had now", error)
        return None


def too_many_jobs(detail: str, ports: Ports) -> RateLimited:
    """The error for a key that has as many jobs under way as it may. When one of them ends nobody knows."""
    policy = RatePolicy(name="active-jobs", quota=ports.access.active_jobs_per_key)
    return RateLimited(detail, retry_after_s=ACTIVE_JOBS_RETRY_S, policy=policy)


async def wait_for(job: Job, wait_s: int, ports: Ports) -> Job:
    """The job when it has ended, or as it is after so many seconds."""
    known_ms = ports.clock.now_ms()
    until_ms = known_ms + wait_s * SECOND_MS
    while job.active and (left_ms := until_ms - ports.clock.now_ms()) > 0:
        await ports.timer.pause(min(WAIT_STEP_MS, left_ms))
        try:
            seen = await ports.job_watch.look(job.job_id, known_ms=known_ms, max_age_ms=WAIT_STEP_MS)
            if seen is not None:
                job, known_ms = seen.job or job, seen.read_ms
        except EdgeError as error:
            ports.journal.line("warning", "a job cannot be looked up", cause=error.detail)
    return job


def accepted(joined: Joined, fetch_plan: FetchPlan, ports: Ports) -> Outcome:
    """202: what the job is called and where it can be watched."""
    job = joined.job
    document = AcceptedJobDocument(
        job=serialize_job(job, ports.clock.now_ms()),
        message=_message(joined),
        estimated_samples=fetch_plan.missing_samples,
    )
    return Outcome(
        response=HttpResponse(
            status=ACCEPTED_STATUS,
            headers={
                "Content-Type": "application/json",
                "Location": status_url(job.job_id),
                "Retry-After": str(-(-POLL_INTERVAL_MS // SECOND_MS)),
            },
            body=json_bytes(to_json(document)),
        ),
        route=Route.QUEUED,
        point_count=job.point_count,
    )


def _message(joined: Joined) -> str:
    if joined.created:
        return "the request runs in the background; follow statusUrl or eventsUrl, then get resultUrl"
    if joined.job.active:
        return "the same request runs already; this is its job"
    return f"the same request has a job that is {joined.job.status}"
