"""Bucket and index agree afterwards, and what was purged is never revived by it."""

import pytest

from edgeseries.blocks.adapters.block_memory import BlockMemory
from edgeseries.blocks.adapters.block_store import BlockStore
from edgeseries.blocks.adapters.compression_cpython import PackageCompression
from edgeseries.blocks.adapters.purge_records import PurgeRecord, put_record
from edgeseries.blocks.block_columns import PythonBlockCodec
from edgeseries.blocks.ports.blocks import DaysToStore
from edgeseries.limits import DAY_MS
from edgeseries.series.samples import in_order
from edgeseries.series.timerange import TimeRange
from edgeseries.storage.limits import PURGE_RECORD_KEEP_MS
from edgeseries.storage.object_keys import PURGES, block_key, content_digest
from janitor.compare_index import SETTLE_MS, compare_index
from janitor.duty import Outcome
from janitor.ports import Ports
from tests.fake_janitor import janitor_ports
from tests.fake_stores import MemoryBucket, SqliteDatabase
from tests.fakes import FakeClock
from tests.store_rig import turns
from tests.stored_objects import LONG_AGO_MS, NOW_MS, keys, lay_row, run, turn


def noted(database: SqliteDatabase) -> list[str]:
    return [str(row[0]) for row in database.rows("SELECT object_key FROM superseded_objects ORDER BY 1")]


# --- bucket and index ---------------------------------------------------------------------

SITE = "hq/1 é"
DAY = LONG_AGO_MS // DAY_MS
SPAN = TimeRange(start_ms=DAY * DAY_MS, end_ms=(DAY + 1) * DAY_MS)


def store_of(database: SqliteDatabase, bucket: MemoryBucket, at_ms: int = LONG_AGO_MS) -> BlockStore:
    return BlockStore(
        bucket=bucket,
        database=database,
        codec=PythonBlockCodec(compressor=PackageCompression()),
        memory=BlockMemory(),
        clock=FakeClock(at_ms=at_ms),
        pause=turns,
    )


def names_of(points: int) -> list[str]:
    return [f"p/{place}" for place in range(points)]


def fill(
    database: SqliteDatabase, bucket: MemoryBucket, points: int, *, value: float = 0.0, later: int = 0
) -> BlockStore:
    """Real blocks of a site with an odd name, through the real store."""
    store = store_of(database, bucket)
    day = DAY + later
    kept = [
        DaysToStore(point=name, days=(day,), samples=in_order([day * DAY_MS + place], [value + float(place)]))
        for place, name in enumerate(names_of(points))
    ]
    stamps = run(store.look_up(SITE, names_of(points), SPAN)).stamps
    run(store.store(SITE, kept, stamps))
    return store


def compare_all(ports: Ports, now_ms: int = NOW_MS) -> Outcome:
    cursor = ""
    while True:
        outcome: Outcome = run(compare_index(ports, turn(cursor, now_ms=now_ms)))
        if not outcome.cursor:
            return outcome
        cursor = outcome.cursor


def rows_of(database: SqliteDatabase) -> list[tuple[object, ...]]:
    return database.rows(
        "SELECT object_key, kind, site, point, month, year_days, sample_count, raw_bytes, stored_bytes, "
        "codec, version, created_ms FROM cache_metadata ORDER BY object_key"
    )


def held(database: SqliteDatabase, bucket: MemoryBucket, points: int) -> dict[str, list[object]]:
    """Values of the day, by point, for whoever comes anew."""
    store = store_of(database, bucket)
    index = run(store.look_up(SITE, names_of(points), SPAN))
    found = run(store.read(SITE, names_of(points), SPAN, index))
    return {point: list(one.samples.values) for point, one in found.items() if one.days}


def test_lost_rows_are_made_again_from_the_bucket_alone(database: SqliteDatabase) -> None:
    bucket = MemoryBucket()
    fill(database, bucket, 7)
    before = rows_of(database)
    assert len(before) == 7
    database.connection.execute("DELETE FROM cache_metadata WHERE rowid % 2")
    assert compare_all(janitor_ports(database, bucket=bucket)).summary.startswith("4 rows added")
    assert rows_of(database) == before
    assert len(held(database, bucket, 7)) == 7


def test_an_index_that_was_lost_is_made_again_of_the_newest_objects(database: SqliteDatabase) -> None:
    bucket = MemoryBucket(page_size=100)
    fill(database, bucket, 3, value=5.0)
    fill(database, bucket, 3, value=9.0)
    before = rows_of(database)
    assert len(bucket.objects) == 6
    for table in ("cache_metadata", "superseded_objects", "store_generations"):
        database.connection.execute(f"DELETE FROM {table}")
    compare_all(janitor_ports(database, bucket=bucket))
    assert rows_of(database) == before
    assert len(noted(database)) == 3


@pytest.mark.parametrize("points", [None, ["p/0", "p/1"]])
def test_what_was_purged_is_not_revived_by_a_lost_index(
    database: SqliteDatabase, points: list[str] | None
) -> None:
    bucket = MemoryBucket(page_size=100)
    store = fill(database, bucket, 3)
    run(store.forget(SITE, points=points, span=None, dry_run=False))
    left = held(database, bucket, 3)
    assert len(left) == (0 if points is None else 1)
    for table in ("cache_metadata", "superseded_objects", "store_generations"):
        database.connection.execute(f"DELETE FROM {table}")
    compare_all(janitor_ports(database, bucket=bucket))
    assert held(database, bucket, 3) == left
    compare_all(janitor_ports(database, bucket=bucket))
    assert held(database, bucket, 3) == left


def test_what_was_refreshed_is_not_revived_by_a_lost_index(database: SqliteDatabase) -> None:
    bucket = MemoryBucket(page_size=100)
    store = fill(database, bucket, 2, value=5.0)
    begun = run(store.begin_refresh(SITE, ["p/0"]))
    fresh = DaysToStore(point="p/0", days=(DAY,), samples=in_order([DAY * DAY_MS], [77.0]))
    run(store.refresh(SITE, [fresh], begun))
    for table in ("cache_metadata", "superseded_objects", "store_generations"):
        database.connection.execute(f"DELETE FROM {table}")
    compare_all(janitor_ports(database, bucket=bucket))
    assert held(database, bucket, 2).get("p/0") in (None, [77.0])
    assert held(database, bucket, 2)["p/1"] == [6.0]


def test_an_object_of_before_a_purge_that_lost_its_race_is_never_adopted(database: SqliteDatabase) -> None:
    """Its writer ended between the bucket and the index: nobody noted the object."""
    bucket = MemoryBucket()
    store = fill(database, bucket, 1)
    run(store.forget(SITE, points=["p/0"], span=None, dry_run=False))
    database.connection.execute("DELETE FROM superseded_objects")
    outcome = compare_all(janitor_ports(database, bucket=bucket))
    assert outcome.summary == "0 rows added, 0 rows removed, 1 objects without a row"
    assert held(database, bucket, 1) == {}
    assert len(noted(database)) == 1


def test_records_of_purges_go_when_they_are_old(database: SqliteDatabase) -> None:
    bucket = MemoryBucket()
    run(put_record(bucket, PurgeRecord(site="s", points=None, generation=7)))
    run(put_record(bucket, PurgeRecord(site="s", points=["p"], generation=8)))
    for key, at_ms in ((f"{PURGES}s/7", NOW_MS - PURGE_RECORD_KEEP_MS - 1), (f"{PURGES}s/8", NOW_MS)):
        content, facts, _ = bucket.objects[key]
        bucket.objects[key] = (content, facts, at_ms)
    compare_all(janitor_ports(database, bucket=bucket))
    assert list(bucket.objects) == [f"{PURGES}s/8"]
    assert database.rows("SELECT site, point, generation, ticket FROM store_generations") == [
        ("s", "", 7, 7),
        ("s", "p", 8, 8),
    ]


def test_rows_without_objects_go_and_young_ones_stay(database: SqliteDatabase) -> None:
    bucket = MemoryBucket()
    fill(database, bucket, 3)
    lay_row(database, "answers/v1/gone", size_bytes=5, used_ms=LONG_AGO_MS)
    lay_row(database, "blocks/v1/zz/gone/2024-01", size_bytes=5, used_ms=LONG_AGO_MS)
    lay_row(database, "answers/v1/under-way", size_bytes=5, used_ms=NOW_MS - SETTLE_MS)
    outcome = compare_all(janitor_ports(database, bucket=bucket))
    assert (outcome.count, outcome.summary) == (2, "0 rows added, 2 rows removed, 0 objects without a row")
    assert keys(database)[0] == "answers/v1/under-way"
    assert len(keys(database)) == 4


def test_an_object_under_way_and_one_of_nobody_we_know_are_left_alone(database: SqliteDatabase) -> None:
    bucket = MemoryBucket()
    bucket.objects["blocks/v1/x/y/2024-01"] = (b"?", {"colour": "blue"}, LONG_AGO_MS)
    bucket.objects["answers/v1/new"] = (b"?", {}, NOW_MS - SETTLE_MS)
    outcome = compare_all(janitor_ports(database, bucket=bucket))
    assert outcome.summary.endswith("0 objects without a row, 1 objects that nobody can read")
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
        "stored-bytes": "6",
        "sha256": content_digest(b"packed"),
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
    compare_all(ports)
    assert len(keys(database)) == 5
    assert compare_all(ports).count == 0
    assert block_key(SITE, "p/0", "2023", "0" * 64)[:-64] in str(keys(database))
