"""Batches of jobs and leases: what somebody else is fetching is waited for a while, and never fails a job."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from edgeseries.blocks.ports.blocks import DaysToStore
from edgeseries.errors import StoreUnavailable
from edgeseries.leases.days import Days
from edgeseries.leases.limits import BATCH_LEASE_WAIT_MS, LEASE_MS
from edgeseries.leases.ports.leases import Holder
from edgeseries.series.samples import in_order
from tests.fake_leases import FakeLeases
from tests.fakes import FakeTimer
from tests.job_system import FIRST_DAY, SITE, JobSystem, completed

HELD: Days = {"p000": (FIRST_DAY, FIRST_DAY + 1)}


@pytest.fixture
def system() -> Iterator[JobSystem]:
    made = JobSystem()
    yield made
    made.close()


def leases_of(system: JobSystem) -> FakeLeases:
    leases = system.ports.leases
    assert isinstance(leases, FakeLeases)
    return leases


def waits_of(system: JobSystem) -> int:
    timer = system.ports.timer
    assert isinstance(timer, FakeTimer)
    return sum(timer.waits)


def fetched_days(system: JobSystem, point: str) -> list[int]:
    return [
        day
        for (points, span) in system.origin.asked
        if point in points
        for day in range(span.start_ms // 86_400_000, span.end_ms // 86_400_000)
    ]


def test_what_a_request_fetches_meanwhile_is_not_fetched_again(system: JobSystem) -> None:
    leases = leases_of(system)
    lease = system.run(leases.take(SITE, HELD, Holder.REQUEST))

    async def stored() -> None:
        """The request ends at the first look."""
        rows = [pair for pair in system.rows["p000"] if pair[0] // 86_400_000 in HELD["p000"]]
        samples = in_order([at for at, _ in rows], [value for _, value in rows])
        days = DaysToStore(point="p000", days=HELD["p000"], samples=samples)
        index = await system.ports.reader.look_up(system.query)
        await system.blocks.store(SITE, [days], index.stamps)
        await leases.release(lease)

    timer = FakeTimer(system.clock, meanwhile=stored)
    system.ports = replace(system.ports, timer=timer)
    job_id = system.start().job.job_id
    system.drain()
    completed(system, job_id)
    assert not set(HELD["p000"]) & set(fetched_days(system, "p000"))
    assert len(timer.waits) == 1
    assert system.ports.operations["shared_fetches"] == 1
    assert not leases.rows


def test_who_holds_a_lease_for_ever_holds_up_a_batch_for_a_while(system: JobSystem) -> None:
    leases = leases_of(system)
    lease = system.run(leases.take(SITE, HELD, Holder.REQUEST))

    async def renew() -> None:
        await leases.renew(lease)

    system.ports = replace(system.ports, timer=FakeTimer(system.clock, meanwhile=renew))
    job_id = system.start().job.job_id
    system.drain()
    completed(system, job_id)
    assert waits_of(system) == BATCH_LEASE_WAIT_MS
    assert system.ports.operations["waits_in_vain"] == 1
    assert {(one["attempts"], one["claims"]) for one in system.batches()} == {(0, 1)}
    assert [*leases.rows] == [lease.lease_id]


def test_who_has_died_is_replaced(system: JobSystem) -> None:
    system.run(leases_of(system).take(SITE, HELD, Holder.REQUEST))
    job_id = system.start().job.job_id
    system.drain()
    completed(system, job_id)
    assert waits_of(system) <= LEASE_MS + 1_000
    assert system.ports.operations["fetches_taken_over"] == 1
    assert not leases_of(system).rows


def test_without_leases_a_batch_waits_for_nobody(system: JobSystem) -> None:
    leases_of(system).failure = StoreUnavailable("down")
    job_id = system.start().job.job_id
    system.drain()
    completed(system, job_id)
    assert waits_of(system) == 0


def test_while_a_batch_fetches_others_are_told(system: JobSystem) -> None:
    told: list[Days] = []

    def look(_: int) -> None:
        told.extend(row.days for row in leases_of(system).rows.values())

    system.origin.at_call = look
    job_id = system.start().job.job_id
    system.drain()
    completed(system, job_id)
    assert {point for days in told for point in days} == set(system.rows)
    assert not leases_of(system).rows
