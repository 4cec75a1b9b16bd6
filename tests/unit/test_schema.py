"""`schema.sql` is valid, may run twice, and keeps what it promises. Run on the host's SQLite."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

SCHEMA = (Path(__file__).parents[2] / "schema.sql").read_text()

TABLES = {
    "queue_jobs",
    "job_batches",
    "job_history",
    "cache_metadata",
    "silent_days",
    "late_data",
    "store_generations",
    "fetch_leases",
    "asked_days",
    "superseded_objects",
    "request_analytics",
    "platform_usage",
    "upstream_usage",
    "asked_sets",
    "asked_hours",
    "warm_runs",
    "warm_sets",
    "point_profiles",
    "dead_letters",
    "api_keys",
    "janitor_state",
}
VIEWS = {"v_active_jobs", "v_job_performance", "v_cache_performance", "v_request_stats"}


@pytest.fixture
def database() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:")
    connection.executescript(SCHEMA)
    yield connection
    connection.close()


def test_has_every_table_and_view_of_the_design(database: sqlite3.Connection) -> None:
    rows = database.execute("SELECT type, name FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%'").fetchall()
    assert {name for kind, name in rows if kind == "table"} == TABLES
    assert {name for kind, name in rows if kind == "view"} == VIEWS


def test_may_run_again(database: sqlite3.Connection) -> None:
    before = database.execute("SELECT sql FROM sqlite_schema ORDER BY name").fetchall()
    database.executescript(SCHEMA)
    assert database.execute("SELECT sql FROM sqlite_schema ORDER BY name").fetchall() == before


@pytest.mark.parametrize("view", sorted(VIEWS))
def test_views_can_be_read_when_empty(database: sqlite3.Connection, view: str) -> None:
    assert database.execute(f"SELECT * FROM {view}").fetchall() == []


def insert_job(database: sqlite3.Connection, job_id: str, **fields: object) -> None:
    row: dict[str, object] = {
        "job_id": job_id,
        "request_digest": "d",
        "site": "s",
        "points_json": '["a","b"]',
        "point_count": 2,
        "start_ms": 0,
        "end_ms": 1,
        "created_ms": 5,
        "updated_ms": 5,
        **fields,
    }
    marks = ",".join("?" * len(row))
    database.execute(f"INSERT INTO queue_jobs ({','.join(row)}) VALUES ({marks})", list(row.values()))


def test_the_same_request_cannot_have_two_jobs_of_one_generation(database: sqlite3.Connection) -> None:
    insert_job(database, "j1")
    with pytest.raises(sqlite3.IntegrityError, match="UNIQUE"):
        insert_job(database, "j2")
    insert_job(database, "j2", generation=2)


@pytest.mark.parametrize("status", ["queued", "processing", "retrying", "completed", "failed", "cancelled"])
def test_every_status_of_the_design_is_allowed(database: sqlite3.Connection, status: str) -> None:
    insert_job(database, "j1", status=status)
    active = database.execute("SELECT job_id FROM v_active_jobs").fetchall()
    assert bool(active) == (status in {"queued", "processing", "retrying"})


def test_another_status_is_refused(database: sqlite3.Connection) -> None:
    with pytest.raises(sqlite3.IntegrityError, match="CHECK"):
        insert_job(database, "j1", status="done")


def test_progress_is_weighted_by_expected_samples(database: sqlite3.Connection) -> None:
    insert_job(database, "j1", batch_count=2, batches_done=1, expected_samples=1000, expected_done=250)
    rows = database.execute("SELECT progress_percent, point_count FROM v_active_jobs").fetchall()
    assert rows == [(25.0, 2)]
