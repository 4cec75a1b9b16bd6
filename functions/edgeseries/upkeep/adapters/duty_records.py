"""The DutyRecords port over `janitor_state`."""

from edgeseries.storage.database import Command, Database
from edgeseries.upkeep.adapters import duty_statements as sql
from edgeseries.upkeep.ports.duties import DutyRecord


class DatabaseDutyRecords:
    """Leases and cursors in the database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def claim(self, duty: str, *, now_ms: int, lease_until_ms: int) -> str | None:
        """See the port."""
        command = Command(sql=sql.CLAIM_DUTY, parameters=(duty, now_ms, lease_until_ms))
        rows = await self._database.read(command)
        return str(rows[0][0]) if rows else None

    async def finish(self, record: DutyRecord, *, lease_until_ms: int) -> None:
        """See the port."""
        parameters = (record.duty, lease_until_ms, record.cursor, record.ran_ms, record.outcome)
        await self._database.write([Command(sql=sql.FINISH_DUTY, parameters=parameters)])

    async def read(self) -> tuple[DutyRecord, ...]:
        """See the port."""
        rows = await self._database.read(Command(sql=sql.DUTIES, parameters=()))
        return tuple(
            DutyRecord(duty=str(duty), cursor=str(cursor), ran_ms=int(ran_ms), outcome=str(outcome))
            for duty, cursor, ran_ms, outcome in rows
        )
