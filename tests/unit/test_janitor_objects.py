"""Duties over stored objects: the budget, expiry, and bucket and index that agree afterwards."""

from dataclasses import replace

import pytest

from edgeseries.storage.limits import SUPERSEDED_KEEP_MS
from edgeseries.upkeep.adapters.object_upkeep import ObjectUpkeep
from edgeseries.upkeep.ports.stored_objects import StoredObject
from janitor.duty import Outcome
from janitor.expire_answers import expire_answers
from janitor.hold_budget import PAGE_OBJECTS, ROOM_PERCENT, first_of, hold_budget
from janitor.remove_superseded import remove_superseded
from tests.fake_janitor import janitor_ports
from tests.fake_stores import MemoryBucket, SqliteDatabase
from tests.stored_objects import LONG_AGO_MS, NOW_MS, agree, keys, lay, run, turn

# --- the budget ----------------------------------------------------------------------


def test_within_the_budget_nothing_goes(database: SqliteDatabase) -> None:
    bucket = MemoryBucket()
    lay(database, bucket, "blocks/v1/s/a/2024-01", size_bytes=1_000)
    outcome = run(hold_budget(janitor_ports(database, bucket=bucket, budget_bytes=1_000), turn()))
    assert (outcome.count, len(keys(database))) == (0, 1)


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
    assert keys(database) == sorted(by_use[-staying:])
    assert len(bucket.objects) == 20, "readers may be at them"
    assert agree(database, bucket)
    assert outcome.count == 20 - staying
    assert run(hold_budget(janitor_ports(database, bucket=bucket, budget_bytes=1_000), turn())).count == 0


def test_more_than_one_page_goes_in_one_sweep(database: SqliteDatabase) -> None:
    bucket = MemoryBucket()
    for place in range(PAGE_OBJECTS + 50):
        lay(database, bucket, f"answers/v1/{place:06}", used_ms=LONG_AGO_MS + place)
    run(hold_budget(janitor_ports(database, bucket=bucket, budget_bytes=2_000), turn()))
    assert keys(database) == [f"answers/v1/{place:06}" for place in range(1_031, 1_050)]
    assert agree(database, bucket)


def test_a_sweep_that_has_no_time_left_stops_after_a_page(database: SqliteDatabase) -> None:
    bucket = MemoryBucket()
    for place in range(PAGE_OBJECTS + 50):
        lay(database, bucket, f"answers/v1/{place:06}", used_ms=LONG_AGO_MS + place)
    late = replace(turn(), stop_ms=0)
    outcome = run(hold_budget(janitor_ports(database, bucket=bucket, budget_bytes=0), late))
    assert (outcome.count, len(keys(database))) == (PAGE_OBJECTS, 50)
    assert "the next sweep goes on" in outcome.summary


def test_what_was_used_since_it_was_looked_at_stays(database: SqliteDatabase) -> None:
    bucket = MemoryBucket()
    lay(database, bucket, "blocks/v1/s/a/2024-01")
    upkeep = ObjectUpkeep(bucket=bucket, database=database)
    seen = run(upkeep.least_used(at_most=1))
    database.connection.execute("UPDATE cache_metadata SET used_ms = used_ms + 1")
    run(upkeep.remove(seen, now_ms=NOW_MS))
    assert keys(database) == ["blocks/v1/s/a/2024-01"]
    assert noted(database) == []


@pytest.mark.parametrize(("surplus", "count"), [(-5, 0), (0, 0), (1, 1), (10, 1), (11, 2), (10**9, 3)])
def test_as_many_go_as_take_up_the_surplus(surplus: int, count: int) -> None:
    objects = [StoredObject(key=f"k{place}", stored_bytes=10, used_ms=place) for place in range(3)]
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


# --- objects that nothing points to --------------------------------------------------------


def noted(database: SqliteDatabase) -> list[str]:
    return [str(row[0]) for row in database.rows("SELECT object_key FROM superseded_objects ORDER BY 1")]


def sweep_superseded(database: SqliteDatabase, bucket: MemoryBucket, *, later_ms: int) -> Outcome:
    ports = janitor_ports(database, bucket=bucket)
    outcome: Outcome = run(remove_superseded(ports, turn(now_ms=NOW_MS + later_ms)))
    return outcome


def test_what_was_superseded_goes_a_day_later(database: SqliteDatabase) -> None:
    bucket = MemoryBucket()
    for place in range(3):
        bucket.objects[f"k{place}"] = (b"x", {}, 1)
        database.connection.execute(
            "INSERT INTO superseded_objects VALUES (?, ?)", (f"k{place}", NOW_MS + place)
        )
    assert sweep_superseded(database, bucket, later_ms=SUPERSEDED_KEEP_MS).count == 0
    assert sweep_superseded(database, bucket, later_ms=SUPERSEDED_KEEP_MS + 2).count == 2
    assert sorted(bucket.objects) == noted(database) == ["k2"]


def test_what_is_pointed_to_again_stays(database: SqliteDatabase) -> None:
    """The same days stored again have the same key."""
    bucket = MemoryBucket()
    lay(database, bucket, "blocks/v1/s/a/2024-01")
    database.connection.execute(
        "INSERT INTO superseded_objects VALUES ('blocks/v1/s/a/2024-01', ?)", (LONG_AGO_MS,)
    )
    sweep_superseded(database, bucket, later_ms=0)
    assert (len(bucket.objects), noted(database)) == (1, [])


def test_what_stopped_between_bucket_and_record_is_done_by_the_next_sweep(database: SqliteDatabase) -> None:
    bucket = MemoryBucket()
    bucket.objects["k"] = (b"x", {}, 1)
    database.connection.execute("INSERT INTO superseded_objects VALUES ('k', ?)", (LONG_AGO_MS,))
    bucket.objects.clear()
    assert sweep_superseded(database, bucket, later_ms=0).count == 1
    assert noted(database) == []
