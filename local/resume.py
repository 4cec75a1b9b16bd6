"""Resume: what a start does about the work that a stopped or killed host has left behind.

Queues are in memory here, so that every message is lost with the host, and a killed consumer leaves its
leases. When a host has just started nobody alive holds a lease and no message is under way: leases are
ended, and messages sent again by the janitor's own rescue, at once instead of after the ten minutes that
production waits. It knows the two tables that hold leases, and how job queues are named.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

from edgeseries.jobs.adapters.job_rescue import RescueRecords
from edgeseries.jobs.job import Priority
from edgeseries.jobs.limits import MESSAGES_OF_A_SEND
from edgeseries.jobs.messages import JobMessage
from edgeseries.jobs.rescue import rescue
from edgeseries.storage.database import Command, Row
from local.hosting import Host

END_BATCH_LEASES: Final = "UPDATE job_batches SET lease_until_ms = 0 WHERE status = 'claimed'"
END_DUTY_LEASES: Final = "UPDATE janitor_state SET lease_until_ms = NULL WHERE lease_until_ms IS NOT NULL"


def resume(host: Host) -> int:
    """Have the jobs of a host that nobody has asked yet go on; how many messages were sent again."""
    for statement in (END_BATCH_LEASES, END_DUTY_LEASES):
        host.query(statement)
    # What is sent again is marked with this moment, and is older than it no more in the next round.
    now_ms = time.time_ns() // 1_000_000
    return asyncio.run(_rescue_all(host, now_ms))


async def _rescue_all(host: Host, now_ms: int) -> int:
    records, found = RescueRecords(ControlDatabase(host)), FoundMessages()
    while await rescue(records, found, now_ms=now_ms, rescue_after_ms=1):
        pass
    # Only now: once a job moves, the rescue takes it that all its messages are on their way.
    for queue, bodies in found.by_queue.items():
        (name,) = [name for name in host.plan.queues if name.endswith(f"-{queue}")]
        for first in range(0, len(bodies), MESSAGES_OF_A_SEND):
            host.send(name, bodies[first : first + MESSAGES_OF_A_SEND])
    return sum(map(len, found.by_queue.values()))


class ControlDatabase:
    """The Database port through the host's control channel, for as long as nobody else writes."""

    def __init__(self, host: Host) -> None:
        self._host = host

    async def read(self, command: Command) -> list[Row]:
        """See the port."""
        return [tuple(row.values()) for row in self._host.query(command.sql, *command.parameters)]

    async def write(self, commands: Sequence[Command]) -> list[list[Row]]:
        """See the port. One after the other: each is whole by itself, and a start may be begun again."""
        return [await self.read(command) for command in commands]


class FoundMessages:
    """The JobQueue port, keeping what it is given; by how the names of queues end."""

    def __init__(self) -> None:
        self.by_queue: defaultdict[str, list[Mapping[str, object]]] = defaultdict(list)

    async def send(self, messages: Sequence[JobMessage], *, priority: Priority, delay_s: int = 0) -> None:
        """See the port. What is rescued is not delayed."""
        assert not delay_s
        self.by_queue[priority] += [message.to_wire() for message in messages]

    async def resend(self, message: Mapping[str, object], *, queue: str, delay_s: int = 0) -> bool:
        """See the port."""
        assert not delay_s
        self.by_queue[queue].append(message)
        return True
