"""What a start of the local host does about leases and lost messages, over a database like D1's."""

import re
from collections import Counter
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from edgeseries.jobs.limits import BATCH_LEASE_MS, MESSAGES_OF_A_SEND, RESCUE_MAX_MESSAGES
from local.own_upstream import MachineClock
from local.resume import resume
from tests.fake_stores import SqliteDatabase

if TYPE_CHECKING:
    from local.hosting import Host

BATCHES = 2 * RESCUE_MAX_MESSAGES + 7
"""More than two rounds of the rescue."""


@dataclass
class FakeHost:
    """The two control calls that a resume makes, over SQLite, as `local/host/control.mjs` answers them."""

    database: SqliteDatabase = field(default_factory=SqliteDatabase)
    sent: list[tuple[str, list[Any]]] = field(default_factory=list)
    plan: Any = field(
        default_factory=lambda: SimpleNamespace(
            queues=("dev-dead-letters", "dev-jobs-high", "dev-jobs-low", "dev-jobs-normal")
        )
    )

    def query(self, sql: str, *params: Any) -> list[dict[str, Any]]:
        numbered = re.sub(r"\?(\d+)", r":p\1", sql)
        cursor = self.database.connection.execute(
            numbered, {f"p{place}": value for place, value in enumerate(params, 1)}
        )
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def send(self, queue_name: str, messages: list[Any]) -> None:
        self.sent.append((queue_name, messages))

    def job(self, job_id: str, status: str, priority: str = "normal", *, planned: bool = True) -> None:
        now_ms = MachineClock().now_ms()
        self.database.connection.execute(
            "INSERT INTO queue_jobs (job_id, request_digest, site, points_json, point_count, start_ms,"
            " end_ms, priority, status, planned_ms, created_ms, updated_ms)"
            " VALUES (?1, ?1, 'hq', '[\"a\"]', 1, 0, 1, ?2, ?3, ?4, ?5, ?5)",
            (job_id, priority, status, now_ms - 5 if planned else None, now_ms - 5),
        )

    def batch(self, job_id: str, index: int, status: str) -> None:
        now_ms = MachineClock().now_ms()
        held = status == "claimed"
        self.database.connection.execute(
            "INSERT INTO job_batches (job_id, batch_index, first_point, point_count, start_ms, end_ms,"
            " expected_samples, status, lease_holder, lease_until_ms, updated_ms)"
            " VALUES (?, ?, 0, 1, 0, 1, 1, ?, ?, ?, ?)",
            (
                job_id,
                index,
                status,
                "dead" if held else None,
                now_ms + BATCH_LEASE_MS if held else None,
                now_ms - 5,
            ),
        )

    def messages(self) -> Counter[tuple[str, str, int | None]]:
        return Counter(
            (name, message["jobId"], message.get("batchIndex"))
            for name, messages in self.sent
            for message in messages
        )


def resumed(host: FakeHost) -> int:
    return resume(cast("Host", host))


def test_what_was_held_and_what_was_queued_gets_one_message_each_at_once() -> None:
    host = FakeHost()
    host.job("working", "processing")
    for index, status in enumerate(("claimed", "queued", "done", "failed", "claimed")):
        host.batch("working", index, status)
    host.job("unplanned", "queued", "high", planned=False)
    host.job("waiting", "retrying", "low")
    host.batch("waiting", 0, "queued")
    host.job("over", "cancelled")
    host.batch("over", 0, "queued")
    assert resumed(host) == 5
    assert host.messages() == Counter(
        {
            ("dev-jobs-normal", "working", 0): 1,
            ("dev-jobs-normal", "working", 1): 1,
            ("dev-jobs-normal", "working", 4): 1,
            ("dev-jobs-high", "unplanned", None): 1,
            ("dev-jobs-low", "waiting", 0): 1,
        }
    )
    held = host.database.rows("SELECT count(*) FROM job_batches WHERE lease_holder IS NOT NULL")
    assert held == [(0,)]


def test_more_than_one_round_of_the_rescue_is_sent_in_sends_that_a_queue_takes() -> None:
    host = FakeHost()
    host.job("large", "processing")
    for index in range(BATCHES):
        host.batch("large", index, "claimed" if index % 2 else "queued")
    assert resumed(host) == BATCHES
    assert set(host.messages().values()) == {1}
    assert len(host.messages()) == BATCHES
    assert max(len(messages) for _, messages in host.sent) <= MESSAGES_OF_A_SEND


def test_a_duty_that_a_dead_sweep_held_is_free() -> None:
    host = FakeHost()
    host.database.connection.execute(
        "INSERT INTO janitor_state (duty, ran_ms, lease_until_ms) VALUES ('rescue-jobs', 1, 9e15)"
    )
    assert resumed(host) == 0
    assert host.database.rows("SELECT lease_until_ms FROM janitor_state") == [(None,)]


def test_where_nothing_was_left_nothing_is_sent() -> None:
    host = FakeHost()
    host.job("done", "completed")
    host.batch("done", 0, "done")
    assert (resumed(host), host.sent) == (0, [])
