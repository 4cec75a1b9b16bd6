"""The duty that reads stored days again: corrections are found, repaired and followed, losses are doubted,
a vendor in trouble changes nothing, and every bound holds.
"""

import asyncio
from dataclasses import replace

import pytest

from edgeseries.blocks.ports.blocks import DaysToStore
from edgeseries.errors import OriginRefused, OriginUnreachable
from edgeseries.limits import DAY_MS, DOUBT_MS, HOUR_MS, SECOND_MS
from edgeseries.metrics.ports.late_data import LateData
from edgeseries.planning.recheck_walk import GROUP_POINTS, RECENT_DAYS, WALK_MIN_MS, state_of
from edgeseries.series.days import day_span
from edgeseries.series.samples import in_order
from edgeseries.series.values import Value
from janitor.duty import Outcome, Turn
from janitor.recheck_days import DUTY, FOLLOW_CALLS, LOOKS_MAX, recheck_days
from tests.fake_janitor import janitor_ports
from tests.fake_stores import SqliteDatabase
from tests.fakes import FakeOrigin, ListJournal
from tests.made_days import NOW_MS, keep

SITE = "hq"
TODAY = NOW_MS // DAY_MS
OLD_DAYS = range(TODAY - 40, TODAY - 36)
"""Some days that only the walk over all days reads."""

Vendor = dict[str, dict[int, Value]]


class Building:
    """A site at the vendor, what is stored of it, and the duty that compares them."""

    def __init__(self, database: SqliteDatabase, points: int, days: range) -> None:
        self.days = days
        self.vendor: Vendor = {
            f"p{number:03}": {
                day * DAY_MS + hour * HOUR_MS: float(day + hour) for day in days for hour in range(24)
            }
            for number in range(points)
        }
        self.origin = FakeOrigin({})
        self.say()
        self.journal = ListJournal()
        self.ports = janitor_ports(database, origin=self.origin, journal=self.journal)
        self.cursor = ""
        self.now_ms = NOW_MS
        self.statements: list[int] = []
        self.database = database
        asyncio.run(self._store())

    def say(self) -> None:
        """Whatever the vendor holds is what it says from now on."""
        self.origin.deliveries = {SITE: {point: sorted(one.items()) for point, one in self.vendor.items()}}

    async def _store(self) -> None:
        days = [
            DaysToStore(point=point, days=tuple(self.days), samples=in_order(list(one), list(one.values())))
            for point, one in self.vendor.items()
        ]
        await keep(self.ports.blocks, SITE, days)

    def sweep(self, *, calls: int = 2, later_ms: int = 900_000) -> Outcome:
        self.now_ms += later_ms
        settings = replace(self.ports.settings, recheck_calls=calls)
        turn = Turn(cursor=self.cursor, now_ms=self.now_ms, stop_ms=2**53)
        outcome = asyncio.run(recheck_days(replace(self.ports, settings=settings), turn))
        self.cursor = outcome.cursor
        return outcome

    def wrong(self) -> list[tuple[str, int]]:
        """Points and days that are stored otherwise than the vendor has them."""

        async def compared() -> list[tuple[str, int]]:
            span = day_span(self.days[0], self.days[-1])
            index = await self.ports.blocks.look_up(SITE, list(self.vendor), span)
            held = await self.ports.blocks.read(SITE, list(self.vendor), span, index)
            found = []
            for point, one in self.vendor.items():
                stored = dict(zip(held[point].samples.times_ms, held[point].samples.values, strict=True))
                assert held[point].days == frozenset(self.days)
                found += [
                    (point, day)
                    for day in self.days
                    if {at: value for at, value in stored.items() if at // DAY_MS == day}
                    != {at: value for at, value in one.items() if at // DAY_MS == day}
                ]
            return found

        return asyncio.run(compared())

    def generation(self, point: str) -> int:
        stamps = asyncio.run(self.ports.blocks.look_up(SITE, [point], day_span(0, 0))).stamps
        return stamps.of(point).total

    def seen(self) -> LateData:
        (one,) = asyncio.run(self.ports.late_data.since(0))
        return one


def test_a_correction_is_found_and_repaired(database: SqliteDatabase) -> None:
    building = Building(database, 3, OLD_DAYS)
    at_ms = OLD_DAYS[2] * DAY_MS
    building.vendor["p001"][at_ms + 5] = 7.5
    building.vendor["p001"][at_ms] = "mended"
    building.say()
    before = building.generation("p001"), building.generation("p000")
    walks = 0
    while building.wrong():
        building.sweep(later_ms=WALK_MIN_MS)
        walks += 1
        assert walks <= 32, "every day has its turn within a cycle"
    assert building.generation("p001") > before[0], "kept answers of the old content are not given any more"
    assert building.generation("p000") == before[1]
    seen = building.seen()
    assert (seen.corrected_days, seen.added_samples, seen.changed_samples, seen.removed_samples) == (
        1,
        1,
        1,
        0,
    )
    assert seen.lateness.count == 0, "somebody mended an old day: it says nothing of how late samples come"
    assert [line for line in building.journal.lines if line[0] == "warning"]


def test_a_late_sample_of_a_recent_day_says_that_the_settle_lag_is_short(database: SqliteDatabase) -> None:
    building = Building(database, 3, range(TODAY - 4, TODAY - 1))
    building.vendor["p002"][(TODAY - 2) * DAY_MS + 5] = 7.5
    building.say()
    for _ in range(RECENT_DAYS):
        building.sweep(later_ms=WALK_MIN_MS)
    assert not building.wrong()
    assert building.seen().lateness.highest_ms == HOUR_MS + SECOND_MS


def test_what_lies_beside_a_correction_is_repaired_with_it(database: SqliteDatabase) -> None:
    """A gateway of 50 points delivered four days late: found at one, repaired at all within some sweeps."""
    building = Building(database, 3 * GROUP_POINTS, range(TODAY - 60, TODAY - 50))
    late = [f"p{number:03}" for number in range(5, 55)]
    for point in late:
        for day in range(TODAY - 57, TODAY - 53):
            building.vendor[point][day * DAY_MS + 5] = 1.0
    building.say()
    while not building.sweep(later_ms=WALK_MIN_MS).count:
        assert len(building.wrong()) == len(late) * 4
    sweeps = 0
    while building.wrong():
        building.sweep(calls=1)
        sweeps += 1
        assert sweeps <= 12, "three groups of four days, three repairs a sweep, and their edges"
    for _ in range(6):
        building.sweep(calls=1)
    assert not state_of(building.cursor, seed=0).waiting, "the flood is over"


@pytest.mark.parametrize("count", [1, 24], ids=["a sample went", "the day went"])
def test_a_loss_is_believed_of_two_readings_an_hour_apart(database: SqliteDatabase, count: int) -> None:
    building = Building(database, 2, range(TODAY - 2, TODAY - 1))
    gone = list(building.vendor["p000"])[:count]
    for at_ms in gone:
        del building.vendor["p000"][at_ms]
    building.say()
    for _ in range(RECENT_DAYS):
        building.sweep(later_ms=WALK_MIN_MS)
        if state_of(building.cursor, seed=0).doubts:
            break
    assert building.wrong() == [("p000", TODAY - 2)]
    building.sweep(later_ms=DOUBT_MS - 1)
    assert building.wrong() == [("p000", TODAY - 2)]
    building.sweep(later_ms=1)
    assert not building.wrong()
    assert building.seen().removed_samples == len(gone)
    assert not state_of(building.cursor, seed=0).doubts


def test_what_was_lost_and_came_back_is_left_alone(database: SqliteDatabase) -> None:
    building = Building(database, 2, range(TODAY - 2, TODAY - 1))
    whole = {point: dict(one) for point, one in building.vendor.items()}
    building.vendor["p000"].clear()
    building.vendor["p001"].clear()
    building.say()
    while not state_of(building.cursor, seed=0).doubts:
        building.sweep(later_ms=WALK_MIN_MS)
    building.vendor = whole
    building.say()
    building.sweep(later_ms=DOUBT_MS)
    assert not building.wrong()
    assert building.seen().corrected_days == 0
    assert not state_of(building.cursor, seed=0).doubts


@pytest.mark.parametrize(
    "failure", [OriginUnreachable("gone"), OriginRefused("no")], ids=["for now", "for good"]
)
def test_a_vendor_in_trouble_changes_nothing_and_holds_nothing_up(
    database: SqliteDatabase, failure: Exception
) -> None:
    building = Building(database, GROUP_POINTS + 1, range(TODAY - 3, TODAY - 1))
    building.vendor["p000"][(TODAY - 2) * DAY_MS + 5] = 1.0
    building.say()
    building.origin.failure = failure
    outcome = building.sweep()
    assert outcome.count == 0
    assert "could not" not in outcome.summary
    assert failure.args[0] in outcome.summary
    calls = len(building.origin.calls)
    building.sweep()
    assert state_of(building.cursor, seed=0).whole.point or state_of(building.cursor, seed=0).recent.point
    ends = isinstance(failure, OriginUnreachable)
    assert len(building.origin.calls) == calls + (1 if ends else 2), "who may be back soon is left alone"
    building.origin.failure = None
    for _ in range(2 * RECENT_DAYS):
        building.sweep(later_ms=WALK_MIN_MS)
    assert not building.wrong()


def test_a_doubt_that_the_vendor_cannot_settle_does_not_stay_in_the_way(database: SqliteDatabase) -> None:
    building = Building(database, 1, range(TODAY - 2, TODAY - 1))
    del building.vendor["p000"][(TODAY - 2) * DAY_MS]
    building.say()
    while not state_of(building.cursor, seed=0).doubts:
        building.sweep(later_ms=WALK_MIN_MS)
    building.origin.failure = OriginRefused("the site is not served any more")
    for _ in range(3):
        building.sweep(later_ms=DOUBT_MS)
    assert not state_of(building.cursor, seed=0).doubts


def test_a_purge_that_comes_while_it_reads_is_not_undone(database: SqliteDatabase) -> None:
    building = Building(database, 1, range(TODAY - 2, TODAY - 1))
    building.vendor["p000"][(TODAY - 2) * DAY_MS + 5] = 1.0
    building.say()
    told = building.origin.fetch
    fetches = 0

    async def fetch(*args: object, **named: object) -> object:
        nonlocal fetches
        fetches += 1
        if fetches == 2:
            await building.ports.blocks.forget(SITE, points=None, span=None, dry_run=False)
        return await told(*args, **named)  # type: ignore[arg-type]

    building.origin.fetch = fetch  # type: ignore[assignment, method-assign]
    outcome = building.sweep()
    assert fetches == 2
    assert outcome.count == 0
    index = asyncio.run(building.ports.blocks.look_up(SITE, ["p000"], day_span(TODAY - 2, TODAY - 2)))
    assert not index.covered


def test_with_0_nothing_is_read(database: SqliteDatabase) -> None:
    building = Building(database, 1, range(TODAY - 2, TODAY - 1))
    outcome = building.sweep(calls=0)
    assert (outcome.count, building.origin.calls) == (0, [])
    building.sweep()
    assert building.ports.operations["upstream_samples"] == 2 * len(building.vendor["p000"])


def test_an_empty_store_is_looked_at_and_nothing_is_read(database: SqliteDatabase) -> None:
    building = Building(database, 0, range(TODAY - 2, TODAY - 1))
    assert building.sweep().count == 0
    assert building.origin.calls == []


def test_a_sweep_stays_within_its_calls_and_statements(database: SqliteDatabase) -> None:
    """Everything is wrong everywhere."""
    building = Building(database, 5 * GROUP_POINTS, range(TODAY - 20, TODAY - 1))
    for point, one in building.vendor.items():
        for day in building.days:
            one[day * DAY_MS + 5] = 1.0
            if point < "p050":
                del one[day * DAY_MS]
    building.say()
    for _ in range(6):
        before = len(building.origin.calls)
        counted = database.statements
        building.sweep(calls=8, later_ms=WALK_MIN_MS)
        assert len(building.origin.calls) - before <= 2 * LOOKS_MAX
        assert database.statements - counted <= DUTY.statements
    assert FOLLOW_CALLS < LOOKS_MAX
