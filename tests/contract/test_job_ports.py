"""The ports of jobs over SQLite, with the real SQL."""

from collections.abc import Iterator

import pytest

from tests.fake_stores import SqliteDatabase
from tests.job_conformance import JobPortsConformance


class TestOverSqlite(JobPortsConformance):
    @pytest.fixture
    def database(self) -> Iterator[SqliteDatabase]:
        made = SqliteDatabase()
        yield made
        made.close()
