"""The AskedDays port over the database, with a memory that all requests of the isolate share."""

from collections.abc import Iterable, Mapping
from typing import Final

from edgeseries.planning.adapters import asked_statements as statements
from edgeseries.planning.asked_days import (
    AskedMonth,
    Missing,
    asked_after,
    asked_of_text,
    asked_text,
    is_asked,
    months_of,
)
from edgeseries.storage.database import Command, Database, json_chunks

ASKED_MEMORY_POINTS: Final = 40_000
"""Points of months that an isolate remembers, all sites and months together: some 4 MB."""


class AskedMemory:
    """Months by site, the one that was learned the longest ago out first."""

    def __init__(self, *, max_points: int = ASKED_MEMORY_POINTS) -> None:
        self._max_points = max_points
        self._months: dict[tuple[str, str], AskedMonth] = {}

    def recall(self, site: str, month: str) -> AskedMonth:
        """What is remembered of a month."""
        return self._months.get((site, month), {})

    def learn(self, site: str, month: str, asked: AskedMonth) -> None:
        """Remember a month."""
        self._months.pop((site, month), None)
        self._months[site, month] = asked
        count = sum(map(len, self._months.values()))
        while count > self._max_points and self._months:
            count -= len(self._months.pop(next(iter(self._months))))


class AskedRecords:
    """Days in rows of months."""

    def __init__(self, *, database: Database, memory: AskedMemory) -> None:
        self._database = database
        self._memory = memory

    async def were_asked(self, site: str, missing: Missing) -> bool:
        """See the port. The isolate's memory may say yes; only the database says no."""
        wanted = months_of(missing)
        unsure = [
            month for month, one in wanted.items() if not is_asked(one, self._memory.recall(site, month))
        ]
        if not unsure:
            return True
        for month, asked in (await self._read(site, unsure)).items():
            self._memory.learn(site, month, asked)
        return all(is_asked(wanted[month], self._memory.recall(site, month)) for month in unsure)

    async def remember(self, site: str, missing: Missing) -> None:
        """See the port."""
        wanted = months_of(missing)
        known = await self._read(site, wanted)
        after = {month: asked_after(known.get(month, {}), one) for month, one in wanted.items()}
        for month, asked in after.items():
            self._memory.learn(site, month, asked)
        rows = [[month, asked_text(asked)] for month, asked in after.items()]
        await self._database.write(
            [Command(sql=statements.REMEMBER, parameters=(site, text)) for text, _ in json_chunks(rows)]
        )

    async def _read(self, site: str, months: Iterable[str]) -> Mapping[str, AskedMonth]:
        found: dict[str, AskedMonth] = {}
        for text, _ in json_chunks(months):
            rows = await self._database.read(Command(sql=statements.ASKED, parameters=(site, text)))
            found |= {str(month): asked_of_text(str(days)) for month, days in rows}
        return found
