"""The ports about jobs over the database: `Jobs`, `JobReader`, `Batches`, `DeadLetters`.

Statements: `job_statements.py`.
"""

import json
from collections.abc import Sequence

from edgeseries.errors import Defect, JobsFull
from edgeseries.jobs.adapters import job_statements as statements
from edgeseries.jobs.adapters.job_rows import dead_letter_of, job_of, query_of
from edgeseries.jobs.job import Batch, Claim, Job, JobRequest, Priority, job_id_of
from edgeseries.jobs.limits import BATCH_LEASE_MS, CAUSE_MAX_CHARS
from edgeseries.jobs.messages import BatchMessage, JobMessage, PlanMessage
from edgeseries.jobs.ports.batches import Finished, Refused
from edgeseries.jobs.ports.dead_letters import (
    DeadLetter,
    DeadLetterOutcome,
    DeadLetterPage,
    DeadLetterPosition,
)
from edgeseries.jobs.ports.jobs import JobFilter, JobPage, Joined, Place
from edgeseries.jobs.states import BatchStatus, JobStatus
from edgeseries.limits import LATEST_MS
from edgeseries.planning.query import TimeseriesQuery
from edgeseries.series.json_text import json_text
from edgeseries.series.timerange import TimeRange
from edgeseries.storage.database import Command, Database, json_chunks
from edgeseries.storage.limits import WAITING_PAGE_ROWS

NO_BATCH = -1
"""In a parameter: a letter that is about no batch."""

NO_BOUND = 2**31
"""In a parameter: more jobs than anybody has."""

PAST_EVERY_NAME = "\U0010ffff"
"""No id sorts after it."""


class JobRecords:
    """Jobs as callers see and change them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, job_id: str) -> Job | None:
        """See JobReader."""
        for sql in (statements.JOB, statements.ENDED_JOB):
            for row in await self._database.read(Command(sql=sql, parameters=(job_id,))):
                return job_of(row)
        return None

    async def query(self, job_id: str) -> TimeseriesQuery | None:
        """See JobReader."""
        rows = await self._database.read(Command(sql=statements.JOB_QUERY, parameters=(job_id,)))
        return query_of(rows[0]) if rows else None

    async def waiting(self, job_id: str, *, after: int) -> tuple[JobMessage, ...]:
        """See JobReader."""
        if after < 0 and await self._database.read(Command(sql=statements.UNPLANNED, parameters=(job_id,))):
            return (PlanMessage(job_id=job_id),)
        rows = await self._database.read(
            Command(sql=statements.WAITING, parameters=(job_id, after, WAITING_PAGE_ROWS))
        )
        return tuple(BatchMessage(job_id=job_id, batch_index=index) for (index,) in rows)

    async def create(
        self, request: JobRequest, *, now_ms: int, join_ended_after_ms: int, max_active: int | None = None
    ) -> Joined:
        """See Jobs."""
        query, digest = request.query, request.digest
        points = json_text(query.points)
        span = (query.span.start_ms, query.span.end_ms)
        job_id = job_id_of(digest, now_ms)
        question = "" if query.question is None else json_text(query.question.canonical())
        made, latest = await self._database.write(
            [
                Command(
                    sql=statements.CREATE,
                    parameters=(
                        *(job_id, digest, now_ms, request.owner, query.site, points),
                        *(*span, request.priority, join_ended_after_ms, max_active or NO_BOUND),
                        question,
                    ),
                ),
                Command(sql=statements.LATEST, parameters=(digest, join_ended_after_ms)),
            ]
        )
        job = job_of(latest[0]) if latest else None
        if max_active is not None and not made and (job is None or not job.joins(join_ended_after_ms)):
            raise JobsFull(f"there are {max_active} jobs under way; one must end before the next begins")
        if job is None:
            raise Defect("a job that was just made or joined is not there")
        return Joined(job=job, created=bool(made))

    async def page(self, wanted: JobFilter, *, after: Place | None, limit: int) -> JobPage:
        """See Jobs."""
        place = after or Place(created_ms=LATEST_MS, job_id=PAST_EVERY_NAME)
        rows = await self._database.read(
            Command(
                sql=statements.JOBS_OF_ALL if wanted.owner is None else statements.JOBS,
                parameters=(
                    *(wanted.owner or "", place.created_ms, place.job_id),
                    *(wanted.status or "", wanted.site or "", limit + 1),
                ),
            )
        )
        jobs = tuple(job_of(row) for row in rows[:limit])
        more = len(rows) > limit
        return JobPage(
            jobs=jobs,
            after=Place(created_ms=jobs[-1].created_ms, job_id=jobs[-1].job_id) if more else None,
        )

    async def cancel(self, job_id: str, *, now_ms: int) -> bool:
        """See Jobs."""
        (changed,) = await self._database.write([Command(sql=statements.CANCEL, parameters=(job_id, now_ms))])
        return bool(changed)

    async def reopen(self, job_id: str, *, now_ms: int, max_active: int | None = None) -> bool:
        """See Jobs."""
        parameters = (job_id, now_ms, max_active or NO_BOUND)
        _, changed = await self._database.write(
            [
                Command(sql=statements.REOPEN_BATCHES, parameters=parameters),
                Command(sql=statements.REOPEN, parameters=parameters),
            ]
        )
        return bool(changed)


class BatchRecords:
    """Batches as the consumer works on them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def plan(self, job_id: str, batches: Sequence[Batch], *, now_ms: int) -> JobStatus | None:
        """See Batches."""
        rows = [
            (
                one.index,
                one.first_point,
                one.point_count,
                one.span.start_ms,
                one.span.end_ms,
                one.expected_samples,
            )
            for one in batches
        ]
        expected = sum(one.expected_samples for one in batches)
        commands = [
            Command(sql=statements.LAY_DOWN, parameters=(job_id, values, now_ms))
            for values, _ in json_chunks(rows)
        ]
        commands.append(Command(sql=statements.PLANNED, parameters=(job_id, len(batches), expected, now_ms)))
        *_, planned = await self._database.write(commands)
        return JobStatus(planned[0][0]) if planned else None

    async def claim(self, job_id: str, batch_index: int, *, holder: str, now_ms: int) -> Claim | Refused:
        """See Batches."""
        mine = (job_id, batch_index, holder)
        claimed, _, jobs, batches, names = await self._database.write(
            [
                Command(sql=statements.CLAIM, parameters=(*mine, now_ms + BATCH_LEASE_MS, now_ms)),
                Command(sql=statements.RESUME, parameters=(*mine, now_ms)),
                Command(sql=statements.CLAIMED_JOB, parameters=(job_id,)),
                Command(sql=statements.CLAIMED_BATCH, parameters=(job_id, batch_index)),
                Command(sql=statements.CLAIMED_POINTS, parameters=mine),
            ]
        )
        if not jobs or not batches:
            return Refused.GONE
        site, priority, job_status, owner = jobs[0]
        if not claimed:
            return _why_refused(JobStatus(job_status), BatchStatus(batches[0][0]))
        attempts, claims, start_ms, end_ms, sample_count = claimed[0]
        return Claim(
            job_id=job_id,
            batch_index=batch_index,
            holder=holder,
            site=str(site),
            points=tuple(str(name) for (name,) in names),
            span=TimeRange(start_ms=start_ms, end_ms=end_ms),
            priority=Priority(priority),
            attempts=attempts,
            claims=claims,
            sample_count=sample_count,
            owner=str(owner),
        )

    async def renew(self, claim: Claim, *, delivered: int, now_ms: int) -> bool:
        """See Batches."""
        parameters = (*_mine(claim), now_ms + BATCH_LEASE_MS, claim.sample_count + delivered)
        (renewed,) = await self._database.write([Command(sql=statements.RENEW, parameters=parameters)])
        return bool(renewed)

    async def finish(self, claim: Claim, *, delivered: int, now_ms: int) -> Finished | None:
        """See Batches."""
        parameters = (*_mine(claim), claim.sample_count + delivered, now_ms)
        counted, _ = await self._database.write(
            [
                Command(sql=statements.COUNT_DONE, parameters=parameters),
                Command(sql=statements.DONE, parameters=parameters),
            ]
        )
        return Finished(job_status=JobStatus(counted[0][0])) if counted else None

    async def put_back(
        self,
        claim: Claim,
        *,
        cause: str,
        counts: bool,
        now_ms: int,
        due_ms: int | None = None,
        delivered: int = 0,
    ) -> None:
        """See Batches."""
        total = claim.sample_count + delivered
        due_ms = now_ms if due_ms is None else due_ms
        parameters = (*_mine(claim), int(counts), now_ms)
        await self._database.write(
            [
                Command(sql=statements.RETRYING, parameters=parameters),
                Command(
                    sql=statements.PUT_BACK,
                    parameters=(*parameters, cause[:CAUSE_MAX_CHARS], due_ms, total),
                ),
            ]
        )


class DeadLetterRecords:
    """Dead letters."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, dead_letter: DeadLetter) -> DeadLetterOutcome:
        """See DeadLetters."""
        job_id = dead_letter.job_id or ""
        index = NO_BATCH if dead_letter.batch_index is None else dead_letter.batch_index
        cause = dead_letter.cause[:CAUSE_MAX_CHARS]
        about = (job_id, index, cause, dead_letter.buried_ms, dead_letter.letter_id)
        message = json.dumps(dict(dead_letter.message), separators=(",", ":"))
        kept, _, failed, jobs, batches = await self._database.write(
            [
                Command(
                    sql=statements.STORE_DEAD_LETTER,
                    parameters=(
                        *(dead_letter.letter_id, dead_letter.queue, job_id, index, message),
                        *(cause, dead_letter.attempts, dead_letter.buried_ms),
                    ),
                ),
                Command(sql=statements.FAIL_BATCH, parameters=about),
                Command(sql=statements.FAIL_JOB, parameters=about),
                Command(sql=statements.CLAIMED_JOB, parameters=(job_id,)),
                Command(sql=statements.CLAIMED_BATCH, parameters=(job_id, index)),
            ]
        )
        if failed or not job_id or not kept:
            return DeadLetterOutcome.STORED
        job = JobStatus(jobs[0][2]) if jobs else None
        batch = BatchStatus(batches[0][0]) if batches else None
        if job is JobStatus.FAILED:
            return DeadLetterOutcome.STORED  # Another dead letter was first.
        await self._database.write(
            [Command(sql=statements.DROP_DEAD_LETTER, parameters=(dead_letter.letter_id,))]
        )
        held = job in (JobStatus.PROCESSING, JobStatus.RETRYING) and batch is BatchStatus.CLAIMED
        return DeadLetterOutcome.HELD if held else DeadLetterOutcome.OBSOLETE

    async def page(self, *, after: DeadLetterPosition | None, limit: int) -> DeadLetterPage:
        """See DeadLetters."""
        place = after or DeadLetterPosition(buried_ms=LATEST_MS, letter_id=PAST_EVERY_NAME)
        rows = await self._database.read(
            Command(sql=statements.DEAD_LETTERS, parameters=(place.buried_ms, place.letter_id, limit + 1))
        )
        dead_letters = tuple(dead_letter_of(row) for row in rows[:limit])
        more = len(rows) > limit
        last = dead_letters[-1] if dead_letters else None
        return DeadLetterPage(
            dead_letters=dead_letters,
            after=DeadLetterPosition(buried_ms=last.buried_ms, letter_id=last.letter_id)
            if more and last
            else None,
        )

    async def find(self, letter_id: str) -> DeadLetter | None:
        """See DeadLetters."""
        rows = await self._database.read(Command(sql=statements.DEAD_LETTER, parameters=(letter_id,)))
        return dead_letter_of(rows[0]) if rows else None

    async def replayed(self, dead_letter: DeadLetter, *, now_ms: int) -> None:
        """See DeadLetters."""
        parameters = (dead_letter.letter_id, dead_letter.job_id or "", now_ms)
        await self._database.write([Command(sql=statements.REPLAYED, parameters=parameters)])


def _mine(claim: Claim) -> tuple[str, int, str]:
    return claim.job_id, claim.batch_index, claim.holder


def _why_refused(job: JobStatus, batch: BatchStatus) -> Refused:
    if batch is BatchStatus.DONE:
        return Refused.DONE
    if job not in (JobStatus.PROCESSING, JobStatus.RETRYING):
        return Refused.ENDED
    return Refused.GIVEN_UP if batch is BatchStatus.FAILED else Refused.HELD
