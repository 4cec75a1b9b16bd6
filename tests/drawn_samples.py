"""Samples drawn for properties: values of every kind, columns as sensors make them, bytes that are none."""

import struct
from array import array
from itertools import accumulate
from random import Random

from hypothesis import strategies as st

from edgeseries.series.values import Value

int64s = st.integers(-(2**63), 2**63 - 1)
any_floats = st.binary(min_size=8, max_size=8).map(lambda raw: struct.unpack("<d", raw)[0])
decimals = st.builds(
    lambda number, places: number / 10**places, st.integers(-(10**7), 10**7), st.integers(0, 6)
)
rates = st.builds(
    lambda count, seconds, error: (round(count / seconds * 2**31) + error) / 2**31,
    st.integers(-(10**6), 10**6),
    st.integers(1, 3600),
    st.integers(-2, 2),
)
"""Counts by seconds, as differences of sums that were rounded."""
singles = st.floats(width=32, allow_nan=False, allow_infinity=False)
floats = st.one_of(
    any_floats,
    st.floats(),
    decimals,
    rates,
    singles,
    st.sampled_from([0.0, -0.0, 5e-324, 1e308, 0.1 + 0.2, 1e22]),
)
texts = st.text(st.characters(exclude_categories=()), max_size=20)
values: st.SearchStrategy[Value] = st.one_of(
    floats, st.integers(-(2**200), 2**200), int64s, st.booleans(), st.none(), texts
)


def repeating(elements: st.SearchStrategy[Value]) -> st.SearchStrategy[list[Value]]:
    """Columns with few distinct values and with long runs, as telemetry has."""
    pools = st.lists(elements, min_size=1, max_size=5)
    return pools.flatmap(lambda pool: st.lists(st.sampled_from(pool), min_size=1, max_size=200))


columns = st.one_of(
    st.lists(values, min_size=1, max_size=60),
    st.lists(floats, min_size=1, max_size=60),
    repeating(values),
    repeating(floats),
    st.lists(rates, min_size=1, max_size=60),
)


def telemetry(seed: int, count: int) -> list[float]:
    """A column as sensors make them: walks, set points, counters, noise, at some resolution."""
    random = Random(seed)  # noqa: S311 - repeatable, no secret
    kind, places = (
        random.choice(["walk", "setpoint", "counter", "noise", "single", "mean", "rate"]),
        random.randint(0, 4),
    )
    level, found = random.uniform(-50, 500), []
    for _ in range(count):
        if kind == "walk":
            level += random.gauss(0, 1)
        elif kind == "counter":
            level += random.choice([0, 0, 0, 1, 250])
        elif kind == "setpoint" and random.random() < 0.02:
            level = random.choice([18.0, 21.5, 24.0])
        elif kind in {"noise", "single", "mean", "rate"}:
            level = random.random()
        rate = round(level * 9000) / random.randint(1, 300)
        exact = {"noise": level, "mean": round(level * 4096) / 4096 / 60, "rate": round(rate * 2**29) / 2**29}
        found.append(exact.get(kind, round(level, places)))
    return array("f", found).tolist() if kind == "single" else found


steps = st.lists(
    st.tuples(st.sampled_from([0, 60, 61, 3600, -7]), st.integers(1, 60)), min_size=1, max_size=60
).map(lambda runs: [step for step, times in runs for _ in range(times)])
"""Long runs of a few numbers; added up, what is regular but for exceptions, and once more."""
added_steps = steps.map(lambda found: list(accumulate(found)))


def real_bytes(random: Random, size: int, *, small: bool) -> bytes:
    """Bytes of any value, or of those that name shapes and kinds."""
    return bytes(random.choices(range(12), k=size)) if small else random.randbytes(size)
