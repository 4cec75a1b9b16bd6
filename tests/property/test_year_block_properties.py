"""Algebra of a year's blocks: whatever is merged, cut and merged again reads back as a dictionary of days
would."""

from array import array
from random import Random
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeseries.blocks.adapters.compression_cpython import PackageCompression
from edgeseries.blocks.block import same_samples
from edgeseries.blocks.block_columns import PythonBlockCodec
from edgeseries.blocks.directory import (
    certain_samples,
    directory_of_text,
    directory_text,
    entries_of,
    stretches,
)
from edgeseries.blocks.year_block import decode_segments, decode_year_days, whole_year_header
from edgeseries.blocks.year_encoding import YearBlock, merged_year
from edgeseries.blocks.year_header import YearKey, read_year_header
from edgeseries.errors import BlockDamaged, BlockMismatch, BlockUnsupported, Defect
from edgeseries.limits import (
    DAY_MS,
    KERNEL_SEGMENT_DAYS,
    MINUTE_MS,
    WIDE_SEGMENT_SAMPLES,
    YEAR_SEGMENT_SAMPLES,
)
from edgeseries.series.days import day_of, days_in_year, month_days, year_days, year_months
from edgeseries.series.samples import Samples
from edgeseries.series.values import Value
from tests.drawn_samples import telemetry, values
from tests.host_kernel import HostBlockCodec, HostKernel

KEY: Final = YearKey(site="Büro 7", point="AHU-1/SAT", year="2024")
YEAR: Final = year_days(KEY.year)
EVERY: Final = (1 << len(YEAR)) - 1
PYTHON: Final = PythonBlockCodec(compressor=PackageCompression())
KERNEL: Final = HostBlockCodec(HostKernel(), PackageCompression())

Day = tuple[list[int], list[Value]]


def bitmap(days: range) -> int:
    return sum(1 << (day - YEAR.start) for day in days)


runs_of_days = st.tuples(st.integers(0, 365), st.sampled_from([1, 1, 2, 7, 31, 90])).map(
    lambda pair: range(YEAR.start + pair[0], min(YEAR.start + pair[0] + pair[1], YEAR.stop))
)


@st.composite
def pieces(draw: st.DrawFn) -> tuple[int, Samples]:
    """Days, and samples of some of them: none, few, dense; of any kind."""
    days = bitmap(draw(runs_of_days)) | bitmap(draw(runs_of_days))
    seed = draw(st.integers(0, 2**32))
    random = Random(seed)  # noqa: S311 - repeatable, no secret
    most = draw(st.sampled_from([0, 1, 3, 24, 300]))
    times_ms: list[int] = []
    for day in days_in_year(KEY.year, days):
        count = random.randint(0, most)
        times_ms.extend(sorted(random.sample(range(day * DAY_MS, (day + 1) * DAY_MS), count)))
    column: list[Value] = [*telemetry(seed, len(times_ms))]
    for value in draw(st.lists(values, max_size=4)):
        if column:
            column[random.randrange(len(column))] = value
    return days, Samples(times_ms=array("q", times_ms), values=column)


steps = st.lists(st.tuples(pieces(), st.none() | runs_of_days), min_size=1, max_size=5)


def by_day(days: int, samples: Samples) -> dict[int, Day]:
    found: dict[int, Day] = {day: ([], []) for day in days_in_year(KEY.year, days)}
    for at_ms, value in zip(samples.times_ms, samples.values, strict=True):
        times, column = found[day_of(at_ms)]
        times.append(at_ms)
        column.append(value)
    return found


def samples_in(held: dict[int, Day]) -> Samples:
    times_ms = [at_ms for day in sorted(held) for at_ms in held[day][0]]
    return Samples(times_ms=times_ms, values=[value for day in sorted(held) for value in held[day][1]])


@settings(max_examples=60)
@given(steps, runs_of_days)
def test_merging_and_cutting_is_what_a_dictionary_of_days_does(
    drawn: list[tuple[tuple[int, Samples], range | None]], wanted: range
) -> None:
    block: YearBlock | None = None
    held = 0
    model: dict[int, Day] = {}
    for (days, samples), purged in drawn:
        block = merged_year(block, KEY, held, days, samples, PYTHON)
        held |= days
        model |= by_day(days, samples)
        expected = samples_in(model)
        if block is None:
            assert not len(expected)
            continue
        header = whole_year_header(block.data, KEY)
        assert header == block.header
        assert header.days == held
        assert sum(header.month_samples) == header.sample_count == len(expected)
        counts = {day: len(times) for day, (times, _) in model.items()}
        for month, count in zip(year_months(KEY.year), header.month_samples, strict=True):
            assert count == sum(counts.get(day, 0) for day in month_days(month))
        assert same_samples(decode_year_days(block.data, KEY, EVERY, KERNEL), expected)
        some = bitmap(wanted)
        part = samples_in({day: found for day, found in model.items() if day in wanted})
        assert same_samples(decode_year_days(block.data, KEY, some, PYTHON), part)
        assert certain_samples(header.segments, KEY.year, some) <= len(part)
        at_once = merged_year(None, KEY, 0, held, expected, KERNEL)
        assert at_once == block, "the same days are the same bytes, however they came and whoever writes them"
        for entry in header.segments:
            narrow = entry.last_day - entry.first_day < KERNEL_SEGMENT_DAYS
            assert narrow or entry.sample_count <= WIDE_SEGMENT_SAMPLES
        if purged is not None:
            held &= ~bitmap(purged)
            model = {day: found for day, found in model.items() if day not in purged}


@settings(max_examples=30)
@given(pieces(), st.integers(1, 100_000))
def test_a_directory_alone_leads_to_the_samples(drawn: tuple[int, Samples], most_bytes: int) -> None:
    days, samples = drawn
    block = merged_year(None, KEY, 0, days, samples, KERNEL)
    if block is None:
        return
    entries = directory_of_text(KEY.year, directory_text(KEY.year, block.header.segments))
    assert entries == block.header.segments
    found: dict[int, bytes] = {}
    for stretch in stretches(entries_of(entries, KEY.year, days), most_bytes=most_bytes):
        assert stretch.size <= most_bytes or len(stretch.entries) == 1
        fetched = block.data[stretch.offset : stretch.offset + stretch.size]
        for one in stretch.entries:
            found[one.offset] = fetched[one.offset - stretch.offset :][: one.size]
    for codec in (PYTHON, KERNEL):
        there = decode_segments(entries, lambda entry: found[entry.offset], KEY.year, days, codec)
        assert same_samples(there, samples)


@settings(max_examples=20)
@given(pieces(), pieces())
def test_python_and_the_kernel_write_the_same_bytes(
    first: tuple[int, Samples], second: tuple[int, Samples]
) -> None:
    made: list[YearBlock | None] = []
    for codec in (PYTHON, KERNEL):
        block = merged_year(None, KEY, 0, *first, codec)
        made.append(merged_year(block, KEY, first[0], *second, codec))
    assert made[0] == made[1]


@settings(max_examples=60)
@given(pieces(), st.data())
def test_damage_is_never_data(drawn: tuple[int, Samples], data: st.DataObject) -> None:
    days, samples = drawn
    block = merged_year(None, KEY, 0, days, samples, KERNEL)
    if block is None:
        return
    where = data.draw(st.integers(0, len(block.data) - 1))
    damaged = bytearray(block.data)
    damaged[where] ^= data.draw(st.integers(1, 255))
    with pytest.raises(BlockDamaged):
        decode_year_days(bytes(damaged), KEY, EVERY, PYTHON)
    with pytest.raises(BlockDamaged):
        decode_year_days(block.data[: data.draw(st.integers(0, len(block.data) - 1))], KEY, EVERY, PYTHON)


def minutes(days: range, value: float = 21.5) -> Samples:
    times_ms = range(days.start * DAY_MS, days.stop * DAY_MS, MINUTE_MS)
    return Samples(
        times_ms=array("q", times_ms), values=[value + place % 7 / 10 for place in range(len(times_ms))]
    )


class Counting:
    """A codec that counts what it reads and writes."""

    def __init__(self) -> None:
        self.read = self.written = 0

    def __getattr__(self, name: str) -> object:
        return getattr(KERNEL, name)

    def pieces(self, parts: object, some: object) -> Samples:
        found = KERNEL.pieces(parts, some)  # type: ignore[arg-type]
        self.read += len(found)
        return found

    def segments(self, samples: Samples, cuts: object) -> list[bytes]:
        self.written += len(samples)
        return KERNEL.segments(samples, cuts)  # type: ignore[arg-type]


def test_a_day_that_is_appended_to_a_year_of_minutes_decodes_and_writes_a_week_of_it_at_most() -> None:
    block = merged_year(None, KEY, 0, bitmap(YEAR[:200]), minutes(YEAR[:200]), KERNEL)
    for day in YEAR[200:215]:
        counting, before = Counting(), block
        days = range(day, day + 1)
        held = bitmap(range(YEAR.start, day))
        block = merged_year(block, KEY, held, bitmap(days), minutes(days), counting)  # type: ignore[arg-type]
        assert before is not None
        assert block is not None
        assert counting.read <= 2 * YEAR_SEGMENT_SAMPLES
        assert counting.written <= YEAR_SEGMENT_SAMPLES
        kept = [entry.crc for entry in before.header.segments[:-1]]
        assert [entry.crc for entry in block.header.segments[: len(kept)]] == kept
    assert block is not None
    assert len(block.header.segments) == -(-215 // 8)


def spans_of(times_ms: range | list[int]) -> list[tuple[int, int, int]]:
    """First day, last day and samples of the segments of a year with samples at these instants."""
    samples = Samples(times_ms=array("q", times_ms), values=array("d", [0.5] * len(times_ms)))
    block = merged_year(None, KEY, 0, EVERY, samples, KERNEL)
    assert block is not None
    return [
        (entry.first_day - YEAR.start, entry.last_day - YEAR.start, entry.sample_count)
        for entry in block.header.segments
    ]


def test_quiet_points_are_one_segment_and_dense_days_one_each() -> None:
    first_ms = YEAR.start * DAY_MS
    assert spans_of([day * DAY_MS for day in YEAR[::7]]) == [(0, 364, 53)]
    hourly = spans_of(range(first_ms, YEAR.stop * DAY_MS, 60 * MINUTE_MS))
    assert hourly == [(first, min(first + 31, 365), 24 * min(32, 366 - first)) for first in range(0, 366, 32)]
    minutes_of = spans_of(range(first_ms, first_ms + 20 * DAY_MS, MINUTE_MS))
    assert minutes_of == [(0, 7, 8 * 1440), (8, 15, 8 * 1440), (16, 19, 4 * 1440)]
    assert spans_of(range(first_ms, first_ms + 3 * DAY_MS, 5_000)) == [(day, day, 17_280) for day in range(3)]


def test_a_block_is_refused_under_another_name_and_in_another_version() -> None:
    block = merged_year(None, KEY, 0, 1, minutes(YEAR[:1]), KERNEL)
    assert block is not None
    for other in (
        YearKey(site="x", point=KEY.point, year=KEY.year),
        YearKey(site=KEY.site, point=KEY.point, year="2025"),
    ):
        with pytest.raises(BlockMismatch):
            read_year_header(block.data, other)
    for version in (1, 3):
        with pytest.raises(BlockUnsupported):
            read_year_header(block.data[:4] + bytes((version,)) + block.data[5:], KEY)


def test_samples_outside_the_days_are_a_defect() -> None:
    with pytest.raises(Defect):
        merged_year(None, KEY, 0, 2, minutes(YEAR[:1]), KERNEL)
    with pytest.raises(Defect):
        merged_year(None, KEY, 0, 1 << len(YEAR), minutes(YEAR[:0]), KERNEL)
