"""Purges of the real block store: pointers and generations, and what is left of blocks that were cut."""

import json
from collections.abc import Sequence

import pytest

from edgeseries.blocks.adapters.compression_cpython import PackageCompression
from edgeseries.blocks.adapters.index_statements import RAISE_PURGED
from edgeseries.blocks.adapters.purge import Purge
from edgeseries.blocks.adapters.purge_records import PurgeRecord, record_of
from edgeseries.blocks.block_columns import PythonBlockCodec
from edgeseries.blocks.year_encoding import merged_year
from edgeseries.blocks.year_header import YearKey
from edgeseries.series.days import by_year, day_span
from edgeseries.storage.database import Command, Row
from edgeseries.storage.limits import (
    PURGE_STRETCH_BLOCKS,
)
from edgeseries.storage.object_keys import (
    block_path,
    purge_key,
)
from tests.made_days import (
    FEB_29,
    MARCH,
    NOW_MS,
    POINT,
    made_kept,
    run,
    samples_of,
)
from tests.store_rig import LEAP_DAY, SITE, Rig, days_of, put


def test_a_purge_writes_no_object_but_its_record(rig: Rig) -> None:
    put(rig.store, *(made_kept([FEB_29, *MARCH[:5]], f"made_up_{n}") for n in range(3)))
    objects = dict(rig.bucket.objects)
    gets = rig.bucket.gets
    run(rig.store.forget(SITE, points=["made_up_1"], span=day_span(MARCH[1], MARCH[3]), dry_run=False))
    assert rig.bucket.gets == gets
    (new,) = rig.bucket.objects.keys() - objects.keys()
    generation = max(
        int(str(row[0])) for row in rig.database.rows("SELECT generation FROM store_generations")
    )
    assert new == purge_key(SITE, generation)
    record = record_of(rig.bucket.objects[new][0])
    assert record == PurgeRecord(site=SITE, points=["made_up_1"], generation=generation)
    assert days_of(rig.another(), "made_up_1") == [FEB_29, MARCH[0], MARCH[4]]
    assert days_of(rig.another(), "made_up_2") == [FEB_29, *MARCH[:5]]


@pytest.mark.parametrize("added", [[MARCH[2]], [MARCH[0], MARCH[4]], [MARCH[9]]])
def test_a_cut_block_holds_nothing_of_the_cut_days_after_it_is_written_again(
    rig: Rig, added: list[int]
) -> None:
    put(rig.store, made_kept(MARCH[:5]))
    run(rig.store.forget(SITE, points=None, span=day_span(MARCH[1], MARCH[3]), dry_run=False))
    put(rig.another(), made_kept(added, start=4))
    left = sorted({MARCH[0], MARCH[4], *added})
    assert days_of(rig.another()) == left
    pairs = [
        pair
        for day in left
        for pair in zip(
            made_kept([day], start=4 if day in added else 0).samples.times_ms,
            made_kept([day], start=4 if day in added else 0).samples.values,
            strict=True,
        )
    ]
    fresh = merged_year(
        None,
        YearKey(site=SITE, point=POINT, year="2024"),
        0,
        by_year(left)["2024"],
        samples_of(pairs),
        PythonBlockCodec(compressor=PackageCompression()),
    )
    assert fresh is not None
    assert rig.bucket.objects[rig.key_of(POINT)][0] == fresh.data
    rig.agrees()


@pytest.mark.parametrize("points", [False, True], ids=["site", "points"])
def test_a_purge_of_more_than_one_stretch_takes_all_and_raises_with_the_last(
    rig: Rig, *, points: bool
) -> None:
    purge = Purge(
        bucket=rig.bucket, database=rig.database, clock=rig.clock, blocks_at_once=4, points_at_once=3
    )
    names = [f"made_up_{n}" for n in range(8)]
    old = FEB_29 - 100
    put(rig.store, *(made_kept([old, *MARCH[:3]], name) for name in names))
    chosen = names[:7] if points else None
    span = day_span(old, MARCH[0])
    rehearsed = run(purge.run(SITE, points=chosen, span=span, dry_run=True))
    totals: list[int] = []
    write = rig.database.write

    async def watched(commands: Sequence[Command]) -> list[list[Row]]:
        rows = await write(commands)
        if any(command.sql == RAISE_PURGED for command in commands):
            totals.append((await rig.another().look_up(SITE, names[:1], LEAP_DAY)).stamps.total(names))
        return rows

    rig.database.write = watched  # type: ignore[method-assign]
    done = run(purge.run(SITE, points=chosen, span=span, dry_run=False))
    assert done == rehearsed
    assert done.blocks == 2 * (len(chosen) if chosen else len(names))
    assert len(totals) == (3 if chosen else 5)
    if not points:
        assert len(set(totals)) == len(totals)
    for name in names:
        left = [old, *MARCH[:3]] if chosen and name not in chosen else list(MARCH[1:3])
        assert days_of(rig.another(), name) == left
    rig.agrees()


def test_a_stretch_of_a_purge_ends_where_it_should(rig: Rig) -> None:
    """One block more and one fewer than a stretch has."""
    for count in (PURGE_STRETCH_BLOCKS - 1, PURGE_STRETCH_BLOCKS, PURGE_STRETCH_BLOCKS + 1):
        rows = [(f"{n:05d}", f"p{n:05d}") for n in range(count)]
        rig.database.connection.executemany(
            "INSERT INTO cache_metadata (object_key, kind, site, point, month, year_days, sample_count, "
            "raw_bytes, stored_bytes, codec, created_ms, used_ms) "
            f"VALUES (?, 'block', '{SITE}', ?, '2024', '1', 1, 1, 2, 'br', 1, 1)",
            rows,
        )
        done = run(rig.store.forget(SITE, points=None, span=None, dry_run=False))
        assert (done.blocks, done.stored_bytes) == (count, 2 * count)
        assert rig.pointers() == {}


def test_facts_tell_what_a_block_was_fetched_under(rig: Rig) -> None:
    put(rig.store, made_kept([FEB_29]))
    begun = run(rig.store.begin_refresh(SITE, [POINT]))
    run(rig.store.refresh(SITE, [made_kept([FEB_29], start=1)], begun))
    tickets = sorted(
        int(facts["ticket"]) for key, (_, facts, _) in rig.bucket.objects.items() if block_path(key)
    )
    assert tickets == [0, begun.tickets[POINT]]


def test_generations_are_moments_so_that_a_restored_database_never_repeats_one(rig: Rig) -> None:
    run(rig.store.forget(SITE, points=None, span=None, dry_run=False))
    first = run(rig.store.look_up(SITE, [POINT], LEAP_DAY)).stamps.site
    assert first >= NOW_MS
    rig.database.connection.execute("DELETE FROM store_generations")
    rig.clock.at_ms += 1
    run(rig.store.forget(SITE, points=None, span=None, dry_run=False))
    assert run(rig.store.look_up(SITE, [POINT], LEAP_DAY)).stamps.site > first


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"site":"s","points":[1],"generation":1}', b"\xff"])
def test_what_is_no_record_of_a_purge_is_none(content: bytes) -> None:
    assert record_of(content) is None
    good = json.dumps({"site": "s", "points": None, "generation": 5}).encode()
    assert record_of(good) == PurgeRecord(site="s", points=None, generation=5)
