"""The job engine on the host: the real flows, the real SQL on SQLite, queues in memory that misbehave.

A test decides what is delivered, twice or never, and when an isolate dies; time is a number.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from consumer.delivery import Delivery
from consumer.flow import consume, recover
from consumer.ports import Ports
from edgeseries.jobs.adapters.job_rescue import RescueRecords
from edgeseries.jobs.adapters.job_store import BatchRecords, DeadLetterRecords, JobRecords
from edgeseries.jobs.batching import BatchSizes
from edgeseries.jobs.dispatch import dispatch
from edgeseries.jobs.dispositions import Disposition, PutBack
from edgeseries.jobs.job import Job, JobRequest, Priority
from edgeseries.jobs.messages import FailedMessage, JobMessage, PlanMessage
from edgeseries.jobs.ports.jobs import Joined
from edgeseries.jobs.rescue import rescue
from edgeseries.jobs.states import JobStatus
from edgeseries.limits import DAY_MS, SECOND_MS
from edgeseries.planning.query import TimeseriesQuery
from edgeseries.planning.sample_budget import SampleBudget
from edgeseries.series.timerange import TimeRange
from edgeseries.series.values import Value
from tests.fake_leases import FakeHeartbeats, FakeLeases
from tests.fake_stores import FakeBlocks, SqliteDatabase
from tests.fakes import CountingIdentity, FakeClock, FakeOrigin, FakeTimer, FixedBudget, ListJournal

SITE = "hq"
FIRST_DAY = 19_720
"""2023-12-29: ranges that begin here cross a month and a year."""
NOW_MS = (FIRST_DAY + 40) * DAY_MS + DAY_MS // 2
SETTLE_LAG_MS = 3_600_000
RESCUE_AFTER_MS = 600_000


class IsolateDied(BaseException):
    """The power goes: no handler of ours runs."""


@dataclass
class Message:
    """A message in a queue."""

    queue: str
    message_id: str
    body: Mapping[str, Any]
    ready_ms: int
    attempts: int = 0


@dataclass
class Queues:
    """Queues in memory. Delivery is up to the test."""

    clock: FakeClock
    messages: list[Message] = field(default_factory=list)
    sent: int = 0

    def put(self, queue: str, body: Mapping[str, Any], delay_s: int = 0) -> None:
        self.sent += 1
        ready_ms = self.clock.at_ms + delay_s * SECOND_MS
        self.messages.append(Message(queue=queue, message_id=f"m{self.sent}", body=body, ready_ms=ready_ms))

    async def send(self, messages: Sequence[JobMessage], *, priority: Priority, delay_s: int = 0) -> None:
        for message in messages:
            self.put(f"jobs-{priority}", message.to_wire(), delay_s)

    async def resend(self, message: Mapping[str, object], *, queue: str, delay_s: int = 0) -> bool:
        self.put(queue, message, delay_s)
        return True

    async def add(self, message: FailedMessage) -> None:
        self.put("dead-letters", message.to_wire())


class DyingOrigin(FakeOrigin):
    """An upstream that may end the isolate, or do something, at a call."""

    at_call: Callable[[int], None] = staticmethod(lambda _: None)

    def __init__(self, *words: Any) -> None:
        super().__init__(*words)
        self.asked: list[tuple[tuple[str, ...], TimeRange]] = []

    async def fetch(self, site: str, points: Any, span: TimeRange, **more: Any) -> Any:
        self.asked.append((tuple(points), span))
        series = await super().fetch(site, points, span, **more)
        self.at_call(len(self.spans))
        return series


def made_rows(points: int, days: int, a_day: int) -> dict[str, list[tuple[int, Value]]]:
    """So many points with so many samples a day; one point is silent for some days, one for ever."""
    rows: dict[str, list[tuple[int, Value]]] = {}
    for number in range(points):
        step_ms = DAY_MS // a_day
        times = [FIRST_DAY * DAY_MS + number + place * step_ms for place in range(days * a_day)]
        if number == 1:
            times = [at for at in times if at // DAY_MS % 7 != 3]
        rows[f"p{number:03d}"] = (
            [(at, float(place % 50)) for place, at in enumerate(times)] if number != 2 else []
        )
    return rows


class JobSystem:
    """One database, one upstream, the queues, and any number of consumers."""

    def __init__(
        self, *, points: int = 6, days: int = 12, a_day: int = 12, sizes: BatchSizes | None = None
    ) -> None:
        self.rows = made_rows(points, days, a_day)
        self.database = SqliteDatabase()
        self.clock = FakeClock(at_ms=NOW_MS)
        self.origin = DyingOrigin({SITE: self.rows})
        self.queues = Queues(self.clock)
        self.blocks = FakeBlocks()
        self.journal = ListJournal()
        self.budget = FixedBudget()
        self.jobs = JobRecords(self.database)
        self.dead_letters = DeadLetterRecords(self.database)
        self.query = TimeseriesQuery(
            site=SITE,
            points=tuple(sorted(self.rows)),
            span=TimeRange(start_ms=FIRST_DAY * DAY_MS + 7, end_ms=(FIRST_DAY + days) * DAY_MS - 7),
        )
        self.ports = Ports(
            job_reader=self.jobs,
            batches=BatchRecords(self.database),
            dead_letters=self.dead_letters,
            job_queue=self.queues,
            dead_letter_queue=self.queues,
            origin=self.origin,
            blocks=self.blocks,
            leases=FakeLeases(clock=self.clock),
            heartbeats=FakeHeartbeats(),
            clock=self.clock,
            identity=CountingIdentity(),
            journal=self.journal,
            budget=self.budget,
            batch_sizes=sizes or BatchSizes(points=2, samples=10_000),
            settle_lag_ms=SETTLE_LAG_MS,
            timer=FakeTimer(self.clock),
            # A process of tests has a hundred times the objects of an isolate, and hundreds of failures here.
            sample_budget=SampleBudget(collect=lambda: None),
        )

    def close(self) -> None:
        self.database.close()

    def rewire(self, database: SqliteDatabase) -> None:
        """Stand on another database."""
        self.database = database
        self.jobs, self.dead_letters = JobRecords(database), DeadLetterRecords(database)
        self.ports = replace(
            self.ports, job_reader=self.jobs, batches=BatchRecords(database), dead_letters=self.dead_letters
        )

    def run(self, work: Any) -> Any:
        return asyncio.run(work)

    def start(self) -> Joined:
        """Make or join the job, as the router does."""

        async def made() -> Joined:
            joined = await self.jobs.create(
                JobRequest(query=self.query),
                now_ms=self.clock.at_ms,
                join_ended_after_ms=self.clock.at_ms - 60_000,
            )
            if joined.created:
                await self.queues.send((PlanMessage(job_id=joined.job.job_id),), priority=joined.job.priority)
            return joined

        found: Joined = self.run(made())
        return found

    def job(self, job_id: str) -> Job:
        job: Job | None = self.run(self.jobs.find(job_id))
        assert job is not None
        return job

    def deliver(self, message: Message, *, keep: bool = False) -> None:
        """Deliver one message; `keep` it in the queue whatever becomes of it, as at-least-once allows."""
        message.attempts += 1
        delivery = Delivery(
            queue=message.queue, message_id=message.message_id, attempts=message.attempts, body=message.body
        )
        try:
            disposition = self.run(self._handled(delivery))
        except IsolateDied:
            return
        if isinstance(disposition, PutBack):
            message.ready_ms = self.clock.at_ms + disposition.delay_s * SECOND_MS
        elif not keep and message in self.queues.messages:
            self.queues.messages.remove(message)

    async def _handled(self, delivery: Delivery) -> Disposition:
        """As the entry does it."""
        try:
            return await consume(delivery, self.ports)
        except Exception as fault:  # noqa: BLE001 - as the entry does it
            return await recover(fault, delivery, self.ports)

    def ready(self) -> list[Message]:
        return [one for one in self.queues.messages if one.ready_ms <= self.clock.at_ms]

    def drain(self, most: int = 2_000) -> None:
        """Deliver what is ready, letting time pass, until the queues are empty."""
        for _ in range(most):
            if not self.queues.messages:
                return
            waiting = min(one.ready_ms for one in self.queues.messages)
            self.clock.at_ms = max(self.clock.at_ms, waiting)
            self.deliver(self.ready()[0])
        raise AssertionError(f"the queues do not run dry: {self.queues.messages[:5]}")

    def sweep(self) -> int:
        """The janitor's rescue."""
        count: int = self.run(
            rescue(
                RescueRecords(self.database),
                self.queues,
                now_ms=self.clock.at_ms,
                rescue_after_ms=RESCUE_AFTER_MS,
            )
        )
        return count

    def reopen(self, job_id: str) -> bool:
        """Try a job again, as the router does."""

        async def again() -> bool:
            if not await self.jobs.reopen(job_id, now_ms=self.clock.at_ms):
                return False
            await dispatch(job_id, Priority.NORMAL, self.ports)
            return True

        reopened: bool = self.run(again())
        return reopened

    def cancel(self, job_id: str) -> bool:
        cancelled: bool = self.run(self.jobs.cancel(job_id, now_ms=self.clock.at_ms))
        return cancelled

    def batches(self) -> list[dict[str, Any]]:
        columns = "batch_index, status, attempts, claims, sample_count, expected_samples, start_ms, end_ms"
        return [
            dict(zip(columns.split(", "), row, strict=True))
            for row in self.database.rows(f"SELECT {columns} FROM job_batches ORDER BY batch_index")
        ]

    def expected_held(self) -> dict[str, dict[int, int]]:
        """Samples a day that the blocks must hold of each point when the job is complete."""
        first, last = self.query.span.start_ms // DAY_MS, (self.query.span.end_ms - 1) // DAY_MS
        counts: dict[str, dict[int, int]] = {}
        for point, rows in self.rows.items():
            counts[point] = dict.fromkeys(range(first, last + 1), 0)
            for at_ms, _ in rows:
                if first <= at_ms // DAY_MS <= last:
                    counts[point][at_ms // DAY_MS] += 1
        return counts

    def held(self) -> dict[str, dict[int, int]]:
        return {
            point: {
                day: len(self.blocks.held[SITE, point][day]) for day in sorted(self.blocks.held[SITE, point])
            }
            for point in self.rows
            if (SITE, point) in self.blocks.held
        }

    def delivered_total(self) -> int:
        return sum(sum(days.values()) for days in self.expected_held().values())


def completed(system: JobSystem, job_id: str) -> None:
    job = system.job(job_id)
    assert (job.status, job.error) == (JobStatus.COMPLETED, None)
    assert job.batches_done == job.batch_count == len(system.batches())
    assert (
        job.expected_done == job.expected_samples == sum(one["expected_samples"] for one in system.batches())
    )
    assert {one["status"] for one in system.batches()} == {"done"}
    assert job.progress_percent == 100
    assert system.held() == system.expected_held()
