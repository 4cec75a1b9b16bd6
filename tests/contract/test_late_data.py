"""What the StoredDays and LateDataRecords ports promise, on the adapters over SQLite."""

import asyncio

from edgeseries.blocks.ports.blocks import DaysToStore
from edgeseries.limits import DAY_MS, HOUR_MS, MINUTE_MS
from edgeseries.metrics.adapters.late_data_records import DatabaseLateData
from edgeseries.metrics.ports.late_data import LateData
from edgeseries.planning.lateness import added, lateness_of
from edgeseries.planning.recheck_walk import Where
from edgeseries.series.days import day_span, month_days, year_days
from edgeseries.series.samples import NO_SAMPLES
from edgeseries.upkeep.adapters.stored_days import LOOK_ROWS, DatabaseStoredDays
from tests.fake_janitor import janitor_ports
from tests.fake_stores import SqliteDatabase
from tests.made_days import ODD_NAMES, keep, made_kept

YEARS = tuple(str(year) for year in range(2015, 2025))
DAY = year_days("2024").start


async def stored(database: SqliteDatabase, site: str, points: tuple[str, ...], days: tuple[int, ...]) -> None:
    ports = janitor_ports(database)
    await keep(
        ports.blocks, site, [DaysToStore(point=point, days=days, samples=NO_SAMPLES) for point in points]
    )


def walked(database: SqliteDatabase) -> list[tuple[str, str, frozenset[int]]]:
    """All that a walk along the index meets."""

    async def walk() -> list[tuple[str, str, frozenset[int]]]:
        days, site, point = DatabaseStoredDays(database), "", ""
        found: list[tuple[str, str, frozenset[int]]] = []
        while (near := await days.following(site, point)) is not None:
            assert near.points
            found += [(near.site, one.point, one.days) for one in near.points]
            site, point = near.site, near.points[-1].point
        return found

    return asyncio.run(walk())


def test_a_walk_meets_every_point_once_with_all_of_its_years(database: SqliteDatabase) -> None:
    """More rows than one look takes, so that points are cut off at its end."""
    days = tuple(year_days(year).start for year in YEARS)
    points = tuple(f"p{number:03}" for number in range(3 * LOOK_ROWS // len(YEARS) + 1))
    asyncio.run(stored(database, "b", points, days))
    asyncio.run(stored(database, "a", ODD_NAMES, (DAY,)))
    expected = [("a", point, frozenset({DAY})) for point in sorted(ODD_NAMES, key=str.encode)]
    expected += [("b", point, frozenset(days)) for point in points]
    assert walked(database) == expected


def test_neighbours_are_those_of_the_site_beside_a_point(database: SqliteDatabase) -> None:
    asyncio.run(stored(database, "s", ("a", "b", "c", "d"), (DAY, DAY + 1)))
    asyncio.run(stored(database, "t", ("c",), (DAY,)))

    def beside(where: Where, point: str, site: str = "s") -> list[str] | None:
        near = asyncio.run(DatabaseStoredDays(database).neighbours(site, where, point))
        return None if near is None else [one.point for one in near.points]

    assert beside(Where.AT, "b") == ["b", "c", "d"]
    assert beside(Where.AFTER, "b") == ["c", "d"]
    assert beside(Where.BEFORE, "c") == ["a", "b"]
    assert beside(Where.BEFORE, "a") is None
    assert beside(Where.AFTER, "d") is None
    assert beside(Where.AT, "", "u") is None


def test_purged_days_are_not_held_and_densities_are_told(database: SqliteDatabase) -> None:
    ports = janitor_ports(database)
    asyncio.run(keep(ports.blocks, "s", [made_kept((DAY, DAY + 1), "p")]))
    asyncio.run(ports.blocks.forget("s", points=["p"], span=day_span(DAY, DAY), dry_run=False))
    near = asyncio.run(DatabaseStoredDays(database).following("", ""))
    assert near is not None
    (one,) = near.points
    assert one.days == {DAY + 1}
    assert one.density_per_day == DAY_MS / HOUR_MS


def test_months_of_version_1_hold_no_day(database: SqliteDatabase) -> None:
    asyncio.run(stored(database, "s", ("a", "b"), (DAY,)))
    database.connection.execute(
        "UPDATE cache_metadata SET month = '2024-01', covered_days = 1, year_days = '' WHERE point = 'a'"
    )
    assert walked(database) == [("s", "a", frozenset()), ("s", "b", frozenset({month_days("2024-01").start}))]


def test_late_data_add_up_by_site_and_are_forgotten_by_day(database: SqliteDatabase) -> None:
    records = DatabaseLateData(database)
    one = LateData(
        site="a", lateness=lateness_of([MINUTE_MS]), checked_days=20, corrected_days=1, added_samples=2
    )
    other = LateData(site="a", lateness=lateness_of([HOUR_MS, 1]), checked_days=3, removed_samples=4)
    elsewhere = LateData(site="b", changed_samples=5)

    async def told() -> None:
        await records.add([one, elsewhere], now_ms=10 * DAY_MS)
        await records.add([other], now_ms=10 * DAY_MS + HOUR_MS)
        await records.add([other], now_ms=11 * DAY_MS)
        await records.add([], now_ms=11 * DAY_MS)
        both = LateData(
            site="a",
            lateness=added(one.lateness, other.lateness),
            checked_days=23,
            corrected_days=1,
            added_samples=2,
            removed_samples=4,
        )
        assert (await records.since(11 * DAY_MS)) == (other,)
        assert [seen.site for seen in await records.since(10 * DAY_MS + 5)] == ["a", "b"]
        assert (await records.since(0, site="b")) == (elsewhere,)
        await records.forget(before_ms=11 * DAY_MS)
        assert (await records.since(0)) == (other,)
        await records.add([both], now_ms=11 * DAY_MS)
        (seen,) = await records.since(0)
        assert (seen.checked_days, seen.lateness.count, seen.lateness.highest_ms) == (26, 5, HOUR_MS)

    asyncio.run(told())
