"""Durations as a histogram: few numbers that can be added up, and give quantiles well enough."""

from bisect import bisect_left
from collections.abc import Sequence
from typing import Final

LATENCY_BOUNDS_MS: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 30_000)
"""Upper bounds of the buckets, each held; one more bucket takes what is above the last. From a cached answer
(some ms) to the deadline of a request (30 s), at steps of 2 to 3: a quantile is right within such a step."""

BUCKETS: Final = len(LATENCY_BOUNDS_MS) + 1


def bucket_of(duration_ms: float) -> int:
    """The bucket of a duration."""
    return bisect_left(LATENCY_BOUNDS_MS, duration_ms)


def quantile_ms(counts: Sequence[int], share: float) -> float | None:
    """The duration below which that share lies, evenly spread within its bucket; None without any.

    What lies above the last bound counts as the last bound.
    """
    assert 0 < share < 1
    wanted = sum(counts) * share
    below = 0
    for bucket, count in enumerate(counts):
        if count and below + count >= wanted:
            if bucket == len(LATENCY_BOUNDS_MS):
                break
            low_ms = LATENCY_BOUNDS_MS[bucket - 1] if bucket else 0
            return low_ms + (LATENCY_BOUNDS_MS[bucket] - low_ms) * (wanted - below) / count
        below += count
    return float(LATENCY_BOUNDS_MS[-1]) if sum(counts) else None


assert list(LATENCY_BOUNDS_MS) == sorted(set(LATENCY_BOUNDS_MS))
