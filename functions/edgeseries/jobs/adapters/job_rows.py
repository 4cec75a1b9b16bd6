"""Rows of jobs and letters as values, checked."""

import json
from collections.abc import Sequence
from typing import Any

from edgeseries.errors import Defect
from edgeseries.jobs.job import Job, Priority, ResultPart
from edgeseries.jobs.ports.dead_letters import DeadLetter
from edgeseries.jobs.states import JobStatus
from edgeseries.planning.query import TimeseriesQuery
from edgeseries.questions.question import question_from
from edgeseries.series.timerange import TimeRange
from edgeseries.storage.database import Row


def job_of(row: Row) -> Job:
    """A row of JOB, LATEST, JOBS or ENDED_JOB. Raises Defect for a row that no version of ours wrote."""
    (
        job_id,
        owner,
        site,
        point_count,
        start_ms,
        end_ms,
        priority,
        status,
        planned_ms,
        batch_count,
        batches_done,
        expected_samples,
        expected_done,
        sample_count,
        retry_count,
        error,
        created_ms,
        started_ms,
        ended_ms,
        updated_ms,
        result_parts,
    ) = row
    try:
        return Job(
            job_id=str(job_id),
            owner=str(owner),
            site=str(site),
            point_count=_whole(point_count),
            span=TimeRange(start_ms=_whole(start_ms), end_ms=_whole(end_ms)),
            priority=Priority(priority),
            status=JobStatus(status),
            planned_ms=_perhaps(planned_ms),
            batch_count=_whole(batch_count),
            batches_done=_whole(batches_done),
            expected_samples=_whole(expected_samples),
            expected_done=_whole(expected_done),
            sample_count=_whole(sample_count),
            retry_count=_whole(retry_count),
            error=None if error is None else str(error),
            created_ms=_whole(created_ms),
            started_ms=_perhaps(started_ms),
            ended_ms=_perhaps(ended_ms),
            updated_ms=_whole(updated_ms),
            result_parts=_perhaps(result_parts),
        )
    except (ValueError, TypeError) as fault:
        raise Defect(f"the row of job {job_id} makes no sense") from fault


def query_of(row: Row) -> TimeseriesQuery:
    """A row of JOB_QUERY."""
    site, points_json, start_ms, end_ms, question_json = row
    return TimeseriesQuery(
        site=str(site),
        points=tuple(json.loads(points_json)),
        span=TimeRange(start_ms=_whole(start_ms), end_ms=_whole(end_ms)),
        question=None if question_json is None else question_from(json.loads(question_json)),
    )


def parts_text(parts: Sequence[ResultPart]) -> str:
    """The parts of a result as they stand in a job's row."""
    return json.dumps(
        [[part.first_point, part.point_count, part.span.start_ms, part.span.end_ms] for part in parts],
        separators=(",", ":"),
    )


def parts_of(row: Row) -> tuple[ResultPart, ...]:
    """A row of RESULT_PARTS."""
    return tuple(
        ResultPart(
            first_point=first,
            point_count=count,
            span=TimeRange(start_ms=start_ms, end_ms=end_ms),
        )
        for first, count, start_ms, end_ms in json.loads(row[0])
    )


def dead_letter_of(row: Row) -> DeadLetter:
    """A row of LETTER or LETTERS."""
    letter_id, queue, job_id, batch_index, message_json, cause, attempts, buried_ms, replayed_ms = row
    return DeadLetter(
        letter_id=str(letter_id),
        queue=str(queue),
        job_id=None if job_id is None else str(job_id),
        batch_index=_perhaps(batch_index),
        message=json.loads(message_json),
        cause=str(cause),
        attempts=_whole(attempts),
        buried_ms=_whole(buried_ms),
        replayed_ms=_perhaps(replayed_ms),
    )


def _whole(value: Any) -> int:
    """An integer column as JSON gives it."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{value!r} is no integer")
    return value


def _perhaps(value: Any) -> int | None:
    return None if value is None else _whole(value)
