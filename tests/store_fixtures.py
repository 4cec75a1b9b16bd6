"""Fixtures of tests that have a database or the real block store over fakes; conftests name them."""

from collections.abc import Iterator

import pytest

from tests.fake_stores import MemoryBucket, SqliteDatabase
from tests.fakes import FakeClock
from tests.made_days import NOW_MS
from tests.store_rig import Rig


@pytest.fixture
def database() -> Iterator[SqliteDatabase]:
    """An empty database with the schema."""
    made = SqliteDatabase()
    yield made
    made.close()


@pytest.fixture
def rig(database: SqliteDatabase) -> Rig:
    """The store of one isolate, over an empty bucket and database."""
    made = Rig(
        bucket=MemoryBucket(),
        database=database,
        clock=FakeClock(at_ms=NOW_MS),
        store=None,  # type: ignore[arg-type]  # made from the rest in the next line
    )
    made.store = made.another()
    return made
