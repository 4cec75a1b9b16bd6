"""How the result of a job is cut into parts. A store that is down raises StoreUnavailable."""

from collections.abc import Sequence
from typing import Protocol

from edgeseries.jobs.job import ResultPart


class ResultParts(Protocol):
    """Cuts of results, made once for each."""

    async def parts(self, job_id: str) -> tuple[ResultPart, ...] | None:
        """The parts of a completed job's result; None while nobody has cut it, or if the job is not there."""
        ...

    async def cut(self, job_id: str, parts: Sequence[ResultPart]) -> tuple[ResultPart, ...] | None:
        """Cut the result of a completed job. The parts that count: of any number of cuts the first; None if
        the job is not there, or not completed.
        """
        ...
