"""Duties over rows that only grow: jobs to the history, dead letters, counts of requests."""

import asyncio
import json
from collections.abc import Coroutine, Iterator
from typing import Any

import pytest

from edgeseries.limits import DAY_MS, HOUR_MS, MINUTE_MS
from janitor.archive_jobs import HISTORY_KEEP_MS, ROUND_BATCHES, archive_jobs
from janitor.duty import Turn
from janitor.purge_dead_letters import PAGE_DEAD_LETTERS, purge_letters
from janitor.roll_up import MAX_HOURS, MINUTES_KEEP_MS, roll_up
from janitor.trim_requests import HOURS_KEEP_MS, trim_requests
from tests.fake_janitor import janitor_ports
from tests.fake_stores import SqliteDatabase

NOW_MS = 1_700_000_000_000
OLD_MS = NOW_MS - 7 * DAY_MS - 1


@pytest.fixture
def database() -> Iterator[SqliteDatabase]:
    made = SqliteDatabase()
    made.connection.execute("PRAGMA foreign_keys = ON")  # as D1 has it
    yield made
    made.close()


def run(work: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(work)


def turn(cursor: str = "") -> Turn:
    return Turn(cursor=cursor, now_ms=NOW_MS, stop_ms=NOW_MS + HOUR_MS)


def insert(database: SqliteDatabase, table: str, **fields: object) -> None:
    marks = ",".join("?" * len(fields))
    database.connection.execute(
        f"INSERT INTO {table} ({','.join(fields)}) VALUES ({marks})", list(fields.values())
    )


def job(database: SqliteDatabase, job_id: str, *, batches: int = 2, **fields: object) -> None:
    row: dict[str, object] = {
        "job_id": job_id,
        "request_digest": job_id,
        "site": "hq",
        "points_json": '["a"]',
        "point_count": 1,
        "start_ms": 0,
        "end_ms": 9,
        "status": "completed",
        "batch_count": batches,
        "sample_count": 40,
        "created_ms": 5,
        "ended_ms": OLD_MS,
        "updated_ms": OLD_MS,
    }
    insert(database, "queue_jobs", **{**row, **fields})
    for index in range(batches):
        insert(
            database,
            "job_batches",
            job_id=job_id,
            batch_index=index,
            first_point=0,
            point_count=1,
            start_ms=0,
            end_ms=9,
            expected_samples=1,
            status="done",
            updated_ms=OLD_MS,
        )


def count(database: SqliteDatabase, table: str) -> int:
    ((number,),) = database.rows(f"SELECT count(*) FROM {table}")
    assert isinstance(number, int)
    return number


def test_jobs_that_ended_long_ago_move_to_the_history_without_batches(database: SqliteDatabase) -> None:
    job(database, "old")
    job(database, "failed", status="failed", error="gone", ended_ms=None)
    job(database, "cancelled", status="cancelled")
    job(database, "young", updated_ms=OLD_MS + 2)
    job(database, "running", status="processing")
    assert run(archive_jobs(janitor_ports(database), turn())).count == 3
    left = database.rows("SELECT job_id FROM queue_jobs ORDER BY job_id")
    assert left == [("running",), ("young",)]
    assert count(database, "job_batches") == 4
    history = database.rows(
        "SELECT job_id, status, error, sample_count, ended_ms FROM job_history ORDER BY job_id"
    )
    assert history == [
        ("cancelled", "cancelled", None, 40, OLD_MS),
        ("failed", "failed", "gone", 40, OLD_MS),
        ("old", "completed", None, 40, OLD_MS),
    ]
    assert run(archive_jobs(janitor_ports(database), turn())).count == 0


def test_a_job_larger_than_a_round_is_moved_alone(database: SqliteDatabase) -> None:
    for name in ("a", "b", "c"):
        job(database, name, batches=0, batch_count=ROUND_BATCHES + 1)
    keeping = janitor_ports(database).keeping
    moved = run(keeping.archive_jobs(before_ms=NOW_MS, batches=ROUND_BATCHES, at_most=100))
    assert moved == 1
    assert run(archive_jobs(janitor_ports(database), turn())).count == 2


def test_a_job_that_is_taken_up_again_in_between_stays_whole(database: SqliteDatabase) -> None:
    job(database, "again", status="failed")
    keeping = janitor_ports(database).keeping
    read = database.read

    async def then_retried(command: Any) -> Any:
        rows = await read(command)
        database.connection.execute("UPDATE queue_jobs SET status = 'retrying'")
        return rows

    database.read = then_retried  # type: ignore[method-assign]
    run(keeping.archive_jobs(before_ms=NOW_MS, batches=10, at_most=10))
    assert (count(database, "queue_jobs"), count(database, "job_batches")) == (1, 2)
    assert count(database, "job_history") == 0


def test_history_is_forgotten_after_a_year_and_a_bit(database: SqliteDatabase) -> None:
    for name, ended_ms in (("gone", NOW_MS - HISTORY_KEEP_MS - 1), ("kept", NOW_MS - HISTORY_KEEP_MS)):
        insert(
            database,
            "job_history",
            job_id=name,
            site="hq",
            point_count=1,
            start_ms=0,
            end_ms=9,
            priority="low",
            status="completed",
            batch_count=1,
            sample_count=1,
            created_ms=1,
            ended_ms=ended_ms,
        )
    run(archive_jobs(janitor_ports(database), turn()))
    assert database.rows("SELECT job_id FROM job_history") == [("kept",)]


def test_old_dead_letters_are_forgotten_page_by_page(database: SqliteDatabase) -> None:
    for place in range(PAGE_DEAD_LETTERS + 3):
        buried_ms = NOW_MS - 30 * DAY_MS - (1 if place else 0)
        insert(
            database,
            "dead_letters",
            letter_id=f"l{place}",
            queue="q",
            message_json="{}",
            cause="c",
            attempts=4,
            buried_ms=buried_ms,
        )
    assert run(purge_letters(janitor_ports(database), turn())).count == PAGE_DEAD_LETTERS + 2
    assert database.rows("SELECT letter_id FROM dead_letters") == [("l0",)]


# --- counts of requests ------------------------------------------------------------------


def requests(database: SqliteDatabase, minute_ms: int, *, route: str = "cached", **fields: object) -> None:
    row: dict[str, object] = {
        "minute_ms": minute_ms,
        "endpoint": "/api/timeseries",
        "route": route,
        "status_class": 2,
        "cache_verdict": "hit",
        "request_count": 3,
        "duration_sum_ms": 30,
        "duration_buckets": "[1,0,2]",
        "sample_count": 100,
        "origin_samples": 7,
        "body_bytes": 5,
    }
    insert(database, "request_analytics", **{**row, **fields})


def totals(database: SqliteDatabase) -> list[tuple[object, ...]]:
    """Sums by route, latency buckets too."""
    sums = database.rows(
        "SELECT route, sum(request_count), sum(duration_sum_ms), sum(sample_count), sum(origin_samples), "
        "sum(body_bytes) FROM request_analytics GROUP BY route ORDER BY route"
    )
    buckets = database.rows(
        "SELECT route, key, sum(value) FROM request_analytics, json_each(duration_buckets) "
        "GROUP BY route, key ORDER BY route, key"
    )
    return sums + buckets


def test_minutes_become_hours_after_two_days_and_no_sum_changes(database: SqliteDatabase) -> None:
    hour_ms = (NOW_MS - MINUTES_KEEP_MS) // HOUR_MS * HOUR_MS
    for offset_ms in (-2 * HOUR_MS, -2 * HOUR_MS + MINUTE_MS, -HOUR_MS - MINUTE_MS, 0, MINUTE_MS):
        requests(database, hour_ms + offset_ms)
    requests(database, hour_ms - HOUR_MS + 7 * MINUTE_MS, route="direct", duration_buckets="[0,1]")
    requests(database, hour_ms - HOUR_MS + 8 * MINUTE_MS, route="direct", duration_buckets="[4,0,0,2]")
    before = totals(database)
    outcome = run(roll_up(janitor_ports(database), turn()))
    assert outcome.count == 2
    rows = database.rows(
        "SELECT minute_ms, route, request_count, duration_buckets FROM request_analytics ORDER BY 1, 2"
    )
    assert [(row[0], row[1], row[2], json.loads(str(row[3]))) for row in rows] == [
        (hour_ms - 2 * HOUR_MS, "cached", 9, [3, 0, 6]),
        (hour_ms - HOUR_MS, "direct", 6, [4, 1, 0, 2]),
        (hour_ms, "cached", 3, [1, 0, 2]),
        (hour_ms + MINUTE_MS, "cached", 3, [1, 0, 2]),
    ]
    assert totals(database) == before
    again = run(roll_up(janitor_ports(database), turn(outcome.cursor)))
    assert (again.count, totals(database)) == (0, before)


def test_a_long_absence_is_made_up_for_sweep_by_sweep(database: SqliteDatabase) -> None:
    first_ms = (NOW_MS - 10 * DAY_MS) // HOUR_MS * HOUR_MS
    for hour in range(MAX_HOURS + 5):
        requests(database, first_ms + hour * HOUR_MS + MINUTE_MS)
    first = run(roll_up(janitor_ports(database), turn()))
    second = run(roll_up(janitor_ports(database), turn(first.cursor)))
    assert (first.count, second.count) == (MAX_HOURS, 5)
    minutes = database.rows("SELECT count(*) FROM request_analytics WHERE minute_ms % 3600000")
    assert minutes == [(0,)]


def test_what_is_older_than_a_quarter_is_added_up_for_ever(database: SqliteDatabase) -> None:
    """A total that went down would be taken for a restart of the counter."""
    old_ms = (NOW_MS - HOURS_KEEP_MS) // DAY_MS * DAY_MS
    for minute_ms in (0, old_ms - 5 * DAY_MS, old_ms - 5 * DAY_MS + HOUR_MS, old_ms - HOUR_MS, old_ms):
        requests(database, minute_ms)
    before = totals(database)
    assert run(trim_requests(janitor_ports(database), turn())).count == 2
    assert database.rows("SELECT minute_ms, request_count FROM request_analytics ORDER BY 1") == [
        (0, 12),
        (old_ms, 3),
    ]
    assert totals(database) == before
    assert run(trim_requests(janitor_ports(database), turn())).count == 0
