"""Latency histograms: every duration has a bucket, and quantiles are right within one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeseries.metrics.latency import BUCKETS, LATENCY_BOUNDS_MS, bucket_of, quantile_ms


@pytest.mark.parametrize(
    ("duration_ms", "bucket"),
    [(0, 0), (1, 0), (2, 1), (3, 2), (5, 2), (30_000, 13), (30_001, 14), (10**9, 14)],
)
def test_a_duration_has_its_bucket(duration_ms: int, bucket: int) -> None:
    assert bucket_of(duration_ms) == bucket


def test_without_any_there_is_no_quantile() -> None:
    assert quantile_ms([0] * BUCKETS, 0.5) is None


def test_above_the_last_bound_it_counts_as_the_bound() -> None:
    assert quantile_ms([*[0] * (BUCKETS - 1), 3], 0.5) == LATENCY_BOUNDS_MS[-1]


@given(
    durations=st.lists(st.integers(min_value=0, max_value=30_000), min_size=1),
    share=st.sampled_from([0.5, 0.95, 0.99]),
)
def test_a_quantile_lies_in_the_bucket_of_the_true_one(durations: list[int], share: float) -> None:
    counts = [0] * BUCKETS
    for duration_ms in durations:
        counts[bucket_of(duration_ms)] += 1
    rank = next(place for place in range(1, len(durations) + 1) if place >= len(durations) * share)
    true_ms = sorted(durations)[rank - 1]
    found_ms = quantile_ms(counts, share)
    assert found_ms is not None
    bucket = bucket_of(true_ms)
    assert (LATENCY_BOUNDS_MS[bucket - 1] if bucket else 0) <= found_ms <= LATENCY_BOUNDS_MS[bucket]
