"""What the ports of jobs must do, whatever database is under them: run on SQLite here, and on D1 on workerd.

A test module subclasses the suite and gives its `database`, which others may use at the same time.
"""

import asyncio
from itertools import count
from typing import Any, Final

import pytest

from edgeseries.jobs.adapters.job_rescue import RescueRecords
from edgeseries.jobs.adapters.job_store import BatchRecords, DeadLetterRecords, JobRecords
from edgeseries.jobs.job import Batch, Claim, Job, JobRequest, Priority
from edgeseries.jobs.limits import BATCH_LEASE_MS, RESCUE_AFTER_MS
from edgeseries.jobs.messages import BatchMessage, JobMessage, PlanMessage
from edgeseries.jobs.ports.batches import Refused
from edgeseries.jobs.ports.dead_letters import DeadLetter, DeadLetterOutcome
from edgeseries.jobs.ports.jobs import JobFilter, Joined
from edgeseries.jobs.states import JobStatus
from edgeseries.limits import DAY_MS
from edgeseries.planning.query import TimeseriesQuery
from edgeseries.series.timerange import TimeRange
from edgeseries.storage.database import Database

_numbers = count()
NOW_MS: Final = 1_790_000_000_000
POINTS: Final = ("'; --", "a", "b, c", "température ±°C", "x/y", '"quoted"', "z" * 100)


class Story:
    """One job of its own site, and the ports that it goes through."""

    def __init__(self, database: Database) -> None:
        self.number = next(_numbers)
        self.site = f"made up / jobs {self.number}"
        self.jobs, self.dead_letters = JobRecords(database), DeadLetterRecords(database)
        self.batches, self.rescues = BatchRecords(database), RescueRecords(database)
        self.now_ms = NOW_MS + self.number
        self.job_id = ""

    def request(self, priority: Priority = Priority.NORMAL, *, owner: str = "", days: int = 3) -> JobRequest:
        span = TimeRange(start_ms=DAY_MS, end_ms=(1 + days) * DAY_MS)
        query = TimeseriesQuery(site=self.site, points=tuple(sorted(POINTS)), span=span)
        return JobRequest(query=query, owner=owner, priority=priority)

    async def create(self, *, after_ms: int = 0, join_ended_after_ms: int = 10**14, **more: Any) -> Joined:
        joined = await self.jobs.create(
            self.request(**more), now_ms=self.now_ms + after_ms, join_ended_after_ms=join_ended_after_ms
        )
        self.job_id = joined.job.job_id
        return joined

    async def planned(self, batches: int = 3) -> None:
        await self.create()
        assert await self.plan(batches) is JobStatus.PROCESSING

    async def plan(self, batches: int) -> JobStatus | None:
        made = [
            Batch(
                index=index,
                first_point=2 * index,
                point_count=2,
                span=TimeRange(start_ms=index * DAY_MS, end_ms=(index + 1) * DAY_MS),
                expected_samples=10 * (index + 1),
            )
            for index in range(batches)
        ]
        return await self.batches.plan(self.job_id, made, now_ms=self.now_ms)

    async def claim(self, index: int, holder: str = "me", *, after_ms: int = 0) -> Claim:
        claim = await self.batches.claim(self.job_id, index, holder=holder, now_ms=self.now_ms + after_ms)
        assert isinstance(claim, Claim), claim
        return claim

    async def refused(self, index: int, *, after_ms: int = 0) -> Refused:
        why = await self.batches.claim(self.job_id, index, holder="other", now_ms=self.now_ms + after_ms)
        assert isinstance(why, Refused), why
        return why

    async def finish(self, index: int, delivered: int = 5) -> JobStatus | None:
        claim = await self.claim(index)
        finished = await self.batches.finish(claim, delivered=delivered, now_ms=self.now_ms)
        return finished.job_status if finished else None

    async def job(self) -> Job:
        job = await self.jobs.find(self.job_id)
        assert job is not None
        return job

    def dead_letter(self, index: int | None, name: str = "") -> DeadLetter:
        return DeadLetter(
            letter_id=f"letter {self.number} {name or index}",
            queue="jobs-normal",
            job_id=self.job_id,
            batch_index=index,
            message={"v": 1, "ü": ["\u2028", None]},
            cause="because",
            attempts=4,
            buried_ms=self.now_ms,
        )

    async def rescued(
        self, *, after_ms: int
    ) -> tuple[set[tuple[JobMessage, Priority]], set[tuple[JobMessage, Priority]]]:
        """Of this job alone: what was expired, what was lost."""
        now_ms = self.now_ms + after_ms
        expired = await self.rescues.expired(now_ms=now_ms, limit=1_000)
        lost = await self.rescues.lost(
            now_ms=now_ms, untouched_since_ms=now_ms - RESCUE_AFTER_MS, limit=1_000
        )
        mine = [
            {(one.message, one.priority) for one in some if one.message.job_id == self.job_id}
            for some in (expired, lost)
        ]
        return mine[0], mine[1]


class JobPortsConformance:
    """Jobs, JobReader, Batches, Letters and Rescues over one database."""

    @pytest.fixture
    def story(self, database: Database) -> Story:
        return Story(database)

    def test_of_many_equal_requests_at_once_one_makes_the_job(self, story: Story) -> None:
        async def check() -> None:
            everyone = await asyncio.gather(*(story.create(after_ms=place) for place in range(20)))
            assert sum(joined.created for joined in everyone) == 1
            assert len({joined.job.job_id for joined in everyone}) == 1
            other = await story.create(owner="another")
            assert other.created, "jobs of other owners are not joined"

        asyncio.run(check())

    def test_a_job_is_found_again_as_it_was_made(self, story: Story) -> None:
        async def check() -> None:
            joined = await story.create(priority=Priority.HIGH)
            found = await story.job()
            assert found == joined.job
            assert (found.status, found.priority, found.point_count) == (JobStatus.QUEUED, Priority.HIGH, 7)
            assert await story.jobs.query(story.job_id) == story.request().query
            assert await story.jobs.waiting(story.job_id, after=-1) == (PlanMessage(job_id=story.job_id),)
            assert await story.jobs.find("nobody") is None
            assert await story.jobs.query("nobody") is None
            assert await story.jobs.waiting("nobody", after=-1) == ()

        asyncio.run(check())

    def test_what_is_joined_and_what_is_made_anew(self, story: Story) -> None:
        async def check() -> None:
            first = (await story.create()).job.job_id
            assert await story.plan(0) is JobStatus.COMPLETED
            ended_ms = story.now_ms
            assert not (await story.create(after_ms=1, join_ended_after_ms=ended_ms)).created
            second = await story.create(after_ms=2, join_ended_after_ms=ended_ms + 1)
            assert second.created
            assert await story.jobs.cancel(second.job.job_id, now_ms=story.now_ms + 3)
            again = await story.create(after_ms=4, join_ended_after_ms=ended_ms)
            assert (again.created, again.job.job_id) == (False, first), "not the one that was cancelled"
            assert (await story.create(after_ms=5)).created, "a cancelled one is not joined"

        asyncio.run(check())

    def test_pages_of_jobs_hold_each_once_the_newest_first(self, story: Story) -> None:
        async def check() -> None:
            made = [
                (await story.create(after_ms=place // 2, days=1 + place)).job.job_id for place in range(5)
            ]
            assert await story.jobs.cancel(made[2], now_ms=story.now_ms + 9)
            seen: list[Job] = []
            after = None
            while True:
                page = await story.jobs.page(JobFilter(site=story.site), after=after, limit=2)
                seen += page.jobs
                if (after := page.after) is None:
                    break
            assert {job.job_id for job in seen} == set(made)
            assert len(seen) == 5
            order = [(job.created_ms, job.job_id) for job in seen]
            assert order == sorted(order, reverse=True)
            wanted = JobFilter(site=story.site, status=JobStatus.CANCELLED)
            (one,) = (await story.jobs.page(wanted, after=None, limit=50)).jobs
            assert one.job_id == made[2]
            nobody = JobFilter(site=story.site, owner="another")
            assert (await story.jobs.page(nobody, after=None, limit=50)).jobs == ()

        asyncio.run(check())

    def test_a_job_is_planned_once(self, story: Story) -> None:
        async def check() -> None:
            await story.create()
            told = await asyncio.gather(*(story.plan(3) for _ in range(4)))
            assert sorted(map(str, told)) == ["None", "None", "None", "processing"]
            job = await story.job()
            assert (job.batch_count, job.expected_samples, job.planned_ms) == (3, 60, story.now_ms)
            messages = await story.jobs.waiting(story.job_id, after=-1)
            assert messages == tuple(BatchMessage(job_id=story.job_id, batch_index=n) for n in range(3))
            assert await story.jobs.waiting(story.job_id, after=1) == messages[2:]

        asyncio.run(check())

    def test_a_cancelled_job_is_not_planned(self, story: Story) -> None:
        async def check() -> None:
            await story.create()
            assert await story.jobs.cancel(story.job_id, now_ms=story.now_ms)
            assert not await story.jobs.cancel(story.job_id, now_ms=story.now_ms)
            assert await story.plan(2) is None
            assert await story.jobs.waiting(story.job_id, after=-1) == ()
            assert (await story.job()).batch_count == 0

        asyncio.run(check())

    def test_a_batch_is_claimed_by_one_until_its_lease_ends(self, story: Story) -> None:
        async def check() -> None:
            await story.planned()
            claims = await asyncio.gather(
                *(story.batches.claim(story.job_id, 1, holder=f"h{n}", now_ms=story.now_ms) for n in range(5))
            )
            held = [claim for claim in claims if isinstance(claim, Claim)]
            assert [claim for claim in claims if claim not in held] == [Refused.HELD] * 4
            (claim,) = held
            assert claim.points == tuple(sorted(POINTS))[2:4]
            assert claim.span == TimeRange(start_ms=DAY_MS, end_ms=2 * DAY_MS)
            assert (claim.attempts, claim.claims, claim.site) == (0, 1, story.site)
            assert await story.refused(1, after_ms=BATCH_LEASE_MS - 1) is Refused.HELD
            taken = await story.claim(1, "next", after_ms=BATCH_LEASE_MS)
            assert taken.claims == 2
            assert not await story.batches.renew(claim, delivered=1, now_ms=story.now_ms)
            assert await story.batches.finish(claim, delivered=1, now_ms=story.now_ms) is None
            await story.batches.put_back(claim, cause="late", counts=True, now_ms=story.now_ms)
            assert await story.refused(1, after_ms=BATCH_LEASE_MS) is Refused.HELD
            assert (await story.job()).status is JobStatus.PROCESSING

        asyncio.run(check())

    def test_why_a_batch_is_refused(self, story: Story) -> None:
        async def check() -> None:
            await story.planned()
            assert await story.refused(7) is Refused.GONE
            await story.finish(0)
            assert await story.refused(0) is Refused.DONE
            assert await story.dead_letters.add(story.dead_letter(1)) is DeadLetterOutcome.STORED
            assert await story.refused(1) is Refused.ENDED
            assert await story.jobs.reopen(story.job_id, now_ms=story.now_ms)
            story.job_id = "nobody"
            assert await story.refused(0) is Refused.GONE

        asyncio.run(check())

    def test_a_renewal_holds_longer_tells_samples_and_ends_with_the_job(self, story: Story) -> None:
        async def check() -> None:
            await story.planned()
            claim = await story.claim(0)
            assert await story.batches.renew(claim, delivered=7, now_ms=story.now_ms + 100)
            assert await story.refused(0, after_ms=BATCH_LEASE_MS + 99) is Refused.HELD
            assert await story.jobs.cancel(story.job_id, now_ms=story.now_ms)
            assert not await story.batches.renew(claim, delivered=7, now_ms=story.now_ms)
            assert await story.batches.finish(claim, delivered=8, now_ms=story.now_ms) is None
            assert (await story.job()).sample_count == 0
            # It had stored everything: taken up again, the job has one batch less to do.
            assert await story.jobs.reopen(story.job_id, now_ms=story.now_ms)
            job = await story.job()
            assert (job.status, job.batches_done, job.sample_count) == (JobStatus.RETRYING, 1, 8)

        asyncio.run(check())

    def test_batches_are_counted_once_and_the_last_completes_the_job(self, story: Story) -> None:
        async def check() -> None:
            await story.planned()
            claims = [await story.claim(index) for index in range(3)]
            assert await story.batches.renew(claims[0], delivered=4, now_ms=story.now_ms)
            told = await asyncio.gather(
                *(story.batches.finish(c, delivered=6, now_ms=story.now_ms) for c in claims for _ in range(3))
            )
            statuses = [finished.job_status for finished in told if finished is not None]
            assert len(statuses) == 3
            assert statuses.count(JobStatus.COMPLETED) == 1
            job = await story.job()
            assert (job.batches_done, job.expected_done, job.sample_count) == (3, 60, 18)
            assert (job.status, job.ended_ms) == (JobStatus.COMPLETED, story.now_ms)
            assert not await story.jobs.cancel(story.job_id, now_ms=story.now_ms)
            assert not await story.jobs.reopen(story.job_id, now_ms=story.now_ms)

        asyncio.run(check())

    def test_a_batch_that_is_given_back_is_retrying_until_it_is_begun(self, story: Story) -> None:
        async def check() -> None:
            await story.planned()
            for counts, retries in ((True, 1), (False, 1), (True, 2)):
                claim = await story.claim(2)
                for _ in range(2):  # Told twice, since an answer was lost.
                    assert await story.batches.renew(claim, delivered=3, now_ms=story.now_ms)
                await story.batches.put_back(claim, cause="x" * 5_000, counts=counts, now_ms=story.now_ms)
                job = await story.job()
                assert (job.status, job.retry_count) == (JobStatus.RETRYING, retries)
            claim = await story.claim(2)
            assert (claim.attempts, claim.claims, claim.sample_count) == (2, 4, 9)
            assert (await story.job()).status is JobStatus.PROCESSING
            assert await story.batches.finish(claim, delivered=2, now_ms=story.now_ms)
            assert (await story.job()).sample_count == 11

        asyncio.run(check())

    def test_a_letter_fails_its_batch_and_its_job_once(self, story: Story) -> None:
        async def check() -> None:
            await story.planned()
            await story.finish(0)
            assert await story.dead_letters.add(story.dead_letter(0)) is DeadLetterOutcome.OBSOLETE
            assert await story.dead_letters.find(story.dead_letter(0).letter_id) is None
            claim = await story.claim(1)
            assert await story.dead_letters.add(story.dead_letter(1)) is DeadLetterOutcome.HELD
            await story.batches.put_back(claim, cause="c", counts=True, now_ms=story.now_ms)
            assert await story.dead_letters.add(story.dead_letter(1)) is DeadLetterOutcome.STORED
            assert await story.dead_letters.add(story.dead_letter(1)) is DeadLetterOutcome.STORED
            job = await story.job()
            assert (job.status, job.error) == (JobStatus.FAILED, "because")
            kept = await story.dead_letters.find(story.dead_letter(1).letter_id)
            assert kept == story.dead_letter(1)
            assert await story.jobs.reopen(story.job_id, now_ms=story.now_ms)
            await story.dead_letters.replayed(story.dead_letter(1), now_ms=story.now_ms)
            await story.dead_letters.add(story.dead_letter(1))
            job = await story.job()
            assert (job.status, job.batches_done, job.error) == (JobStatus.RETRYING, 1, None)
            assert len(await story.jobs.waiting(story.job_id, after=-1)) == 2

        asyncio.run(check())

    def test_pages_of_letters_hold_each_once(self, story: Story) -> None:
        async def check() -> None:
            await story.planned()
            for name in ("a", "b", "c"):
                await story.dead_letters.add(story.dead_letter(1, name))
            seen: list[str] = []
            after = None
            while True:
                page = await story.dead_letters.page(after=after, limit=2)
                seen += [dead_letter.letter_id for dead_letter in page.dead_letters]
                if (after := page.after) is None:
                    break
            assert len(seen) == len(set(seen))
            assert {story.dead_letter(1, name).letter_id for name in "abc"} <= set(seen)

        asyncio.run(check())

    def test_a_job_is_taken_up_again_where_it_stopped(self, story: Story) -> None:
        async def check() -> None:
            await story.create()
            assert await story.jobs.cancel(story.job_id, now_ms=story.now_ms)
            assert await story.jobs.reopen(story.job_id, now_ms=story.now_ms)
            assert (await story.job()).status is JobStatus.QUEUED
            assert await story.plan(2) is JobStatus.PROCESSING
            await story.finish(0)
            claim = await story.claim(1)
            assert await story.jobs.cancel(story.job_id, now_ms=story.now_ms)
            assert await story.jobs.reopen(story.job_id, now_ms=story.now_ms)
            assert (await story.job()).status is JobStatus.RETRYING
            assert len(await story.jobs.waiting(story.job_id, after=-1)) == 1, "no lease is waited for"
            assert not await story.batches.renew(claim, delivered=0, now_ms=story.now_ms)
            claim = await story.claim(1, "next")
            assert await story.jobs.cancel(story.job_id, now_ms=story.now_ms)
            assert await story.batches.finish(claim, delivered=3, now_ms=story.now_ms) is None
            assert await story.jobs.reopen(story.job_id, now_ms=story.now_ms)
            job = await story.job()
            assert (job.status, job.batches_done, job.sample_count) == (JobStatus.COMPLETED, 2, 8)

        asyncio.run(check())

    def test_abandoned_work_is_found_and_not_at_once_again(self, story: Story) -> None:
        async def check() -> None:
            await story.create(priority=Priority.LOW)
            assert await story.rescued(after_ms=RESCUE_AFTER_MS - 1) == (set(), set())
            plan: tuple[JobMessage, Priority] = (PlanMessage(job_id=story.job_id), Priority.LOW)
            assert await story.rescued(after_ms=RESCUE_AFTER_MS) == (set(), {plan})
            assert await story.rescued(after_ms=RESCUE_AFTER_MS) == (set(), set())
            await story.plan(3)
            await story.claim(0)
            paused = await story.claim(1)
            await story.batches.put_back(
                paused, cause="p", counts=False, now_ms=story.now_ms, due_ms=story.now_ms + 7_200_000
            )
            messages: list[tuple[JobMessage, Priority]] = [
                (BatchMessage(job_id=story.job_id, batch_index=index), Priority.LOW) for index in range(3)
            ]
            assert await story.rescued(after_ms=BATCH_LEASE_MS - 1) == (set(), set())
            assert await story.rescued(after_ms=BATCH_LEASE_MS) == ({messages[0]}, set())
            late_ms = BATCH_LEASE_MS + RESCUE_AFTER_MS
            assert await story.rescued(after_ms=late_ms) == (set(), {messages[0], messages[2]})
            assert await story.rescued(after_ms=late_ms) == (set(), set())
            later_ms = 7_200_000 + RESCUE_AFTER_MS
            assert await story.rescued(after_ms=later_ms) == (set(), set(messages))
            assert await story.jobs.cancel(story.job_id, now_ms=story.now_ms)
            assert await story.rescued(after_ms=2 * later_ms) == (set(), set())

        asyncio.run(check())
