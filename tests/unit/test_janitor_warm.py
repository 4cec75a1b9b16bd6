"""Warming from question to question, over fakes: what is asked on Mondays is fetched before the next one,
once, within the budget, and is a hit then.
"""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from edgeseries.errors import OriginUnreachable
from edgeseries.http.messages import HttpRequest
from edgeseries.jobs.ports.jobs import JobFilter
from edgeseries.limits import DAY_MS, HOUR_MS, MINUTE_MS
from edgeseries.origins.work_class import WorkClass
from edgeseries.planning.adapters.live_memory import LiveMemory
from edgeseries.series.days import iso_day
from edgeseries.warming.adapters.ask_buffer import AskBuffer
from edgeseries.warming.adapters.warm_store import DatabaseSavedSets, DatabaseWarming
from edgeseries.warming.asks import PointSet
from edgeseries.warming.limits import JOBS_OF_A_SWEEP, LOOKS_OF_A_SWEEP, WARMING_OWNER
from edgeseries.warming.planning import WarmBudget
from edgeseries.warming.saved_sets import SavedSet
from janitor.duty import Outcome, Turn
from janitor.ports import Ports
from janitor.warm import DUTY, STATEMENTS_OF_A_JOB, STATEMENTS_OF_A_LOOK, warm
from router.flow import answer
from tests.fake_janitor import janitor_ports
from tests.job_system import FIRST_DAY, SITE, JobSystem
from tests.made_ports import router_ports

MONDAY = FIRST_DAY + 38
POINTS = ("p000", "p001", "p003")
OPEN = WarmBudget(samples=100_000, calls=100)


class Mornings:
    """A system whose router counts, and whose janitor sweeps when it is told to."""

    def __init__(self) -> None:
        self.system = JobSystem(points=6, days=60, a_day=48)
        self.buffer = AskBuffer()
        self.cursor = ""
        self.router = router_ports(
            database=self.system.database,
            blocks=self.system.blocks,
            origin=self.system.origin,
            clock=self.system.clock,
            asks=self.buffer,
            live_cache=LiveMemory(),
        )

    def at(self, day: int, hour: int, minute: int = 0) -> None:
        self.system.clock.at_ms = (MONDAY + day) * DAY_MS + hour * HOUR_MS + minute * MINUTE_MS

    def ask(
        self, *, days: int = 3, points: tuple[str, ...] = POINTS, status: int = 200, past: str = ""
    ) -> dict[str, Any]:
        """The days before today, on the cached route."""
        today = self.system.clock.at_ms // DAY_MS
        body = {"site": SITE, "points": points, "route": "cached"}
        times = {
            "start_time": f"{iso_day(today - days)}T00:00:00Z",
            "end_time": f"{iso_day(today)}T00:00:00Z",
        }
        request = HttpRequest(
            method="POST",
            path="/api/timeseries",
            request_id="r",
            arrived_ms=self.system.clock.at_ms,
            headers={"cache-control": past} if past else {},
            body=json.dumps({**body, **times}).encode(),
        )

        async def asked() -> Any:
            response = await answer(request, self.router)
            await self.router.background.finish()  # type: ignore[attr-defined]
            taken = self.buffer.take(self.system.clock.at_ms)
            if taken is not None:
                await self.system.database.write(taken[0])
            return response

        response = asyncio.run(asked())
        assert response.status == status, response.body
        data: dict[str, Any] = json.loads(response.body).get("data", {})
        return data

    def ports(self, budget: WarmBudget = OPEN) -> Ports:
        made = janitor_ports(
            self.system.database,
            blocks=self.system.blocks,
            origin=self.system.origin,
            clock=self.system.clock,
            job_queue=self.system.queues,
        )
        return replace(made, settings=replace(made.settings, warm_budget=budget))

    def sweep(self, budget: WarmBudget = OPEN) -> Outcome:
        now_ms = self.system.clock.at_ms
        turn = Turn(cursor=self.cursor, now_ms=now_ms, stop_ms=now_ms + MINUTE_MS)
        outcome = asyncio.run(warm(self.ports(budget), turn))
        self.cursor = outcome.cursor
        return outcome

    def made(self) -> list[tuple[str, int, int]]:
        """Points and first and last day (from Monday) of each job of warming."""
        rows: Any = self.system.database.rows(
            f"SELECT points_json, start_ms, end_ms FROM queue_jobs WHERE owner = '{WARMING_OWNER}' "
            "ORDER BY created_ms, points_json, start_ms"
        )
        return [
            (points, start_ms // DAY_MS - MONDAY, (end_ms - 1) // DAY_MS - MONDAY)
            for points, start_ms, end_ms in rows
        ]

    def sums(self) -> Any:
        from_ms = (MONDAY - 22) * DAY_MS
        return asyncio.run(DatabaseWarming(self.system.database).sums(from_ms=from_ms))


@pytest.fixture
def mornings() -> Iterator[Mornings]:
    made = Mornings()
    yield made
    made.system.close()


def learned(mornings: Mornings) -> None:
    """Asked on two Mondays at seven; what was stored then is there."""
    for day in (-14, -7):
        mornings.at(day, 7)
        mornings.ask()


def test_monday_is_fetched_before_it_is_asked_and_costs_no_call_then(mornings: Mornings) -> None:
    learned(mornings)
    mornings.at(0, 4, 45)
    assert mornings.sweep().count == 0, "too early"
    mornings.at(0, 5)
    told = mornings.sweep()
    assert told.count == 1
    assert mornings.made() == [(json.dumps(POINTS, separators=(",", ":")), -3, -1)]
    assert mornings.system.queues.messages[0].queue == "jobs-low"
    mornings.system.drain()
    assert mornings.system.ports.requester.work_class is WorkClass.WARMING
    mornings.at(0, 7)
    before = len(mornings.system.origin.spans)
    data = mornings.ask()
    assert len(mornings.system.origin.spans) == before
    span = (MONDAY - 3) * DAY_MS, MONDAY * DAY_MS
    for point in POINTS:
        rows = [[at, value] for at, value in mornings.system.rows[point] if span[0] <= at < span[1]]
        assert data[point]["samples"] == rows
    mornings.at(0, 7, 15)
    assert mornings.sweep().count == 1, "it was of use"
    sums = mornings.sums()
    assert (sums.asks, sums.point_days, sums.missing_point_days) == (3, 27, 18)
    assert (sums.runs, sums.warmed_point_days, sums.used_runs, sums.used_point_days) == (1, 9, 1, 9)
    assert sums.stored_without == 0


def asked(mornings: Mornings) -> list[Any]:
    columns = "ask_count, point_days, missing_point_days, origin_ms"
    return mornings.system.database.rows(f"SELECT {columns} FROM asked_hours ORDER BY hour")


def test_what_goes_past_the_store_is_not_counted(mornings: Mornings) -> None:
    mornings.at(0, 7)
    mornings.ask(past="no-store")
    mornings.ask(past="no-cache")
    assert asked(mornings) == []
    mornings.ask(days=2)
    assert [row[:3] for row in asked(mornings)] == [(1, 6, 0)]


def test_a_question_that_failed_is_one_to_prepare(mornings: Mornings) -> None:
    mornings.at(0, 7)
    mornings.system.origin.failure = OriginUnreachable("down")
    mornings.ask(status=502)
    mornings.system.origin.failure = None
    ((count, point_days, missing, _),) = asked(mornings)
    assert (count, point_days, missing) == (1, 0, 0)


def test_two_sweeps_make_one_job_and_a_day_that_stays_missing_is_tried_again_after_an_hour(
    mornings: Mornings,
) -> None:
    learned(mornings)
    mornings.at(0, 5)
    for _ in range(3):
        mornings.sweep()
    assert len(mornings.made()) == 1
    (job,) = asyncio.run(mornings.system.jobs.page(JobFilter(owner=WARMING_OWNER), after=None, limit=9)).jobs
    mornings.system.cancel(job.job_id)
    mornings.at(0, 5, 45)
    mornings.sweep()
    assert len(mornings.made()) == 1
    mornings.at(0, 6, 1)
    mornings.sweep()
    assert len(mornings.made()) == 2


def test_only_what_is_missing_is_fetched(mornings: Mornings) -> None:
    learned(mornings)
    mornings.at(-1, 3)
    mornings.ask(days=1, points=POINTS[:2])
    mornings.at(0, 5)
    mornings.sweep()
    two, every = (json.dumps(some, separators=(",", ":")) for some in (POINTS[:2], POINTS[2:]))
    assert sorted(mornings.made()) == sorted([(two, -3, -3), (two, -1, -1), (every, -3, -1)])


def test_the_budget_holds_and_what_was_spent_counts(mornings: Mornings) -> None:
    learned(mornings)
    mornings.at(0, 5)
    assert "0 jobs" in mornings.sweep(WarmBudget(samples=400, calls=100)).summary
    assert mornings.made() == []
    assert mornings.sweep(WarmBudget(samples=500, calls=1)).count == 1
    assert "spent" in mornings.sweep(WarmBudget(samples=500, calls=1)).summary


def test_off_is_off(mornings: Mornings) -> None:
    learned(mornings)
    mornings.at(0, 5)
    assert mornings.sweep(WarmBudget()).summary == "warming is off"
    assert mornings.made() == []


def test_callers_do_not_see_these_jobs(mornings: Mornings) -> None:
    learned(mornings)
    mornings.at(0, 5)
    mornings.sweep()
    page = asyncio.run(mornings.system.jobs.page(JobFilter(owner=""), after=None, limit=9))
    assert page.jobs == ()
    every = asyncio.run(mornings.system.jobs.page(JobFilter(owner=None), after=None, limit=9))
    assert len(every.jobs) == 1


def test_a_scheduled_set_is_fetched_before_its_hour_on_its_days(mornings: Mornings) -> None:
    of = PointSet(site=SITE, points=("p004",))
    one = SavedSet(owner="k", name="lobby", of=of, days=2, hours=(7,), weekdays=(0, 1, 2, 3, 4))
    assert asyncio.run(DatabaseSavedSets(mornings.system.database).save(one, at_most=9))
    mornings.at(-1, 6)
    mornings.sweep()
    assert mornings.made() == [], "Sunday"
    mornings.at(0, 5)
    mornings.sweep()
    assert mornings.made() == [('["p004"]', -2, -1)]
    (run,) = asyncio.run(DatabaseWarming(mornings.system.database).last_runs([of.digest])).values()
    assert (run.run.reason, run.run.owner, run.run.name) == ("schedule", "k", "lobby")


def save(mornings: Mornings, name: str, *, site: str = SITE, points: tuple[str, ...], days: int) -> None:
    one = SavedSet(owner="k", name=name, of=PointSet(site=site, points=points), days=days, hours=(7,))
    assert asyncio.run(DatabaseSavedSets(mornings.system.database).save(one, at_most=99))


def test_sites_beyond_one_sweep_are_looked_at_by_the_next(mornings: Mornings) -> None:
    for number in range(LOOKS_OF_A_SWEEP + 2):
        save(mornings, f"s{number}", site=f"site {number}", points=("a",), days=1)
    mornings.at(0, 5)
    mornings.sweep()
    assert len(mornings.made()) == LOOKS_OF_A_SWEEP
    mornings.at(0, 5, 15)
    mornings.sweep()
    assert len(mornings.made()) == LOOKS_OF_A_SWEEP + 2


def test_jobs_beyond_one_sweep_are_made_by_the_next(mornings: Mornings) -> None:
    for days in range(1, JOBS_OF_A_SWEEP + 4):
        save(mornings, f"s{days:02}", points=(f"x{days}",), days=days)
    mornings.at(0, 5)
    mornings.sweep()
    assert len(mornings.made()) == JOBS_OF_A_SWEEP
    mornings.at(0, 5, 15)
    mornings.sweep()
    assert sorted(first for _, first, _ in mornings.made()) == [
        -day for day in range(JOBS_OF_A_SWEEP + 3, 0, -1)
    ]


def test_dashboards_that_lack_the_same_days_share_a_job(mornings: Mornings) -> None:
    for day in (-14, -7):
        mornings.at(day, 7)
        mornings.ask()
        mornings.ask(points=("p000", "p004"))
    mornings.at(0, 5)
    mornings.sweep()
    assert mornings.made() == [('["p000","p001","p003","p004"]', -3, -1)]
    rows = mornings.system.database.rows("SELECT point_days FROM warm_runs ORDER BY point_days")
    assert sum(int(str(row[0])) for row in rows) == 4 * 3, "p000 once"


def test_a_day_that_is_not_sealed_waits_for_a_later_sweep(mornings: Mornings) -> None:
    for day in (-14, -7):
        mornings.at(day, 2)
        mornings.ask()
    mornings.at(0, 0, 30)
    mornings.sweep()
    assert [one[1:] for one in mornings.made()] == [(-3, -2)]
    mornings.system.drain()
    mornings.at(0, 1, 15)
    mornings.sweep()
    assert [one[1:] for one in mornings.made()] == [(-3, -2), (-1, -1)]


def test_old_questions_are_forgotten_once_a_day(mornings: Mornings) -> None:
    mornings.at(-30, 7)
    mornings.ask()
    mornings.at(0, 5)
    mornings.sweep()
    assert mornings.system.database.rows("SELECT count(*) FROM asked_hours") == [(0,)]
    assert mornings.system.database.rows("SELECT count(*) FROM asked_sets") == [(0,)]
    assert mornings.cursor.startswith(f"{MONDAY}:")


def test_a_sweep_makes_no_more_statements_than_it_says(mornings: Mornings) -> None:
    learned(mornings)
    mornings.at(0, 5)
    made: list[str] = []
    mornings.system.database.connection.set_trace_callback(made.append)
    mornings.sweep()
    mornings.system.database.connection.set_trace_callback(None)
    statements = [one for one in made if one not in {"BEGIN", "COMMIT"}]
    # The look at the index is the fake store's; the other jobs and looks of a sweep would come on top.
    spare = (LOOKS_OF_A_SWEEP - 1) * STATEMENTS_OF_A_LOOK + (JOBS_OF_A_SWEEP - 1) * STATEMENTS_OF_A_JOB
    assert len(statements) + STATEMENTS_OF_A_LOOK + spare <= DUTY.statements
