"""A job under any sequence of events: messages doubled, lost and reordered, isolates that die anywhere,
stores and upstreams that fail, sweeps, cancels and retries. It ends, legally, and never short of data.
"""

from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import event, given, settings
from hypothesis import strategies as st

from edgeseries.errors import (
    NotFound,
    OriginContract,
    OriginGarbled,
    OriginOversize,
    OriginRefused,
    OriginThrottled,
    OriginUnreachable,
    StoreUnavailable,
    TooLarge,
)
from edgeseries.jobs.limits import BATCH_LEASE_MS
from edgeseries.jobs.states import BATCH_TRANSITIONS, JOB_TRANSITIONS, JobStatus
from edgeseries.storage.database import Command, Row
from tests.fake_stores import SqliteDatabase
from tests.job_system import RESCUE_AFTER_MS, IsolateDied, JobSystem

STEPS = 40
ROUNDS = 80
"""Of time passing, sweep and drain, after the faults. Each may cost a batch that dies one of its claims."""

FAILURES: tuple[Exception | None, ...] = (
    None,
    OriginUnreachable("reset"),
    OriginThrottled("429", retry_after_s=3),
    OriginThrottled("429", retry_after_s=7_200),
    OriginThrottled("429"),
    OriginGarbled("cut"),
    OriginOversize("too large"),
    TooLarge("too much"),
    OriginContract("the cursor repeats"),
    OriginRefused("401"),
    NotFound("no such site"),
    RuntimeError("a fault of ours"),
)

LOG_CHANGES = """
CREATE TABLE changes (what TEXT, before TEXT, after TEXT);
CREATE TRIGGER job_changes AFTER UPDATE ON queue_jobs WHEN old.status <> new.status
BEGIN INSERT INTO changes VALUES ('job', old.status, new.status); END;
CREATE TRIGGER batch_changes AFTER UPDATE ON job_batches WHEN old.status <> new.status
BEGIN INSERT INTO changes VALUES ('batch', old.status, new.status); END;
"""


class TreacherousDatabase(SqliteDatabase):
    """A database of which one call fails: before it did anything, after it did all, or for good with the
    isolate. `countdown` is how many calls go well before.
    """

    countdown: int = -1
    mode: str = ""

    def arm(self, countdown: int, mode: str) -> None:
        self.countdown, self.mode = countdown, mode

    def _due(self) -> bool:
        self.countdown -= 1
        return self.countdown == -1

    async def _guarded(self, call: Callable[[], Any]) -> Any:
        due = self._due()
        if due and self.mode == "fails":
            raise StoreUnavailable("the database is down")
        if due and self.mode == "dies before":
            raise IsolateDied
        result = await call()
        if due and self.mode == "answer lost":
            raise StoreUnavailable("the database did not answer in time")
        if due and self.mode == "dies after":
            raise IsolateDied
        return result

    async def read(self, command: Command) -> list[Row]:
        rows: list[Row] = await self._guarded(lambda: super(TreacherousDatabase, self).read(command))
        return rows

    async def write(self, commands: Sequence[Command]) -> list[list[Row]]:
        rows: list[list[Row]] = await self._guarded(lambda: super(TreacherousDatabase, self).write(commands))
        return rows


MODES = ("fails", "answer lost", "dies before", "dies after")

_PLACES = st.integers(0, 6)
_DELIVERIES = st.tuples(st.just("deliver"), _PLACES, st.booleans())

ACTIONS = st.one_of(
    _DELIVERIES,
    _DELIVERIES,
    st.tuples(st.just("die in"), _PLACES, st.integers(1, 3)),
    st.tuples(st.just("betray"), _PLACES, st.integers(0, 8), st.sampled_from(MODES)),
    st.tuples(st.just("fail"), _PLACES, st.sampled_from(FAILURES)),
    st.tuples(st.just("blocks fail"), _PLACES),
    st.tuples(st.just("lose"), _PLACES),
    st.tuples(st.just("lose all")),
    st.tuples(st.just("pass"), st.sampled_from([1_000, 20_000, BATCH_LEASE_MS + 1, RESCUE_AFTER_MS + 1])),
    st.tuples(st.sampled_from(["sweep", "cancel", "reopen", "reopen"])),
    st.tuples(
        st.just("betray outside"), st.sampled_from(["sweep", "cancel", "reopen"]), st.sampled_from(MODES)
    ),
)


class Ordeal:
    """A job system and what is watched of it."""

    def __init__(self) -> None:
        self.system = JobSystem(points=4, days=6, a_day=3)
        self.system.database.close()
        self.system.database = database = TreacherousDatabase()
        self.database = database
        self.system.rewire(database)
        database.connection.executescript(LOG_CHANGES)
        self.system.origin.at_call = self._at_call
        self.calls_to_death = 0
        self.exact = True
        """Whether nothing happened that leaves samples stored and uncounted: a death between both."""
        self.job_id = self.system.start().job.job_id

    def _at_call(self, _: int) -> None:
        status = self.database.rows("SELECT status FROM queue_jobs")[0][0]
        assert status in ("processing", "retrying"), f"an upstream call for a job that is {status}"
        self.calls_to_death -= 1
        if self.calls_to_death == 0:
            raise IsolateDied

    def act(self, action: tuple[Any, ...]) -> None:  # noqa: C901 - one case an action
        system, messages = self.system, self.system.queues.messages
        if action[0] in ("die in", "blocks fail") or "dies after" in action or "dies before" in action:
            self.exact = False
        match action:
            case ("deliver", place, keep):
                self._deliver(place, keep=keep)
            case ("die in", place, call):
                self.calls_to_death = call
                self._deliver(place)
            case ("betray", place, countdown, mode):
                self.database.arm(countdown, mode)
                self._deliver(place)
            case ("fail", place, failure):
                system.origin.failure = failure
                self._deliver(place)
            case ("blocks fail", place):
                system.blocks.index_failure = StoreUnavailable("R2 or D1 is down")
                self._deliver(place)
            case ("lose", place) if messages:
                messages.pop(place % len(messages))
            case ("lose all",):
                messages.clear()
            case ("pass", wait_ms):
                system.clock.at_ms += wait_ms
            case ("betray outside", what, mode):
                self.database.arm(0, mode)
                self._outside(what)
            case ("sweep",) | ("cancel",) | ("reopen",):
                self._outside(action[0])
        self._calm()
        self.check()

    def _deliver(self, place: int, *, keep: bool = False) -> None:
        messages = self.system.queues.messages
        if messages:
            message = messages[place % len(messages)]
            self.system.clock.at_ms = max(self.system.clock.at_ms, message.ready_ms)
            self.system.deliver(message, keep=keep)

    def _calm(self) -> None:
        """Nothing fails any more."""
        self.database.countdown = -1
        self.calls_to_death = 0
        self.system.origin.failure = None
        self.system.blocks.index_failure = None

    def _outside(self, what: str) -> None:
        """Something that the janitor or the router does; it may fail and die as well."""
        act: Callable[[], object] = {
            "sweep": self.system.sweep,
            "cancel": lambda: self.system.cancel(self.job_id),
            "reopen": lambda: self.system.reopen(self.job_id),
        }[what]
        try:
            act()
        except (StoreUnavailable, IsolateDied):
            return

    def check(self) -> None:
        """What holds at every moment."""
        job, batches = self.system.job(self.job_id), self.system.batches()
        done = [batch for batch in batches if batch["status"] == "done"]
        assert len(batches) == job.batch_count
        assert job.batches_done <= len(done)
        if job.active:
            assert job.batches_done == len(done)
        assert sum(int(batch["sample_count"]) for batch in batches) <= self.system.delivered_total()
        if job.status is JobStatus.COMPLETED:
            assert len(done) == job.batches_done == job.batch_count
            assert job.expected_done == job.expected_samples
            assert job.sample_count == sum(int(batch["sample_count"]) for batch in batches)
            if self.exact:
                assert job.sample_count == self.system.delivered_total()
            assert self.system.held() == self.system.expected_held(), "completed with data missing"
            assert job.ended_ms is not None
        changes = set(self.database.rows("SELECT DISTINCT what, before, after FROM changes"))
        assert changes <= LEGAL

    def settle(self) -> JobStatus:
        """Time passes, the janitor sweeps, messages are delivered."""
        for _ in range(ROUNDS):
            self.system.clock.at_ms += RESCUE_AFTER_MS + BATCH_LEASE_MS
            swept = self.system.sweep()
            self.system.drain()
            self.check()
            if not swept and not self.system.job(self.job_id).active:
                return self.system.job(self.job_id).status
        raise AssertionError(f"it hangs: {self.system.job(self.job_id)} {self.system.batches()}")


LEGAL = {
    ("job", str(before), str(after)) for (before, _), after in JOB_TRANSITIONS.items() if before is not after
} | {
    ("batch", str(before), str(after))
    for (before, _), after in BATCH_TRANSITIONS.items()
    if before is not after
}


@settings(max_examples=200)
@given(actions=st.lists(ACTIONS, max_size=STEPS))
def test_whatever_happens_a_job_ends_legally_and_never_short_of_data(actions: list[tuple[Any, ...]]) -> None:
    ordeal = Ordeal()
    try:
        for action in actions:
            ordeal.act(action)
        status = ordeal.settle()
        event(f"ended {status}")
        if status is JobStatus.FAILED:
            assert ordeal.system.job(ordeal.job_id).error
        if status is not JobStatus.COMPLETED:
            # Taken up again it completes at once: nobody has to wait for a lease or for the janitor.
            assert ordeal.system.reopen(ordeal.job_id)
            ordeal.system.drain()
            ordeal.check()
            assert ordeal.system.job(ordeal.job_id).status is JobStatus.COMPLETED
    finally:
        ordeal.system.close()
