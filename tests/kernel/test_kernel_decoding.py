"""The kernel reads what the Python coding reads, bit for bit, and refuses what it refuses, in the same words.

Python is the specification. Samples are drawn as `tests/property/test_block_properties.py` draws them.
"""

from functools import cache
from itertools import accumulate
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeseries.blocks.adapters.compression_cpython import PackageCompression
from edgeseries.blocks.block import decode_days, same_samples
from edgeseries.blocks.block_columns import PythonBlockCodec
from edgeseries.blocks.header import BlockKey
from edgeseries.blocks.integers import MAX_DEPTH, encode_integers
from edgeseries.blocks.kernel_faults import error_of
from edgeseries.blocks.segments import decode_segment
from edgeseries.blocks.values import encode_values
from edgeseries.blocks.wire import uvarint
from edgeseries.errors import BlockDamaged, BlockMismatch, BlockUnsupported
from edgeseries.limits import DAY_MS
from edgeseries.series.days import month_days
from edgeseries.series.image import image_of, samples_from
from edgeseries.series.samples import Samples
from edgeseries.series.values import Value
from tests.drawn_samples import columns, real_bytes, steps, telemetry, values
from tests.host_kernel import DAMAGED_FROM, MISUSE, NO_ROOM, HostBlockCodec, HostKernel, KernelFault, Session
from tests.month_blocks import encode_block
from tests.sensor_columns import real_month

KERNEL = HostKernel()
COMPRESSION = PackageCompression()
PYTHON = PythonBlockCodec(compressor=COMPRESSION)
CODEC = HostBlockCodec(KERNEL, COMPRESSION)
GOLDEN_DIR = Path(__file__).resolve().parents[1] / "golden"
GOLDEN_KEY = BlockKey(site="site", point="Zone 1 · temp", month="2024-02")
DAMAGED_SEED = 5
DAMAGED_COUNT = 6000


def times_of(found: list[int], count: int) -> list[int]:
    """Ascending times from steps, all within a month, the first on its first day."""
    return [0, *accumulate(abs(found[place % len(found)]) * 700 + 1 for place in range(count - 1))]


def segment_of(times_ms: list[int], column: list[Value]) -> bytes:
    return encode_integers(times_ms)[1] + encode_values(column)


@settings(max_examples=400)
@given(columns, steps)
def test_columns_of_any_kind_and_shape_are_read_and_written_as_python_does(
    column: list[Value], found: list[int]
) -> None:
    times_ms = times_of(found, len(column))
    written = segment_of(times_ms, column)
    days = times_ms[-1] // DAY_MS + 1
    session = Session(KERNEL).decode(written, len(column), days=days).settle()
    assert session.image() == image_of(Samples(times_ms=times_ms, values=column))
    assert session.segment() == written


@settings(max_examples=100)
@given(st.integers(0, 2**32), st.integers(1, 400))
def test_sensor_columns_are_read_and_written_as_python_does(seed: int, count: int) -> None:
    times_ms = list(range(0, count * 60_000, 60_000))
    column: list[Value] = [*telemetry(seed, count)]
    written = segment_of(times_ms, column)
    session = Session(KERNEL).decode(written, count).settle()
    assert session.image() == image_of(Samples(times_ms=times_ms, values=column))
    assert session.segment() == written


@pytest.mark.parametrize("path", sorted(GOLDEN_DIR.glob("block.*.hex")), ids=lambda path: path.name)
def test_blocks_that_were_written_once_are_read(path: Path) -> None:
    block = bytes.fromhex(path.read_text(encoding="utf-8"))
    every = (1 << len(month_days(GOLDEN_KEY.month))) - 1
    for days in (every, 1, 0b1000, every & ~1):
        expected = PYTHON.decode(block, GOLDEN_KEY, days)
        assert image_of(CODEC.decode(block, GOLDEN_KEY, days)) == image_of(expected)


@settings(max_examples=60)
@given(st.integers(1, 2**31 - 1), st.integers(0, 2**32), st.lists(values, max_size=6))
def test_some_days_of_a_real_block_are_those_that_python_reads(
    days: int, seed: int, others: list[Value]
) -> None:
    key, block, samples = real_month()
    if others:
        random = Random(seed)  # noqa: S311 - repeatable, no secret
        changed = list(samples.values[:4000])
        for value in others:
            changed[random.randrange(len(changed))] = value
        part = Samples(times_ms=samples.times_ms[:4000], values=changed)
        block = encode_block(key, (1 << 31) - 1, part, CODEC)
    found = CODEC.decode(block, key, days)
    assert image_of(found) == image_of(PYTHON.decode(block, key, days))
    assert same_samples(found, decode_days(block, key, days, COMPRESSION))


def test_a_block_is_held_against_its_checksums_days_and_name() -> None:
    key, block, _ = real_month()
    broken = bytearray(block)
    broken[-1] ^= 1
    with pytest.raises(BlockDamaged, match="checksum"):
        CODEC.decode(bytes(broken), key, -1)
    with pytest.raises(BlockDamaged, match="not as long"):
        CODEC.decode(block + b"\0", key, -1)
    with pytest.raises(BlockMismatch):
        CODEC.decode(block, BlockKey(site="x", point=key.point, month=key.month), 1)
    with pytest.raises(BlockUnsupported):
        CODEC.decode(block[:4] + b"\2" + block[5:], key, 1)


DAYS = [
    ({"days": 2, "covered": 0b11}, None),
    ({"days": 3}, "a segment of the block starts or ends on another day than it says"),
    ({"days": 1}, "the block holds samples outside its days or out of order"),
    ({"days": 2, "covered": 0b01}, "the block holds samples of days that it does not cover"),
    ({"days": 2, "covered": 0b10}, "the block holds samples of days that it does not cover"),
]


@pytest.mark.parametrize(("told", "sentence"), DAYS)
def test_samples_lie_in_the_days_that_the_entry_says(told: dict[str, int], sentence: str | None) -> None:
    written = segment_of([0, DAY_MS - 1, DAY_MS, 2 * DAY_MS - 1], [1.0, 2.0, 3.0, 4.0])
    if sentence is None:
        assert Session(KERNEL).decode(written, 4, **told).settle().count == 4
        return
    with pytest.raises(KernelFault) as fault:
        Session(KERNEL).decode(written, 4, **told)
    assert str(error_of(fault.value.number)) == sentence


@cache
def drawn_segment(seed: int) -> tuple[bytes, int]:
    """A segment's columns, and how many samples are in them."""
    drawn = Random(seed)  # noqa: S311 - repeatable, no secret
    count = drawn.randint(1, 30)
    pools: list[list[Value]] = [
        [*telemetry(seed, count)],
        ["a", "on", "off", None, True],
        [1.5, 0.1, -0.0, 2**70, -(2**63), 5, "x", "é", None, False],
    ]
    pool = drawn.choice(pools)
    column = pool if pool is pools[0] else [drawn.choice(pool) for _ in range(count)]
    step_ms = drawn.randint(1, 5000)
    return segment_of(list(range(0, count * step_ms, step_ms)), column), count


def damaged(random: Random, step: int) -> tuple[bytes, int]:
    """Samples that may be none, and how many samples they are said to hold."""
    if step % 4 == 0:
        return real_bytes(random, random.randint(1, 60), small=step % 8 == 0), random.randint(1, 20)
    whole, count = drawn_segment(step // 50)
    found = bytearray(whole)
    for _ in range(random.randint(1, 3)):
        found[random.randrange(len(found))] = random.choice([*range(8), 128, 255, random.randrange(256)])
    if random.random() < 0.2:
        del found[random.randrange(len(found)) :]
    return bytes(found), count


def python_reads(found: bytes, count: int) -> Samples | str:
    """The samples, or the sentence of the refusal."""
    stored = b"\0" + uvarint(len(found)) + found
    try:
        return decode_segment(stored, COMPRESSION, first_day=0, last_day=0, sample_count=count)
    except BlockDamaged as error:
        return error.detail


def kernel_reads(found: bytes, count: int) -> Samples | str:
    """The same by the kernel. Only a fault that says the bytes are damaged is a refusal."""
    try:
        return samples_from(Session(KERNEL).decode(found, count).settle().image())
    except KernelFault as fault:
        if fault.number < DAMAGED_FROM:
            raise
        return str(error_of(fault.number))


def test_damaged_columns_are_refused_with_python_s_sentence_or_give_python_s_samples() -> None:
    random = Random(DAMAGED_SEED)  # noqa: S311 - repeatable, no secret
    sentences, sound = set(), 0
    for step in range(DAMAGED_COUNT):
        found, count = damaged(random, step)
        expected, given = python_reads(found, count), kernel_reads(found, count)
        if isinstance(expected, str) or isinstance(given, str):
            assert given == expected, found.hex()
            sentences.add(expected)
        else:
            # A damaged integer may have more bytes than it needs: it is the same number.
            assert given.times_ms == expected.times_ms, found.hex()
            assert list(map(repr, given.values)) == list(map(repr, expected.values)), found.hex()
            sound += 1
    assert sound > DAMAGED_COUNT // 12
    assert len(sentences) >= 18, sentences


def nested(depth: int) -> bytes:
    """A column of one number in so many shapes."""
    return bytes((5, 1)) * (depth - 1) + bytes((0, 0))


def test_shapes_nest_as_deep_as_in_python() -> None:
    values_of_one = bytes((2,))
    assert Session(KERNEL).decode(nested(MAX_DEPTH) + values_of_one, 1).settle().count == 1
    with pytest.raises(KernelFault) as fault:
        Session(KERNEL).decode(nested(MAX_DEPTH + 1) + values_of_one, 1)
    assert str(error_of(fault.value.number)) == "the block nests too deep"


def test_a_count_that_no_memory_holds_is_refused_before_anything_is_read() -> None:
    kernel = HostKernel()
    for samples in (5_000_000, 2**31, 2**32 - 1):
        with pytest.raises(KernelFault) as fault:
            Session(kernel).decode(b"\0\0\1\0\0\0", samples)
        assert fault.value.number == NO_ROOM
    for size in (2**31, 2**32 - 1):
        assert kernel.call("reserve", 0, size) == 0
    assert kernel.memory_bytes <= 64 * 1024 * 1024
    assert Session(kernel).decode(b"\0\0\1\0\0\0", 1).settle().count == 1


def test_the_largest_segment_that_a_block_may_hold_is_read() -> None:
    count = 864_000
    written = encode_integers(range(0, DAY_MS, 100))[1] + bytes((1, 1, 1, 0)) + bytes((4, 0, 0, 2))
    assert Session(KERNEL).decode(written, count).settle().count == count


def test_calls_in_another_order_are_refused() -> None:
    calls: dict[str, tuple[int, ...]] = {
        "decode": (0, 1, 1, 1),
        "save": (),
        "write": (0, 0, 0),
        "encode": (0, 0, 0),
        "load": (),
    }
    for name, told in calls.items():
        Session(KERNEL)
        assert KERNEL.call(name, *told) == MISUSE, name
    assert KERNEL.call("surrogates", 0, 1) == 2
    Session(KERNEL).settle()
    assert KERNEL.call("write", 0, 0, 1) == MISUSE
    assert KERNEL.call("write", 8, 0, 0) == MISUSE
