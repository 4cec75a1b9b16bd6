"""Blocks of months become blocks of years: in bounded steps, whatever comes in between, and nothing is
lost."""

import pytest

from edgeseries.blocks.ports.blocks import DaysToStore
from edgeseries.errors import StoreUnavailable
from edgeseries.limits import HOUR_MS
from edgeseries.series.days import day_span
from edgeseries.series.samples import NO_SAMPLES
from edgeseries.storage.bucket import Facts, Written
from edgeseries.upkeep.adapters.month_blocks import STEP_YEARS, MonthBlocks
from janitor.duty import Outcome, Turn
from janitor.move_months import move_months
from tests.fake_janitor import janitor_ports
from tests.fake_stores import MemoryBucket
from tests.made_days import FEB_29, MARCH, NOW_MS, OTHER, POINT, expected, made_kept, read, run, told
from tests.months_worker import MonthsWorker
from tests.store_rig import EVERYTHING, SITE, Rig, days_of

ALL = [FEB_29 - 100, FEB_29, *MARCH[:5]]


@pytest.fixture
def old(rig: Rig) -> MonthsWorker:
    return MonthsWorker(rig.bucket, rig.database, rig.clock)


def lay(old: MonthsWorker, *kept: DaysToStore) -> None:
    for one in kept:
        old.keep(one.point, list(one.days), one.samples)


def sweep(rig: Rig, cursor: str = "") -> Outcome:
    ports = janitor_ports(rig.database, bucket=rig.bucket)
    return run(move_months(ports, Turn(cursor=cursor, now_ms=NOW_MS, stop_ms=NOW_MS + HOUR_MS)))


def months_left(rig: Rig) -> int:
    rows = rig.database.rows("SELECT count(*) FROM cache_metadata WHERE length(month) = 7")
    return int(str(rows[0][0]))


def test_every_month_becomes_part_of_its_year_and_nothing_changes_for_readers(
    rig: Rig, old: MonthsWorker
) -> None:
    silent = DaysToStore(point="silent", days=tuple(MARCH), samples=NO_SAMPLES)
    lay(old, made_kept(ALL), made_kept(MARCH[3:9], OTHER, start=4), silent)
    before = {point: run(read(rig.store, SITE, [point], EVERYTHING)) for point in (POINT, OTHER, "silent")}
    estimates = run(rig.store.look_up(SITE, [POINT, OTHER, "silent"], EVERYTHING)).stored
    done = sweep(rig)
    assert (done.summary, done.cursor) == ("4 years made of months", "")
    assert months_left(rig) == 0
    for point, found in before.items():
        assert run(read(rig.another(), SITE, [point], EVERYTHING)) == found
    after = run(rig.another().look_up(SITE, [POINT, OTHER, "silent"], EVERYTHING)).stored
    assert {point: one.days for point, one in after.items()} == {
        point: one.days for point, one in estimates.items()
    }
    rig.agrees()
    assert sweep(rig).count == 0


def test_a_sweep_is_bounded_and_the_next_one_goes_on(rig: Rig, old: MonthsWorker) -> None:
    lay(old, *(made_kept([FEB_29], f"p{place:03d}") for place in range(STEP_YEARS + 20)))
    ports = MonthBlocks(blocks=rig.another(), database=rig.database)
    first = run(ports.move("", samples=10**9))
    assert (first.moved, months_left(rig)) == (STEP_YEARS, 20)
    second = run(ports.move(first.place, samples=24 * 7))
    assert (second.moved, months_left(rig)) == (7, 13)
    third = run(ports.move(second.place, samples=1))
    assert (third.moved, months_left(rig)) == (1, 12)
    assert run(ports.move(third.place, samples=10**9)).place == ""
    assert months_left(rig) == 0


def test_one_site_after_the_other(rig: Rig, old: MonthsWorker) -> None:
    lay(old, made_kept(ALL))
    rig.database.connection.execute(
        "INSERT INTO cache_metadata (object_key, kind, site, point, month, covered_days, object_days, "
        "sample_count, raw_bytes, stored_bytes, codec, created_ms, used_ms) "
        "VALUES ('blocks/v1/z', 'block', 'z', 'gone', '2024-02', 1, 1, 1, 16, 9, 'br', 1, 1)"
    )
    done = sweep(rig)
    assert (done.count, done.cursor, months_left(rig)) == (3, "", 0)
    assert days_of(rig.another()) == ALL
    assert rig.database.rows("SELECT count(*) FROM cache_metadata WHERE site = 'z'") == [(0,)]


@pytest.mark.parametrize("after", range(6))
def test_a_sweep_that_is_killed_anywhere_loses_nothing(rig: Rig, old: MonthsWorker, after: int) -> None:
    lay(old, made_kept(ALL), made_kept(MARCH[3:9], OTHER, start=4))

    class Killed(MemoryBucket):
        left = after

        async def _call(self) -> None:
            await super()._call()
            self.left -= 1
            if self.left < 0:
                raise KeyboardInterrupt

    killed = Killed(objects=rig.bucket.objects)
    ports = janitor_ports(rig.database, bucket=killed)
    with pytest.raises(KeyboardInterrupt):
        run(move_months(ports, Turn(cursor="", now_ms=NOW_MS, stop_ms=NOW_MS + HOUR_MS)))
    assert days_of(rig.another()) == ALL
    sweep(rig)
    assert months_left(rig) == 0
    found = run(read(rig.another(), SITE, [POINT, OTHER], EVERYTHING))
    assert told(found[POINT].samples) == expected(ALL)
    assert told(found[OTHER].samples) == expected(MARCH[3:9], start=4)


@pytest.mark.parametrize("who", ["old", "new"])
def test_a_purge_in_the_middle_of_a_move_is_a_purge(rig: Rig, old: MonthsWorker, who: str) -> None:
    lay(old, made_kept(ALL))
    span = day_span(MARCH[1], MARCH[2])

    class Overtaken(MemoryBucket):
        over = False

        async def put(self, key: str, content: bytes, facts: Facts) -> Written:
            written = await super().put(key, content, facts)
            if "/v2/" in key and not self.over:
                self.over = True
                if who == "new":
                    await rig.another().forget(SITE, points=[POINT], span=span, dry_run=False)
                else:
                    await old.store.forget(SITE, points=[POINT], span=old._span(span), dry_run=False)
            return written

    ports = janitor_ports(rig.database, bucket=Overtaken(objects=rig.bucket.objects))
    run(move_months(ports, Turn(cursor="", now_ms=NOW_MS, stop_ms=NOW_MS + HOUR_MS)))
    sweep(rig)
    assert days_of(rig.another()) == [day for day in ALL if day not in MARCH[1:3]]
    assert months_left(rig) == 0


def test_a_month_that_cannot_be_moved_stays_and_holds_nobody_up(rig: Rig, old: MonthsWorker) -> None:
    lay(old, made_kept(ALL), made_kept([FEB_29], "first"), made_kept([FEB_29], "last"))
    key = next(key for key in rig.bucket.objects if "/2024-03/" in key)
    content, facts, at = rig.bucket.objects[key]
    rig.bucket.objects[key] = (content[:4] + b"\x07" + content[5:], facts, at)
    done = sweep(rig)
    assert done.summary == "3 years made of months, 1 could not be moved"
    assert months_left(rig) == 2
    rig.bucket.objects[key] = (content, facts, at)
    assert sweep(rig).count == 1
    assert days_of(rig.another()) == ALL


def test_a_store_that_is_down_is_told_at_once(rig: Rig, old: MonthsWorker) -> None:
    lay(old, *(made_kept([FEB_29], f"p{place}") for place in range(20)))
    rig.bucket.down = True
    gets = rig.bucket.gets
    assert sweep(rig).summary == "0 years made of months, 20 could not be moved"
    assert rig.bucket.gets == gets
    rig.bucket.down = False
    rig.database.down = True
    with pytest.raises(StoreUnavailable):
        sweep(rig)
    rig.database.down = False
    assert sweep(rig).count == 20
