"""The StoredDays port over `cache_metadata`."""

from collections.abc import Sequence
from typing import Final

from edgeseries.planning.recheck_walk import GROUP_POINTS, HeldPoint, Where
from edgeseries.series.days import days_in_year, days_of_text
from edgeseries.storage.database import Command, Database, Row
from edgeseries.upkeep.adapters import upkeep_statements as sql
from edgeseries.upkeep.ports.stored_days import Neighbours

LOOK_ROWS: Final = 12 * GROUP_POINTS
"""Rows of one look: a dozen years of each point of a group, or a few points with months of version 1."""

YEAR_CHARS: Final = len("2024")

STATEMENTS: Final = {
    Where.AT: sql.BLOCKS_FROM,
    Where.AFTER: sql.BLOCKS_AFTER,
    Where.BEFORE: sql.BLOCKS_BEFORE,
}


class DatabaseStoredDays:
    """See the port."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def following(self, site: str, point: str) -> Neighbours | None:
        """See the port."""
        return await self._look(sql.BLOCKS_FOLLOWING, site, point)

    async def neighbours(self, site: str, where: Where, point: str) -> Neighbours | None:
        """See the port."""
        return await self._look(STATEMENTS[where], site, point)

    async def _look(self, statement: str, site: str, point: str) -> Neighbours | None:
        command = Command(sql=statement, parameters=(site, point, LOOK_ROWS))
        rows = await self._database.read(command)
        if not rows:
            return None
        found_site = str(rows[0][0])
        points = _points([row for row in rows if str(row[0]) == found_site])
        if len(rows) == LOOK_ROWS and len(points) > 1:
            # The last one may have more rows than there was room for.
            points = points[:-1]
        return Neighbours(site=found_site, points=tuple(sorted(points, key=lambda one: one.point)))


def _points(rows: Sequence[Row]) -> list[HeldPoint]:
    """A point for each name, in the order of the rows. Months of version 1 count for no day."""
    days: dict[str, set[int]] = {}
    densities: dict[str, float] = {}
    for _, point, period, held, purged, density in rows:
        of_point = days.setdefault(str(point), set())
        densities[str(point)] = float(density)
        if len(str(period)) == YEAR_CHARS:
            bitmap = days_of_text(str(held)) & ~days_of_text(str(purged))
            of_point.update(days_in_year(str(period), bitmap))
    return [
        HeldPoint(point=point, days=frozenset(some), density_per_day=densities[point])
        for point, some in days.items()
    ]
