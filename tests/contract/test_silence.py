"""Days on which nobody has a sample, over the real SQL: stored only after a second reading."""

import asyncio
from array import array
from collections.abc import Iterator

import pytest

from edgeseries.blocks.adapters.silence import SilenceWatch
from edgeseries.blocks.ports.blocks import DaysToStore
from edgeseries.limits import DAY_MS, DOUBT_MAX_AGE_MS, DOUBT_MS
from edgeseries.series.samples import NO_SAMPLES, Samples
from tests.fake_stores import SqliteDatabase

SITE = "hq"
FEB_27 = 19_780
NOW_MS = 1_760_000_000_000


@pytest.fixture
def database() -> Iterator[SqliteDatabase]:
    made = SqliteDatabase()
    for point, density in (("dense", 1_440.0), ("hourly", 24.0), ("sparse", 2.0)):
        made.connection.execute(
            "INSERT INTO point_profiles (site, point, density_per_day, observed_days, updated_ms)"
            " VALUES (?, ?, ?, 30, 0)",
            (SITE, point, density),
        )
    yield made
    made.close()


def silence(point: str, *days: int) -> DaysToStore:
    return DaysToStore(point=point, days=days, samples=NO_SAMPLES)


def heard(point: str, *days: int, on: int) -> DaysToStore:
    samples = Samples(times_ms=array("q", [on * DAY_MS + 5]), values=(1.0,))
    return DaysToStore(point=point, days=days, samples=samples)


def believed(
    database: SqliteDatabase, *kept: DaysToStore, at_ms: int = NOW_MS, site: str = SITE
) -> dict[str, tuple[int, ...]]:
    found = asyncio.run(SilenceWatch(database).believed(site, kept, now_ms=at_ms))
    return {one.point: one.days for one in found}


def test_a_run_of_days_on_which_all_fall_silent_needs_a_second_reading(database: SqliteDatabase) -> None:
    days = tuple(range(FEB_27, FEB_27 + 6))
    busy = days[:2]
    kept = [
        DaysToStore(
            point="dense",
            days=days,
            samples=Samples(times_ms=array("q", [day * DAY_MS for day in busy]), values=(1.0, 2.0)),
        ),
        silence("sparse", *days),
    ]
    assert believed(database, *kept) == {"dense": busy, "sparse": busy}
    assert believed(database, *kept, at_ms=NOW_MS + DOUBT_MS - 1) == {"dense": busy, "sparse": busy}
    assert believed(database, *kept, at_ms=NOW_MS + DOUBT_MS) == {"dense": days, "sparse": days}
    assert database.rows("SELECT * FROM silent_days") == []


def test_a_silence_that_is_over_is_no_first_reading_of_a_later_one(database: SqliteDatabase) -> None:
    assert believed(database, silence("dense", FEB_27)) == {}
    later_ms = NOW_MS + DOUBT_MAX_AGE_MS
    assert believed(database, silence("dense", FEB_27), at_ms=later_ms) == {}
    assert believed(database, silence("dense", FEB_27), at_ms=later_ms + DOUBT_MS) == {"dense": (FEB_27,)}


def test_what_is_too_old_to_count_is_removed_by_whoever_doubts_next(database: SqliteDatabase) -> None:
    believed(database, silence("dense", FEB_27))
    believed(database, silence("hourly", FEB_27), at_ms=NOW_MS + DOUBT_MAX_AGE_MS + 1)
    assert database.rows("SELECT point FROM silent_days") == [("hourly",)]


@pytest.mark.parametrize(
    "kept",
    [
        pytest.param([silence("sparse", FEB_27)], id="sparse"),
        pytest.param([silence("nobody knows", FEB_27)], id="unlearned"),
        pytest.param([silence("dense", FEB_27), heard("sparse", FEB_27, on=FEB_27)], id="another is heard"),
        pytest.param([heard("dense", FEB_27, on=FEB_27)], id="heard"),
    ],
)
def test_other_days_are_stored_at_once(database: SqliteDatabase, kept: list[DaysToStore]) -> None:
    assert believed(database, *kept) == {one.point: one.days for one in kept}
    assert database.rows("SELECT * FROM silent_days") == []


def test_nothing_is_looked_up_where_there_is_nothing_to_doubt(database: SqliteDatabase) -> None:
    database.down = True
    assert believed(database, heard("dense", FEB_27, on=FEB_27)) == {"dense": (FEB_27,)}


def test_sites_are_doubted_apart(database: SqliteDatabase) -> None:
    believed(database, silence("dense", FEB_27))
    assert believed(database, silence("dense", FEB_27), at_ms=NOW_MS + DOUBT_MS, site="other") == {
        "dense": (FEB_27,)
    }, "nothing was learned of the other site"
