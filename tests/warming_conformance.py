"""What the ports of warming must do, whatever database is under them: run on SQLite here, on D1 on workerd.

A test module subclasses the suite and gives its `database`, which others may use at the same time.
"""

import asyncio
from itertools import count
from typing import Final

from edgeseries.jobs.adapters.job_store import BatchRecords, JobRecords
from edgeseries.jobs.job import Batch, JobRequest, Priority
from edgeseries.limits import DAY_MS, HOUR_MS
from edgeseries.planning.query import TimeseriesQuery
from edgeseries.series.days import day_span
from edgeseries.storage.database import Command, Database
from edgeseries.warming.adapters.ask_buffer import AskBuffer
from edgeseries.warming.adapters.warm_store import DatabaseSavedSets, DatabaseWarming
from edgeseries.warming.asks import Ask, PointSet, Window
from edgeseries.warming.limits import WARMING_OWNER
from edgeseries.warming.patterns import Reason
from edgeseries.warming.planning import WarmBudget
from edgeseries.warming.runs import WarmRun, WarmSums
from edgeseries.warming.saved_sets import SavedSet

_numbers = count()
TODAY: Final = 30_000
WEEK: Final = Window(first_back=7, last_back=1)
NAMES: Final = ("'; --", "a", "b, c", "température ±°C", '"quoted"')


class Weeks:
    """Questions of one set of its own site."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.number = next(_numbers)
        self.of = PointSet(site=f"made up / warm {self.number}", points=tuple(sorted(NAMES)))
        self.warming = DatabaseWarming(database)
        self.sets = DatabaseSavedSets(database)
        self.today = TODAY + 100 * self.number
        """A stretch of days of its own: sums are over all sets."""

    def at_ms(self, day: int, hour: int = 7) -> int:
        return (self.today + day) * DAY_MS + hour * HOUR_MS

    async def ask(
        self, *days: int, hour: int = 7, missing: int = 0, origin_ms: int = 0, times: int = 1
    ) -> None:
        """On days counted from today, as isolates write it: one a day."""
        for day in days:
            buffer = AskBuffer()
            ask = Ask(of=self.of, window=WEEK, point_days=35, missing_point_days=missing, origin_ms=origin_ms)
            for _ in range(times):
                buffer.count(ask, self.at_ms(day, hour))
            await self.written(buffer, self.at_ms(day, hour))

    async def written(self, buffer: AskBuffer, now_ms: int) -> None:
        taken = buffer.take(now_ms)
        assert taken is not None
        await self.database.write(taken[0])

    async def run(self, first: int = -3, last: int = -1, *, delivered: int | None = None) -> WarmRun:
        """A run that was planned today at five, by its job; which is completed at six if it delivered."""
        planned_ms = self.at_ms(0, 5)
        span = day_span(self.today + first, self.today + last)
        query = TimeseriesQuery(site=self.of.site, points=self.of.points, span=span)
        request = JobRequest(query=query, owner=WARMING_OWNER, priority=Priority.LOW)
        jobs, batches = JobRecords(self.database), BatchRecords(self.database)
        joined = await jobs.create(request, now_ms=planned_ms, join_ended_after_ms=planned_ms)
        job_id = joined.job.job_id
        run = WarmRun(
            job_id=job_id,
            digest=self.of.digest,
            reason=Reason.PATTERN,
            site=self.of.site,
            first_day=self.today + first,
            last_day=self.today + last,
            point_days=15,
            samples=100,
            calls=2,
            planned_ms=planned_ms,
        )
        await self.warming.add([run])
        if delivered is not None:
            batch = Batch(index=0, first_point=0, point_count=5, span=span, expected_samples=100)
            await batches.plan(job_id, [batch], now_ms=planned_ms)
            claim = await batches.claim(job_id, 0, holder="me", now_ms=planned_ms)
            assert claim is not None
            await batches.finish(claim, delivered=delivered, now_ms=self.at_ms(0, 6))  # type: ignore[arg-type]
        return run


class WarmingPortsConformance:
    """The suite."""

    def test_hours_of_days_become_a_pattern(self, database: Database) -> None:
        async def story() -> None:
            weeks = Weeks(database)
            await weeks.ask(-14, -7, times=3, missing=5, origin_ms=700)
            await weeks.ask(-7, times=1, origin_ms=900)
            await weeks.ask(-1, hour=9)
            since = weeks.at_ms(-21, 0) // HOUR_MS
            found = await weeks.warming.patterns(hours=(6, 7), from_hour=since, at_most=1_000)
            (one,) = [pattern for pattern in found if pattern.digest == weeks.of.digest]
            assert (one.window, one.hour, one.asks, one.origin_ms) == (WEEK, 7, 7, 900)
            assert one.days == {weeks.today - 14, weeks.today - 7}
            assert one.comes_on(weeks.today)
            assert (await weeks.warming.sets([one.digest, "none"])) == {one.digest: weeks.of}
            late = await weeks.warming.patterns(hours=(9,), from_hour=since, at_most=1_000)
            assert weeks.of.digest not in {pattern.digest for pattern in late}, "one day is no pattern"
            every = await weeks.warming.patterns_of_all(from_hour=since, at_most=1_000)
            assert one in every
            gone = await weeks.warming.patterns(
                hours=(7,), from_hour=weeks.at_ms(-7, 8) // HOUR_MS, at_most=9
            )
            assert weeks.of.digest not in {pattern.digest for pattern in gone}

        asyncio.run(story())

    def test_sums_are_of_questions_and_of_what_was_fetched_for_them(self, database: Database) -> None:
        async def story() -> None:
            weeks = Weeks(database)
            await weeks.ask(-1, missing=35)
            run = await weeks.run(delivered=400)
            day_ms = weeks.at_ms(-1, 0)
            sums = await weeks.warming.sums(from_ms=day_ms)
            assert (sums.point_days, sums.missing_point_days, sums.used_runs) == (35, 35, 0)
            assert sums.stored_without == 0
            assert await weeks.warming.credit(from_ms=day_ms) == 0, "asked before it was fetched"
            await weeks.ask(0, times=3)
            assert await weeks.warming.credit(from_ms=day_ms) == 1
            assert await weeks.warming.credit(from_ms=day_ms) == 0, "noted once"
            sums = await weeks.warming.sums(from_ms=day_ms)
            assert sums == WarmSums(
                asks=4,
                point_days=140,
                missing_point_days=35,
                runs=1,
                warmed_point_days=15,
                used_runs=1,
                used_point_days=15,
            )
            assert sums.stored_without == 90
            last = (await weeks.warming.last_runs([run.digest]))[run.digest]
            assert last.run == run
            assert (last.status, last.delivered, last.used_ms) == ("completed", 400, weeks.at_ms(0))

        asyncio.run(story())

    def test_a_question_of_fewer_days_credits_nothing(self, database: Database) -> None:
        async def story() -> None:
            weeks = Weeks(database)
            await weeks.run(first=-9, last=-8, delivered=1)
            await weeks.ask(0)
            assert await weeks.warming.credit(from_ms=weeks.at_ms(-1)) == 0

        asyncio.run(story())

    def test_the_budget_is_what_was_expected_or_more_if_more_came(self, database: Database) -> None:
        async def story() -> None:
            weeks = Weeks(database)
            day_ms = weeks.at_ms(0, 0)
            assert await weeks.warming.spent(from_ms=day_ms) == WarmBudget()
            await weeks.run()
            assert await weeks.warming.spent(from_ms=day_ms) == WarmBudget(samples=100, calls=2)
            other = Weeks(database)
            other.today = weeks.today
            await other.run(delivered=400)
            assert await weeks.warming.spent(from_ms=day_ms) == WarmBudget(samples=500, calls=4)
            assert await weeks.warming.spent(from_ms=day_ms + DAY_MS) == WarmBudget()

        asyncio.run(story())

    def test_what_jobs_of_warming_fetch_is_under_way(self, database: Database) -> None:
        async def story() -> None:
            weeks = Weeks(database)
            run = await weeks.run()
            late_ms = weeks.at_ms(0, 23)
            (one,) = [
                one for one in await weeks.warming.under_way(since_ms=late_ms) if one.of.site == run.site
            ]
            assert one.of == weeks.of
            assert one.span == day_span(run.first_day, run.last_day)
            ended = Weeks(database)
            await ended.run(delivered=1)
            sites = {one.of.site for one in await ended.warming.under_way(since_ms=ended.at_ms(0, 5))}
            assert ended.of.site in sites, "made a moment ago"
            sites = {one.of.site for one in await ended.warming.under_way(since_ms=ended.at_ms(0, 6))}
            assert ended.of.site not in sites

        asyncio.run(story())

    def test_saved_sets_are_their_owners(self, database: Database) -> None:
        async def story() -> None:
            weeks = Weeks(database)
            owner, other = f"key {weeks.number}", f"key {weeks.number} b"
            one = SavedSet(owner=owner, name="lobby", of=weeks.of, days=7, hours=(6, 7), changed_ms=5)
            assert await weeks.sets.save(one, at_most=1)
            assert await weeks.sets.find(owner, "lobby") == one
            assert await weeks.sets.find(other, "lobby") is None
            changed = SavedSet(owner=owner, name="lobby", of=weeks.of, days=3, changed_ms=6)
            assert await weeks.sets.save(changed, at_most=1), "in its own place"
            more = SavedSet(owner=owner, name="roof", of=weeks.of, days=3)
            assert not await weeks.sets.save(more, at_most=1)
            theirs = SavedSet(owner=other, name="lobby", of=weeks.of, days=1, hours=(1,), weekdays=(0,))
            assert await weeks.sets.save(theirs, at_most=1)
            assert await weeks.sets.listed(owner, at_most=9) == (changed,)
            assert {changed, theirs} <= set(await weeks.sets.listed(None, at_most=1_000))
            scheduled = await weeks.sets.scheduled(at_most=1_000)
            assert theirs in scheduled
            assert changed not in scheduled
            await database.write([Command(sql=REVOKED, parameters=(other,))])
            assert theirs not in await weeks.sets.scheduled(at_most=1_000)
            assert await weeks.sets.remove(owner, "lobby")
            assert not await weeks.sets.remove(owner, "lobby")
            assert await weeks.sets.find(other, "lobby") == theirs

        asyncio.run(story())


REVOKED: Final = """
INSERT INTO api_keys (key_id, secret_hash, owner, sites_json, rights_json, created_ms, revoked_ms)
VALUES (?1, '', '', '[]', '[]', 1, 2)
"""
