"""The ports of warming over SQLite, with the real SQL; and what is forgotten, of which all sets are."""

import asyncio
from collections.abc import Iterator

import pytest

from edgeseries.limits import HOUR_MS
from tests.fake_stores import SqliteDatabase
from tests.warming_conformance import WarmingPortsConformance, Weeks


class TestOverSqlite(WarmingPortsConformance):
    @pytest.fixture
    def database(self) -> Iterator[SqliteDatabase]:
        made = SqliteDatabase()
        yield made
        made.close()

    def test_old_hours_sets_and_runs_are_forgotten(self, database: SqliteDatabase) -> None:
        async def story() -> None:
            weeks, old = Weeks(database), Weeks(database)
            old.today = weeks.today - 30
            await old.ask(0, 1)
            await old.run()
            await weeks.ask(-1, 0)
            await weeks.warming.trim(from_ms=weeks.at_ms(-22), rows=100)
            since = old.at_ms(-30) // HOUR_MS
            left = await weeks.warming.patterns_of_all(from_hour=since, at_most=9)
            assert [one.digest for one in left] == [weeks.of.digest]
            assert set(await weeks.warming.sets([old.of.digest, weeks.of.digest])) == {weeks.of.digest}
            assert await weeks.warming.last_runs([old.of.digest]) == {}

        asyncio.run(story())

    def test_the_oldest_hours_go_past_the_bound(self, database: SqliteDatabase) -> None:
        async def story() -> None:
            weeks = Weeks(database)
            await weeks.ask(-3, -2, -1, 0)
            await weeks.warming.trim(from_ms=weeks.at_ms(-22), rows=2)
            (one,) = await weeks.warming.patterns_of_all(from_hour=0, at_most=9)
            assert one.days == {weeks.today - 1, weeks.today}

        asyncio.run(story())
