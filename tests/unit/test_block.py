"""Blocks by example: what they cost, what is read for one day, what is refused and how."""

import zlib
from array import array
from dataclasses import dataclass, field
from math import inf, nan

import pytest

from edgeseries.blocks import header as headers
from edgeseries.blocks.adapters.compression_cpython import PackageCompression
from edgeseries.blocks.block import decode_days, same_samples
from edgeseries.blocks.codecs import Codec
from edgeseries.blocks.floats import Scaling, decode_floats, encode_floats
from edgeseries.blocks.header import BlockKey, StoredSegment, read_header
from edgeseries.blocks.integers import Shape, encode_integers
from edgeseries.blocks.wire import Reader, uvarint
from edgeseries.errors import BlockDamaged, BlockMismatch, BlockUnsupported, Defect
from edgeseries.limits import DAY_MS, HOUR_MS, MAX_SEGMENT_BYTES, MAX_SEGMENT_SAMPLES, MINUTE_MS
from edgeseries.series.days import month_days
from edgeseries.series.samples import NO_SAMPLES, Samples
from edgeseries.series.values import Value
from tests.month_blocks import cuts, write_header
from tests.python_blocks import encode_block, merge_blocks

KEY = BlockKey(site="b1", point="AHU-1_SAT", month="2024-01")
START_MS = month_days(KEY.month).start * DAY_MS
FIRST_DAY = month_days(KEY.month).start
MONTH = (1 << 31) - 1
TENTHS = [20 + place * place % 97 / 10 for place in range(300)]


@dataclass
class Counted:
    """The host's compression, with what it was asked to do."""

    compressed: list[int] = field(default_factory=list)
    decompressed: list[int] = field(default_factory=list)

    def compress(self, data: bytes, *, quality: int) -> bytes:
        self.compressed.append(len(data))
        return PackageCompression().compress(data, quality=quality)

    def decompress(self, codec: Codec, data: bytes, *, size: int) -> bytes:
        self.decompressed.append(size)
        return PackageCompression().decompress(codec, data, size=size)


def every(step_ms: int, *, days: range, at: int = 0) -> Samples:
    """A temperature that moves by tenths, at a steady step over some days of the month (0 the 1st)."""
    times_ms = array("q", range(START_MS + days.start * DAY_MS + at, START_MS + days.stop * DAY_MS, step_ms))
    return Samples(
        times_ms=times_ms, values=[round(20 + zlib.crc32(b"%d" % t) % 97 / 10, 1) for t in times_ms]
    )


def segment_days(block: bytes) -> list[tuple[int, int]]:
    entries = read_header(block, KEY).segments
    return [(entry.first_day - FIRST_DAY, entry.last_day - FIRST_DAY) for entry in entries]


@pytest.mark.parametrize(
    ("step_ms", "expected"),
    [
        (MINUTE_MS, [(day, day) for day in range(31)]),
        (5 * MINUTE_MS, [(0, 6), (7, 13), (14, 20), (21, 30)]),
        (15 * MINUTE_MS, [(0, 30)]),
        (HOUR_MS, [(0, 30)]),
        (DAY_MS, [(0, 30)]),
    ],
)
def test_segments_hold_about_two_thousand_samples(step_ms: int, expected: list[tuple[int, int]]) -> None:
    found = cuts(every(step_ms, days=range(31)).times_ms)
    assert [(cut.first_day - FIRST_DAY, cut.last_day - FIRST_DAY) for cut in found] == expected


def test_one_day_of_one_minute_data_decodes_one_segment() -> None:
    samples = every(MINUTE_MS, days=range(31))
    block = encode_block(KEY, MONTH, samples, PackageCompression())
    counted = Counted()
    day = decode_days(block, KEY, 1 << 12, counted)
    assert list(day.times_ms) == list(samples.times_ms[12 * 1440 : 13 * 1440])
    assert len(counted.decompressed) == 1


def test_a_header_is_read_from_the_first_bytes_alone() -> None:
    block = encode_block(KEY, MONTH, every(MINUTE_MS, days=range(31)), PackageCompression())
    header = read_header(block[:600], KEY)
    assert header == read_header(block, KEY)
    assert header.header_bytes < 600 < header.block_bytes == len(block)


def test_days_without_samples_cost_nothing() -> None:
    one_day = every(MINUTE_MS, days=range(1))
    alone = encode_block(KEY, 1, one_day, PackageCompression())
    with_empty_days = encode_block(KEY, MONTH, one_day, PackageCompression())
    assert len(with_empty_days) == len(alone)
    empty = encode_block(KEY, MONTH, NO_SAMPLES, PackageCompression())
    assert len(empty) == len(KEY.site) + len(KEY.point) + 22
    assert len(decode_days(empty, KEY, MONTH, PackageCompression())) == 0
    assert read_header(empty, KEY).days == MONTH


@pytest.mark.parametrize(
    ("value", "bytes_per_sample"),
    [(21.5, 0.02), (True, 0.02), (None, 0.02), ("occupied", 0.02), (2**70, 0.02), (nan, 0.02), (-0.0, 0.02)],
)
def test_a_point_that_never_changes_costs_almost_nothing(value: Value, bytes_per_sample: float) -> None:
    times_ms = range(START_MS, START_MS + 31 * DAY_MS, 5 * MINUTE_MS)
    samples = Samples(times_ms=times_ms, values=[value] * len(times_ms))
    block = encode_block(KEY, MONTH, samples, PackageCompression())
    assert len(block) < bytes_per_sample * len(samples)


@pytest.mark.parametrize(
    ("numbers", "scaling"),
    [
        ([20.5, 21.0, 21.5], Scaling.DECIMAL),
        ([20.125, 21.0, 1e-6], Scaling.DECIMAL),
        (array("f", [66.38, 66.42, 71.06, 68.004]).tolist(), Scaling.SINGLE),
        ([place * 2.0**-36 + 3 for place in range(1, 99999, 999)], Scaling.BINARY),
        ([place * place * 2.0**-9 / 60 for place in range(1, 300)], Scaling.FIFTEENTHS),
        (
            [round(place * 997 % 5003 / (1 + place % 37) * 2**31) / 2**31 for place in range(90)],
            Scaling.RATIO,
        ),
        ([7.0**place / 3 for place in range(-20, 20)], Scaling.BITS),
        ([nan, inf, -inf, -0.0], Scaling.BITS),
        ([*TENTHS, -0.0], Scaling.DECIMAL),
        ([*TENTHS, 1 / 3, nan], Scaling.DECIMAL),
    ],
)
def test_floats_are_written_as_the_integers_they_are_multiples_of(
    numbers: list[float], scaling: Scaling
) -> None:
    assert encode_floats(numbers)[1][0] == scaling


def test_small_patterns_of_bits_are_floats_too() -> None:
    """Their column is one byte wide: once it was taken for eight floats' memory."""
    numbers = [0.0, 5e-324] * 8
    assert decode_floats(Reader(encode_floats(numbers)[1]), 16) == numbers


@pytest.mark.parametrize(
    ("numbers", "shapes"),
    [
        ([7] * 50, [Shape.CONSTANT]),
        (list(range(0, 86_400_000, 60_000)), [Shape.DELTAS, Shape.CONSTANT]),
        ([0, 1, 1, 0, 0, 1, 0, 1, 1, 1, 0, 1, 0, 0, 0, 1] * 9, [Shape.BITS]),
        ([1000, 20_000_000, 7, 9_000_000_000] * 50, [Shape.TABLE]),
    ],
)
def test_integers_are_written_in_the_shape_that_suits_them(numbers: list[int], shapes: list[Shape]) -> None:
    column = encode_integers(numbers)[1]
    assert column[0] == shapes[0]
    if len(shapes) > 1:
        assert column[1 + len(_svarint(numbers[0]))] == shapes[1]


def _svarint(number: int) -> bytes:
    return uvarint((number << 1) ^ (number >> 63))


def test_a_merge_writes_only_segments_that_change() -> None:
    whole = every(MINUTE_MS, days=range(20))
    old = encode_block(KEY, (1 << 19) - 1, every(MINUTE_MS, days=range(19)), PackageCompression())
    counted = Counted()
    merged = merge_blocks(old, KEY, 1 << 19, every(MINUTE_MS, days=range(19, 20)), counted)
    assert same_samples(decode_days(merged, KEY, MONTH, PackageCompression()), whole)
    assert len(counted.compressed) == 1


def test_a_day_fetched_again_replaces_what_was_held_of_it() -> None:
    old = encode_block(KEY, 0b111, every(HOUR_MS, days=range(3)), PackageCompression())
    gone = merge_blocks(old, KEY, 0b010, NO_SAMPLES, PackageCompression())
    assert read_header(gone, KEY).days == 0b111
    assert read_header(gone, KEY).sample_count == 48
    assert segment_days(gone) == [(0, 2)]


@pytest.mark.parametrize(
    "other",
    [
        BlockKey(site="b2", point=KEY.point, month=KEY.month),
        BlockKey(site=KEY.site, point="AHU-2_SAT", month=KEY.month),
        BlockKey(site=KEY.site, point=KEY.point, month="2024-02"),
    ],
)
def test_a_block_of_another_name_is_refused(other: BlockKey) -> None:
    block = encode_block(KEY, 1, every(HOUR_MS, days=range(1)), PackageCompression())
    with pytest.raises(BlockMismatch, match="AHU-1_SAT"):
        decode_days(block, other, 1, PackageCompression())
    with pytest.raises(BlockMismatch):
        merge_blocks(block, other, 1, NO_SAMPLES, PackageCompression())


def test_a_newer_version_is_told_apart_from_damage() -> None:
    block = bytearray(encode_block(KEY, 1, every(HOUR_MS, days=range(1)), PackageCompression()))
    block[len(headers.MAGIC)] = headers.VERSION + 1
    with pytest.raises(BlockUnsupported, match="version 2"):
        read_header(bytes(block), KEY)


def forged(segment: bytes, *, sample_count: int = 24, days: int = 1, last_day: int = FIRST_DAY) -> bytes:
    """A block under checksums that fit, around any segment."""
    entry = StoredSegment(first_day=FIRST_DAY, last_day=last_day, sample_count=sample_count, data=segment)
    return write_header(KEY, days, (entry,)) + segment


def stored(columns: bytes) -> bytes:
    return bytes((Codec.STORED,)) + uvarint(len(columns)) + columns


HOURLY = bytes((Shape.DELTAS, 0, Shape.CONSTANT)) + _svarint(HOUR_MS)
DAILY = bytes((Shape.DELTAS, 0, Shape.CONSTANT)) + _svarint(DAY_MS)
NULLS = b"\x02"


@pytest.mark.parametrize(
    ("block", "says"),
    [
        (forged(stored(HOURLY + NULLS)), None),
        (forged(stored(HOURLY + NULLS), sample_count=25), "outside its days"),
        (forged(stored(HOURLY + NULLS + b"\0")), "belong to nothing"),
        (forged(stored(HOURLY)), "too early"),
        (forged(stored(b"\0\0" + NULLS)), "out of order"),
        (forged(stored(HOURLY + b"\0")), "unknown kind"),
        (forged(stored(HOURLY + b"\x40")), "unknown kind"),
        (forged(stored(HOURLY + b"\x01\x09\0\0")), "unknown scaling"),
        (forged(stored(HOURLY + b"\x04\0\x04")), "neither true nor false"),
        (forged(stored(b"\x08" + NULLS)), "unknown shape"),
        (forged(stored(b"\4\0" * 20 + NULLS)), "too deep"),
        (forged(stored(b"\1\0\x09" + NULLS)), "impossible width"),
        (forged(stored(HOURLY + b"\x10\3\0\xff\xff\xff"), sample_count=23), "bits where no sample is"),
        (forged(stored(HOURLY + b"\x10\5" + uvarint(2**63) + b"\0\4")), "more than 64 bits"),
        (forged(stored(HOURLY + b"\x10\6\1\0\x0a\0\2")), "beyond its table"),
        (forged(stored(HOURLY + b"\x10\7\2\0\x16\0\0")), "do not add up"),
        (forged(stored(HOURLY + b"\x03\0\0")), "other kinds"),
        (forged(stored(HOURLY + b"\x08\1\0\2\xff\0\0")), "not UTF-8"),
        (forged(stored(HOURLY + b"\x08\1\0\2z\0\2")), "beyond its texts"),
        (forged(stored(HOURLY + b"\x08\1\0\1z\0\0")), "no possible length"),
        (forged(stored(HOURLY + b"\x01\1\x10\0\0\0")), "too many places"),
        (forged(stored(HOURLY + b"\x01\1\0\1\0\x30\0\0\0\0")), "does not hold"),
        (forged(stored(HOURLY + b"\x01\5\x08\0\0\x02\0\0\0\0")), "divides by nothing"),
        (forged(stored(HOURLY + b"\x01\5\x33\0\0\x02\0\x02\0\0")), "counts more"),
        (forged(stored(HOURLY + b"\x10\1\0\x08" + b"\xff" * 192)), "more than 64 bits"),
        (
            forged(stored(DAILY + NULLS), sample_count=3, days=0b101, last_day=FIRST_DAY + 2),
            "samples of days that it does not cover",
        ),
        (forged(b"\x09\0"), "codec 9"),
        (forged(b"\0" + uvarint(MAX_SEGMENT_BYTES + 1)), "counts more"),
        (forged(bytes((Codec.BROTLI,)) + uvarint(5) + b"nonsense"), "brotli"),
        (forged(bytes((Codec.STORED,)) + uvarint(5) + b"abc"), "as long as it says"),
        (forged(stored(HOURLY + NULLS), days=0b10), "does not cover"),
        (forged(stored(HOURLY + NULLS), days=0), "covers no day"),
        (forged(stored(HOURLY + NULLS), days=1 << 31), "covers no day"),
        (forged(stored(HOURLY + NULLS), days=0b11, last_day=FIRST_DAY + 1), "another day"),
        (forged(stored(HOURLY + NULLS), sample_count=0), "without samples"),
        (write_header(KEY, 1, ()) + b"\0", "as long as its header says"),
        (b"", "within its header"),
        (b'{"data": {}}', "no block"),
    ],
)
def test_what_is_wrong_with_a_block_is_said(block: bytes, says: str | None) -> None:
    if says is None:
        assert len(decode_days(block, KEY, 1, PackageCompression())) == 24
        return
    with pytest.raises(BlockDamaged, match=says):
        decode_days(block, KEY, MONTH, PackageCompression())


def test_a_small_block_cannot_ask_for_much_memory() -> None:
    bomb = PackageCompression().compress(bytes(10 * MAX_SEGMENT_BYTES), quality=5)
    with pytest.raises(BlockDamaged):
        decode_days(forged(bytes((Codec.BROTLI,)) + uvarint(100) + bomb), KEY, 1, PackageCompression())


def test_gzip_is_read() -> None:
    columns = HOURLY + NULLS
    packer = zlib.compressobj(wbits=31)
    block = forged(bytes((Codec.GZIP,)) + uvarint(len(columns)) + packer.compress(columns) + packer.flush())
    assert len(decode_days(block, KEY, 1, PackageCompression())) == 24


@pytest.mark.parametrize(
    ("days", "times_ms", "says"),
    [
        (0, [], "no set of days"),
        (1 << 31, [], "no set of days"),
        (1, [START_MS + DAY_MS], "outside the days"),
        (0b101, [START_MS + DAY_MS], "outside the days"),
        (1, [START_MS - 1], "outside the days"),
        (1, [START_MS + 1, START_MS + 1], "ascend"),
    ],
)
def test_samples_that_do_not_fit_their_days_are_refused(days: int, times_ms: list[int], says: str) -> None:
    samples = Samples(times_ms=times_ms, values=[1.0] * len(times_ms))
    with pytest.raises(Defect, match=says):
        encode_block(KEY, days, samples, PackageCompression())
    with pytest.raises(Defect, match=says):
        merge_blocks(
            encode_block(KEY, 0b1000, NO_SAMPLES, PackageCompression()),
            KEY,
            days,
            samples,
            PackageCompression(),
        )


class Lying(PackageCompression):
    """A compressor that brings something else back."""

    def __init__(self, *, right: bytes, wrong: bytes) -> None:
        self.right = right
        self.wrong = wrong

    def decompress(self, codec: Codec, data: bytes, *, size: int) -> bytes:
        return super().decompress(codec, data, size=size).replace(self.right, self.wrong)


def test_nothing_is_written_that_does_not_read_back() -> None:
    texts = Samples(
        times_ms=[START_MS + place for place in range(200)], values=["on and on and on" * 20] * 200
    )
    with pytest.raises(Defect, match="read back"):
        encode_block(KEY, 1, texts, Lying(right=b"on and", wrong=b"no and"))
    with pytest.raises(Defect, match="read back"):
        encode_block(KEY, 1, texts, Lying(right=b"on and", wrong=b""))


@pytest.mark.parametrize(
    ("one", "other"),
    [(0.0, -0.0), (1.0, 1), (1, True), (None, False), ("1", 1), (nan, None), (1.0, 1.0 + 2**-52)],
)
def test_values_that_look_alike_are_not_the_same(one: Value, other: Value) -> None:
    a, b = (Samples(times_ms=[1, 2], values=["x", value]) for value in (one, other))
    assert not same_samples(a, b)
    assert same_samples(a, a)
    assert not same_samples(a, Samples(times_ms=[1, 3], values=a.values))


def test_a_day_with_more_samples_than_any_sensor_has_is_refused() -> None:
    count = MAX_SEGMENT_SAMPLES + 1
    first_ms = month_days(KEY.month).start * DAY_MS
    crowded = Samples(times_ms=range(first_ms, first_ms + count), values=(None,) * count)
    with pytest.raises(Defect, match=f"{count} samples"):
        encode_block(KEY, 1, crowded, PackageCompression())
