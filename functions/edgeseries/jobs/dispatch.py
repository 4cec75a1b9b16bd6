"""Putting a job's work into the queues: its plan, or all of its batches that wait."""

from typing import Protocol

from edgeseries.jobs.job import Priority
from edgeseries.jobs.messages import BatchMessage
from edgeseries.jobs.ports.job_queue import JobQueue
from edgeseries.jobs.ports.job_reader import JobReader


class Dispatching(Protocol):
    """The ports that this takes."""

    @property
    def job_reader(self) -> JobReader:
        """Where jobs are looked up."""
        ...

    @property
    def job_queue(self) -> JobQueue:
        """Where their messages go."""
        ...


async def dispatch(job_id: str, priority: Priority, ports: Dispatching) -> int:
    """Send every message that the job needs to go on; how many. Sending some twice does no harm."""
    count, after = 0, -1
    while messages := await ports.job_reader.waiting(job_id, after=after):
        await ports.job_queue.send(messages, priority=priority)
        count += len(messages)
        last = messages[-1]
        if not isinstance(last, BatchMessage):
            break
        after = last.batch_index
    return count
