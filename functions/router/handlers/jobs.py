"""`/api/jobs`: make, list, look at, cancel and retry jobs; their results and events."""

from dataclasses import dataclass, replace
from typing import Annotated, Final
from urllib.parse import urlencode

from edgeseries.access.grants import Right
from edgeseries.answers.presentation import PRESENTATION, presentation_of
from edgeseries.errors import Conflict, Fault, Gone, InvalidRequest, NotAcceptable, NotFound, TooLarge
from edgeseries.http.documents import SPREAD, Document, Given, ref
from edgeseries.jobs.dispatch import dispatch
from edgeseries.jobs.job import Job
from edgeseries.jobs.limits import JOB_PAGE_ROWS, POLL_INTERVAL_MS
from edgeseries.jobs.ports.jobs import JobFilter, Place
from edgeseries.jobs.states import JobStatus
from edgeseries.limits import SECOND_MS
from edgeseries.planning.query import TimeseriesQuery
from edgeseries.planning.routing import Route
from router.contract import headers
from router.contract.answers import (
    NOT_MODIFIED,
    ORIGIN,
    RESULT_HEADERS,
    SENT_BODY,
    SERIES,
    SERIES_BODIES,
    STORE,
    Answer,
    json_answer,
)
from router.contract.parameters import CURSOR, LIMIT, OF_SITE, PART, STATUS
from router.endpoint import Arrival, Endpoint, Scope
from router.estimate import estimate
from router.handlers.job_events import events_outcome
from router.handlers.job_socket import SWITCHING, socket_outcome
from router.index_lookup import look_up
from router.job_result import result_outcome
from router.outcome import Outcome, json_outcome
from router.parameters import read_fields, read_job_request
from router.ports import Ports
from router.queued_answer import ACCEPTED, queue_job, too_many_jobs
from router.result_parts import gone, query_of_part, result_parts, with_parts
from router.serializers import JobDocument, cursor_place, cursor_text, serialize_job, status_url
from router.streamed_answer import refuse_previous


@dataclass(frozen=True, slots=True, kw_only=True)
class JobsDocument(Document):
    """A page of jobs."""

    jobs: tuple[JobDocument, ...]
    cursor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelledJobDocument(Document):
    """A job that was cancelled just now."""

    success: Annotated[bool, Given({"type": "boolean", "const": True})]
    message: str
    job: Annotated[JobDocument, SPREAD]


async def make_job(arrival: Arrival, ports: Ports) -> Outcome:
    """POST: a job of any size, with a priority."""
    query, priority, dry_run = read_job_request(arrival)
    refuse_previous(query)
    wanted = query.read()
    index = await look_up(wanted, reads=True, ports=ports)
    survey = ports.reader.survey(wanted, index, now_ms=arrival.request.arrived_ms)
    if dry_run:
        return estimate(query, index, survey.fetch_plan, Route.QUEUED, ports)
    return await queue_job(query, survey.fetch_plan, arrival, ports, priority=priority)


async def list_jobs(arrival: Arrival, ports: Ports) -> Outcome:
    """GET: the caller's jobs, the newest first; of all callers for an admin."""
    fields = read_fields(arrival.request, arrival.endpoint.parameters)
    after = None
    if "cursor" in fields:
        created_ms, job_id = cursor_place(fields["cursor"])
        after = Place(created_ms=created_ms, job_id=job_id)
    status = fields.get("status")
    wanted = JobFilter(
        owner=None if arrival.grant.sees_all_jobs else arrival.grant.key_id,
        status=None if status is None else JobStatus(status),
        site=fields.get("site"),
    )
    page = await ports.jobs.page(wanted, after=after, limit=fields.get("limit", JOB_PAGE_ROWS))
    now_ms = ports.clock.now_ms()
    return json_outcome(
        JobsDocument(
            jobs=tuple(serialize_job(job, now_ms) for job in page.jobs),
            cursor=None if page.after is None else cursor_text(page.after.created_ms, page.after.job_id),
        )
    )


async def show_job(arrival: Arrival, ports: Ports) -> Outcome:
    """GET of one: how it stands."""
    job = await with_parts(await the_job(arrival, ports), ports)
    return json_outcome(serialize_job(job, ports.clock.now_ms()))


async def cancel_job(arrival: Arrival, ports: Ports) -> Outcome:
    """DELETE: stop it within one upstream call. What it has stored stays. Raises Conflict once it has
    ended.
    """
    job = await the_job(arrival, ports)
    if not await ports.jobs.cancel(job.job_id, now_ms=ports.clock.now_ms()):
        ended = await the_job(arrival, ports)
        raise Conflict(f"the job is {ended.status} already; there is nothing to cancel")
    cancelled = await the_job(arrival, ports)
    return json_outcome(
        CancelledJobDocument(
            success=True,
            message="the job is cancelled",
            job=serialize_job(cancelled, ports.clock.now_ms()),
        )
    )


async def retry_job(arrival: Arrival, ports: Ports) -> Outcome:
    """POST: take up a failed or cancelled job where it stopped. Raises Conflict, Gone, RateLimited."""
    job = await the_job(arrival, ports)
    max_active = None if arrival.grant.sees_all_jobs else ports.access.max_active_jobs
    if not await ports.jobs.reopen(job.job_id, now_ms=ports.clock.now_ms(), max_active=max_active):
        now = await the_job(arrival, ports)
        if await ports.job_reader.query(job.job_id) is None:
            raise gone()
        if max_active is not None and now.status in (JobStatus.FAILED, JobStatus.CANCELLED):
            raise too_many_jobs("too many jobs are under way; one must end before this one goes on", ports)
        raise Conflict(f"the job is {now.status}; only failed and cancelled jobs are tried again")
    await dispatch(job.job_id, job.priority, ports)
    return json_outcome(serialize_job(await the_job(arrival, ports), ports.clock.now_ms()), status=202)


async def show_result(arrival: Arrival, ports: Ports) -> Outcome:
    """GET: all that the job fetched, in any of the formats."""
    fields = read_fields(arrival.request, arrival.endpoint.parameters)
    presentation = presentation_of(fields, arrival.request.headers.get("accept", ""))
    job = await the_job(arrival, ports)
    query = await completed_query(job, ports)
    parts = await result_parts(job, query, ports)
    number = part_number(fields.get("part"), len(parts))
    part = query_of_part(query, parts[number - 1])
    outcome = await result_outcome(job, part, presentation, arrival.request, ports)
    if number == len(parts):
        return outcome
    asked = {one.name: fields[one.name] for one in PRESENTATION if one.name in fields}
    named = urlencode({**asked, "format": presentation.format, "part": number + 1})
    following = f"{status_url(job.job_id)}/result?{named}"
    headers = {**outcome.response.headers, "Link": f'<{following}>; rel="next"'}
    return replace(outcome, response=replace(outcome.response, headers=headers))


async def completed_query(job: Job, ports: Ports) -> TimeseriesQuery:
    """What a completed job fetched. Raises Conflict for one that is not completed, Gone for one that is only
    in the history by now.
    """
    if job.status is not JobStatus.COMPLETED:
        raise not_there_yet(job)
    query = await ports.job_reader.query(job.job_id)
    if query is None:
        raise gone()
    return query


def part_number(given: str | None, count: int) -> int:
    """The part that is meant, of so many. Raises TooLarge where one has to be named, InvalidRequest past
    the last.
    """
    if given is None and count > 1:
        raise TooLarge(f"the result has {count} parts; ask for part=1 to part={count}, one after the other")
    number = int(given or 1)
    if number > count:
        raise InvalidRequest((Fault(parameter="part", detail=f"the result has {count} parts"),))
    return number


async def follow_job(arrival: Arrival, ports: Ports) -> Outcome:
    """GET: its events until it ends."""
    return events_outcome(await the_job(arrival, ports), arrival, ports)


async def follow_job_by_socket(arrival: Arrival, ports: Ports) -> Outcome:
    """GET: the same events over a WebSocket."""
    return socket_outcome(await the_job(arrival, ports), arrival, ports)


async def the_job(arrival: Arrival, ports: Ports) -> Job:
    """The job that the path names. Raises NotFound, in the same words for a job of somebody else."""
    job = await ports.job_reader.find(arrival.path_parameters["job"])
    if job is None or not (arrival.grant.sees_all_jobs or job.owner == arrival.grant.key_id):
        raise NotFound("there is no such job; GET /api/jobs lists the jobs")
    return job


def not_there_yet(job: Job) -> Conflict:
    """Why a job has no result."""
    if job.active:
        return Conflict(
            f"the job is {job.status}, {job.progress_percent:.0f} % done; follow {status_url(job.job_id)}",
            retry_after_s=-(-POLL_INTERVAL_MS // SECOND_MS),
        )
    why = f": {job.error}" if job.error else ""
    return Conflict(f"the job is {job.status}{why}; POST {status_url(job.job_id)}/retry takes it up again")


ENDPOINTS: Final = (
    Endpoint(
        method="GET",
        pattern="/api/jobs",
        name="listJobs",
        summary="Jobs, the newest first.",
        right=Right.JOBS,
        scope=Scope.JOBS,
        handler=list_jobs,
        parameters=(STATUS, OF_SITE, LIMIT, CURSOR),
        answers={200: json_answer("A page.", JobsDocument)},
        problems=STORE,
    ),
    Endpoint(
        method="POST",
        pattern="/api/jobs",
        name="makeJob",
        summary="A job of any size; the same request joins the job that it has.",
        right=Right.JOBS,
        scope=Scope.SITE,
        handler=make_job,
        parameters=(headers.PREFER,),
        body=ref("JobRequest"),
        answers={200: SERIES, 202: ACCEPTED},
        problems=(NotFound, *STORE, *SENT_BODY),
    ),
    Endpoint(
        method="GET",
        pattern="/api/jobs/{job}",
        name="getJob",
        summary="The state and the progress of a job.",
        right=Right.JOBS,
        scope=Scope.JOBS,
        handler=show_job,
        answers={200: json_answer("The job.", JobDocument)},
        problems=(NotFound, *STORE),
    ),
    Endpoint(
        method="DELETE",
        pattern="/api/jobs/{job}",
        name="cancelJob",
        summary="Stop a job within one upstream call. What it has stored stays.",
        right=Right.JOBS,
        scope=Scope.JOBS,
        handler=cancel_job,
        answers={200: json_answer("The cancelled job.", CancelledJobDocument)},
        problems=(NotFound, Conflict, *STORE, *SENT_BODY),
    ),
    Endpoint(
        method="GET",
        pattern="/api/jobs/{job}/result",
        name="getJobResult",
        summary="All that a completed job fetched.",
        right=Right.JOBS,
        scope=Scope.JOBS,
        handler=show_result,
        parameters=(*PRESENTATION, PART, headers.IF_NONE_MATCH),
        answers={
            200: Answer(
                description="The result, streamed.",
                bodies=SERIES_BODIES,
                headers=(*RESULT_HEADERS, "Link", "X-Route-Type"),
            ),
            304: NOT_MODIFIED,
        },
        problems=(NotFound, NotAcceptable, Conflict, Gone, *ORIGIN, *STORE),
    ),
    Endpoint(
        method="GET",
        pattern="/api/jobs/{job}/events",
        name="followJob",
        summary="Server-sent events, each with the whole job, until it ends.",
        right=Right.JOBS,
        scope=Scope.JOBS,
        handler=follow_job,
        parameters=(headers.LAST_EVENT_ID,),
        answers={
            200: Answer(description="The stream.", bodies={"text/event-stream": ref("Event")}),
            204: Answer(description="The caller knows already how the job ended."),
        },
        problems=(NotFound, *STORE),
    ),
    Endpoint(
        method="GET",
        pattern="/api/jobs/{job}/socket",
        name="followJobBySocket",
        summary="The events of a job over a WebSocket, a message each: `{id, event, job}`.",
        right=Right.JOBS,
        scope=Scope.JOBS,
        handler=follow_job_by_socket,
        answers={
            SWITCHING: Answer(description="The socket.", headers=("Sec-WebSocket-Protocol",)),
        },
        problems=(NotFound, *STORE),
    ),
    Endpoint(
        method="POST",
        pattern="/api/jobs/{job}/retry",
        name="retryJob",
        summary="Take up a failed or cancelled job where it stopped.",
        right=Right.JOBS,
        scope=Scope.JOBS,
        handler=retry_job,
        answers={202: json_answer("The job.", JobDocument)},
        problems=(NotFound, Conflict, Gone, *STORE, *SENT_BODY),
    ),
)
