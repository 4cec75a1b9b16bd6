"""How late samples come, learned from what is read anyway, and what that advises for a site's settle lag.

A sample is late by how long after its own instant it was certainly not there yet: the last reading over its
instant that did not have it. That is the least it can have been, so no estimate is higher than the truth.
One observation is made of each point in each reading that finds some, the latest of them. Less than
LATENESS_MIN_MS is the usual way of samples, and says nothing of a settle lag.

Values only; times and durations are in ms.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil
from typing import Final

from edgeseries.limits import DAY_MS, HOUR_MS, MINUTE_MS

LATENESS_MIN_MS: Final = MINUTE_MS

LATENESS_BOUNDS_MS: Final = (
    5 * MINUTE_MS,
    15 * MINUTE_MS,
    30 * MINUTE_MS,
    HOUR_MS,
    2 * HOUR_MS,
    4 * HOUR_MS,
    8 * HOUR_MS,
    DAY_MS,
    2 * DAY_MS,
    7 * DAY_MS,
)
"""Upper bounds of the buckets, each held; one more bucket takes what is above the last."""

LATENESS_BUCKETS: Final = len(LATENESS_BOUNDS_MS) + 1

MOST_SHARE: Final = 0.99
"""Of all observations; what is later still is told as the highest."""

ADVICE_STEP_MS: Final = 15 * MINUTE_MS
"""Advice is rounded up to this: the settle lag is a setting in minutes, and one tick more is cheap."""

LEARNED_DAYS: Final = 92
"""Observations older than this are forgotten: a gateway that was mended is not held to what it was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lateness:
    """What was seen of a site: how many observations, by bucket, and the highest."""

    buckets: tuple[int, ...] = field(default=(0,) * LATENESS_BUCKETS)
    highest_ms: int = 0

    def __post_init__(self) -> None:
        assert len(self.buckets) == LATENESS_BUCKETS

    @property
    def count(self) -> int:
        """Observations."""
        return sum(self.buckets)


NO_LATENESS: Final = Lateness()


def lateness_of(late_ms: Sequence[int]) -> Lateness:
    """The observations as counts."""
    buckets = [0] * LATENESS_BUCKETS
    for one in late_ms:
        buckets[bisect_left(LATENESS_BOUNDS_MS, one)] += 1
    return Lateness(buckets=tuple(buckets), highest_ms=max(late_ms, default=0))


def added(one: Lateness, other: Lateness) -> Lateness:
    """Both together."""
    return Lateness(
        buckets=tuple(here + there for here, there in zip(one.buckets, other.buckets, strict=True)),
        highest_ms=max(one.highest_ms, other.highest_ms),
    )


def most_ms(seen: Lateness) -> int | None:
    """No more than this late were MOST_SHARE of the observations: the bound of a bucket, or the highest where
    that is lower. None without any.
    """
    below, wanted = 0, ceil(seen.count * MOST_SHARE)
    for bucket, count in enumerate(seen.buckets):
        below += count
        if count and below >= wanted:
            inside = bucket < len(LATENESS_BOUNDS_MS)
            return min(LATENESS_BOUNDS_MS[bucket], seen.highest_ms) if inside else seen.highest_ms
    return None


def advised_lag_ms(seen: Lateness) -> int | None:
    """The least settle lag that all that was seen would have come within, rounded up; None without any."""
    return ceil(seen.highest_ms / ADVICE_STEP_MS) * ADVICE_STEP_MS if seen.count else None
