"""The PointProfiles port over `point_profiles`."""

from collections.abc import Mapping

from edgeseries.blocks.adapters import profile_statements as sql
from edgeseries.storage.database import Command, Database


class DatabaseProfiles:
    """Profiles in the database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def densities(self, site: str) -> Mapping[str, float]:
        """See the port."""
        rows = await self._database.read(Command(sql=sql.DENSITIES, parameters=(site,)))
        return {str(point): float(density) for point, density in rows}
