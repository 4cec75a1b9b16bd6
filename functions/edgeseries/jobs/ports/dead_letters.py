"""Dead letters: messages that were given up, kept with their cause. A store that is down raises
StoreUnavailable.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A message that was given up. `job_id` and `batch_index` if it is about one."""

    letter_id: str
    queue: str
    job_id: str | None
    batch_index: int | None
    message: Mapping[str, object]
    cause: str
    attempts: int
    buried_ms: int
    replayed_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetterPosition:
    """Where a list goes on: past the dead letter that was stored then, and has this id."""

    buried_ms: int
    letter_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetterPage:
    """Letters, the newest first; `after` leads to the next page and is None at the end."""

    dead_letters: tuple[DeadLetter, ...]
    after: DeadLetterPosition | None


class DeadLetterOutcome(Enum):
    """What became of a letter's work."""

    STORED = "stored, its job failed"
    OBSOLETE = "its work is done, or its job ended, without it"
    HELD = "somebody works on it right now"


class DeadLetters(Protocol):
    """Keeps dead letters."""

    async def add(self, dead_letter: DeadLetter) -> DeadLetterOutcome:
        """Keep a letter and fail its batch and job, if they are still waiting for it. Twice is once."""
        ...

    async def page(self, *, after: DeadLetterPosition | None, limit: int) -> DeadLetterPage:
        """One page of a list."""
        ...

    async def find(self, letter_id: str) -> DeadLetter | None:
        """One letter."""
        ...

    async def replayed(self, dead_letter: DeadLetter, *, now_ms: int) -> None:
        """Mark a letter, and all others of its job, as replayed."""
        ...
