"""The job engine over fakes and SQLite: the life of a job, and everything that may happen to it."""

from collections.abc import Iterator

import pytest

from edgeseries.errors import (
    OriginContract,
    OriginThrottled,
    OriginUnreachable,
    StoreUnavailable,
)
from edgeseries.jobs.batching import BatchSizes
from edgeseries.jobs.states import JobStatus
from edgeseries.limits import DAY_MS
from tests.job_system import RESCUE_AFTER_MS, IsolateDied, JobSystem, completed


@pytest.fixture
def system() -> Iterator[JobSystem]:
    made = JobSystem()
    yield made
    made.close()


def test_a_job_is_cut_fetched_and_completed(system: JobSystem) -> None:
    joined = system.start()
    assert joined.created
    assert joined.job.status is JobStatus.QUEUED
    system.drain()
    completed(system, joined.job.job_id)
    job = system.job(joined.job.job_id)
    assert job.batch_count == 6  # three slices of two points, December and January
    assert job.sample_count == system.delivered_total()
    assert job.retry_count == 0
    assert not system.queues.messages


def test_the_same_request_joins_whatever_its_priority_and_an_ended_one_for_a_while(system: JobSystem) -> None:
    first = system.start()
    again = system.start()
    assert (again.created, again.job.job_id) == (False, first.job.job_id)
    system.drain()
    assert not system.start().created
    system.clock.at_ms += 61_000
    later = system.start()
    assert later.created
    assert later.job.job_id != first.job.job_id
    system.drain()
    # Everything is stored by now, so there is nothing to cut.
    job = system.job(later.job.job_id)
    assert (job.status, job.batch_count, job.progress_percent) == (JobStatus.COMPLETED, 0, 100)


def test_every_message_twice_gives_the_same_job(system: JobSystem) -> None:
    job_id = system.start().job.job_id
    for _ in range(200):
        if not system.queues.messages:
            break
        message = system.queues.messages[0]
        system.clock.at_ms = max(system.clock.at_ms, message.ready_ms)
        system.deliver(message, keep=True)
        system.deliver(message)
    completed(system, job_id)
    assert system.job(job_id).sample_count == system.delivered_total()


@pytest.mark.parametrize("dies_at", range(1, 7))
def test_an_isolate_that_dies_costs_no_finished_batch(system: JobSystem, dies_at: int) -> None:
    def die(call: int) -> None:
        if call == dies_at:
            raise IsolateDied

    system.origin.at_call = die
    job_id = system.start().job.job_id
    system.deliver(system.queues.messages[0])
    done_before: set[int] = set()
    for message in list(system.queues.messages):
        system.deliver(message)
    done_before = {one["batch_index"] for one in system.batches() if one["status"] == "done"}
    asked_before = len(system.origin.spans)
    system.queues.messages.clear()  # The host died with all of its queues.
    assert system.job(job_id).status is JobStatus.PROCESSING
    system.sweep()
    assert not system.queues.messages, "nobody is rescued while the lease runs"
    system.clock.at_ms += RESCUE_AFTER_MS + 1
    assert system.sweep() == len(system.batches()) - len(done_before)
    system.drain()
    completed(system, job_id)
    assert len(system.origin.spans) - asked_before <= 2 * (len(system.batches()) - len(done_before))


def test_a_job_whose_plan_was_lost_is_rescued(system: JobSystem) -> None:
    job_id = system.start().job.job_id
    system.queues.messages.clear()
    system.clock.at_ms += RESCUE_AFTER_MS + 1
    assert system.sweep() == 1
    assert system.sweep() == 0, "it was touched just now"
    system.drain()
    completed(system, job_id)


def test_a_moving_job_is_not_rescued(system: JobSystem) -> None:
    system.start()
    system.deliver(system.queues.messages[0])
    system.clock.at_ms += RESCUE_AFTER_MS - 10
    system.deliver(system.ready()[0])
    system.clock.at_ms += 20
    assert system.sweep() == 0


def test_transient_failures_are_tried_again_after_1_2_and_4_seconds(system: JobSystem) -> None:
    job_id = system.start().job.job_id
    system.deliver(system.queues.messages[0])
    message = system.queues.messages[0]
    del system.queues.messages[1:]
    system.origin.failure = OriginUnreachable("broken")
    waits = []
    for _ in range(3):
        before_ms = system.clock.at_ms
        system.deliver(message)
        waits.append(message.ready_ms - before_ms)
        assert system.job(job_id).status is JobStatus.RETRYING
        system.clock.at_ms = message.ready_ms
    assert waits == [1_000, 2_000, 4_000]
    assert system.job(job_id).retry_count == 3
    system.origin.failure = None
    system.deliver(message)
    assert system.job(job_id).status is JobStatus.PROCESSING
    system.clock.at_ms += RESCUE_AFTER_MS + 1
    system.sweep()
    system.drain()
    completed(system, job_id)


def test_after_three_retries_the_job_fails_with_the_cause_and_can_be_tried_again(system: JobSystem) -> None:
    job_id = system.start().job.job_id
    system.origin.failure = OriginUnreachable("broken")
    system.drain()
    job = system.job(job_id)
    assert job.status is JobStatus.FAILED
    assert job.error is not None
    assert "failed 4 times" in job.error
    assert "broken" in job.error
    dead_letters = system.run(system.dead_letters.page(after=None, limit=50)).dead_letters
    assert dead_letters
    assert {dead_letter.job_id for dead_letter in dead_letters} == {job_id}
    assert dead_letters[0].message["kind"] == "batch"
    system.origin.failure = None
    assert system.reopen(job_id)
    assert not system.reopen(job_id), "it is under way already"
    system.drain()
    completed(system, job_id)


def test_a_defect_is_given_up_at_once(system: JobSystem) -> None:
    job_id = system.start().job.job_id
    system.origin.failure = OriginContract("the cursor repeats")
    system.drain()
    job = system.job(job_id)
    assert job.status is JobStatus.FAILED
    assert "the cursor repeats" in str(job.error)
    assert {one["attempts"] for one in system.batches() if one["status"] == "failed"} == {1}


def test_a_pause_that_the_upstream_asks_for_counts_as_no_attempt(system: JobSystem) -> None:
    job_id = system.start().job.job_id
    system.deliver(system.queues.messages[0])
    del system.queues.messages[1:]
    system.origin.failure = OriginThrottled("429", retry_after_s=30)
    for _ in range(10):
        (message,) = system.queues.messages
        system.clock.at_ms = message.ready_ms
        system.deliver(message)
        assert system.queues.messages[0].ready_ms - system.clock.at_ms == 30_000
        assert system.queues.messages[0].attempts == 0, "a copy waits: the queue counts nothing"
    assert {one["attempts"] for one in system.batches()} == {0}
    assert system.job(job_id).retry_count == 0
    system.origin.failure = None
    system.clock.at_ms += RESCUE_AFTER_MS + 1
    system.sweep()
    system.drain()
    completed(system, job_id)


def test_an_upstream_that_asks_for_a_pause_for_ever_ends_the_job(system: JobSystem) -> None:
    job_id = system.start().job.job_id
    system.origin.failure = OriginThrottled("429", retry_after_s=1)
    system.drain()
    job = system.job(job_id)
    assert job.status is JobStatus.FAILED
    assert "begun 50 times" in str(job.error)


def test_cancel_stops_before_the_next_call_and_what_is_stored_stays(system: JobSystem) -> None:
    job_id = system.start().job.job_id
    system.deliver(system.queues.messages[0])

    def cancel(call: int) -> None:
        if call == 2:
            system.database.connection.execute(
                "UPDATE queue_jobs SET status = 'cancelled', ended_ms = 1 WHERE job_id = ?", (job_id,)
            )

    system.origin.at_call = cancel
    for message in list(system.queues.messages):
        system.deliver(message)
    assert len(system.origin.spans) <= 3
    assert not system.queues.messages
    assert system.job(job_id).status is JobStatus.CANCELLED
    assert not system.cancel(job_id)
    held = system.held()
    assert all(
        held[point][day] == system.expected_held()[point][day] for point in held for day in held[point]
    )
    assert system.reopen(job_id)
    system.drain()
    completed(system, job_id)


def test_a_cancelled_job_is_not_planned(system: JobSystem) -> None:
    job_id = system.start().job.job_id
    assert system.cancel(job_id)
    system.drain()
    assert system.job(job_id).status is JobStatus.CANCELLED
    assert not system.origin.spans
    assert system.reopen(job_id)
    assert system.job(job_id).status is JobStatus.QUEUED
    system.drain()
    completed(system, job_id)


def test_a_letter_that_comes_again_after_the_replay_fails_nothing(system: JobSystem) -> None:
    job_id = system.start().job.job_id
    system.origin.failure = OriginContract("the cursor repeats")
    while not any(one.queue == "dead-letters" for one in system.queues.messages):
        system.deliver(system.ready()[0])
    dead_letter = next(one for one in system.queues.messages if one.queue == "dead-letters")
    system.deliver(dead_letter, keep=True)
    system.deliver(dead_letter, keep=True)
    (kept,) = system.run(system.dead_letters.page(after=None, limit=50)).dead_letters
    system.origin.failure = None
    assert system.reopen(job_id)
    system.run(system.dead_letters.replayed(kept, now_ms=system.clock.at_ms))
    system.deliver(dead_letter)
    assert system.job(job_id).status is JobStatus.RETRYING
    system.drain()
    completed(system, job_id)
    assert system.run(system.dead_letters.find(kept.letter_id)).replayed_ms is not None


def test_a_bare_message_in_the_dead_letters_fails_its_job_unless_its_batch_is_done(system: JobSystem) -> None:
    job_id = system.start().job.job_id
    system.deliver(system.queues.messages[0])
    first, second = system.queues.messages[:2]
    system.deliver(first)
    system.queues.put("dead-letters", first.body)
    system.deliver(system.queues.messages[-1])
    assert system.job(job_id).status is JobStatus.PROCESSING
    assert system.run(system.dead_letters.page(after=None, limit=50)).dead_letters == ()
    system.queues.put("dead-letters", second.body)
    system.deliver(system.queues.messages[-1])
    assert system.job(job_id).status is JobStatus.FAILED
    assert "without a word" in str(system.job(job_id).error)


def test_a_message_of_another_version_waits_and_a_dead_one_is_kept(system: JobSystem) -> None:
    system.queues.put("jobs-normal", {"v": 2, "kind": "batch"})
    (message,) = system.queues.messages
    system.deliver(message)
    assert message.ready_ms == system.clock.at_ms + 60_000
    message.queue = "x-dead-letters"
    system.deliver(message)
    assert not system.queues.messages
    (dead_letter,) = system.run(system.dead_letters.page(after=None, limit=50)).dead_letters
    assert (dead_letter.job_id, dead_letter.message) == (None, {"v": 2, "kind": "batch"})


def test_a_database_that_is_down_puts_messages_back_and_buries_them_at_last(system: JobSystem) -> None:
    job_id = system.start().job.job_id
    (plan,) = system.queues.messages
    system.database.down = True
    for _ in range(3):
        system.deliver(plan)
        assert plan.ready_ms > system.clock.at_ms
    system.deliver(plan)
    (dead_letter,) = system.queues.messages
    assert dead_letter.queue == "dead-letters"
    system.deliver(dead_letter)
    assert dead_letter.ready_ms == system.clock.at_ms + 60_000, "it stays until it can be kept"
    system.database.down = False
    system.deliver(dead_letter)
    assert system.job(job_id).status is JobStatus.FAILED
    assert system.reopen(job_id)
    system.drain()
    completed(system, job_id)


def test_blocks_that_cannot_be_written_are_an_attempt(system: JobSystem) -> None:
    job_id = system.start().job.job_id
    system.deliver(system.queues.messages[0])
    system.blocks.index_failure = StoreUnavailable("the index is down")
    message = system.queues.messages[0]
    system.deliver(message)
    assert system.job(job_id).status is JobStatus.RETRYING
    system.blocks.index_failure = None
    system.drain()
    completed(system, job_id)


def test_a_point_that_the_site_does_not_have_is_not_stored_as_empty() -> None:
    system = JobSystem(points=3)
    del system.rows["p000"]
    job_id = system.start().job.job_id
    system.drain()
    assert system.job(job_id).status is JobStatus.COMPLETED
    assert ("hq", "p000") not in system.blocks.held
    assert system.held() == system.expected_held()
    system.close()


def test_dense_points_that_nobody_knew_are_fetched_in_pieces_that_fit() -> None:
    system = JobSystem(points=2, days=9, a_day=8_000, sizes=BatchSizes(points=50, samples=250_000))
    job_id = system.start().job.job_id
    system.drain()
    completed(system, job_id)
    days = [(span.end_ms - span.start_ms) // DAY_MS for span in system.origin.spans]
    # A first day tells how dense they are; then as many days as 30,000 samples of two points are.
    assert max(days) == 1
    system.close()
