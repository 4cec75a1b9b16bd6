"""The Rescues port over the database. Statements: `job_statements.py`."""

from edgeseries.jobs.adapters import job_statements as statements
from edgeseries.jobs.job import Priority
from edgeseries.jobs.messages import BatchMessage, PlanMessage
from edgeseries.jobs.ports.rescue import Rescued
from edgeseries.storage.database import Command, Database, Row


class RescueRecords:
    """Finds abandoned work."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def expired(self, *, now_ms: int, limit: int) -> tuple[Rescued, ...]:
        """See Rescues."""
        (rows,) = await self._database.write(
            [Command(sql=statements.RESCUE_EXPIRED, parameters=(now_ms, limit))]
        )
        return tuple(map(_batch, rows))

    async def lost(self, *, now_ms: int, untouched_since_ms: int, limit: int) -> tuple[Rescued, ...]:
        """See Rescues."""
        parameters = (now_ms, untouched_since_ms, limit)
        batches, jobs = await self._database.write(
            [
                Command(sql=statements.RESCUE_LOST, parameters=parameters),
                Command(sql=statements.RESCUE_UNPLANNED, parameters=parameters),
            ]
        )
        plans = (
            Rescued(message=PlanMessage(job_id=str(job_id)), priority=Priority(priority))
            for job_id, priority in jobs
        )
        return (*map(_batch, batches), *plans)


def _batch(row: Row) -> Rescued:
    job_id, batch_index, priority = row
    return Rescued(
        message=BatchMessage(job_id=str(job_id), batch_index=int(batch_index)), priority=Priority(priority)
    )
