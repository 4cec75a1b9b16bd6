"""Every statement of every statements module, as SQLite plans it: hot ones look up, none scans unseen."""

import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fake_stores import SqliteDatabase

PACKAGE = Path(__file__).parents[2] / "functions" / "edgeseries"
STATEMENT = re.compile(r"\s*(SELECT|INSERT|UPDATE|DELETE|WITH)\b")
TABLES = re.compile(
    r"SCAN (queue_jobs|job_batches|job_history|cache_metadata|request_analytics|platform_usage|"
    r"upstream_usage|point_profiles|dead_letters|api_keys|janitor_state|store_generations|superseded_objects|fetch_leases|asked_days|"
    r"held|own|gone|part|whole|learned|batch|job)"
    r"\b(?! USING COVERING)"
)

WHOLE_TABLES = {
    "IN_FORCE": "keys are some hundreds; once a minute, and only while an address is over its rate",
    "DUTIES": "a row for each duty",
    "UPSTREAMS": "a row for each upstream and day, for people",
    "STORED": "the view over all that is stored, for people and scrapes",
    "SERVED": "the view over all counts of requests, for people and scrapes",
    "LATENCIES": "the same",
    "ENDED_BY_DAY": "the view over all ended jobs",
    "LEAST_USED": "in the order of the index, as far as its limit",
    "WAITING_DEAD_LETTERS": "dead letters are few, and 30 days of them at most",
    "LAST_DURATIONS": "the history by its end, until enough completed ones are found",
    "JOBS_OF_ALL": "for admins; the table holds the jobs of some days",
    "RUN_OUT": "leases are as many as fetches under way",
    "TAKEN_NOW": "the same",
    "REPLAYED": "dead letters are few; by a person's hand",
}
"""Statements that read a whole table, and why they may."""


def statements() -> list[tuple[str, str]]:
    found = []
    for path in sorted(PACKAGE.glob("*/adapters/*statements.py")):
        module = importlib.import_module(f"edgeseries.{path.parts[-3]}.adapters.{path.stem}")
        found += [
            (f"{path.stem}.{name}", text)
            for name, text in vars(module).items()
            if isinstance(text, str) and not name.startswith("_") and STATEMENT.match(text)
        ]
    return found


STATEMENTS = statements()


@pytest.fixture(scope="module")
def database() -> Iterator[SqliteDatabase]:
    made = SqliteDatabase()
    yield made
    made.close()


def plan(database: SqliteDatabase, sql: str) -> list[str]:
    numbered = re.sub(r"\?(\d+)", r":p\1", sql)
    names = set(re.findall(r":(p\d+)", numbered))
    rows = database.connection.execute(f"EXPLAIN QUERY PLAN {numbered}", dict.fromkeys(names, "[]"))
    return [row[3] for row in rows]


@pytest.mark.parametrize(("name", "sql"), STATEMENTS, ids=[name for name, _ in STATEMENTS])
def test_no_table_is_scanned_unseen(database: SqliteDatabase, name: str, sql: str) -> None:
    scans = [step for step in plan(database, sql) if TABLES.search(step)]
    allowed = name.partition(".")[2] in WHOLE_TABLES
    assert allowed or not scans, scans


def test_the_excuses_are_needed(database: SqliteDatabase) -> None:
    """A statement that does not scan, or is not there any more, needs no excuse."""
    scanning = {
        name.partition(".")[2]
        for name, sql in STATEMENTS
        if any(TABLES.search(step) for step in plan(database, sql))
    }
    assert set(WHOLE_TABLES) <= scanning


HOT = {
    "index_statements.LOOK_UP": [
        "held USING INDEX cache_metadata_by_point (site=? AND point=? AND month",
        "learned USING PRIMARY KEY (site=? AND point=?)",
        "own USING PRIMARY KEY (site=? AND point=?)",
    ],
    "index_statements.LOOK_UP_MANY": [
        "held USING INDEX cache_metadata_by_point (site=? AND point=? AND month",
        "learned USING PRIMARY KEY (site=? AND point=?)",
        "own USING PRIMARY KEY (site=? AND point=?)",
    ],
    "index_statements.POINTERS": [
        "held USING INDEX cache_metadata_by_point (site=? AND point=? AND month=?)",
        "part USING INDEX cache_metadata_by_point (site=? AND point=? AND month>? AND month<?)",
    ],
    "index_statements.FINGERPRINT": [
        "held USING INDEX cache_metadata_by_point (site=? AND point=? AND month=?)",
        "part USING COVERING INDEX cache_metadata_by_point (site=? AND point=? AND month>? AND month<?)",
    ],
    "index_statements.REMOVE_MONTHS": [
        "part USING COVERING INDEX cache_metadata_by_point (site=? AND point=? AND month>? AND month<?)"
    ],
    "index_statements.MOVE_FETCHED": [
        "held USING INDEX cache_metadata_by_point (site=? AND point=? AND month=?)",
        "part USING INDEX cache_metadata_by_point (site=? AND point=? AND month>? AND month<?)",
        "own USING PRIMARY KEY (site=? AND point=?)",
    ],
    "purge_statements.STRETCH_OF_SITE": [
        "cache_metadata USING COVERING INDEX cache_metadata_by_point (site=? AND (point,month)>(?,?))"
    ],
    "purge_statements.CUT_YEARS_OF_POINTS": ["held USING INDEX cache_metadata_by_point (site=? AND point=?)"],
    "silence_statements.READINGS": [
        "whole USING INDEX cache_metadata_by_point (site=? AND point=? AND month=?)"
    ],
    "purge_statements.TAKE_OF_SITE": [
        "held USING INDEX cache_metadata_by_point (site=? AND (point,month)>(?,?) AND (point,month)<(?,?))"
    ],
    "upkeep_statements.STRETCH_OF_BLOCKS": [
        "cache_metadata USING COVERING INDEX cache_metadata_by_point ((site,point,month)>(?,?,?))"
    ],
    "upkeep_statements.MONTHS_OF_STRETCH": [
        "cache_metadata USING INDEX cache_metadata_by_point ((site,point,month)>(?,?,?)"
    ],
    "upkeep_statements.SUPERSEDED": ["superseded_objects_by_time (superseded_ms<?)"],
    "usage_statements.RECORD_USES": ["cache_metadata USING INDEX sqlite_autoindex_cache_metadata_1"],
    "job_statements.CREATE": ["other USING INDEX queue_jobs_by_status (status=?)"],
    "job_statements.REOPEN": ["other USING INDEX queue_jobs_by_status (status=?)"],
    "key_statements.KEY": ["api_keys USING INDEX sqlite_autoindex_api_keys_1 (key_id=?)"],
    "key_statements.KEYS": ["api_keys USING INDEX sqlite_autoindex_api_keys_1 (key_id>?)"],
    "usage_statements.RECORD_KEY_USES": ["api_keys USING INDEX sqlite_autoindex_api_keys_1 (key_id=?)"],
    "upkeep_statements.STORED_BYTES": ["cache_metadata USING COVERING INDEX cache_metadata_by_use"],
    "upkeep_statements.LEAST_USED": ["cache_metadata USING INDEX cache_metadata_by_use"],
    "upkeep_statements.EXPIRED": [
        "cache_metadata USING INDEX cache_metadata_by_expiry (expires_ms>? AND expires_ms<?)"
    ],
    "upkeep_statements.ENDED_JOBS": [
        "queue_jobs USING INDEX queue_jobs_by_status (status=? AND updated_ms<?)"
    ],
    "request_statements.FIRST_REQUESTS": [
        "request_analytics USING PRIMARY KEY (minute_ms>? AND minute_ms<?)"
    ],
}


@pytest.mark.parametrize("name", HOT)
def test_hot_statements_use_the_index_that_is_there_for_them(database: SqliteDatabase, name: str) -> None:
    steps = plan(database, dict(STATEMENTS)[name])
    assert all(any(wanted in step for step in steps) for wanted in HOT[name]), steps
    assert not [step for step in steps if "USE TEMP B-TREE FOR ORDER BY" in step]


def test_all_modules_are_seen() -> None:
    seen = {name.partition(".")[0] for name, _ in STATEMENTS}
    assert seen == {path.stem for path in PACKAGE.glob("*/adapters/*statements.py")}
