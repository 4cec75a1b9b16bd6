"""Rescue: work whose consumer died, or whose message was lost, gets a message again.

Sending twice does no harm, so a sweep that runs twice, or stops after marking and before sending, is
mended by the next one.
"""

from itertools import groupby

from edgeseries.jobs.job import Priority
from edgeseries.jobs.limits import RESCUE_MAX_MESSAGES
from edgeseries.jobs.ports.job_queue import JobQueue
from edgeseries.jobs.ports.rescue import Rescued, Rescues


async def rescue(rescues: Rescues, job_queue: JobQueue, *, now_ms: int, rescue_after_ms: int) -> int:
    """Find abandoned work and send its messages; how many."""
    found = [
        *await rescues.expired(now_ms=now_ms, limit=RESCUE_MAX_MESSAGES),
        *await rescues.lost(
            now_ms=now_ms, untouched_since_ms=now_ms - rescue_after_ms, limit=RESCUE_MAX_MESSAGES
        ),
    ]

    def priority_of(one: Rescued) -> Priority:
        return one.priority

    for priority, group in groupby(sorted(found, key=priority_of), key=priority_of):
        await job_queue.send([one.message for one in group], priority=priority)
    return len(found)
