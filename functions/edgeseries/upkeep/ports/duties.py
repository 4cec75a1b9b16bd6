"""Who runs which duty of the janitor, and where each stopped."""

from dataclasses import dataclass
from typing import Final, Protocol

SWEEP_RECORD: Final = "sweep"
"""The record of whole sweeps: when one came to its end, whatever became of its duties."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DutyRecord:
    """What is remembered of a duty: where it goes on, and when and how it ended last (UTC epoch ms).

    `ran_ms` is 0 for a duty that has never come to its end.
    """

    duty: str
    cursor: str
    ran_ms: int
    outcome: str


class DutyRecords(Protocol):
    """The memory of the janitor. A store that is down raises StoreUnavailable."""

    async def claim(self, duty: str, *, now_ms: int, lease_until_ms: int) -> str | None:
        """Take the duty until the lease ends: its cursor, or None while another sweep has it."""
        ...

    async def finish(self, record: DutyRecord, *, lease_until_ms: int) -> None:
        """Give the duty back and remember how it went. A lease that was lost changes nothing."""
        ...

    async def read(self) -> tuple[DutyRecord, ...]:
        """All that is remembered, by name."""
        ...
