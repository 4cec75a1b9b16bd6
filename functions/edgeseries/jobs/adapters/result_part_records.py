"""The ResultParts port over the database: a column of the job's row. Statements: `job_statements.py`."""

from collections.abc import Sequence

from edgeseries.jobs.adapters import job_statements as statements
from edgeseries.jobs.adapters.job_rows import parts_of, parts_text
from edgeseries.jobs.job import ResultPart
from edgeseries.storage.database import Command, Database


class ResultPartRecords:
    """Cuts of results in rows of jobs."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def parts(self, job_id: str) -> tuple[ResultPart, ...] | None:
        """See the port."""
        rows = await self._database.read(Command(sql=statements.RESULT_PARTS, parameters=(job_id,)))
        return parts_of(rows[0]) if rows else None

    async def cut(self, job_id: str, parts: Sequence[ResultPart]) -> tuple[ResultPart, ...] | None:
        """See the port."""
        await self._database.write(
            [Command(sql=statements.CUT_RESULT, parameters=(job_id, parts_text(parts)))]
        )
        return await self.parts(job_id)
