"""Algebra of blocks: what goes in comes out, days are independent, damage is never data."""

from array import array
from collections.abc import Sequence
from itertools import accumulate, pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeseries.blocks.adapters.compression_cpython import PackageCompression
from edgeseries.blocks.block import decode_days, same_samples
from edgeseries.blocks.floats import decode_floats, encode_floats
from edgeseries.blocks.header import BlockKey, read_header
from edgeseries.blocks.integers import decode_integers, encode_integers
from edgeseries.blocks.segments import decode_segment
from edgeseries.blocks.values import decode_values, encode_values
from edgeseries.blocks.wire import Reader, uvarint
from edgeseries.errors import BlockDamaged
from edgeseries.limits import DAY_MS
from edgeseries.series.days import day_of, days_in, month_days
from edgeseries.series.samples import Samples
from edgeseries.series.values import Value
from tests.drawn_samples import added_steps, columns, int64s, steps, telemetry, values
from tests.month_blocks import SEGMENT_TAIL_SAMPLES, SEGMENT_TARGET_SAMPLES, cuts
from tests.python_blocks import encode_block, merge_blocks

KEY = BlockKey(site="Büro 7", point="AHU-1/SAT", month="2024-02")
MONTH = month_days(KEY.month)
COMPRESSION = PackageCompression()


def alike(one: Sequence[Value], other: Sequence[Value]) -> bool:
    times_ms = range(len(one))
    return len(one) == len(other) and same_samples(
        Samples(times_ms=times_ms, values=one), Samples(times_ms=times_ms, values=other)
    )


@st.composite
def samples_of(draw: st.DrawFn, days: int) -> Samples:
    """Samples of some of these days (bitmap): few or dense, regular or not, of any kind."""
    seed = draw(st.integers(0, 2**32))
    random = Random(seed)  # noqa: S311 - repeatable, no secret
    times_ms: list[int] = []
    for day in days_in(KEY.month, days):
        count = random.choice([0, 1, 2, 24, 96, 288, 288, random.randint(0, 700)])
        if random.random() < 0.5 and count:
            times_ms.extend(range(day * DAY_MS, (day + 1) * DAY_MS, DAY_MS // count))
        else:
            times_ms.extend(sorted(random.sample(range(day * DAY_MS, (day + 1) * DAY_MS), count)))
    column: list[Value] = [*telemetry(seed, len(times_ms))]
    for value in draw(st.lists(values, max_size=8)):
        if column:
            column[random.randrange(len(column))] = value
    return Samples(times_ms=array("q", times_ms), values=column)


bitmaps = st.integers(1, (1 << len(MONTH)) - 1)


@st.composite
def stored(draw: st.DrawFn) -> tuple[int, Samples]:
    days = draw(bitmaps)
    return days, draw(samples_of(days))


def only_days(samples: Samples, days: int) -> Samples:
    wanted = set(days_in(KEY.month, days))
    keep = [place for place, at_ms in enumerate(samples.times_ms) if day_of(at_ms) in wanted]
    return Samples(
        times_ms=[samples.times_ms[place] for place in keep], values=[samples.values[place] for place in keep]
    )


@settings(max_examples=200)
@given(
    st.one_of(
        st.lists(int64s),
        st.lists(st.integers(-3, 3)),
        st.lists(st.integers(0, 10**6).map(lambda number: number * 60)),
        steps,
        added_steps,
        added_steps.map(lambda found: list(accumulate(found))),
    )
)
def test_integers_come_back(numbers: list[int]) -> None:
    reader = Reader(encode_integers(numbers)[1])
    assert list(decode_integers(reader, len(numbers))) == numbers
    reader.end()


@given(st.integers(0, 2**32), st.integers(1, 400))
def test_sensor_columns_come_back(seed: int, count: int) -> None:
    numbers = telemetry(seed, count)
    reader = Reader(encode_floats(numbers)[1])
    assert alike(decode_floats(reader, count), numbers)
    reader.end()


@settings(max_examples=300)
@given(columns)
def test_values_of_any_kind_come_back_bit_for_bit(column: list[Value]) -> None:
    reader = Reader(encode_values(column))
    assert alike(decode_values(reader, len(column)), column)
    reader.end()


@settings(max_examples=60)
@given(stored(), bitmaps)
def test_some_days_of_a_block_are_the_whole_filtered(block: tuple[int, Samples], asked: int) -> None:
    days, samples = block
    encoded = encode_block(KEY, days, samples, COMPRESSION)
    assert same_samples(decode_days(encoded, KEY, days, COMPRESSION), samples)
    assert same_samples(decode_days(encoded, KEY, asked, COMPRESSION), only_days(samples, asked))
    header = read_header(encoded, KEY)
    assert (header.days, header.sample_count, header.block_bytes) == (days, len(samples), len(encoded))


@settings(max_examples=40)
@given(stored(), stored())
def test_a_merge_takes_new_days_and_leaves_the_others(
    old: tuple[int, Samples], new: tuple[int, Samples]
) -> None:
    before = encode_block(KEY, *old, COMPRESSION)
    merged = merge_blocks(before, KEY, *new, COMPRESSION)
    both = old[0] | new[0]
    assert read_header(merged, KEY).days == both
    back = decode_days(merged, KEY, both, COMPRESSION)
    assert same_samples(only_days(back, new[0]), new[1])
    assert same_samples(only_days(back, ~new[0]), only_days(old[1], ~new[0]))
    # Doing it twice changes nothing, and how a block came about does not show in its bytes.
    assert merge_blocks(merged, KEY, *new, COMPRESSION) == merged
    assert encode_block(KEY, both, back, COMPRESSION) == merged


@settings(max_examples=30)
@given(stored(), st.lists(bitmaps, min_size=1, max_size=3), st.randoms(use_true_random=False))
def test_disjoint_days_may_come_in_any_order(
    whole: tuple[int, Samples], masks: list[int], random: Random
) -> None:
    days, samples = whole
    parts, rest = [], days
    for mask in masks:
        parts.append(rest & mask)
        rest &= ~mask
    parts = [part for part in (*parts, rest) if part]
    random.shuffle(parts)
    block: bytes | None = None
    for part in parts:
        block = merge_blocks(block, KEY, part, only_days(samples, part), COMPRESSION)
    assert block == encode_block(KEY, days, samples, COMPRESSION)


@given(st.lists(st.integers(0, 29 * DAY_MS - 1), unique=True, max_size=400), st.integers(0, 2500))
def test_cuts_hold_every_sample_once_in_whole_days(offsets: list[int], dense: int) -> None:
    start_ms = MONTH.start * DAY_MS
    times_ms = sorted({start_ms + offset for offset in (*offsets, *range(dense))})
    found = cuts(times_ms)
    assert [place for cut in found for place in range(cut.start, cut.stop)] == list(range(len(times_ms)))
    assert all(one.last_day < after.first_day for one, after in pairwise(found))
    for cut in found:
        assert (day_of(times_ms[cut.start]), day_of(times_ms[cut.stop - 1])) == (cut.first_day, cut.last_day)
        many_days = cut.first_day != cut.last_day
        assert not many_days or cut.stop - cut.start <= SEGMENT_TARGET_SAMPLES + SEGMENT_TAIL_SAMPLES


@settings(max_examples=15)
@given(stored(), st.randoms(use_true_random=False))
def test_no_changed_byte_goes_unseen(block: tuple[int, Samples], random: Random) -> None:
    encoded = encode_block(KEY, *block, COMPRESSION)
    header_bytes = read_header(encoded, KEY).header_bytes
    behind = random.sample(range(header_bytes, len(encoded)), min(60, len(encoded) - header_bytes))
    for place in (*range(header_bytes), *behind):
        changed = bytearray(encoded)
        changed[place] ^= random.randint(1, 255)
        with pytest.raises(BlockDamaged):
            decode_days(bytes(changed), KEY, block[0], COMPRESSION)
    for size in {*range(min(len(encoded), 40)), *(random.randrange(len(encoded)) for _ in range(40))}:
        with pytest.raises(BlockDamaged):
            decode_days(encoded[:size], KEY, block[0], COMPRESSION)
    with pytest.raises(BlockDamaged):
        decode_days(encoded + b"\0", KEY, block[0], COMPRESSION)


@given(st.binary(max_size=200))
def test_random_bytes_are_no_block(data: bytes) -> None:
    with pytest.raises(BlockDamaged):
        decode_days(data, KEY, 1, COMPRESSION)


def decodes_or_refuses(columns: bytes, count: int) -> None:
    """Columns under a checksum that fits them: samples in order and in place, or BlockDamaged."""
    stored_columns = b"\0" + uvarint(len(columns)) + columns
    first, last = MONTH.start, MONTH.stop - 1
    try:
        samples = decode_segment(
            stored_columns, COMPRESSION, first_day=first, last_day=last, sample_count=count
        )
    except BlockDamaged:
        return
    assert len(samples) == count
    assert all(a < b for a, b in pairwise(samples.times_ms))
    assert all(isinstance(value, float | int | str | None) for value in samples.values)


@settings(max_examples=300)
@given(st.binary(max_size=120), st.integers(1, 20))
def test_random_columns_give_samples_or_one_error(columns: bytes, count: int) -> None:
    decodes_or_refuses(columns, count)


@settings(max_examples=300)
@given(
    columns,
    st.integers(0, 10**6),
    st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), min_size=1, max_size=4),
)
def test_forged_columns_give_samples_or_one_error(
    column: list[Value], step: int, changes: list[tuple[int, int]]
) -> None:
    times = encode_integers(list(range(0, len(column) * (step + 1), step + 1)))[1]
    forged = bytearray(times + encode_values(column))
    for place, byte in changes:
        forged[place % len(forged)] = byte
    decodes_or_refuses(bytes(forged), len(column))
