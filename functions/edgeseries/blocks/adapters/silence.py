"""Whether days without a sample may be stored, when nobody of those that were asked has a sample.

The rule is `planning/empty_days.py`; here it meets the database, which is asked only when there is something
to doubt.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from edgeseries.blocks.adapters import silence_statements as statements
from edgeseries.blocks.ports.blocks import DaysToStore
from edgeseries.limits import DOUBT_MAX_AGE_MS
from edgeseries.planning.empty_days import (
    Doubt,
    after_doubt,
    readings_of,
    readings_text,
    silent_days,
)
from edgeseries.series.days import by_month, days_in, days_of_text, of_month
from edgeseries.series.samples import days_with_samples
from edgeseries.storage.database import Command, Database, json_chunks

Place = tuple[str, str]
"""A point and a month."""


class SilenceWatch:
    """Doubted days of all sites, in a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def believed(self, site: str, days: Sequence[DaysToStore], *, now_ms: int) -> list[DaysToStore]:
        """What of it may be stored: all, but days whose silence was not confirmed by a second reading. They
        are remembered.
        """
        read: dict[str, frozenset[int]] = {}
        busy: dict[str, frozenset[int]] = {}
        for one in days:
            read[one.point] = read.get(one.point, frozenset()).union(one.days)
            heard = days_with_samples(one.samples.times_ms)
            busy[one.point] = busy.get(one.point, frozenset()).union(heard)
        unheard = frozenset[int]().union(*read.values()) - frozenset[int]().union(*busy.values())
        asked = [point for point, days in read.items() if days & unheard]
        if not asked:
            return list(days)
        silent = silent_days(read, busy, await self._densities(site, asked))
        if not silent:
            return list(days)
        doubts = await self._doubts(site, {point: read[point] & silent for point in asked}, now_ms)
        await self._remember(site, doubts, now_ms)
        refused = {
            point: {
                day
                for (owner, month), (days, doubt) in doubts.items()
                if owner == point
                for day in days_in(month, days & ~doubt.believed)
            }
            for point in asked
        }
        left = [
            replace(one, days=tuple(day for day in one.days if day not in refused.get(one.point, ())))
            for one in days
        ]
        return [one for one in left if one.days]

    async def _densities(self, site: str, points: Sequence[str]) -> Mapping[str, float]:
        found: dict[str, float] = {}
        first = 0
        for names, count in json_chunks(points):
            rows = await self._database.read(Command(sql=statements.DENSITIES, parameters=(site, names)))
            found.update((points[first + int(place)], float(density)) for place, density in rows)
            first += count
        return found

    async def _doubts(
        self, site: str, silent: Mapping[str, frozenset[int]], now_ms: int
    ) -> dict[Place, tuple[int, Doubt]]:
        """By place, the days that are silent now (bitmap), and what becomes of them. Those that are stored as
        empty already are silent for the second time: nothing is doubted.
        """
        days = {
            (point, month): bitmap
            for point, some in silent.items()
            for month, bitmap in by_month(some).items()
        }
        places = list(days)
        found: dict[Place, tuple[int, Doubt]] = {}
        first = 0
        for values, count in json_chunks(places):
            rows = await self._database.read(Command(sql=statements.READINGS, parameters=(site, values)))
            for number, text, empty_days, of_year, purged in rows:
                place = places[first + int(number)]
                empty_of_year = of_month(place[1], days_of_text(of_year) & ~days_of_text(purged))
                new = days[place] & ~int(empty_days) & ~empty_of_year
                found[place] = new, after_doubt(readings_of(str(text)), silent=new, now_ms=now_ms)
            first += count
        return found

    async def _remember(self, site: str, doubts: Mapping[Place, tuple[int, Doubt]], now_ms: int) -> None:
        waiting = [
            (*place, readings_text(doubt.waiting)) for place, (_, doubt) in doubts.items() if doubt.waiting
        ]
        settled = [place for place, (_, doubt) in doubts.items() if not doubt.waiting]
        commands = [
            Command(sql=statements.REMEMBER, parameters=(site, values, now_ms))
            for values, _ in json_chunks(waiting)
        ]
        commands += [
            Command(sql=statements.FORGET, parameters=(site, now_ms - DOUBT_MAX_AGE_MS, values))
            for values, _ in json_chunks(settled or [("", "")])
        ]
        await self._database.write(commands)
