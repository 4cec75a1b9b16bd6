"""In which parts a job's result is asked: cut once, by blocks and by samples, and remembered with the job.

All parts of a result must fit together, whatever is stored, purged or refreshed between two of them: so
the first cut stays.
"""

from dataclasses import replace

from edgeseries.answers.parts import parts_of
from edgeseries.errors import Gone, StoreUnavailable
from edgeseries.jobs.job import Job, ResultPart
from edgeseries.jobs.limits import RESULT_MAX_SAMPLES
from edgeseries.jobs.states import JobStatus
from edgeseries.limits import SECOND_MS
from edgeseries.planning.query import TimeseriesQuery
from edgeseries.reading.faults import note
from edgeseries.reading.windows import sizes_by_month, sizes_by_point, stored_index
from router.fetch_turn import wait_for_turn
from router.ports import Ports

CUT_WAIT_MS = 5 * SECOND_MS
"""How long others wait for who cuts a result: a look at the index, or many for dense points."""


async def result_parts(job: Job, query: TimeseriesQuery, ports: Ports) -> tuple[ResultPart, ...]:
    """The parts of a completed job's result. Raises Gone for a job that is only in the history by now."""
    found = await ports.result_parts.parts(job.job_id)
    if found is None:
        wanted = query.read()
        index = await stored_index(wanted, ports.reader)
        expected = sizes_by_point(wanted, index)
        if query.question is not None:
            # A point's buckets are made of all of its samples: it stays whole, however many they are.
            expected = {point: min(size, RESULT_MAX_SAMPLES) for point, size in expected.items()}
        dense = [point for point in query.points if expected[point] > RESULT_MAX_SAMPLES]
        months = {}
        for point in dense:
            alone = replace(query, points=(point,))
            months[point] = sizes_by_month(query, point, await stored_index(alone, ports.reader))
        cut = parts_of(query.points, query.span, expected, months.__getitem__, index.stored.objects)
        found = await ports.result_parts.cut(job.job_id, tuple(cut))
    if found is None:
        raise gone()
    return found


async def with_parts(job: Job, ports: Ports) -> Job:
    """The job with its result cut, if it has one and the stores answer."""
    if job.status is not JobStatus.COMPLETED or job.result_parts is not None:
        return job
    # Many may follow a job that has just completed: one cuts, the others find it cut.
    key, now_ms = ("result parts", job.job_id), ports.clock.now_ms()
    ticket = ports.under_way.begin(key, now_ms, until_ms=now_ms + CUT_WAIT_MS)
    try:
        if ticket is None:
            await wait_for_turn(key, ports, until_ms=now_ms + CUT_WAIT_MS)
        query = await ports.job_reader.query(job.job_id)
        if query is None:
            return job
        return replace(job, result_parts=len(await result_parts(job, query, ports)))
    except StoreUnavailable as error:
        note(ports, "result_not_cut", error)
        return job
    finally:
        if ticket is not None:
            ports.under_way.end(key, ticket)


def query_of_part(query: TimeseriesQuery, part: ResultPart) -> TimeseriesQuery:
    """What a part holds."""
    points = query.points[part.first_point : part.first_point + part.point_count]
    return replace(query, points=points, span=part.span)


def gone() -> Gone:
    """A job without its request."""
    return Gone("the job is only in the history by now; send its request again")
