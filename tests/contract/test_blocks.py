"""The Blocks port: the fake, and the real store over a bucket in memory and SQLite with the real SQL.

`tests/runtime/test_stores.py` runs the same suite on workerd over R2 and D1.
"""

from collections.abc import Iterator

import pytest

from edgeseries.blocks.adapters.block_memory import BlockMemory
from edgeseries.blocks.ports.blocks import Blocks, DaysToStore
from edgeseries.blocks.stamps import Stamps
from edgeseries.errors import StoreUnavailable
from edgeseries.limits import DAY_MS, INLINE_MAX_BLOCKS, MAX_POINTS
from edgeseries.series.days import by_year, day_span
from edgeseries.storage.bucket import Facts, Written
from edgeseries.storage.database import json_chunks
from edgeseries.storage.limits import (
    BUCKET_AT_ONCE,
    KEEP_ATTEMPTS,
    KEEP_BATCH_BLOCKS,
    OBJECT_KEY_MAX_BYTES,
    PARAMETER_MAX_BYTES,
)
from edgeseries.storage.object_keys import (
    block_key,
    block_path,
    content_digest,
    site_part,
    site_prefix,
)
from tests.fake_stores import FakeBlocks, MemoryBucket
from tests.made_days import (
    FEB_29,
    MARCH,
    ODD_NAMES,
    OTHER,
    POINT,
    covered,
    densities,
    expected,
    keep,
    made_kept,
    read,
    refused,
    run,
    samples_of,
    told,
)
from tests.store_conformance import BlocksConformance
from tests.store_rig import EVERYTHING, LEAP_DAY, SITE, WHOLE_MARCH, Rig, days_of, put


class TestFake(BlocksConformance):
    @pytest.fixture
    def blocks(self) -> Blocks:
        return FakeBlocks()


class TestStore(BlocksConformance):
    @pytest.fixture
    def blocks(self, rig: Rig) -> Blocks:
        return rig.store

    @pytest.fixture(autouse=True)
    def _pointers_and_objects_agree(self, rig: Rig) -> Iterator[None]:
        yield
        rig.agrees()


def test_what_changes_nothing_is_not_written(rig: Rig) -> None:
    put(rig.store, made_kept(MARCH[:5]))
    puts, before = rig.bucket.puts, rig.pointers()
    put(rig.store, made_kept(MARCH[:5]))
    put(rig.another(), made_kept(MARCH[2:4]))
    assert rig.pointers() == before
    put(rig.store, made_kept(MARCH[2:4], start=1))
    assert rig.pointers() != before
    assert rig.bucket.puts == puts + 1


def test_objects_never_change_and_what_is_superseded_is_noted(rig: Rig) -> None:
    seen: dict[str, bytes] = {}
    for start in (0, 1, 2, 0):
        put(rig.store, made_kept(MARCH[:2], start=start), made_kept([FEB_29], start=start))
        for key, (content, _, _) in rig.bucket.objects.items():
            assert seen.setdefault(key, content) == content
    assert len(seen) == 3
    superseded = {str(row[0]) for row in rig.database.rows("SELECT object_key FROM superseded_objects")}
    assert superseded | {key for key, _ in rig.pointers().values()} == set(seen)


def test_a_keep_writes_pointers_as_it_goes_and_makes_four_calls_at_once(rig: Rig) -> None:
    days = range(FEB_29 - 400, FEB_29 + 400)
    years = len(by_year(days))
    count = 3 * KEEP_BATCH_BLOCKS // years
    put(rig.store, *(made_kept(days[::7], f"made_up_{n}") for n in range(count)))
    assert rig.database.transactions == -(-count * years // KEEP_BATCH_BLOCKS)
    assert rig.bucket.most_under_way == BUCKET_AT_ONCE
    run(read(rig.another(), SITE, [f"made_up_{n}" for n in range(5)], day_span(days[0], days[-1])))
    assert rig.bucket.most_under_way == BUCKET_AT_ONCE


def test_what_was_stored_before_a_failure_stays(rig: Rig) -> None:
    class Failing(MemoryBucket):
        async def put(self, key: str, content: bytes, facts: Facts) -> Written:
            if len(self.objects) > KEEP_BATCH_BLOCKS + KEEP_BATCH_BLOCKS // 2:
                raise StoreUnavailable("the bucket is down")
            return await super().put(key, content, facts)

    rig.bucket = Failing()
    kept = [made_kept([FEB_29], f"made_up_{n:03d}") for n in range(3 * KEEP_BATCH_BLOCKS)]
    run(refused(keep(rig.another(), SITE, kept)))
    assert KEEP_BATCH_BLOCKS < len(rig.pointers()) <= 2 * KEEP_BATCH_BLOCKS
    rig.agrees()


def test_losing_every_race_ends_and_leaves_the_winner(rig: Rig) -> None:
    put(rig.store, made_kept([MARCH[0]]))
    loser = rig.another()
    swaps = iter(range(100))

    class Hurried(MemoryBucket):
        async def put(self, key: str, content: bytes, facts: Facts) -> Written:
            """Another writer moves the pointer while this one puts its object."""
            rig.database.connection.execute(
                "UPDATE cache_metadata SET object_key = object_key || ?", (str(next(swaps)),)
            )
            return await super().put(key, content, facts)

    loser._writer._bucket = Hurried(objects=rig.bucket.objects)
    error = run(refused(keep(loser, SITE, [made_kept([MARCH[1]])])))
    assert error.retry_after_s == 1
    assert loser.faults["block_race_lost"] == KEEP_ATTEMPTS


def test_a_block_of_another_name_is_refused_counted_and_written_over(rig: Rig) -> None:
    put(rig.store, made_kept([FEB_29]), made_kept([FEB_29], OTHER))
    rig.bucket.objects[rig.key_of(POINT)] = rig.bucket.objects[rig.key_of(OTHER)]
    store = rig.another()
    put(store, made_kept([MARCH[0]]))
    assert store.faults == {"block_of_another_name": 1}
    assert days_of(rig.another()) == [MARCH[0]]
    put(store, made_kept([FEB_29]))
    assert told(run(read(store, SITE, [POINT], LEAP_DAY))[POINT].samples) == expected([FEB_29])
    rig.agrees()


@pytest.mark.parametrize("where", [-1, -20, -60])
def test_damaged_bytes_are_refused_counted_and_their_pointer_is_dropped(rig: Rig, where: int) -> None:
    put(rig.store, made_kept([FEB_29 - 1, FEB_29]))
    rig.damage(rig.key_of(POINT), where)
    store = rig.another()
    assert days_of(store) == []
    assert sum(store.faults.values()) == 1
    assert run(covered(store, SITE, [POINT], EVERYTHING)) == {}
    put(store, made_kept([FEB_29]))
    assert told(run(read(store, SITE, [POINT], LEAP_DAY))[POINT].samples) == expected([FEB_29])
    put(store, made_kept([FEB_29 - 1]))
    assert days_of(rig.another()) == [FEB_29 - 1, FEB_29]
    rig.agrees()


def test_damaged_bytes_found_while_storing_give_way(rig: Rig) -> None:
    put(rig.store, made_kept([FEB_29 - 1, FEB_29]))
    rig.damage(rig.key_of(POINT), 40)
    store = rig.another()
    put(store, made_kept([FEB_29 - 2]))
    assert sum(store.faults.values()) == 1
    assert days_of(rig.another()) == [FEB_29 - 2]
    rig.agrees()


def test_a_block_of_a_newer_version_is_left_as_it_is(rig: Rig) -> None:
    put(rig.store, made_kept([FEB_29]))
    key = rig.key_of(POINT)
    content, facts, at = rig.bucket.objects[key]
    newer = content[:4] + b"\x03" + content[5:]
    rig.bucket.objects[key] = (newer, facts, at)
    store = rig.another()
    run(refused(keep(store, SITE, [made_kept([FEB_29 - 1])])))
    assert store.faults == {"block_unsupported": 1}
    assert rig.bucket.objects[key][0] == newer
    assert rig.key_of(POINT) == key


def test_nothing_is_held_that_no_pointer_leads_to(rig: Rig) -> None:
    put(rig.store, made_kept(MARCH[:2]))
    rig.database.rows("DELETE FROM cache_metadata")
    assert run(covered(rig.store, SITE, [POINT], WHOLE_MARCH)) == {}
    assert days_of(rig.store) == []
    put(rig.another(), made_kept(MARCH[:1]))
    assert days_of(rig.store) == [MARCH[0]]


def test_a_pointer_to_an_object_that_is_gone_is_taken_out(rig: Rig) -> None:
    put(rig.store, made_kept(MARCH[:2]))
    rig.bucket.objects.clear()
    store = rig.another()
    assert days_of(store) == []
    assert store.faults == {"block_gone": 1}
    assert rig.pointers() == {}


def test_a_pointer_that_moved_meanwhile_is_not_taken_out(rig: Rig) -> None:
    put(rig.store, made_kept(MARCH[:2]))

    async def check() -> None:
        store = rig.another()
        index = await store.look_up(SITE, [POINT], WHOLE_MARCH)
        await keep(rig.store, SITE, [made_kept(MARCH[2:3])])
        old = rig.pointers()
        for key in [key for key in rig.bucket.objects if key not in {one for one, _ in old.values()}]:
            del rig.bucket.objects[key]
        assert (await store.read(SITE, [POINT], WHOLE_MARCH, index))[POINT].days == frozenset()
        assert rig.pointers() == old

    run(check())


def test_an_index_that_is_down_stores_nothing_and_finds_nothing(rig: Rig) -> None:
    rig.database.down = True
    for call in (
        rig.store.store(SITE, [made_kept(MARCH[:2])], Stamps()),
        rig.store.look_up(SITE, [POINT], WHOLE_MARCH),
        rig.store.begin_refresh(SITE, [POINT]),
        rig.store.forget(SITE, points=[POINT], span=None, dry_run=False),
    ):
        run(refused(call))
    rig.database.down = False
    put(rig.store, made_kept(MARCH[5:7]))
    assert days_of(rig.store) == list(MARCH[5:7])
    rig.agrees()


def test_an_index_that_goes_down_between_object_and_pointer_has_stored_nothing(rig: Rig) -> None:
    class Failing(MemoryBucket):
        async def put(self, key: str, content: bytes, facts: Facts) -> Written:
            rig.database.down = True
            return await super().put(key, content, facts)

    rig.bucket = Failing()
    run(refused(keep(rig.another(), SITE, [made_kept(MARCH[:2])])))
    rig.database.down = False
    assert len(rig.bucket.objects) == 1
    assert days_of(rig.store) == []


def test_a_bucket_that_is_down_is_told_and_what_was_written_has_its_pointer(rig: Rig) -> None:
    class Half(MemoryBucket):
        async def put(self, key: str, content: bytes, facts: Facts) -> Written:
            if "/2023/" in key:
                raise StoreUnavailable("the bucket is down")
            return await super().put(key, content, facts)

    rig.bucket = Half()
    run(refused(keep(rig.another(), SITE, [made_kept([FEB_29 - 100], OTHER), made_kept([MARCH[0]])])))
    assert len(rig.bucket.objects) == len(rig.pointers())
    put(rig.another(), made_kept([MARCH[0]]))
    rig.bucket.down = True
    run(refused(read(rig.another(), SITE, [POINT], WHOLE_MARCH)))


def test_of_two_writers_of_one_block_the_later_merges_into_what_the_first_wrote(rig: Rig) -> None:
    """Also where the slower read the pointer first, and put its object before the other did."""

    class Slow(MemoryBucket):
        async def put(self, key: str, content: bytes, facts: Facts) -> Written:
            written = await super().put(key, content, facts)
            if len(self.objects) == 1:
                rig.bucket = self
                await keep(rig.another(), SITE, [made_kept([MARCH[1]])])
            return written

    rig.bucket = Slow()
    slow = rig.another()
    put(slow, made_kept([MARCH[0]]))
    assert slow.faults == {"block_race_lost": 1}
    assert days_of(rig.another()) == list(MARCH[:2])
    rig.agrees()


def test_a_remembered_block_costs_no_call_and_a_purge_elsewhere_is_seen_at_once(rig: Rig) -> None:
    put(rig.store, made_kept(MARCH[:3]))
    gets = rig.bucket.gets
    rig.clock.at_ms += 400 * DAY_MS
    assert days_of(rig.store) == list(MARCH[:3])
    assert rig.bucket.gets == gets
    put(rig.another(), made_kept([MARCH[3]]))
    gets = rig.bucket.gets
    assert days_of(rig.store) == list(MARCH[:4])
    assert rig.bucket.gets == gets + 1
    run(rig.another().forget(SITE, points=None, span=None, dry_run=False))
    assert days_of(rig.store) == []


def test_memory_is_bounded_and_lets_the_least_recently_used_go() -> None:
    memory = BlockMemory(max_bytes=800)
    for place in range(8):
        memory.learn(str(place), bytes(100))
    assert memory.find("0") is not None
    memory.learn("8", bytes(100))
    memory.learn("huge", bytes(101))
    assert memory.stored_bytes == 800
    kept = [key for key in ("0", "1", "2", "8", "huge") if memory.find(key) is not None]
    assert kept == ["0", "2", "8"]


def test_many_blocks_are_looked_up_without_their_keys_and_read_all_the_same(rig: Rig) -> None:
    names = [f"made_up_{n:04d}" for n in range(INLINE_MAX_BLOCKS // 2 + 1)]
    put(rig.store, made_kept([FEB_29, MARCH[0]], names[0]), made_kept([MARCH[1]], names[-1]))
    run(rig.store.forget(SITE, points=[names[-1]], span=LEAP_DAY, dry_run=False))
    span = day_span(FEB_29 - 100, MARCH[5])
    few = run(rig.store.look_up(SITE, [names[0], names[-1]], span))
    many = run(rig.store.look_up(SITE, names, span))
    assert many.refs is None
    assert few.refs is not None
    assert (many.covered, many.density_per_day) == (few.covered, few.density_per_day)
    for name in names:
        assert many.stamps.of(name) == few.stamps.of(name)
    found = run(rig.another().read(SITE, names, span, many))
    assert told(found[names[0]].samples) == expected([FEB_29, MARCH[0]])
    assert told(found[names[-1]].samples) == expected([MARCH[1]])


def test_ten_thousand_points_are_few_queries_within_the_bounds(rig: Rig) -> None:
    names = [f"made_up_{n:05d}" for n in range(MAX_POINTS)]
    put(rig.store, made_kept([FEB_29], names[0]), made_kept([FEB_29], names[-1]))
    assert run(covered(rig.store, SITE, names, LEAP_DAY)) == {
        names[0]: frozenset([FEB_29]),
        names[-1]: frozenset([FEB_29]),
    }
    long_names = [f"{n:05d}" + "ü" * 250 for n in range(MAX_POINTS)]
    put(rig.store, made_kept([FEB_29], long_names[-1]))
    assert run(covered(rig.store, SITE, long_names, LEAP_DAY)) == {long_names[-1]: frozenset([FEB_29])}
    assert list(run(densities(rig.store, SITE, long_names))) == [long_names[-1]]
    begun = run(rig.store.begin_refresh(SITE, long_names))
    assert len(begun.tickets) == MAX_POINTS
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
        key = block_key(name, name, "2024", content_digest(b"x"))
        assert key.isascii()
        assert len(key) <= OBJECT_KEY_MAX_BYTES
        assert key.count("/") == 5
        assert key.startswith(site_prefix(name))
        path = block_path(key)
        assert path is not None
        assert (path.period, path.digest) == ("2024", content_digest(b"x"))
        assert block_path(key.rpartition("/")[0]) is None


def test_density_forgets_slowly(rig: Rig) -> None:
    def day(number: int, count: int) -> DaysToStore:
        pairs = [(number * DAY_MS + place, 1.0) for place in range(count)]
        return DaysToStore(point=POINT, days=(number,), samples=samples_of(pairs))

    put(rig.store, *(day(number, 100) for number in range(FEB_29 - 60, FEB_29)))
    put(rig.store, day(FEB_29, 410))
    assert run(densities(rig.store, SITE, [POINT])) == {POINT: pytest.approx((100 * 30 + 410) / 31)}
