"""Event streams and waiting callers: what they are told, how often they look, how many may."""

import asyncio
import heapq
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

import pytest

from edgeseries.access.grants import EVERYBODY
from edgeseries.errors import RateLimited, StoreUnavailable
from edgeseries.http.messages import HttpRequest
from edgeseries.jobs.adapters.watch_memory import SharedJobWatch, WatchMemory
from edgeseries.jobs.job import Job, Priority
from edgeseries.jobs.limits import (
    EVENT_MAX_STEP_MS,
    EVENT_STEP_MS,
    EVENTS_MAX_LOOKS,
    EVENTS_MAX_STREAMS,
    EVENTS_SLOT_MS,
    JOB_LOOK_TIMEOUT_MS,
    MAX_WAIT_S,
    POLL_INTERVAL_MS,
    WAIT_STEP_MS,
)
from edgeseries.jobs.pacing import step_ms
from edgeseries.jobs.states import JobStatus
from edgeseries.limits import HOUR_MS, MINUTE_MS, SECOND_MS
from edgeseries.platform_limits import D1_QUERIES
from edgeseries.series.timerange import TimeRange
from router.endpoint import Arrival
from router.endpoints import ENDPOINTS
from router.handlers.job_events import events_outcome, mark_of
from router.queued_answer import wait_for
from tests.fakes import FakeClock
from tests.made_ports import router_ports

NOW_MS = 1_790_000_000_000
RETRY = f"retry: {POLL_INTERVAL_MS}"


def job_at(done: int = 0, status: JobStatus = JobStatus.PROCESSING, at_ms: int = NOW_MS) -> Job:
    return Job(
        job_id="job-1",
        owner="",
        site="hq",
        point_count=1,
        span=TimeRange(start_ms=0, end_ms=86_400_000),
        priority=Priority.NORMAL,
        status=status,
        planned_ms=NOW_MS,
        batch_count=1_000_000,
        batches_done=done,
        expected_samples=1,
        expected_done=0,
        sample_count=0,
        retry_count=0,
        error=None,
        created_ms=NOW_MS,
        started_ms=NOW_MS,
        ended_ms=at_ms if status is JobStatus.COMPLETED else None,
        updated_ms=at_ms,
        result_parts=1 if status is JobStatus.COMPLETED else None,
    )


@dataclass
class Timeline:
    """One clock for any number of tasks: it goes forward when all of them wait."""

    clock: FakeClock = field(default_factory=lambda: FakeClock(at_ms=NOW_MS))
    waiting: list[tuple[int, int, asyncio.Future[None]]] = field(default_factory=list)
    numbers: Any = field(default_factory=count)

    async def pause(self, wait_ms: int) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self.waiting, (self.clock.at_ms + wait_ms, next(self.numbers), turn))
        await turn

    async def run(self, *work: Any) -> list[Any]:
        tasks = [asyncio.ensure_future(one) for one in work]
        while not all(task.done() for task in tasks):
            for _ in range(10):
                await asyncio.sleep(0)
            if self.waiting:
                due_ms, _, turn = heapq.heappop(self.waiting)
                self.clock.at_ms = max(self.clock.at_ms, due_ms)
                turn.set_result(None)
        return [task.result() for task in tasks]


@dataclass
class CountingBook:
    """A book with one job, which `told` makes of the time; `down` while it does not answer."""

    clock: FakeClock
    told: Callable[[int], Job]
    finds: int = 0
    down: bool = False

    async def find(self, job_id: str) -> Job | None:
        assert job_id == "job-1"
        self.finds += 1
        job = self.told(self.clock.at_ms)
        await asyncio.sleep(0)
        if self.down:
            raise StoreUnavailable("the database is down")
        return job

    async def query(self, job_id: str) -> Any:
        raise NotImplementedError

    async def waiting(self, job_id: str, *, after: int) -> Any:
        raise NotImplementedError


class House:
    """An isolate whose job advances every `pace_ms` and is completed after `lasts_ms`."""

    def __init__(self, *, lasts_ms: int, pace_ms: int = 10 * SECOND_MS, max_streams: int = 1_000) -> None:
        self.timeline = Timeline()
        clock = self.timeline.clock
        end_ms = NOW_MS + lasts_ms

        def told(at_ms: int) -> Job:
            done = (min(at_ms, end_ms) - NOW_MS) // pace_ms
            status = JobStatus.COMPLETED if at_ms >= end_ms else JobStatus.PROCESSING
            return job_at(done, status, min(end_ms, NOW_MS + done * pace_ms))

        self.job_reader = CountingBook(clock, told)
        self.memory = WatchMemory(max_streams=max_streams)
        self.ports = router_ports(
            clock=clock,
            timer=self.timeline,
            job_reader=self.job_reader,
            job_watch=SharedJobWatch(memory=self.memory, job_reader=self.job_reader, clock=clock),
        )

    def opened(self, last_event_id: str = "", caller: str = "192.0.2.1") -> Any:
        """The response, as the endpoint gives it now: the job is looked up for it once."""
        headers = {"last-event-id": last_event_id} if last_event_id else {}
        request = HttpRequest(
            method="GET", path="/", request_id="r", arrived_ms=NOW_MS, headers=headers, caller=caller
        )
        arrival = Arrival(
            endpoint=next(one for one in ENDPOINTS if one.name == "followJob"),
            request=request,
            grant=EVERYBODY,
            path_parameters={},
            deadline_ms=NOW_MS + SECOND_MS,
        )
        return events_outcome(self.job_reader.told(self.timeline.clock.at_ms), arrival, self.ports).response

    async def followed(self, last_event_id: str = "") -> list[str]:
        """The blocks of a stream, to its end."""
        stream: AsyncIterator[bytes] = self.opened(last_event_id).stream
        text = b"".join([piece async for piece in stream]).decode()
        return text.removesuffix("\n\n").split("\n\n")


def ids_of(blocks: list[str]) -> list[str]:
    return [block.splitlines()[0].removeprefix("id: ") for block in blocks if block.startswith("id: ")]


def done_of(blocks: list[str]) -> list[int]:
    data = [block.partition("data: ")[2] for block in blocks if block.startswith("id: ")]
    return [json.loads(one)["batches"]["done"] for one in data]


def test_fifty_followers_of_a_job_look_as_often_as_one() -> None:
    alone, crowd = House(lasts_ms=2 * MINUTE_MS), House(lasts_ms=2 * MINUTE_MS)
    asyncio.run(alone.timeline.run(alone.followed()))
    streams = asyncio.run(crowd.timeline.run(*(crowd.followed() for _ in range(50))))
    assert crowd.job_reader.finds <= 1.1 * alone.job_reader.finds
    for blocks in streams:
        assert done_of(blocks) == sorted(done_of(blocks))
        assert len(set(ids_of(blocks))) == len(ids_of(blocks))
        assert blocks[-1].splitlines()[1] == "event: completed"
        # A look is at most two steps old, and a step of a young job is no longer than two seconds.
        assert len(ids_of(blocks)) >= 12


def test_a_long_stream_ends_within_its_budget_and_goes_on_without_loss_or_repeat() -> None:
    house = House(lasts_ms=6 * HOUR_MS, pace_ms=MINUTE_MS)

    async def follow() -> list[list[str]]:
        streams = [await house.followed()]
        while "event: completed" not in streams[-1][-1]:
            before = house.job_reader.finds
            assert streams[-1][-1].splitlines() == [": this stream has had its time; connect again", RETRY]
            streams.append(await house.followed(ids_of([one for blocks in streams for one in blocks])[-1]))
            assert house.job_reader.finds - before <= EVENTS_MAX_LOOKS
        return streams

    (streams,) = asyncio.run(house.timeline.run(follow()))
    assert len(streams) > 1
    assert all(blocks[0] == RETRY for blocks in streams)
    told = [one for blocks in streams for one in ids_of(blocks)]
    assert len(set(told)) == len(told)
    done = [one for blocks in streams for one in done_of(blocks)]
    assert done == list(range(361)), "every minute's state was told once"
    last = house.opened(told[-1])
    assert (last.status, last.stream) == (204, None)


def test_a_database_that_is_down_uses_up_a_stream_too() -> None:
    house = House(lasts_ms=6 * HOUR_MS)
    house.job_reader.down = True
    (blocks,) = asyncio.run(house.timeline.run(house.followed()))
    assert house.job_reader.finds == EVENTS_MAX_LOOKS
    assert 2 * house.job_reader.finds < D1_QUERIES.value
    assert blocks[-1].endswith(RETRY)


def test_what_was_read_before_a_caller_looked_itself_is_never_told() -> None:
    house = House(lasts_ms=HOUR_MS)
    house.memory.record("job-1", job_at(0), NOW_MS)
    house.timeline.clock.at_ms = NOW_MS + 500
    watch = house.ports.job_watch

    async def look(known_ms: int) -> Any:
        return await watch.look("job-1", known_ms=known_ms, max_age_ms=SECOND_MS)

    assert asyncio.run(look(NOW_MS - 1)).asked is False
    assert asyncio.run(look(NOW_MS)).asked is True, "it may be older than what is known"


def test_who_began_to_look_and_never_came_back_holds_nobody_up() -> None:
    house = House(lasts_ms=HOUR_MS)
    house.memory.reading["job-1"] = NOW_MS

    async def look() -> Any:
        return await house.ports.job_watch.look("job-1", known_ms=0, max_age_ms=SECOND_MS)

    assert asyncio.run(look()) is None
    house.timeline.clock.at_ms += JOB_LOOK_TIMEOUT_MS
    seen = asyncio.run(look())
    assert seen is not None
    assert seen.asked
    assert not house.memory.reading


def test_a_look_that_fails_leaves_the_way_free() -> None:
    house = House(lasts_ms=HOUR_MS)
    house.job_reader.down = True
    with pytest.raises(StoreUnavailable):
        asyncio.run(house.ports.job_watch.look("job-1", known_ms=0, max_age_ms=SECOND_MS))
    assert not house.memory.reading
    assert not house.memory.seen


def test_an_isolate_remembers_a_bounded_number_of_jobs() -> None:
    memory = WatchMemory(max_jobs=3)
    for number in range(5):
        memory.record(f"job-{number}", None, NOW_MS)
    memory.record("job-2", None, NOW_MS)
    memory.record("job-5", None, NOW_MS)
    assert list(memory.seen) == ["job-4", "job-2", "job-5"]


def test_streams_of_a_caller_are_bounded_and_free_when_they_end() -> None:
    house = House(lasts_ms=HOUR_MS, max_streams=3)
    slots = [house.ports.job_watch.acquire_slot("ip:192.0.2.1") for _ in range(3)]
    with pytest.raises(RateLimited) as refused:
        house.opened()
    assert refused.value.retry_after_s == EVENTS_SLOT_MS // SECOND_MS
    assert refused.value.policy.policy_field == f'"event-streams";q={EVENTS_MAX_STREAMS}'
    assert "event streams of this caller are open" in refused.value.detail
    assert house.opened(caller="192.0.2.2").status == 200, "each caller has its own"
    assert slots[0] is not None
    house.ports.job_watch.release_slot(slots[0])
    assert house.opened().status == 200


def test_a_stream_that_the_platform_ended_holds_its_place_for_a_while_only() -> None:
    house = House(lasts_ms=HOUR_MS, max_streams=1)
    house.opened()  # Nobody reads it: its task never begins, and never ends.
    with pytest.raises(RateLimited):
        house.opened()
    house.timeline.clock.at_ms += EVENTS_SLOT_MS
    assert house.opened().status == 200


def test_a_stream_keeps_its_place_while_it_runs_and_leaves_it_at_its_end() -> None:
    house = House(lasts_ms=HOUR_MS, max_streams=1)

    async def second() -> None:
        for _ in range(50):
            await house.timeline.pause(EVENTS_SLOT_MS)
            with pytest.raises(RateLimited):
                house.opened()

    asyncio.run(house.timeline.run(house.followed(), second()))
    assert house.memory.slots == {}


@pytest.mark.parametrize(
    ("age_ms", "expected_ms"),
    [
        (-SECOND_MS, EVENT_STEP_MS),
        (0, EVENT_STEP_MS),
        (MINUTE_MS, EVENT_STEP_MS),
        (5 * MINUTE_MS, 5 * SECOND_MS),
        (10 * MINUTE_MS, EVENT_MAX_STEP_MS),
        (24 * HOUR_MS, EVENT_MAX_STEP_MS),
    ],
)
def test_the_longer_a_job_runs_the_less_often_it_is_looked_at(age_ms: int, expected_ms: int) -> None:
    assert step_ms(job_at(), NOW_MS + age_ms) == expected_ms


def test_callers_who_wait_share_their_looks() -> None:
    alone, crowd = House(lasts_ms=20 * SECOND_MS), House(lasts_ms=20 * SECOND_MS)

    async def wait(house: House) -> Job:
        return await wait_for(job_at(), MAX_WAIT_S, house.ports)

    asyncio.run(alone.timeline.run(wait(alone)))
    jobs = asyncio.run(crowd.timeline.run(*(wait(crowd) for _ in range(20))))
    assert {job.status for job in jobs} == {JobStatus.COMPLETED}
    assert alone.job_reader.finds <= 20 * SECOND_MS // WAIT_STEP_MS + 1
    assert crowd.job_reader.finds <= 1.1 * alone.job_reader.finds + 1


def test_marks_tell_every_state_apart() -> None:
    states = [job_at(), job_at(1), job_at(1, JobStatus.RETRYING), replace(job_at(1), updated_ms=NOW_MS + 1)]
    assert len({mark_of(job) for job in states}) == len(states)
