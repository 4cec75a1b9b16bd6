"""Workers of before blocks of years beside those of today, over one bucket and one database.

The old ones are their own code (`tests/months_worker.py`). Each may fetch again what the other has stored;
neither may ever give what was purged or refreshed, wherever that was done.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edgeseries.blocks.ports.blocks import DaysToStore
from edgeseries.limits import DAY_MS, EMPTY_REREAD_MS, HOUR_MS, INLINE_MAX_BLOCKS
from edgeseries.planning.stored import estimate_stored
from edgeseries.series.days import day_span
from edgeseries.series.samples import NO_SAMPLES, Samples
from edgeseries.storage.bucket import Facts, Written
from tests.fake_stores import MemoryBucket, SqliteDatabase
from tests.fakes import FakeClock
from tests.made_days import (
    FEB_29,
    MARCH,
    NOW_MS,
    OTHER,
    POINT,
    expected,
    keep,
    made_kept,
    read,
    run,
    told,
)
from tests.months_worker import MonthsWorker
from tests.store_rig import EVERYTHING, LEAP_DAY, SITE, WHOLE_MARCH, Rig, days_of, put


def made_rig() -> Rig:
    rig = Rig(
        bucket=MemoryBucket(),
        database=SqliteDatabase(),
        clock=FakeClock(at_ms=NOW_MS),
        store=None,  # type: ignore[arg-type]  # made from the rest in the next line
    )
    rig.store = rig.another()
    return rig


@pytest.fixture
def rig() -> Iterator[Rig]:
    made = made_rig()
    yield made
    made.database.close()


@pytest.fixture
def old(rig: Rig) -> MonthsWorker:
    return MonthsWorker(rig.bucket, rig.database, rig.clock)


def old_keep(old: MonthsWorker, kept: DaysToStore) -> None:
    old.keep(kept.point, list(kept.days), kept.samples)


def months_in(rig: Rig) -> list[str]:
    rows = rig.database.rows("SELECT month FROM cache_metadata WHERE year_days = '' ORDER BY month")
    return [str(row[0]) for row in rows]


def test_months_are_read_as_they_are(rig: Rig, old: MonthsWorker) -> None:
    old_keep(old, made_kept([FEB_29 - 100, FEB_29, *MARCH[:5]]))
    found = run(read(rig.store, SITE, [POINT], EVERYTHING))[POINT]
    assert told(found.samples) == expected([FEB_29 - 100, FEB_29, *MARCH[:5]])
    assert found.days == frozenset([FEB_29 - 100, FEB_29, *MARCH[:5]])
    assert days_of(rig.another()) == sorted(found.days)
    part = run(read(rig.store, SITE, [POINT], WHOLE_MARCH))[POINT]
    assert told(part.samples) == expected(MARCH[:5])


def test_a_day_that_is_stored_takes_the_months_of_its_year_in(rig: Rig, old: MonthsWorker) -> None:
    old_keep(old, made_kept([FEB_29 - 100, FEB_29, *MARCH[:5]]))
    before = set(rig.bucket.objects)
    put(rig.store, made_kept([MARCH[2], MARCH[7]], start=3))
    assert months_in(rig) == ["2023-11"]
    found = run(read(rig.another(), SITE, [POINT], EVERYTHING))[POINT]
    left = [FEB_29 - 100, FEB_29, *MARCH[:2], *MARCH[3:5]]
    assert sorted(told(found.samples)) == sorted(expected(left) + expected([MARCH[2], MARCH[7]], start=3))
    noted = {str(row[0]) for row in rig.database.rows("SELECT object_key FROM superseded_objects")}
    assert noted == {key for key in before if "/2024-" in key}
    assert old.read(POINT, EVERYTHING)[0] == [FEB_29 - 100]


def test_years_are_nothing_to_an_old_worker_which_fetches_again(rig: Rig, old: MonthsWorker) -> None:
    put(rig.store, made_kept(MARCH[:5]))
    assert old.read(POINT, EVERYTHING) == ([], [])
    assert old.fingerprint([POINT], day_span(MARCH[0], MARCH[1])) is None
    old_keep(old, made_kept(MARCH[:7]))
    assert old.read(POINT, EVERYTHING)[0] == list(MARCH[:7])
    assert days_of(rig.another()) == list(MARCH[:7])
    put(rig.another(), made_kept([MARCH[9]]))
    assert months_in(rig) == []
    assert days_of(rig.another()) == [*MARCH[:7], MARCH[9]]
    rig.agrees()


@pytest.mark.parametrize("points", [None, [POINT]], ids=["site", "point"])
@pytest.mark.parametrize("span", [None, day_span(MARCH[1], MARCH[2])], ids=["all", "days"])
def test_what_an_old_worker_purges_is_void_in_years_too(
    rig: Rig, old: MonthsWorker, points: list[str] | None, span: object
) -> None:
    put(rig.store, made_kept(MARCH[:5]), made_kept(MARCH[:5], OTHER))
    index = run(rig.store.look_up(SITE, [POINT, OTHER], WHOLE_MARCH))
    old.forget(points=points, span=span)  # type: ignore[arg-type]  # a range or none
    assert not set(days_of(rig.another())) & set(MARCH[1:3])
    if points is not None:
        assert days_of(rig.another(), OTHER) == list(MARCH[:5])
    # What was fetched before it is not stored after it.
    late = run(rig.store.store(SITE, [made_kept([MARCH[1]])], index.stamps))
    assert late.superseded == {POINT}
    put(rig.another(), made_kept([MARCH[1]], start=2))
    assert told(run(read(rig.another(), SITE, [POINT], WHOLE_MARCH))[POINT].samples) == expected(
        [MARCH[1]], start=2
    )


def test_what_an_old_worker_refreshes_is_void_in_years_too(rig: Rig, old: MonthsWorker) -> None:
    put(rig.store, made_kept(MARCH[:5]))
    begun = old.begin_refresh([POINT])
    fresh = made_kept([MARCH[1]], start=4)
    old.refresh(POINT, [MARCH[1]], fresh.samples, begun)
    found = run(read(rig.another(), SITE, [POINT], WHOLE_MARCH))[POINT]
    assert told(found.samples) == expected([MARCH[1]], start=4)


def test_what_a_worker_of_today_purges_and_refreshes_is_void_in_months_too(
    rig: Rig, old: MonthsWorker
) -> None:
    old_keep(old, made_kept([FEB_29, *MARCH[:5]]))
    run(rig.store.forget(SITE, points=[POINT], span=day_span(FEB_29, MARCH[0]), dry_run=False))
    assert old.read(POINT, EVERYTHING)[0] == list(MARCH[1:5])
    begun = run(rig.store.begin_refresh(SITE, [POINT]))
    run(rig.store.refresh(SITE, [made_kept([MARCH[1]], start=4)], begun))
    assert old.read(POINT, EVERYTHING)[0] == []
    found = run(read(rig.another(), SITE, [POINT], WHOLE_MARCH))[POINT]
    assert told(found.samples) == expected([MARCH[1]], start=4) + expected(MARCH[2:5])


def test_empty_days_of_months_keep_their_readings(rig: Rig, old: MonthsWorker) -> None:
    old_keep(old, DaysToStore(point=POINT, days=(FEB_29, *MARCH[:2]), samples=made_kept(MARCH[:1]).samples))
    rig.clock.at_ms += HOUR_MS
    put(rig.store, made_kept([MARCH[3]]))
    days = run(rig.another().look_up(SITE, [POINT], EVERYTHING)).stored[POINT].days
    assert (sorted(days.empty), sorted(days.due)) == ([FEB_29, MARCH[1]], [])
    assert days.first_due_ms == NOW_MS + EMPTY_REREAD_MS
    rig.clock.at_ms = NOW_MS + EMPTY_REREAD_MS
    days = run(rig.another().look_up(SITE, [POINT], EVERYTHING)).stored[POINT].days
    assert sorted(days.due) == [FEB_29, MARCH[1]]


def test_months_of_silence_become_a_year_without_an_object(rig: Rig, old: MonthsWorker) -> None:
    old_keep(old, DaysToStore(point=POINT, days=tuple(MARCH), samples=NO_SAMPLES))
    old_keep(old, made_kept([FEB_29], OTHER))
    puts, gets = rig.bucket.puts, rig.bucket.gets
    put(rig.store, DaysToStore(point=POINT, days=(FEB_29 - 1,), samples=NO_SAMPLES))
    assert (rig.bucket.puts, rig.bucket.gets) == (puts, gets)
    assert days_of(rig.another()) == [FEB_29 - 1, *MARCH]
    assert rig.bucket.gets == gets
    assert rig.database.rows("SELECT stored_bytes FROM cache_metadata WHERE month = '2024'") == [(0,)]
    assert old.read(OTHER, EVERYTHING)[0] == [FEB_29]


@pytest.mark.parametrize("many", [False, True])
def test_both_versions_are_counted_and_covered_alike(rig: Rig, old: MonthsWorker, many: bool) -> None:  # noqa: FBT001
    old_keep(old, made_kept([FEB_29 - 100, FEB_29, *MARCH[:5]]))
    put(rig.store, made_kept(MARCH[:3], OTHER))
    old_keep(old, made_kept(MARCH[2:6], OTHER))
    names = [POINT, OTHER, *(f"nobody {number}" for number in range(INLINE_MAX_BLOCKS if many else 0))]
    index = run(rig.store.look_up(SITE, names, EVERYTHING))
    assert index.covered == {
        POINT: frozenset([FEB_29 - 100, FEB_29, *MARCH[:5]]),
        OTHER: frozenset(MARCH[:6]),
    }
    estimate = estimate_stored(index.stored[POINT].count, EVERYTHING)
    assert (estimate.least, estimate.most) == (7 * 24, 7 * 24)
    assert index.objects == {POINT: 3, OTHER: 2}
    assert (index.refs is None) is many
    found = run(rig.another().read(SITE, names, EVERYTHING, index))
    assert told(found[OTHER].samples) == expected(MARCH[:6])
    assert told(found[POINT].samples) == expected([FEB_29 - 100, FEB_29, *MARCH[:5]])


def test_a_fingerprint_names_both_versions(rig: Rig, old: MonthsWorker) -> None:
    span = day_span(MARCH[0], MARCH[3])
    old_keep(old, made_kept(MARCH[:2]))
    assert run(rig.store.fingerprint(SITE, [POINT], span)) is None
    old_keep(old, made_kept(MARCH[2:4]))
    put(rig.store, made_kept(MARCH[:4], OTHER))
    seen = [run(rig.store.fingerprint(SITE, [POINT, OTHER], span)) for _ in range(2)]
    assert seen[0] == seen[1] is not None
    old_keep(old, made_kept([MARCH[3]], start=5))
    seen.append(run(rig.store.fingerprint(SITE, [POINT, OTHER], span)))
    run(rig.store.forget(SITE, points=["nobody"], span=None, dry_run=False))
    put(rig.store, made_kept([MARCH[9]]))
    seen.append(run(rig.store.fingerprint(SITE, [POINT, OTHER], span)))
    assert None not in seen
    assert len(set(seen)) == 3


def test_a_month_that_moves_while_it_is_taken_in_is_taken_in_again(rig: Rig, old: MonthsWorker) -> None:
    old_keep(old, made_kept(MARCH[:2]))

    class Overtaken(MemoryBucket):
        async def put(self, key: str, content: bytes, facts: Facts) -> Written:
            """An old Worker stores a day of the month while the year's object is put."""
            if "/v2/" in key and not self.overtaken:
                self.overtaken = True
                stamps = await old.store.look_up(SITE, [POINT], old._span(LEAP_DAY))
                kept = made_kept([MARCH[4]])
                await old.store.store(SITE, [old._days(POINT, [MARCH[4]], kept.samples)], stamps.stamps)
            return await super().put(key, content, facts)

        overtaken = False

    rig.bucket = Overtaken(objects=rig.bucket.objects)
    old.store._bucket = old.store._writer._bucket = rig.bucket
    store = rig.another()
    put(store, made_kept([MARCH[7]]))
    assert store.faults == {"block_race_lost": 1}
    assert days_of(rig.another()) == [*MARCH[:2], MARCH[4], MARCH[7]]
    assert months_in(rig) == []


def test_a_damaged_month_is_left_out_and_fetched_again(rig: Rig, old: MonthsWorker) -> None:
    old_keep(old, made_kept([FEB_29, *MARCH[:2]]))
    key = next(key for key in rig.bucket.objects if "/2024-03/" in key)
    rig.damage(key, len(rig.bucket.objects[key][0]) - 1)
    store = rig.another()
    put(store, made_kept([MARCH[7]]))
    assert store.faults == {"block_damaged": 1}
    assert days_of(rig.another()) == [FEB_29, MARCH[7]]
    rig.agrees()


def day_of_version(day: int, version: int) -> Samples:
    return Samples(times_ms=[day * DAY_MS + version], values=[float(version)])


DAYS = range(FEB_29 - 1, FEB_29 + 3)
AROUND = day_span(DAYS[0] - 40, DAYS[-1] + 40)
"""The months before and after, too."""

SOME_DAYS = st.sets(st.sampled_from(DAYS), min_size=1).map(sorted)
RUNS = st.tuples(st.sampled_from(DAYS), st.sampled_from(DAYS)).map(lambda pair: (min(pair), max(pair)))
STEPS = st.lists(
    st.tuples(st.sampled_from(["old", "new"]), st.just("keep"), SOME_DAYS)
    | st.tuples(st.sampled_from(["old", "new"]), st.just("refresh"), SOME_DAYS)
    | st.tuples(st.sampled_from(["old", "new"]), st.just("purge point"), RUNS | st.none())
    | st.tuples(st.sampled_from(["old", "new"]), st.just("purge site"), RUNS | st.none()),
    min_size=1,
    max_size=8,
)


class World:
    """Both generations over one point, and which values each day may have: those that were fetched since it
    was purged or refreshed last.
    """

    def __init__(self) -> None:
        self.rig = made_rig()
        self.old = MonthsWorker(self.rig.bucket, self.rig.database, self.rig.clock)
        self.allowed: dict[int, set[float]] = {day: set() for day in DAYS}

    def bring(self, who: str, what: str, days: list[int], version: int) -> None:
        parts = [day_of_version(day, version) for day in days]
        times_ms = [at for one in parts for at in one.times_ms]
        samples = Samples(times_ms=times_ms, values=[float(version)] * len(parts))
        kept = DaysToStore(point=POINT, days=tuple(days), samples=samples)
        store = self.rig.another()
        match who, what:
            case "old", "keep":
                old_keep(self.old, kept)
            case "new", "keep":
                put(store, kept)
            case "old", _:
                self.old.refresh(POINT, days, samples, self.old.begin_refresh([POINT]))
            case _:
                run(store.refresh(SITE, [kept], run(store.begin_refresh(SITE, [POINT]))))
        for day in days:
            self.allowed[day] = {float(version)} | (self.allowed[day] if what == "keep" else set())

    def purge(self, who: str, what: str, meant: tuple[int, int] | None) -> None:
        points = [POINT] if what == "purge point" else None
        span = None if meant is None else day_span(*meant)
        if who == "old":
            self.old.forget(points=points, span=span)
        else:
            run(self.rig.another().forget(SITE, points=points, span=span, dry_run=False))
        for day in DAYS if meant is None else range(meant[0], meant[1] + 1):
            self.allowed[day] = set()

    def seen(self) -> set[int]:
        """The days that a Worker of today holds. Neither generation gives what it may not."""
        found = run(read(self.rig.another(), SITE, [POINT], AROUND))[POINT]
        rows = list(zip(found.samples.times_ms, found.samples.values, strict=True))
        days, old_rows = self.old.read(POINT, AROUND)
        for held, some in ((set(found.days), rows), (set(days), old_rows)):
            assert {at // DAY_MS for at, _ in some} == held
            assert all(value in self.allowed[at // DAY_MS] for at, value in some)
        return set(found.days)


@settings(max_examples=120, suppress_health_check=[HealthCheck.too_slow])
@given(STEPS)
def test_neither_generation_gives_what_either_has_voided(steps: list[tuple[str, str, Any]]) -> None:
    world = World()
    for version, (who, what, meant) in enumerate(steps, 1):
        world.rig.clock.at_ms += 1_000
        if what in {"keep", "refresh"}:
            world.bring(who, what, meant, version)
        else:
            world.purge(who, what, meant)
        seen = world.seen()
        if who == "new" and what in {"keep", "refresh"}:
            assert set(meant) <= seen
    world.rig.database.close()


def test_a_keep_of_a_worker_of_today_is_not_held_up_by_what_an_old_one_voided(
    rig: Rig, old: MonthsWorker
) -> None:
    put(rig.store, made_kept(MARCH[:5]))
    old.forget(points=[POINT], span=day_span(MARCH[0], MARCH[0]))
    run(keep(rig.store, SITE, [made_kept([MARCH[0]], start=1)]))
    assert days_of(rig.another()) == [MARCH[0]]
    rig.agrees()
