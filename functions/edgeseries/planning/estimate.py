"""How long a request is likely to take, by what an isolate has learned of those that it answered.

Two times and two rates, each a moving mean: what every answer takes, what every fetch takes, samples a second
from the store and from the upstream. It knows no clock and no store.
"""

from dataclasses import dataclass
from typing import Final

from edgeseries.limits import SECOND_MS

WEIGHT: Final = 0.2
"""Of the newest observation in a moving mean: ten later ones leave a tenth of it."""

MOST_CHANGE: Final = 10
"""An observation counts as at most so many times the mean, or as so small a part of it."""

FEW_SAMPLES: Final = 1_000
"""Less than this is as quick as one sample: it tells what a request takes that fetches or reads nothing to
speak of.
"""

FIRST_MS: Final = 20.0
STORED_PER_SECOND: Final = 1_000_000.0
FETCH_FIRST_MS: Final = 300.0
FETCHED_PER_SECOND: Final = 100_000.0
VALUE_BYTES: Final = 24.0
"""Before anything was learned: `docs/benchmarks.md`, and an upstream of 300 ms."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One answer: what it read, what the upstream brought in how many ms (None: not asked), and how long it
    took in all.
    """

    stored_samples: int
    fetched_samples: int
    fetch_ms: int | None
    total_ms: int
    values: int
    body_bytes: int


@dataclass(slots=True, kw_only=True)
class LearnedRates:
    """What an isolate has learned. `answers` is from how many."""

    first_ms: float = FIRST_MS
    stored_per_second: float = STORED_PER_SECOND
    fetch_first_ms: float = FETCH_FIRST_MS
    fetched_per_second: float = FETCHED_PER_SECOND
    value_bytes: float = VALUE_BYTES
    answers: int = 0

    def learn(self, seen: Observation) -> None:
        """Take an answer into the means."""
        self.answers += 1
        if seen.fetch_ms is not None:
            if seen.fetched_samples < FEW_SAMPLES:
                self.fetch_first_ms = _mean(self.fetch_first_ms, seen.fetch_ms)
            else:
                rest_ms = max(1.0, seen.fetch_ms - self.fetch_first_ms)
                self.fetched_per_second = _mean(
                    self.fetched_per_second, seen.fetched_samples * SECOND_MS / rest_ms
                )
        rest_ms = max(0, seen.total_ms - (seen.fetch_ms or 0))
        if seen.stored_samples < FEW_SAMPLES:
            self.first_ms = _mean(self.first_ms, rest_ms)
        else:
            rate = seen.stored_samples * SECOND_MS / max(1.0, rest_ms - self.first_ms)
            self.stored_per_second = _mean(self.stored_per_second, rate)
        if seen.values and seen.body_bytes:
            self.value_bytes = _mean(self.value_bytes, seen.body_bytes / seen.values)

    def expected_ms(self, *, stored_samples: int, fetched_samples: int, fetches: bool) -> int:
        """How long a request takes that reads and fetches so much."""
        expected = self.first_ms + stored_samples * SECOND_MS / self.stored_per_second
        if fetches:
            expected += self.fetch_first_ms + fetched_samples * SECOND_MS / self.fetched_per_second
        return round(expected)


def _mean(before: float, seen: float) -> float:
    bounded = min(max(seen, before / MOST_CHANGE), before * MOST_CHANGE)
    return before + WEIGHT * (bounded - before)
