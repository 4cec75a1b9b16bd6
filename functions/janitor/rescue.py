"""Batches whose consumer died, and work whose message was lost, get a message again."""

from typing import Final

from edgeseries.jobs.rescue import rescue
from janitor.duty import Duty, Outcome, Turn
from janitor.ports import Ports

STATEMENTS: Final = 3
"""Expired leases; lost batches and lost plans."""


async def rescue_work(ports: Ports, turn: Turn) -> Outcome:
    """One look. What is more than one look's worth, the next sweep finds."""
    count = await rescue(
        ports.rescues, ports.job_queue, now_ms=turn.now_ms, rescue_after_ms=ports.settings.rescue_after_ms
    )
    return Outcome(summary=f"{count} messages sent again", count=count)


DUTY: Final = Duty(name="rescue-jobs", statements=STATEMENTS, run=rescue_work)
