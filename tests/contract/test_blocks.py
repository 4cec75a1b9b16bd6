"""The Blocks port: the fake, and the real store over a bucket in memory and SQLite with the real SQL.

`tests/runtime/test_stores.py` runs the same suite on workerd over R2 and D1.
"""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pytest

from edgeseries.blocks.adapters.block_memory import BlockMemory, Remembered
from edgeseries.blocks.adapters.block_store import BlockStore
from edgeseries.blocks.adapters.compression_cpython import PackageCompression
from edgeseries.blocks.block import encode_block
from edgeseries.blocks.header import BlockKey
from edgeseries.blocks.ports.blocks import Blocks, KeptDays
from edgeseries.errors import StoreUnavailable
from edgeseries.limits import DAY_MS, MAX_POINTS
from edgeseries.series.days import by_month, day_span, month_of
from edgeseries.storage.database import Command, Row, json_chunks
from edgeseries.storage.limits import (
    BUCKET_AT_ONCE,
    KEEP_ATTEMPTS,
    MEMORY_TTL_MS,
    OBJECT_KEY_MAX_BYTES,
    PARAMETER_MAX_BYTES,
)
from edgeseries.storage.object_keys import block_key, point_digest_and_month, site_part, site_prefix
from tests.fake_stores import FakeAnswers, FakeBlocks, MemoryBucket, SqliteDatabase
from tests.fakes import FakeClock
from tests.store_conformance import (
    FEB_29,
    MARCH,
    NOW_MS,
    ODD_NAMES,
    OTHER,
    POINT,
    BlocksConformance,
    expected,
    made_facts,
    made_kept,
    refused,
    run,
    samples_of,
    told,
)

SITE = "made up site"
LEAP_DAY = day_span(FEB_29, FEB_29)
WHOLE_MARCH = day_span(MARCH[0], MARCH[-1])
FEB_KEY = block_key(SITE, POINT, "2024-02")
MARCH_KEY = block_key(SITE, POINT, "2024-03")


@dataclass
class Rig:
    """The real store with everything that it stands on."""

    bucket: MemoryBucket
    database: SqliteDatabase
    clock: FakeClock
    answers: FakeAnswers
    store: BlockStore

    def another(self) -> BlockStore:
        """The store of another isolate: the same bucket and database, another memory."""
        return BlockStore(
            bucket=self.bucket,
            database=self.database,
            compression=PackageCompression(),
            memory=BlockMemory(),
            clock=self.clock,
            answers=self.answers,
            pause=turns,
        )

    def rows(self) -> dict[str, int]:
        found = self.database.rows("SELECT object_key, covered_days FROM cache_metadata")
        return {str(key): int(str(days)) for key, days in found}

    def agrees(self) -> None:
        """Object for object and row for row."""
        objects = {key: int(facts["days"]) for key, (_, facts, _) in self.bucket.objects.items()}
        assert self.rows() == objects


async def turns(wait_ms: int) -> None:
    """A turn of the loop for a millisecond: the order of waits counts, not their length."""
    for _ in range(wait_ms):
        await asyncio.sleep(0)


@pytest.fixture
def rig() -> Iterator[Rig]:
    clock = FakeClock(at_ms=NOW_MS)
    made = Rig(
        bucket=MemoryBucket(),
        database=SqliteDatabase(),
        clock=clock,
        answers=FakeAnswers(clock=clock),
        store=None,  # type: ignore[arg-type]  # made from the rest in the next line
    )
    made.store = made.another()
    yield made
    made.database.close()


class TestFake(BlocksConformance):
    @pytest.fixture
    def blocks(self) -> Blocks:
        return FakeBlocks(answers=FakeAnswers(clock=FakeClock(at_ms=NOW_MS)))


class TestStore(BlocksConformance):
    @pytest.fixture
    def blocks(self, rig: Rig) -> Blocks:
        return rig.store

    @pytest.fixture(autouse=True)
    def _rows_and_objects_agree(self, rig: Rig) -> Iterator[None]:
        yield
        rig.agrees()


def keep(store: Blocks, *kept: KeptDays) -> None:
    run(store.keep(SITE, kept))


def test_what_changes_nothing_is_not_written(rig: Rig) -> None:
    keep(rig.store, made_kept(MARCH[:5]))
    puts = rig.bucket.puts
    keep(rig.store, made_kept(MARCH[:5]))
    keep(rig.another(), made_kept(MARCH[2:4]))
    assert rig.bucket.puts == puts
    keep(rig.store, made_kept(MARCH[2:4], start=1))
    assert rig.bucket.puts == puts + 1


def test_a_keep_is_one_transaction_and_four_calls_at_once(rig: Rig) -> None:
    days = range(FEB_29 - 200, FEB_29 + 200)
    keep(rig.store, *(made_kept(days, f"made_up_{n}") for n in range(5)))
    assert rig.database.transactions == 1
    assert rig.bucket.most_under_way == BUCKET_AT_ONCE
    run(rig.another().read(SITE, [f"made_up_{n}" for n in range(5)], day_span(days[0], days[-1])))
    assert rig.bucket.most_under_way == BUCKET_AT_ONCE


def test_losing_every_race_ends_and_leaves_the_winner(rig: Rig) -> None:
    keep(rig.store, made_kept([MARCH[0]]))

    class Hurried(MemoryBucket):
        async def put(self, *_: object, **__: object) -> None:
            return None

    slow = Hurried(objects=rig.bucket.objects)
    rig.bucket = slow
    loser = rig.another()
    error = run(refused(loser.keep(SITE, [made_kept([MARCH[1]])])))
    assert error.retry_after_s == 1
    assert slow.gets == KEEP_ATTEMPTS
    assert loser.faults["block_race_lost"] == KEEP_ATTEMPTS
    assert run(loser.read(SITE, [POINT], WHOLE_MARCH))[POINT].days == frozenset([MARCH[0]])


def test_a_block_of_another_name_is_refused_counted_and_written_over(rig: Rig) -> None:
    keep(rig.store, made_kept([FEB_29]), made_kept([FEB_29], OTHER))
    content, facts, at = rig.bucket.objects[block_key(SITE, OTHER, "2024-02")]
    rig.bucket.objects[FEB_KEY] = (content, facts, at)
    store = rig.another()
    assert run(store.read(SITE, [POINT], LEAP_DAY))[POINT].days == frozenset()
    assert store.faults == {"block_of_another_name": 1}
    keep(store, made_kept([FEB_29]))
    assert told(run(store.read(SITE, [POINT], LEAP_DAY))[POINT].samples) == expected([FEB_29])


@pytest.mark.parametrize("where", [0, 5, 40, -1])
def test_damaged_bytes_are_refused_counted_and_written_over(rig: Rig, where: int) -> None:
    keep(rig.store, made_kept([FEB_29 - 1, FEB_29]))
    content, facts, at = rig.bucket.objects[FEB_KEY]
    damaged = bytearray(content)
    damaged[where] ^= 1
    rig.bucket.objects[FEB_KEY] = (bytes(damaged), facts, at)
    store = rig.another()
    assert run(store.read(SITE, [POINT], LEAP_DAY))[POINT].days == frozenset()
    assert sum(store.faults.values()) == 1
    keep(store, made_kept([FEB_29]))
    assert told(run(store.read(SITE, [POINT], LEAP_DAY))[POINT].samples) == expected([FEB_29])
    rig.agrees()


def test_a_block_of_a_newer_version_is_left_as_it_is(rig: Rig) -> None:
    keep(rig.store, made_kept([FEB_29]))
    content, facts, at = rig.bucket.objects[FEB_KEY]
    newer = content[:4] + b"\x02" + content[5:]
    rig.bucket.objects[FEB_KEY] = (newer, facts, at)
    store = rig.another()
    assert run(store.read(SITE, [POINT], LEAP_DAY))[POINT].days == frozenset()
    run(refused(store.keep(SITE, [made_kept([FEB_29])])))
    assert store.faults == {"block_unsupported": 2}
    assert rig.bucket.objects[FEB_KEY][0] == newer


def test_the_block_is_the_truth_whatever_the_index_says(rig: Rig) -> None:
    keep(rig.store, made_kept(MARCH[:2]))
    rig.database.rows("DELETE FROM cache_metadata")
    assert run(rig.store.covered(SITE, [POINT], WHOLE_MARCH)) == {}
    assert run(rig.another().read(SITE, [POINT], WHOLE_MARCH))[POINT].days == frozenset(MARCH[:2])
    puts = rig.bucket.puts
    keep(rig.another(), made_kept(MARCH[:1]))
    assert rig.bucket.puts == puts
    rig.agrees()
    rig.bucket.objects.clear()
    assert run(rig.another().read(SITE, [POINT], WHOLE_MARCH))[POINT].days == frozenset()


def test_an_index_that_is_down_loses_no_block(rig: Rig) -> None:
    rig.database.down = True
    for call in (
        rig.store.keep(SITE, [made_kept(MARCH[:2])]),
        rig.store.covered(SITE, [POINT], WHOLE_MARCH),
        rig.store.densities(SITE, [POINT]),
        rig.store.forget(SITE, points=[POINT], span=None, dry_run=False),
    ):
        run(refused(call))
    rig.database.down = False
    keep(rig.store, made_kept(MARCH[5:7]))
    rig.agrees()


def test_an_index_that_was_down_for_a_keep_still_reads(rig: Rig) -> None:
    rig.database.down = True
    run(refused(rig.store.keep(SITE, [made_kept(MARCH[:2])])))
    held = run(rig.another().read(SITE, [POINT], WHOLE_MARCH))[POINT]
    assert told(held.samples) == expected(MARCH[:2])


def test_a_bucket_that_is_down_is_told_and_what_was_written_has_its_rows(rig: Rig) -> None:
    class Half(MemoryBucket):
        async def put(self, key: str, *rest: object, **more: object) -> object:  # type: ignore[override]
            if key.endswith("2024-02"):
                raise StoreUnavailable("the bucket is down")
            return await super().put(key, *rest, **more)  # type: ignore[arg-type]

    rig.bucket = Half()
    run(refused(rig.another().keep(SITE, [made_kept([MARCH[0]]), made_kept([FEB_29], OTHER)])))
    assert len(rig.bucket.objects) == 1
    rig.agrees()
    rig.bucket.down = True
    run(refused(rig.another().read(SITE, [POINT], LEAP_DAY)))
    run(refused(rig.another().forget(SITE, points=None, span=None, dry_run=True)))


def test_a_later_version_stays_when_rows_come_in_the_wrong_order(rig: Rig) -> None:
    early: list[Sequence[Command]] = []

    class Late(SqliteDatabase):
        async def write(self, commands: Sequence[Command]) -> list[list[Row]]:
            early.append(commands)
            return []

    late = Late()
    here = rig.database
    rig.database = late
    slow = rig.another()
    rig.database = here
    keep(slow, made_kept([MARCH[0]]))
    keep(rig.store, made_kept([MARCH[1]]))
    run(here.write(early[0]))
    rig.agrees()
    assert run(rig.store.covered(SITE, [POINT], WHOLE_MARCH)) == {POINT: frozenset(MARCH[:2])}
    late.close()


def test_a_remembered_block_costs_no_call_until_it_is_old(rig: Rig) -> None:
    keep(rig.store, made_kept(MARCH[:3]))
    gets = rig.bucket.gets
    three = day_span(MARCH[0], MARCH[2])
    rig.clock.at_ms += MEMORY_TTL_MS
    assert run(rig.store.read(SITE, [POINT], three))[POINT].days == frozenset(MARCH[:3])
    assert rig.bucket.gets == gets
    keep(rig.another(), made_kept([MARCH[3]]))
    gets = rig.bucket.gets
    assert run(rig.store.read(SITE, [POINT], WHOLE_MARCH))[POINT].days == frozenset(MARCH[:4])
    assert rig.bucket.gets == gets + 1
    run(rig.another().forget(SITE, points=None, span=None, dry_run=False))
    assert run(rig.store.read(SITE, [POINT], three))[POINT].days == frozenset(MARCH[:3])
    rig.clock.at_ms += MEMORY_TTL_MS + 1
    assert run(rig.store.read(SITE, [POINT], three))[POINT].days == frozenset()


def test_memory_is_bounded_and_lets_the_least_recently_used_go() -> None:
    memory = BlockMemory(max_bytes=800)
    for place in range(8):
        memory.learn(str(place), Remembered(content=bytes(100), covered_days=1, read_ms=0))
    assert memory.find("0", 1, 0) is not None
    memory.learn("8", Remembered(content=bytes(100), covered_days=1, read_ms=0))
    memory.learn("huge", Remembered(content=bytes(101), covered_days=1, read_ms=0))
    assert memory.stored_bytes == 800
    kept = [key for key in ("0", "1", "2", "8", "huge") if memory.find(key, 1, 0) is not None]
    assert kept == ["0", "2", "8"]


def test_a_purge_takes_rows_without_objects_and_every_answer_of_the_site(rig: Rig) -> None:
    keep(rig.store, *(made_kept([FEB_29, MARCH[0]], f"made_up_{n}") for n in range(60)))
    for digest, site in (("a" * 64, SITE), ("b" * 64, "another")):
        run(rig.answers.keep(digest, b"body", made_facts(b"body", site=site)))
    gone = block_key(SITE, "made_up_7", month_of(FEB_29))
    del rig.bucket.objects[gone]
    many = [f"made_up_{n}" for n in range(55)]
    done = run(rig.store.forget(SITE, points=many, span=LEAP_DAY, dry_run=False))
    assert (done.blocks, done.answers) == (54, 1)
    assert list(rig.answers.kept) == ["b" * 64]
    rig.agrees()
    assert gone not in rig.rows()
    run(rig.store.forget(SITE, points=None, span=None, dry_run=False))
    assert (rig.rows(), rig.bucket.objects) == ({}, {})


def test_a_cut_block_holds_nothing_of_the_cut_days(rig: Rig) -> None:
    keep(rig.store, made_kept(MARCH[:5]))
    run(rig.store.forget(SITE, points=None, span=day_span(MARCH[1], MARCH[3]), dry_run=False))
    fresh = encode_block(
        BlockKey(site=SITE, point=POINT, month="2024-03"),
        by_month([MARCH[0], MARCH[4]])["2024-03"],
        made_kept([MARCH[0], MARCH[4]]).samples,
        PackageCompression(),
    )
    assert rig.bucket.objects[MARCH_KEY][0] == fresh


def test_ten_thousand_points_are_one_query_within_the_bounds(rig: Rig) -> None:
    names = [f"made_up_{n:05d}" for n in range(MAX_POINTS)]
    keep(rig.store, made_kept([FEB_29], names[0]), made_kept([FEB_29], names[-1]))
    covered = run(rig.store.covered(SITE, names, LEAP_DAY))
    assert covered == {names[0]: frozenset([FEB_29]), names[-1]: frozenset([FEB_29])}
    long_names = [f"{n:05d}" + "ü" * 250 for n in range(MAX_POINTS)]
    keep(rig.store, made_kept([FEB_29], long_names[-1]))
    assert run(rig.store.covered(SITE, long_names, LEAP_DAY)) == {long_names[-1]: frozenset([FEB_29])}
    assert list(run(rig.store.densities(SITE, long_names))) == [long_names[-1]]
    assert rig.database.largest_parameter_bytes <= PARAMETER_MAX_BYTES


def test_chunks_hold_every_value_once_and_in_order() -> None:
    values = ["ü" * n for n in range(50)]
    chunks = list(json_chunks(values, max_bytes=200))
    assert sum(count for _, count in chunks) == len(values)
    assert all(len(text.encode()) <= 200 for text, _ in chunks)
    assert list(json_chunks([])) == []


def test_keys_are_safe_distinct_and_short_enough() -> None:
    parts = [site_part(name) for name in (*ODD_NAMES, "=" + "x" * 64)]
    assert len(set(parts)) == len(parts)
    assert not {".", "..", ""} & set(parts)
    for name in ODD_NAMES:
        key = block_key(name, name, "2024-02")
        assert key.isascii()
        assert len(key) <= OBJECT_KEY_MAX_BYTES
        assert key.count("/") == 4
        assert key.startswith(site_prefix(name))
        assert point_digest_and_month(key) is not None


def test_density_forgets_slowly(rig: Rig) -> None:
    def day(number: int, count: int) -> KeptDays:
        pairs = [(number * DAY_MS + place, 1.0) for place in range(count)]
        return KeptDays(point=POINT, days=(number,), samples=samples_of(pairs))

    keep(rig.store, *(day(number, 100) for number in range(FEB_29 - 60, FEB_29)))
    keep(rig.store, day(FEB_29, 410))
    assert run(rig.store.densities(SITE, [POINT])) == {POINT: pytest.approx((100 * 30 + 410) / 31)}
