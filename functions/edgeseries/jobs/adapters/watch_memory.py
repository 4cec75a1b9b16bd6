"""The JobWatch port: what an isolate has seen of jobs that are followed, and who follows.

Plain data only: a promise of one request cannot be awaited by another one on the platform, so whoever finds
that somebody else is reading comes back later and finds what was read.
"""

from collections import OrderedDict
from itertools import count

from edgeseries.jobs.job import Job
from edgeseries.jobs.limits import (
    EVENTS_MAX_STREAMS,
    EVENTS_SLOT_MS,
    JOB_LOOK_TIMEOUT_MS,
    JOBS_WATCHED_MAX,
)
from edgeseries.jobs.ports.job_reader import JobReader
from edgeseries.jobs.ports.job_watch import JobReading, StreamSlot
from edgeseries.ports.clock import Clock


class WatchMemory:
    """What all requests of an isolate share: jobs with when they were read, the oldest out first; readings
    under way with when they began; places of event streams by caller, with when they were last kept.
    """

    def __init__(self, *, max_jobs: int = JOBS_WATCHED_MAX, max_streams: int = EVENTS_MAX_STREAMS) -> None:
        self.seen: OrderedDict[str, tuple[int, Job | None]] = OrderedDict()
        self.reading: dict[str, int] = {}
        self.slots: dict[str, dict[int, int]] = {}
        self.numbers = count(1)
        self.max_streams = max_streams
        self._max_jobs = max_jobs

    def record(self, job_id: str, job: Job | None, read_ms: int) -> None:
        """A reading that began at `read_ms` gave this."""
        self.seen[job_id] = (read_ms, job)
        self.seen.move_to_end(job_id)
        while len(self.seen) > self._max_jobs:
            self.seen.popitem(last=False)


class SharedJobWatch:
    """The watch of one request over the isolate's memory."""

    def __init__(self, *, memory: WatchMemory, job_reader: JobReader, clock: Clock) -> None:
        self._memory = memory
        self._job_reader = job_reader
        self._clock = clock

    async def look(self, job_id: str, *, known_ms: int, max_age_ms: int) -> JobReading | None:
        """See the port."""
        memory, now_ms = self._memory, self._clock.now_ms()
        if job_id in memory.seen:
            read_ms, job = memory.seen[job_id]
            if read_ms > known_ms and 0 <= now_ms - read_ms < max_age_ms:
                return JobReading(job=job, read_ms=read_ms, asked=False)
        began_ms = memory.reading.get(job_id)
        # Whoever began and has not come back by now was ended by the platform.
        if began_ms is not None and 0 <= now_ms - began_ms < JOB_LOOK_TIMEOUT_MS:
            return None
        memory.reading[job_id] = now_ms
        try:
            job = await self._job_reader.find(job_id)
        finally:
            memory.reading.pop(job_id, None)
        memory.record(job_id, job, now_ms)
        return JobReading(job=job, read_ms=now_ms, asked=True)

    def acquire_slot(self, caller: str) -> StreamSlot | None:
        """See the port."""
        now_ms = self._clock.now_ms()
        taken = self._memory.slots.get(caller, {})
        kept = {number: at_ms for number, at_ms in taken.items() if 0 <= now_ms - at_ms < EVENTS_SLOT_MS}
        if len(kept) >= self._memory.max_streams:
            self._memory.slots[caller] = kept
            return None
        slot = StreamSlot(caller=caller, number=next(self._memory.numbers))
        self._memory.slots[caller] = {**kept, slot.number: now_ms}
        return slot

    def renew_slot(self, slot: StreamSlot) -> None:
        """See the port."""
        self._memory.slots.setdefault(slot.caller, {})[slot.number] = self._clock.now_ms()

    def release_slot(self, slot: StreamSlot) -> None:
        """See the port."""
        taken = self._memory.slots.get(slot.caller, {})
        taken.pop(slot.number, None)
        if not taken:
            self._memory.slots.pop(slot.caller, None)
