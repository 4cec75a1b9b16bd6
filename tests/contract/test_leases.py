"""The conformance suite of the Leases port: two who ask for the same, one of them is told of the other."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from edgeseries.errors import StoreUnavailable
from edgeseries.leases.adapters.lease_records import LeasePause, LeaseRecords
from edgeseries.leases.days import Days
from edgeseries.leases.limits import LEASE_MAX_POINTS, LEASE_MS, LEASE_PAUSE_MS, LEASE_RECENT_MS
from edgeseries.leases.ports.leases import Holder, Leases, Taken
from tests.fake_leases import FakeLeases
from tests.fake_stores import SqliteDatabase
from tests.fakes import FakeClock

SITE = "hq"
DAYS: Days = {"a": (19_000, 19_001, 19_005), "b": (19_001,)}
OTHERS: Days = {"a": (19_001, 19_002), "c": (19_001,)}


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(work)


class LeasesConformance:
    """Every Leases."""

    def test_the_later_of_two_is_told_what_they_have_in_common(self, leases: Leases) -> None:
        async def check() -> None:
            assert (await leases.take(SITE, DAYS, Holder.REQUEST)).taken.empty
            assert (await leases.take(SITE + "x", OTHERS, Holder.REQUEST)).taken.empty
            second = await leases.take(SITE, OTHERS, Holder.JOB)
            assert second.taken == Taken(by_requests={"a": (19_001,)})
            third = await leases.take(SITE, {"a": (19_001,), "c": (19_001,)}, Holder.REQUEST)
            assert third.taken == Taken(
                by_requests={"a": (19_001,)}, by_jobs={"a": (19_001,), "c": (19_001,)}
            )
            assert not third.took_over

        run(check())

    def test_what_is_released_or_no_longer_leased_is_free(self, leases: Leases) -> None:
        async def check() -> None:
            first = await leases.take(SITE, DAYS, Holder.REQUEST)
            await leases.shrink(first, {"b": (19_001,)})
            assert (await leases.taken(SITE, OTHERS)).empty
            assert await leases.taken(SITE, DAYS) == Taken(by_requests={"b": (19_001,)})
            await leases.release(first)
            await leases.release(first)
            assert (await leases.taken(SITE, DAYS)).empty
            second = await leases.take(SITE, DAYS, Holder.REQUEST)
            await leases.shrink(second, {})
            assert (await leases.taken(SITE, DAYS)).empty

        run(check())

    def test_a_lease_runs_out_unless_it_is_renewed_and_is_taken_over(
        self, leases: Leases, clock: FakeClock
    ) -> None:
        async def check() -> None:
            renewed = await leases.take(SITE, {"b": (19_001,)}, Holder.REQUEST)
            await leases.take(SITE, {"a": (19_000,)}, Holder.REQUEST)
            clock.at_ms += LEASE_MS - 100
            await leases.renew(renewed)
            clock.at_ms += 200
            assert await leases.taken(SITE, DAYS) == Taken(by_requests={"b": (19_001,)})
            second = await leases.take(SITE, DAYS, Holder.REQUEST)
            assert second.took_over
            assert second.taken == Taken(by_requests={"b": (19_001,)})
            clock.at_ms += LEASE_MS
            await leases.renew(renewed)
            assert (await leases.taken(SITE, DAYS)).empty, "what has run out stays so"

        run(check())

    def test_who_looked_before_a_release_is_told_to_look_again(
        self, leases: Leases, clock: FakeClock
    ) -> None:
        async def check() -> None:
            first = await leases.take(SITE, DAYS, Holder.REQUEST)
            clock.at_ms += 500
            await leases.release(first)
            clock.at_ms += 500
            stale = await leases.take(SITE, OTHERS, Holder.JOB)
            assert stale.taken.empty
            assert stale.stale
            await leases.shrink(stale, {})
            assert not (await leases.take(SITE, {"c": (19_001,)}, Holder.REQUEST)).stale, "of other days"
            again = await leases.take(SITE, OTHERS, Holder.JOB, looked_ms=stale.taken_ms)
            assert not again.stale, "it was looked at since"
            await leases.shrink(again, {})
            clock.at_ms += LEASE_RECENT_MS
            assert not (await leases.take(SITE, DAYS, Holder.REQUEST)).stale

        run(check())

    def test_many_points_that_share_their_days(self, leases: Leases) -> None:
        async def check() -> None:
            days = tuple(range(18_000, 18_030))
            held: Days = {f"point {place}": days for place in range(2_000)}
            await leases.take(SITE, held, Holder.JOB)
            taken = (await leases.taken(SITE, {**held, "another": days})).by_jobs
            assert taken == held

        run(check())


class TestFakeLeases(LeasesConformance):
    @pytest.fixture
    def clock(self) -> FakeClock:
        return FakeClock()

    @pytest.fixture
    def leases(self, clock: FakeClock) -> Leases:
        return FakeLeases(clock=clock)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def database(clock: FakeClock) -> SqliteDatabase:
    return SqliteDatabase(clock=clock)


def records_of(database: SqliteDatabase, clock: FakeClock) -> LeaseRecords:
    return LeaseRecords(database=database, pause=LeasePause(), clock=clock)


class TestLeaseRecords(LeasesConformance):
    @pytest.fixture
    def leases(self, database: SqliteDatabase, clock: FakeClock) -> Leases:
        return records_of(database, clock)

    def test_a_clock_that_is_wrong_harms_nothing(self, database: SqliteDatabase, clock: FakeClock) -> None:
        """Holder and who waits are a minute apart, in either direction; the database's time is its own."""

        async def check() -> None:
            for skew_ms in (-60_000, 60_000):
                late = records_of(database, FakeClock(at_ms=clock.at_ms + skew_ms))
                lease = await late.take(SITE, DAYS, Holder.REQUEST)
                clock.at_ms += LEASE_MS - 100
                assert not (await records_of(database, clock).taken(SITE, DAYS)).empty
                clock.at_ms += 200
                assert (await records_of(database, clock).taken(SITE, DAYS)).empty
                await late.release(lease)

        run(check())

    def test_after_a_failure_nobody_of_the_isolate_asks_for_a_while(
        self, database: SqliteDatabase, clock: FakeClock
    ) -> None:
        async def check() -> None:
            leases = records_of(database, clock)
            database.down = True
            with pytest.raises(StoreUnavailable):
                await leases.take(SITE, DAYS, Holder.REQUEST)
            database.down = False
            with pytest.raises(StoreUnavailable, match="left alone"):
                await leases.taken(SITE, DAYS)
            clock.at_ms += LEASE_PAUSE_MS
            assert (await leases.take(SITE, DAYS, Holder.REQUEST)).taken.empty

        run(check())

    def test_a_row_of_another_version_holds_nothing(self, database: SqliteDatabase, clock: FakeClock) -> None:
        async def check() -> None:
            leases = records_of(database, clock)
            await leases.take(SITE, DAYS, Holder.REQUEST)
            for text in ('[2,"?"]', "{", '[1,[[[1,2]],"!"]]', "[1,[[[1]]]]", "7"):
                database.connection.execute("UPDATE fetch_leases SET days_json = ?", (text,))
                assert (await leases.taken(SITE, DAYS)).empty

        run(check())

    def test_who_takes_a_lease_takes_out_those_that_ran_out(
        self, database: SqliteDatabase, clock: FakeClock
    ) -> None:
        async def check() -> None:
            leases = records_of(database, clock)
            for place in range(3):
                await leases.take(f"site {place}", DAYS, Holder.REQUEST)
            clock.at_ms += LEASE_MS + 10
            assert not (await leases.take(SITE, DAYS, Holder.REQUEST)).took_over, "those are of other sites"
            assert database.rows("SELECT count(*) FROM fetch_leases") == [(1,)]

        run(check())

    def test_no_lease_is_of_too_many_points(self, database: SqliteDatabase, clock: FakeClock) -> None:
        days: Days = {str(place): (1,) for place in range(LEASE_MAX_POINTS + 1)}
        with pytest.raises(StoreUnavailable):
            asyncio.run(records_of(database, clock).take(SITE, days, Holder.REQUEST))
