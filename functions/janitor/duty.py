"""A duty of the janitor as a value, and what it gets and gives.

A duty is bounded in every run, goes on where the last one stopped, and may run twice or be missed.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from janitor.ports import Ports


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One run of a duty. `cursor` is what its last run left, empty at first.

    `now_ms` is when the run began; a duty begins nothing new once the clock has passed `stop_ms`.
    """

    cursor: str
    now_ms: int
    stop_ms: int

    def has_time(self, ports: Ports) -> bool:
        """Whether something new may still be begun."""
        return ports.clock.now_ms() < self.stop_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a run went: `summary` is a sentence for people, `count` how many things were changed.

    `cursor` is where the next run goes on; empty is from the beginning.
    """

    summary: str
    count: int
    cursor: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Duty:
    """A named duty. `statements` is how many database statements one run makes at most: the platform
    counts all of a sweep together.
    """

    name: str
    statements: int
    run: Callable[[Ports, Turn], Awaitable[Outcome]]
