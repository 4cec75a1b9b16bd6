"""The job engine in trouble of the nasty kind: isolates that always die, faults of ours, long pauses,
claims and messages that outlive what they are about.
"""

from collections.abc import Iterator

import pytest

from edgeseries.errors import OriginThrottled
from edgeseries.jobs.batching import BatchSizes
from edgeseries.jobs.job import JobRequest
from edgeseries.jobs.limits import BATCH_LEASE_MS, BATCH_MAX_CLAIMS
from edgeseries.jobs.ports.jobs import Joined
from edgeseries.jobs.states import JobStatus
from edgeseries.limits import MINUTE_MS
from edgeseries.memory_limits import BUDGET_BYTES
from tests.job_system import RESCUE_AFTER_MS, IsolateDied, JobSystem, completed


@pytest.fixture
def system() -> Iterator[JobSystem]:
    made = JobSystem()
    yield made
    made.close()


def test_a_batch_that_always_ends_its_isolate_fails_its_job_at_last(system: JobSystem) -> None:
    """Each time its message comes again it finds the lease of the dead, and waits as a copy: no queue
    counts it, and no failure is ever judged.
    """

    def die(_: int) -> None:
        raise IsolateDied

    system.origin.at_call = die
    job_id = system.start().job.job_id
    for _ in range(2 * BATCH_MAX_CLAIMS):
        for message in list(system.queues.messages):
            system.clock.at_ms = max(system.clock.at_ms, message.ready_ms)
            system.deliver(message)
        system.clock.at_ms += BATCH_LEASE_MS
        system.sweep()
    job = system.job(job_id)
    assert job.status is JobStatus.FAILED
    assert f"begun {BATCH_MAX_CLAIMS} times" in str(job.error)
    assert system.run(system.dead_letters.page(after=None, limit=50)).dead_letters


def test_a_fault_of_ours_is_tried_again_at_once_and_then_ends_the_job_with_its_cause(
    system: JobSystem,
) -> None:
    job_id = system.start().job.job_id
    system.origin.failure = RuntimeError("a typing error")
    began_ms = system.clock.at_ms
    system.drain()
    job = system.job(job_id)
    assert job.status is JobStatus.FAILED
    assert "RuntimeError: a typing error" in str(job.error)
    assert "failed 4 times" in str(job.error)
    assert system.clock.at_ms - began_ms < BATCH_LEASE_MS, "it waited for a lease to run out"
    system.origin.failure = None
    assert system.reopen(job_id)
    system.drain()
    completed(system, job_id)


def test_a_batch_that_waits_for_the_upstream_is_not_rescued_meanwhile(system: JobSystem) -> None:
    job_id = system.start().job.job_id
    system.deliver(system.queues.messages[0])
    del system.queues.messages[1:]
    system.origin.failure = OriginThrottled("429", retry_after_s=3_600)
    (message,) = system.queues.messages
    system.deliver(message)
    waiting = next(one["batch_index"] for one in system.batches() if one["claims"])
    asked = len(system.origin.calls)
    system.queues.messages.clear()  # It is told here alone what is sent.
    for _ in range(3):
        system.clock.at_ms += RESCUE_AFTER_MS + 1
        system.sweep()
    sent = [message.body["batchIndex"] for message in system.queues.messages]
    assert waiting not in sent
    assert len(sent) == 3 * (len(system.batches()) - 1), "the others are"
    assert len(system.origin.calls) == asked
    # Its message was lost: it is missed once it was due.
    system.queues.messages.clear()
    system.clock.at_ms += 3_600_000
    system.origin.failure = None
    system.sweep()
    assert waiting in [message.body["batchIndex"] for message in system.queues.messages]
    system.drain()
    completed(system, job_id)


def test_a_job_that_is_taken_up_again_waits_for_no_lease_of_the_dead(system: JobSystem) -> None:
    job_id = system.start().job.job_id
    system.deliver(system.queues.messages[0])

    def die(_: int) -> None:
        raise IsolateDied

    system.origin.at_call = die
    system.deliver(system.ready()[0])
    system.queues.messages.clear()
    assert "claimed" in {one["status"] for one in system.batches()}
    assert system.cancel(job_id)
    system.origin.at_call = lambda _: None
    assert system.reopen(job_id)
    before_ms = system.clock.at_ms
    system.drain()
    completed(system, job_id)
    assert system.clock.at_ms - before_ms < BATCH_LEASE_MS


def test_who_had_the_batch_before_its_job_was_taken_up_again_counts_nothing(system: JobSystem) -> None:
    job_id = system.start().job.job_id
    system.deliver(system.queues.messages[0])

    def meanwhile(call: int) -> None:
        if call == 1:
            assert system.database.connection.execute(
                "UPDATE queue_jobs SET status = 'cancelled', ended_ms = 1 WHERE job_id = ?", (job_id,)
            ).rowcount
            system.database.connection.executescript(
                f"""
                UPDATE job_batches SET status = 'queued', lease_holder = NULL, lease_until_ms = NULL
                WHERE status = 'claimed';
                UPDATE queue_jobs SET status = 'retrying', ended_ms = NULL WHERE job_id = '{job_id}';
                """
            )

    system.origin.at_call = meanwhile
    first = system.ready()[0]
    system.deliver(first)
    assert {one["status"] for one in system.batches()} == {"queued"}
    system.clock.at_ms += RESCUE_AFTER_MS + 1
    system.sweep()
    system.drain()
    completed(system, job_id)
    assert system.job(job_id).sample_count == system.delivered_total()


def test_a_request_joins_the_completed_job_although_a_later_one_was_cancelled(system: JobSystem) -> None:
    first = system.start().job.job_id
    system.drain()
    system.clock.at_ms += 61_000
    second = system.start()
    assert second.created
    assert system.cancel(second.job.job_id)

    async def again() -> Joined:
        # Everything is stored: whenever the first was completed, it is joined.
        request = JobRequest(query=system.query)
        return await system.jobs.create(request, now_ms=system.clock.at_ms + 5, join_ended_after_ms=0)

    joined = system.run(again())
    assert (joined.created, joined.job.job_id) == (False, first)


def test_a_batch_that_one_invocation_cannot_finish_is_finished_by_others() -> None:
    """No attempt is used up, and nothing that was fetched is fetched again."""
    system = JobSystem(points=2, days=30, a_day=1_440, sizes=BatchSizes(points=2, samples=250_000))
    job_id = system.start().job.job_id
    invocations = 0
    while system.queues.messages:
        invocations += 1
        system.budget.left = 1  # One call; before the second it is spent.
        system.clock.at_ms = max(system.clock.at_ms, system.queues.messages[0].ready_ms)
        system.deliver(system.queues.messages[0])
    completed(system, job_id)
    assert [batch["attempts"] for batch in system.batches()] == [0] * len(system.batches())
    assert max(batch["claims"] for batch in system.batches()) > 1
    delivered = sum(len(system.rows[point]) for point in system.rows)
    assert system.job(job_id).sample_count == delivered == system.delivered_total()
    assert invocations < 20
    system.close()


def test_a_batch_that_finds_no_room_goes_back_and_no_attempt_is_used_up(system: JobSystem) -> None:
    job_id = system.start().job.job_id
    budget, now_ms = system.ports.sample_budget, system.clock.at_ms
    ticket = budget.ticket(now_ms)
    assert budget.enter(ticket, BUDGET_BYTES, now_ms, until_ms=now_ms + 30 * MINUTE_MS)
    system.drain()
    job = system.job(job_id)
    assert (job.status, job.retry_count) == (JobStatus.COMPLETED, 0), "the holder's time ran out"
    assert system.clock.at_ms >= now_ms + 30 * MINUTE_MS
    assert (budget.held_bytes, len(budget._waiting)) == (0, 0)
