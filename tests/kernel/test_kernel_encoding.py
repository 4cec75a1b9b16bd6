"""The kernel chooses the shapes that Python chooses, and writes the same bytes, for columns of every make.

Python is the specification (`blocks/integers.py`, `floats.py`, `values.py`, `weighing.py`).
"""

from itertools import accumulate

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeseries.blocks.adapters.compression_cpython import PackageCompression
from edgeseries.blocks.block_columns import PythonBlockCodec
from edgeseries.blocks.integers import encode_integers
from edgeseries.blocks.values import encode_values
from edgeseries.blocks.weighing import weight
from edgeseries.errors import Defect
from edgeseries.limits import DAY_MS
from edgeseries.series.days import month_days
from edgeseries.series.image import image_of
from edgeseries.series.samples import Samples
from edgeseries.series.values import Value
from tests import month_blocks
from tests.drawn_samples import added_steps, columns, int64s, rates, singles, steps, telemetry
from tests.host_kernel import HostBlockCodec, HostKernel, Session
from tests.sensor_columns import real_month

KERNEL = HostKernel()
CODECS = (
    PythonBlockCodec(compressor=PackageCompression()),
    HostBlockCodec(KERNEL, PackageCompression()),
)


def both(column: list[Value]) -> tuple[bytes, bytes]:
    """The segment's columns, by the kernel and by Python: times at a steady step, then the values."""
    times_ms = range(0, 60_000 * len(column), 60_000)
    samples = Samples(times_ms=times_ms, values=column)
    found = Session(KERNEL).load(image_of(samples)).settle().segment()
    return found, encode_integers(times_ms)[1] + encode_values(column)


integer_columns = st.one_of(
    st.lists(int64s, min_size=1),
    st.lists(st.sampled_from([-(2**63), 2**63 - 1, 0, -1]), min_size=1, max_size=40),
    st.lists(st.integers(-3, 3), min_size=1),
    st.lists(st.integers(-(10**6), 10**6).map(lambda number: number * 2**40), min_size=1),
    st.lists(st.integers(0, 10**6).map(lambda number: number * 60), min_size=1, max_size=300),
    steps,
    added_steps,
    added_steps.map(lambda found: list(accumulate(found))),
)


@settings(max_examples=400)
@given(integer_columns)
def test_integers_are_written_in_the_shape_that_python_chooses(numbers: list[int]) -> None:
    found, expected = both([*numbers])
    assert found == expected


def with_misfits(floats: st.SearchStrategy[float]) -> st.SearchStrategy[list[float]]:
    """Columns of one make of floats in which few, or none, are of another."""
    strange = st.sampled_from([-0.0, float("inf"), float("nan"), 5e-324, 1e300, 0.1 + 0.2, -7.25])
    return st.tuples(
        st.lists(floats, min_size=1, max_size=300), st.lists(strange, max_size=3), st.integers(0, 400)
    ).map(lambda drawn: drawn[0][: drawn[2]] + drawn[1] + drawn[0][drawn[2] :])


@settings(max_examples=400)
@given(
    st.one_of(
        *(
            with_misfits(make)
            for make in (
                st.integers(-(10**9), 10**9).map(lambda number: number / 100),
                st.integers(-(10**15), 10**15).map(lambda number: number / 10**9),
                singles,
                st.integers(-(2**50), 2**50).map(lambda number: number / 2**31),
                st.integers(-(2**40), 2**40).map(lambda number: number / 2**31 / 60),
                rates,
                st.floats(),
                st.integers(-1074, 1000).map(lambda power: 2.0**power),
            )
        )
    )
)
def test_floats_are_written_in_the_scaling_that_python_chooses(column: list[float]) -> None:
    found, expected = both([*column])
    assert found == expected


@settings(max_examples=200)
@given(columns)
def test_columns_of_any_kind_are_written_as_python_writes_them(column: list[Value]) -> None:
    found, expected = both(column)
    assert found == expected


@pytest.mark.parametrize("seed", range(40))
def test_months_of_sensors_are_written_as_python_writes_them(seed: int) -> None:
    found, expected = both([*telemetry(seed, 2_100)])
    assert found == expected


@pytest.mark.parametrize("other", [5e-324, 1e-322, 1.2e-321])
def test_floats_whose_bits_are_small_numbers_are_written_in_a_byte_each(other: float) -> None:
    """An array of them, taken for bytes, once was eight bytes a number in Python's coding."""
    column: list[Value] = [0.0, other, 0.0, other]
    found, expected = both(column)
    assert found == expected
    key, _, _ = real_month()
    start_ms = month_days(key.month).start * DAY_MS
    samples = Samples(times_ms=range(start_ms, start_ms + 4), values=column)
    assert len({month_blocks.encode_block(key, 1, samples, codec) for codec in CODECS}) == 1


def test_real_months_are_the_same_blocks_from_both() -> None:
    for month in ("2015-02", "2015-03"):
        key, block, samples = real_month(month=month)
        days = (1 << len(month_days(month))) - 1
        for codec in CODECS:
            assert month_blocks.encode_block(key, days, samples, codec) == block
        # A day that is put into a block that lacks it: what is not touched is taken over.
        start_ms = month_days(month).start * DAY_MS
        some = Samples(times_ms=[start_ms + 7, start_ms + 8], values=[1.5, "on"])
        merged = {month_blocks.merge_blocks(block, key, 1, some, codec) for codec in CODECS}
        assert len(merged) == 1
        assert merged != {block}


@pytest.mark.parametrize("codec", CODECS, ids=["python", "kernel"])
def test_samples_that_do_not_ascend_are_refused(codec: PythonBlockCodec | HostBlockCodec) -> None:
    key, _, _ = real_month()
    start_ms = month_days(key.month).start * DAY_MS
    for offsets in ((2, 1), (1, 1)):
        samples = Samples(times_ms=[start_ms + offset for offset in offsets], values=[1.0, 2.0])
        with pytest.raises(Defect, match=r"ascend|read back|another order"):
            month_blocks.encode_block(key, 1, samples, codec)


@pytest.mark.parametrize(
    ("lighter", "heavier"),
    [
        (b"", b"a"),
        (b"a" * 100, bytes(range(100))),
        (b"abcd" * 50, bytes(place * 7 % 251 for place in range(200))),
        (bytes(1000), bytes(999) + b"\1"),
        (bytes(range(64)) * 4, bytes(place * place % 251 for place in range(256))),
    ],
)
def test_what_repeats_weighs_less(lighter: bytes, heavier: bytes) -> None:
    assert weight(lighter) < weight(heavier)
