"""A sweep: duties in order under leases, cursors remembered, no failure that stops another duty."""

import asyncio
import re
from collections.abc import Awaitable
from pathlib import Path

import pytest

from edgeseries.errors import Defect, EdgeError, StoreUnavailable
from edgeseries.upkeep.adapters.duty_records import DatabaseDutyRecords
from edgeseries.upkeep.ports.duties import SWEEP_RECORD, DutyRecord
from janitor.duties import DUTIES
from janitor.duty import Duty, Outcome, Turn
from janitor.flow import LEASE_MS, SWEEP_MS, Run, sweep
from janitor.ports import Ports
from tests.fake_janitor import janitor_ports
from tests.fake_stores import SqliteDatabase
from tests.fakes import FakeClock, ListJournal


async def guard(work: Awaitable[Outcome]) -> Outcome:
    try:
        return await work
    except EdgeError:
        raise
    except Exception as cause:
        raise Defect("a fault of ours") from cause


def duty(name: str, *outcomes: Outcome | Exception, seen: list[Turn] | None = None) -> Duty:
    """A duty that ends in these ways, one after the other."""
    left = list(outcomes)

    async def run(_: Ports, turn: Turn) -> Outcome:
        if seen is not None:
            seen.append(turn)
        outcome = left.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    return Duty(name=name, statements=1, run=run)


def run_sweep(ports: Ports, *duties: Duty) -> tuple[Run, ...]:
    return asyncio.run(sweep("*/15 * * * *", 1_700_000_000_000, ports, duties=duties, guard=guard))


def remembered(database: SqliteDatabase) -> dict[str, DutyRecord]:
    return {one.duty: one for one in asyncio.run(DatabaseDutyRecords(database).read())}


def test_a_duty_goes_on_where_it_stopped(database: SqliteDatabase) -> None:
    seen: list[Turn] = []
    one = duty(
        "one",
        Outcome(summary="first half", count=3, cursor="k3"),
        Outcome(summary="second half", count=2),
        Outcome(summary="from the start", count=0),
        seen=seen,
    )
    ports = janitor_ports(database, clock=FakeClock(step_ms=7))
    for _ in range(3):
        run_sweep(ports, one)
    assert [turn.cursor for turn in seen] == ["", "k3", ""]
    assert all(0 < turn.stop_ms - turn.now_ms <= SWEEP_MS for turn in seen)
    assert remembered(database)["one"].outcome == "from the start"


@pytest.mark.parametrize("failure", [StoreUnavailable("the bucket is late"), KeyError("a bug")])
def test_one_that_fails_stops_no_other_and_keeps_its_place(
    database: SqliteDatabase, failure: Exception
) -> None:
    good = duty("good", *(Outcome(summary="done", count=1) for _ in range(2)))
    bad = duty("bad", Outcome(summary="half", count=1, cursor="here"), failure)
    ports = janitor_ports(database)
    run_sweep(ports, bad, good)
    runs = run_sweep(ports, bad, good)
    assert [(run.duty, run.verdict) for run in runs] == [("bad", "failed"), ("good", "done")]
    kept = remembered(database)
    assert (kept["bad"].cursor, kept["bad"].outcome[:7]) == ("here", "failed:")
    assert kept[SWEEP_RECORD].outcome == "1 of 2 duties done"
    journal = ports.journal
    assert isinstance(journal, ListJournal)
    assert [(one.duty_count, one.failed_count) for one in journal.sweeps] == [(2, 0), (2, 1)]
    assert [event for level, event, _ in journal.lines if level == "error"][-1].startswith("duty bad failed")


def test_a_database_that_is_down_fails_every_duty_and_raises_nothing(database: SqliteDatabase) -> None:
    database.down = True
    runs = run_sweep(janitor_ports(database), duty("one"), duty("two"))
    assert [run.verdict for run in runs] == ["failed", "failed"]


def lease(database: SqliteDatabase, name: str, now_ms: int, until_ms: int) -> str | None:
    return asyncio.run(DatabaseDutyRecords(database).claim(name, now_ms=now_ms, lease_until_ms=until_ms))


def test_a_duty_that_another_sweep_holds_is_left_to_it_until_its_lease_ends(database: SqliteDatabase) -> None:
    clock = FakeClock()
    ports = janitor_ports(database, clock=clock)
    assert lease(database, "one", clock.at_ms, clock.at_ms + LEASE_MS) == ""
    one = duty("one", Outcome(summary="done", count=1))
    assert [run.verdict for run in run_sweep(ports, one)] == ["held"]
    clock.at_ms += LEASE_MS
    assert [run.verdict for run in run_sweep(ports, one)] == ["done"]


def test_who_lost_the_lease_does_not_overwrite_what_the_next_one_remembers(database: SqliteDatabase) -> None:
    records = DatabaseDutyRecords(database)
    lease(database, "one", 1_000, 2_000)
    assert lease(database, "one", 2_000, 3_000) == ""

    def finish(cursor: str, lease_until_ms: int) -> None:
        record = DutyRecord(duty="one", cursor=cursor, ran_ms=2_500, outcome="")
        asyncio.run(records.finish(record, lease_until_ms=lease_until_ms))

    finish("new", 3_000)
    finish("old", 2_000)
    assert remembered(database)["one"].cursor == "new"


def test_every_duty_of_a_real_sweep_runs_twice_over_an_empty_system(database: SqliteDatabase) -> None:
    ports = janitor_ports(database)
    for _ in range(2):
        assert [(run.verdict, run.count) for run in run_sweep(ports, *DUTIES)] == [("done", 0)] * len(DUTIES)


def test_the_page_lists_every_duty_in_its_order() -> None:
    page = (Path(__file__).parents[2] / "docs" / "janitor.md").read_text()
    assert re.findall(r"^\| `([a-z-]+)` \|", page, re.MULTILINE) == [one.name for one in DUTIES]
