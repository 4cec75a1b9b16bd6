"""What is wrong at a time: faults of the upstream, kills. Answers are judged by what was under way."""

import math
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

AFTERMATH_S: Final = 15.0
"""How long after a fault an error may still come of it: a deadline that began before, a queue of calls."""

SUSPENDED_S: Final = 75.0
"""The same for an upstream that is left alone: the circuit's longest pause is a minute.
"""

UPSTREAM: Final = "upstream"
HOST: Final = "host"


@dataclass
class FaultTimeline:
    """Spells of trouble, by kind, on the monotonic clock. Used from several threads."""

    counts: Counter[str] = field(default_factory=Counter)
    _spells: list[tuple[str, float, float]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, kind: str, told: str) -> None:
        """Trouble begins."""
        with self._lock:
            self.counts[told] += 1
            self._spells.append((kind, time.monotonic(), math.inf))

    def end(self, kind: str) -> None:
        """All trouble of a kind is over."""
        now = time.monotonic()
        with self._lock:
            self._spells = [
                (one, began, now if one == kind and ended == math.inf else ended)
                for one, began, ended in self._spells
            ]

    def was(self, kind: str, began: float, ended: float, aftermath_s: float = AFTERMATH_S) -> bool:
        """Whether there was trouble of this kind, or its aftermath, in an interval."""
        return any(
            one == kind and first <= ended and began <= last + aftermath_s
            for one, first, last in self.spells()
        )

    def spells(self) -> list[tuple[str, float, float]]:
        """Kind, beginning and end of each; infinity while it lasts."""
        with self._lock:
            return list(self._spells)
