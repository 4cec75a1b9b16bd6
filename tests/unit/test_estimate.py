"""What an isolate learns of how fast it reads and fetches."""

import pytest

from edgeseries.planning.estimate import FIRST_MS, LearnedRates, Observation

USUAL = Observation(
    stored_samples=0, fetched_samples=0, fetch_ms=None, total_ms=10, values=100, body_bytes=2_000
)


def seen(**changes: int) -> Observation:
    return Observation(**{**{name: getattr(USUAL, name) for name in USUAL.__slots__}, **changes})


def test_before_anything_was_learned_there_is_an_answer() -> None:
    rates = LearnedRates()
    assert rates.expected_ms(stored_samples=0, fetched_samples=0, fetches=False) == FIRST_MS
    assert rates.expected_ms(stored_samples=0, fetched_samples=10_000, fetches=True) == 420


def test_rates_come_to_what_is_seen() -> None:
    rates = LearnedRates()
    for _ in range(60):
        rates.learn(seen())
        rates.learn(seen(stored_samples=200_000, total_ms=110))
        rates.learn(seen(fetched_samples=10, fetch_ms=1_000, total_ms=1_010))
        rates.learn(seen(fetched_samples=50_000, fetch_ms=2_000, total_ms=2_010))
    assert rates.answers == 240
    assert rates.expected_ms(stored_samples=0, fetched_samples=0, fetches=False) == pytest.approx(10, abs=1)
    assert rates.expected_ms(stored_samples=400_000, fetched_samples=0, fetches=False) == pytest.approx(
        210, 0.05
    )
    assert rates.expected_ms(stored_samples=0, fetched_samples=100_000, fetches=True) == pytest.approx(
        3_010, 0.05
    )
    assert rates.value_bytes == pytest.approx(20, 0.01)


def test_one_odd_answer_does_not_turn_everything_over() -> None:
    rates = LearnedRates()
    before = rates.expected_ms(stored_samples=1_000_000, fetched_samples=0, fetches=False)
    rates.learn(seen(stored_samples=1_000_000, total_ms=0))
    rates.learn(seen(stored_samples=2_000, total_ms=60_000))
    after = rates.expected_ms(stored_samples=1_000_000, fetched_samples=0, fetches=False)
    assert before / 10 < after < before * 10
