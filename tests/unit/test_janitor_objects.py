"""Duties over stored objects: the budget, expiry, and bucket and index that agree afterwards."""

import asyncio
from collections.abc import Coroutine, Iterator
from dataclasses import replace
from typing import Any

import pytest

from edgeseries.blocks.adapters.block_memory import BlockMemory
from edgeseries.blocks.adapters.block_store import BlockStore
from edgeseries.blocks.adapters.compression_cpython import PackageCompression
from edgeseries.blocks.ports.blocks import KeptDays
from edgeseries.errors import StoreUnavailable
from edgeseries.limits import DAY_MS, HOUR_MS
from edgeseries.series.samples import in_order
from edgeseries.series.timerange import TimeRange
from edgeseries.upkeep.adapters.object_upkeep import ObjectUpkeep
from edgeseries.upkeep.ports.stored_objects import KeptObject
from janitor.compare_index import SETTLE_MS, compare_index
from janitor.duty import Outcome, Turn
from janitor.expire_answers import expire_answers
from janitor.hold_budget import PAGE_OBJECTS, ROOM_PERCENT, first_of, hold_budget
from janitor.ports import Ports
from tests.fake_janitor import janitor_ports
from tests.fake_stores import FakeAnswers, MemoryBucket, SqliteDatabase
from tests.fakes import FakeClock

NOW_MS = 1_700_000_000_000
LONG_AGO_MS = NOW_MS - 10 * DAY_MS


@pytest.fixture
def database() -> Iterator[SqliteDatabase]:
    made = SqliteDatabase()
    yield made
    made.close()


def run(work: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(work)


def turn(cursor: str = "", now_ms: int = NOW_MS) -> Turn:
    return Turn(cursor=cursor, now_ms=now_ms, stop_ms=now_ms + HOUR_MS)


def lay(
    database: SqliteDatabase,
    bucket: MemoryBucket,
    key: str,
    *,
    size_bytes: int = 100,
    used_ms: int = LONG_AGO_MS,
    expires_ms: int | None = None,
) -> None:
    """An object with its row."""
    bucket.objects[key] = (b"x" * size_bytes, {}, used_ms)
    lay_row(database, key, size_bytes=size_bytes, used_ms=used_ms, expires_ms=expires_ms)


def lay_row(
    database: SqliteDatabase, key: str, *, size_bytes: int, used_ms: int, expires_ms: int | None = None
) -> None:
    kind = "answer" if key.startswith("answers/") else "block"
    database.connection.execute(
        "INSERT INTO cache_metadata (object_key, kind, site, sample_count, raw_bytes, stored_bytes, codec, "
        "created_ms, used_ms, expires_ms) VALUES (?, ?, 's', 1, 16, ?, 'br', ?, ?, ?)",
        (key, kind, size_bytes, used_ms, used_ms, expires_ms),
    )


def keys(database: SqliteDatabase) -> list[object]:
    return [row[0] for row in database.rows("SELECT object_key FROM cache_metadata ORDER BY object_key")]


def agree(database: SqliteDatabase, bucket: MemoryBucket) -> bool:
    rows = dict(database.connection.execute("SELECT object_key, stored_bytes FROM cache_metadata"))
    return rows == {key: len(content) for key, (content, _, _) in bucket.objects.items()}


# --- the budget ----------------------------------------------------------------------


def test_within_the_budget_nothing_goes(database: SqliteDatabase) -> None:
    bucket = MemoryBucket()
    lay(database, bucket, "blocks/v1/s/a/2024-01", size_bytes=1_000)
    outcome = run(hold_budget(janitor_ports(database, bucket=bucket, budget_bytes=1_000), turn()))
    assert (outcome.count, len(bucket.objects)) == (0, 1)


def test_over_the_budget_the_least_recently_used_goes_first_whatever_its_kind(
    database: SqliteDatabase,
) -> None:
    bucket = MemoryBucket()
    names = [f"blocks/v1/s/{place}/2024-01" if place % 2 else f"answers/v1/{place:02}" for place in range(20)]
    for place, name in enumerate(names):
        # The order of use is another than that of keys and of writing.
        lay(database, bucket, name, used_ms=LONG_AGO_MS + place * 7 % 20)
    by_use = sorted(names, key=lambda name: names.index(name) * 7 % 20)
    outcome = run(hold_budget(janitor_ports(database, bucket=bucket, budget_bytes=1_000), turn()))
    left_bytes = 1_000 * (100 - ROOM_PERCENT) // 100
    staying = left_bytes // 100
    assert sorted(bucket.objects) == sorted(by_use[-staying:])
    assert agree(database, bucket)
    assert outcome.count == 20 - staying
    assert run(hold_budget(janitor_ports(database, bucket=bucket, budget_bytes=1_000), turn())).count == 0


def test_more_than_one_page_goes_in_one_sweep(database: SqliteDatabase) -> None:
    bucket = MemoryBucket()
    for place in range(PAGE_OBJECTS + 50):
        lay(database, bucket, f"answers/v1/{place:06}", used_ms=LONG_AGO_MS + place)
    run(hold_budget(janitor_ports(database, bucket=bucket, budget_bytes=2_000), turn()))
    assert sorted(bucket.objects) == [f"answers/v1/{place:06}" for place in range(1_031, 1_050)]
    assert agree(database, bucket)


def test_a_sweep_that_has_no_time_left_stops_after_a_page(database: SqliteDatabase) -> None:
    bucket = MemoryBucket()
    for place in range(PAGE_OBJECTS + 50):
        lay(database, bucket, f"answers/v1/{place:06}", used_ms=LONG_AGO_MS + place)
    late = replace(turn(), stop_ms=0)
    outcome = run(hold_budget(janitor_ports(database, bucket=bucket, budget_bytes=0), late))
    assert (outcome.count, len(bucket.objects)) == (PAGE_OBJECTS, 50)
    assert "the next sweep goes on" in outcome.told


def test_a_row_written_anew_while_its_object_went_stays(database: SqliteDatabase) -> None:
    """A read finds out that the object is gone; a row that is gone would hide a new object."""
    bucket = MemoryBucket()
    lay(database, bucket, "blocks/v1/s/a/2024-01")
    upkeep = ObjectUpkeep(bucket=bucket, database=database)
    seen = run(upkeep.least_used(at_most=1))
    database.connection.execute("UPDATE cache_metadata SET used_ms = used_ms + 1")
    run(upkeep.remove(seen))
    assert keys(database) == ["blocks/v1/s/a/2024-01"]


def test_what_stopped_between_bucket_and_index_is_done_by_the_next_sweep(database: SqliteDatabase) -> None:
    bucket = MemoryBucket()
    lay(database, bucket, "answers/v1/a")
    ports = janitor_ports(database, bucket=bucket, budget_bytes=0)

    async def broken_off() -> None:
        objects = await ports.objects.least_used(at_most=1)
        database.down = True
        with pytest.raises(StoreUnavailable):
            await ports.objects.remove(objects)
        database.down = False

    run(broken_off())
    assert (bucket.objects, keys(database)) == ({}, ["answers/v1/a"])
    assert run(hold_budget(ports, turn())).count == 1
    assert agree(database, bucket)


@pytest.mark.parametrize(("surplus", "count"), [(-5, 0), (0, 0), (1, 1), (10, 1), (11, 2), (10**9, 3)])
def test_as_many_go_as_take_up_the_surplus(surplus: int, count: int) -> None:
    objects = [KeptObject(key=f"k{place}", stored_bytes=10, used_ms=place) for place in range(3)]
    assert len(first_of(objects, surplus)) == count


# --- expiry ----------------------------------------------------------------------------


def test_answers_past_their_time_go_and_others_stay(database: SqliteDatabase) -> None:
    bucket = MemoryBucket()
    lay(database, bucket, "answers/v1/over", expires_ms=NOW_MS)
    lay(database, bucket, "answers/v1/not-yet", expires_ms=NOW_MS + 1)
    lay(database, bucket, "blocks/v1/s/a/2024-01")
    assert run(expire_answers(janitor_ports(database, bucket=bucket), turn())).count == 1
    assert keys(database) == ["answers/v1/not-yet", "blocks/v1/s/a/2024-01"]
    assert agree(database, bucket)


# --- bucket and index ---------------------------------------------------------------------


def fill(database: SqliteDatabase, bucket: MemoryBucket, points: int) -> BlockStore:
    """Real blocks of a site with an odd name, through the real store."""
    clock = FakeClock(at_ms=LONG_AGO_MS)
    store = BlockStore(
        bucket=bucket,
        database=database,
        compression=PackageCompression(),
        memory=BlockMemory(),
        clock=clock,
        answers=FakeAnswers(clock),
    )
    day = LONG_AGO_MS // DAY_MS
    kept = [
        KeptDays(point=f"p/{place}", days=(day,), samples=in_order([day * DAY_MS + place], [float(place)]))
        for place in range(points)
    ]
    run(store.keep("hq/1 é", kept))
    return store


def compare_all(ports: Ports, now_ms: int = NOW_MS) -> Outcome:
    outcome: Outcome = run(compare_index(ports, turn(now_ms=now_ms)))
    assert not outcome.cursor
    return outcome


def rows_of(database: SqliteDatabase) -> list[tuple[object, ...]]:
    return database.rows(
        "SELECT object_key, kind, site, point, month, covered_days, sample_count, raw_bytes, stored_bytes, "
        "codec, etag, created_ms FROM cache_metadata ORDER BY object_key"
    )


def test_lost_rows_are_made_again_from_the_bucket_alone(database: SqliteDatabase) -> None:
    bucket = MemoryBucket()
    store = fill(database, bucket, 7)
    before = rows_of(database)
    assert len(before) == 7
    database.connection.execute("DELETE FROM cache_metadata WHERE rowid % 2")
    assert compare_all(janitor_ports(database, bucket=bucket)).count == 4
    assert rows_of(database) == before
    span = TimeRange(start_ms=LONG_AGO_MS // DAY_MS * DAY_MS, end_ms=(LONG_AGO_MS // DAY_MS + 1) * DAY_MS)
    assert len(run(store.covered("hq/1 é", [f"p/{place}" for place in range(7)], span))) == 7


def test_rows_without_objects_go_and_young_ones_stay(database: SqliteDatabase) -> None:
    bucket = MemoryBucket()
    fill(database, bucket, 3)
    lay_row(database, "answers/v1/gone", size_bytes=5, used_ms=LONG_AGO_MS)
    lay_row(database, "blocks/v1/zz/gone/2024-01", size_bytes=5, used_ms=LONG_AGO_MS)
    lay_row(database, "answers/v1/under-way", size_bytes=5, used_ms=NOW_MS - SETTLE_MS)
    outcome = compare_all(janitor_ports(database, bucket=bucket))
    assert (outcome.count, outcome.told) == (2, "0 rows added, 2 rows removed")
    assert keys(database)[0] == "answers/v1/under-way"
    assert len(keys(database)) == 4


def test_an_object_under_way_and_one_of_nobody_we_know_are_left_alone(database: SqliteDatabase) -> None:
    bucket = MemoryBucket()
    bucket.objects["blocks/v1/x/y/2024-01"] = (b"?", {"colour": "blue"}, LONG_AGO_MS)
    bucket.objects["answers/v1/new"] = (b"?", {}, NOW_MS - SETTLE_MS)
    outcome = compare_all(janitor_ports(database, bucket=bucket))
    assert outcome.told == "0 rows added, 0 rows removed, 1 objects that nobody can read"
    assert len(bucket.objects) == 2


def test_a_lost_answer_row_is_made_again(database: SqliteDatabase) -> None:
    bucket = MemoryBucket()
    facts = {
        "site": "hq%2F1",
        "entity-tag": '"t"',
        "points": "1",
        "samples": "40",
        "body-bytes": "900",
        "created-ms": "5",
        "expires-ms": "77",
    }
    bucket.objects["answers/v1/d"] = (b"packed", facts, LONG_AGO_MS)
    assert compare_all(janitor_ports(database, bucket=bucket)).count == 1
    rows = database.rows("SELECT site, sample_count, raw_bytes, stored_bytes, expires_ms FROM cache_metadata")
    assert rows == [("hq/1", 40, 900, 6, 77)]


def test_one_stretch_after_the_other_leads_through_all_keys(database: SqliteDatabase) -> None:
    """Also where rows without objects are more than a page, and where a stretch ends between two objects."""
    bucket = MemoryBucket(page_size=2)
    fill(database, bucket, 5)
    for place in range(2_500):
        lay_row(database, f"answers/v1/{place:05}", size_bytes=5, used_ms=LONG_AGO_MS)
    ports = janitor_ports(database, bucket=bucket)
    assert compare_all(ports).told == "0 rows added, 2500 rows removed"
    assert len(keys(database)) == 5
    assert compare_all(ports).count == 0
