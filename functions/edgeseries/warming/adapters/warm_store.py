"""The ports of warming over the database. Statements: `ask_statements.py`, `warm_statements.py`."""

import json
from collections.abc import Mapping, Sequence

from edgeseries.errors import Defect
from edgeseries.limits import HOUR_MS
from edgeseries.series.timerange import TimeRange
from edgeseries.storage.database import Command, Database, Row, json_chunks
from edgeseries.warming.adapters import ask_statements as asked
from edgeseries.warming.adapters import warm_statements as sql
from edgeseries.warming.asks import PointSet, Window
from edgeseries.warming.limits import WARMING_OWNER
from edgeseries.warming.patterns import Pattern, Reason
from edgeseries.warming.planning import WarmBudget
from edgeseries.warming.ports.warm_records import UnderWay
from edgeseries.warming.runs import RunResult, WarmRun, WarmSums
from edgeseries.warming.saved_sets import SavedSet

LEAST_DAYS = 2
"""A question of one day is no pattern."""


class DatabaseWarming:
    """WarmRecords and WarmFacts: what was asked and what was fetched ahead."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def patterns(self, *, hours: Sequence[int], from_hour: int, at_most: int) -> tuple[Pattern, ...]:
        """See WarmRecords."""
        parameters = (from_hour, LEAST_DAYS, at_most, json.dumps(list(hours)))
        return tuple(map(_pattern_of, await self._read(asked.PATTERNS, *parameters)))

    async def patterns_of_all(self, *, from_hour: int, at_most: int) -> tuple[Pattern, ...]:
        """See WarmFacts."""
        rows = await self._read(asked.PATTERNS_OF_ALL, from_hour, LEAST_DAYS, at_most)
        return tuple(map(_pattern_of, rows))

    async def sets(self, digests: Sequence[str]) -> Mapping[str, PointSet]:
        """See WarmRecords."""
        if not digests:
            return {}
        rows = await self._read(asked.SETS, json.dumps(list(digests)))
        return {str(digest): _set_of(site, points) for digest, site, points in rows}

    async def under_way(self, *, since_ms: int) -> tuple[UnderWay, ...]:
        """See WarmRecords."""
        return tuple(
            UnderWay(of=_set_of(site, points), span=TimeRange(start_ms=int(start_ms), end_ms=int(end_ms)))
            for site, points, start_ms, end_ms in await self._read(sql.UNDER_WAY, WARMING_OWNER, since_ms)
        )

    async def spent(self, *, from_ms: int) -> WarmBudget:
        """See WarmRecords."""
        ((samples, calls),) = await self._read(sql.SPENT, from_ms)
        return WarmBudget(samples=int(samples), calls=int(calls))

    async def add(self, runs: Sequence[WarmRun]) -> None:
        """See WarmRecords."""
        rows = [
            (
                *(one.job_id, one.digest, one.reason, one.site, one.first_day, one.last_day, one.point_days),
                *(one.samples, one.calls, one.planned_ms, one.owner, one.name),
            )
            for one in runs
        ]
        commands = [Command(sql=sql.ADD_RUNS, parameters=(chunk,)) for chunk, _ in json_chunks(rows)]
        if commands:
            await self._database.write(commands)

    async def credit(self, *, from_ms: int) -> int:
        """See WarmRecords."""
        (noted,) = await self._database.write([Command(sql=sql.CREDIT, parameters=(from_ms,))])
        return len(noted)

    async def trim(self, *, from_ms: int, rows: int) -> int:
        """See WarmRecords. Names of sets go after the last hour in which they were asked."""
        steps: list[Command] = [
            Command(sql=asked.FORGET_HOURS, parameters=(from_ms // HOUR_MS,)),
            Command(sql=asked.FORGET_OLDEST, parameters=(rows,)),
            Command(sql=asked.FORGET_SETS, parameters=(from_ms,)),
            Command(sql=sql.FORGET_RUNS, parameters=(from_ms,)),
        ]
        return sum(map(len, await self._database.write(steps)))

    async def last_runs(self, digests: Sequence[str]) -> Mapping[str, RunResult]:
        """See WarmFacts."""
        if not digests:
            return {}
        rows = await self._read(sql.LAST_RUNS, json.dumps(list(digests)))
        found = [_result_of(row) for row in rows]
        return {one.run.digest: one for one in found}

    async def sums(self, *, from_ms: int) -> WarmSums:
        """See WarmFacts."""
        ((asks, point_days, missing),) = await self._read(asked.ASKED_SUMS, from_ms // HOUR_MS)
        ((runs, warmed, used_runs, used),) = await self._read(sql.RUN_SUMS, from_ms)
        return WarmSums(
            asks=int(asks),
            point_days=int(point_days),
            missing_point_days=int(missing),
            runs=int(runs),
            warmed_point_days=int(warmed),
            used_runs=int(used_runs),
            used_point_days=int(used),
        )

    async def _read(self, statement: str, *parameters: str | int) -> list[Row]:
        return await self._database.read(Command(sql=statement, parameters=parameters))


class DatabaseSavedSets:
    """The SavedSets port."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def save(self, one: SavedSet, *, at_most: int) -> bool:
        """See the port."""
        parameters = (
            *(one.owner, one.name, one.of.site, one.of.points_json, one.days, json.dumps(one.hours)),
            *(json.dumps(one.weekdays), one.changed_ms, one.of.digest, at_most),
        )
        (saved,) = await self._database.write([Command(sql=sql.SAVE_SET, parameters=parameters)])
        return bool(saved)

    async def find(self, owner: str, name: str) -> SavedSet | None:
        """See the port."""
        found = await self._read(sql.SAVED_SET, owner, name)
        return found[0] if found else None

    async def listed(self, owner: str | None, *, at_most: int) -> tuple[SavedSet, ...]:
        """See the port."""
        if owner is None:
            return await self._read(sql.SAVED_SETS_OF_ALL, at_most)
        return await self._read(sql.SAVED_SETS, owner, at_most)

    async def remove(self, owner: str, name: str) -> bool:
        """See the port."""
        (gone,) = await self._database.write([Command(sql=sql.REMOVE_SET, parameters=(owner, name))])
        return bool(gone)

    async def scheduled(self, *, at_most: int) -> tuple[SavedSet, ...]:
        """See the port."""
        return await self._read(sql.SCHEDULED_SETS, at_most)

    async def _read(self, statement: str, *parameters: str | int) -> tuple[SavedSet, ...]:
        rows = await self._database.read(Command(sql=statement, parameters=parameters))
        return tuple(map(_saved_set_of, rows))


def _pattern_of(row: Row) -> Pattern:
    digest, site, point_count, first_back, last_back, hour, days_json, asks, origin_ms = row
    return Pattern(
        digest=str(digest),
        site=str(site),
        point_count=int(point_count),
        window=Window(first_back=int(first_back), last_back=int(last_back)),
        hour=int(hour),
        days=frozenset(int(day) for day in json.loads(days_json)),
        asks=int(asks),
        origin_ms=int(origin_ms),
    )


def _set_of(site: str, points_json: str) -> PointSet:
    return PointSet(site=str(site), points=tuple(json.loads(points_json)))


def _result_of(row: Row) -> RunResult:
    *run, status, delivered, used_ms = row
    job_id, digest, reason, site, first_day, last_day, point_days, samples, calls, planned_ms, owner, name = (
        run
    )
    return RunResult(
        run=WarmRun(
            job_id=str(job_id),
            digest=str(digest),
            reason=Reason(reason),
            site=str(site),
            first_day=int(first_day),
            last_day=int(last_day),
            point_days=int(point_days),
            samples=int(samples),
            calls=int(calls),
            planned_ms=int(planned_ms),
            owner=str(owner),
            name=str(name),
        ),
        status=None if status is None else str(status),
        delivered=int(delivered),
        used_ms=None if used_ms is None else int(used_ms),
    )


def _saved_set_of(row: Row) -> SavedSet:
    """A row of SAVED_SET. Raises Defect for a row that no version of ours wrote."""
    owner, name, site, points_json, days, hours_json, weekdays_json, changed_ms = row
    try:
        return SavedSet(
            owner=str(owner),
            name=str(name),
            of=_set_of(site, points_json),
            days=int(days),
            hours=tuple(int(hour) for hour in json.loads(hours_json)),
            weekdays=tuple(int(day) for day in json.loads(weekdays_json)),
            changed_ms=int(changed_ms),
        )
    except (ValueError, TypeError) as fault:
        raise Defect(f"the row of the saved set {name} makes no sense") from fault
