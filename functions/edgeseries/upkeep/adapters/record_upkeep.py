"""The RecordKeeping port over the database."""

from edgeseries.metrics.adapters import request_statements
from edgeseries.storage.database import Command, Database, json_chunks
from edgeseries.upkeep.adapters import upkeep_statements as sql

ENDED = ("completed", "failed", "cancelled")
"""Statuses of jobs that nothing happens to any more, unless somebody takes them up again."""


class RecordUpkeep:
    """Jobs that ended, dead letters, request counts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def archive_jobs(self, *, before_ms: int, batches: int, at_most: int) -> int:
        """See the port. Three statements in one transaction, each with the same condition."""
        chosen: list[str] = []
        left = batches
        for status in ENDED:
            command = Command(sql=sql.ENDED_JOBS, parameters=(status, before_ms, at_most - len(chosen)))
            for job_id, batch_count in await self._database.read(command):
                if chosen and batch_count > left:
                    break
                chosen.append(str(job_id))
                left -= int(batch_count)
        for ids, _ in json_chunks(chosen):
            steps = (sql.ARCHIVE_JOBS, sql.PRUNE_BATCHES, sql.PRUNE_JOBS)
            await self._database.write([Command(sql=step, parameters=(ids, before_ms)) for step in steps])
        return len(chosen)

    async def prune_history(self, *, before_ms: int, at_most: int) -> int:
        """See the port."""
        return await self._count(sql.PRUNE_HISTORY, before_ms, at_most)

    async def purge_letters(self, *, before_ms: int, at_most: int) -> int:
        """See the port."""
        return await self._count(sql.PURGE_DEAD_LETTERS, before_ms, at_most)

    async def first_requests(self, *, from_ms: int, before_ms: int) -> int | None:
        """See the port."""
        rows = await self._database.read(
            Command(sql=request_statements.FIRST_REQUESTS, parameters=(from_ms, before_ms))
        )
        return None if rows[0][0] is None else int(rows[0][0])

    async def roll_up(self, *, from_ms: int, before_ms: int, into_ms: int) -> None:
        """See the port. Both statements in one transaction, so that no request is counted twice or not."""
        steps = (request_statements.ROLL_UP, request_statements.DROP_ROLLED_UP)
        parameters = (from_ms, before_ms, into_ms)
        await self._database.write([Command(sql=step, parameters=parameters) for step in steps])

    async def _count(self, statement: str, *parameters: int) -> int:
        return len(await self._database.read(Command(sql=statement, parameters=parameters)))
