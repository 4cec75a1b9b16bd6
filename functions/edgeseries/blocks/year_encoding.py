"""Blocks of a year written: newly fetched days are put into one, and segments that keep their samples are
copied.

Segments are windows of the year, halved until they are small enough. So which they are follows from the
samples alone: whoever stores the same days, in whatever order and portions, makes the same bytes. Nothing
leaves `merged_year` that did not just read back as what went in, bit for bit. No more than the windows
around the new days is ever decoded, so that a year of one-minute data costs what a week of it does.
"""

import zlib
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from edgeseries.blocks.block import same_samples
from edgeseries.blocks.directory import entries_of
from edgeseries.blocks.header import SegmentEntry, StoredSegment
from edgeseries.blocks.ports.block_codec import BlockCodec
from edgeseries.blocks.segments import Cut, columns_bytes
from edgeseries.blocks.year_block import decode_segments, slices_of
from edgeseries.blocks.year_header import YearHeader, YearKey, read_year_header, write_year_header
from edgeseries.errors import BlockDamaged, Defect
from edgeseries.limits import (
    DAY_MS,
    KERNEL_SEGMENT_DAYS,
    MAX_SEGMENT_BYTES,
    MAX_SEGMENT_SAMPLES,
    WIDE_SEGMENT_SAMPLES,
    YEAR_SEGMENT_SAMPLES,
)
from edgeseries.series.days import day_of, days_in_year, month_days, runs, year_days, year_months
from edgeseries.series.samples import Samples, appended, joined, within
from edgeseries.series.timerange import TimeRange

WINDOW_DAYS: Final = 512
"""The first window: the whole year, and a power of two, so that its halves are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class YearBlock:
    """A sound block in memory: its bytes, and its header."""

    header: YearHeader
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class _Portion:
    """One segment to be: one that is copied, or samples that are written."""

    copied: SegmentEntry | None
    fresh: Samples


def merged_year(  # noqa: PLR0917 - what a block is made of
    old: YearBlock | None, key: YearKey, held: int, days: int, samples: Samples, codec: BlockCodec
) -> YearBlock | None:
    """A block with the samples of an old one on the days of it that count (`held`, bitmap), and on `days`
    with these samples in their place; None where that is no sample.

    Raises BlockDamaged when the old block cannot be read, Defect when the samples lie outside the days or
    cannot be written.
    """
    _check_samples(key, days, samples)
    covered = held | days
    entries: tuple[SegmentEntry, ...] = ()
    month_samples = [0] * len(year_months(key.year))
    fresh = samples
    copied: tuple[SegmentEntry, ...] = ()
    if old is not None:
        covered &= old.header.days | days
        entries, month_samples = old.header.segments, list(old.header.month_samples)
        changed = entries_of(entries, key.year, (old.header.days & ~held) | days)
        copied = tuple(one for one in entries if one not in changed)
        there = _decoded(old, changed, codec)
        left = _of_days(there, key.year, held & ~days)
        month_samples = _moved(month_samples, _by_month(there, key.year), -1)
        fresh = joined([left, samples])
    month_samples = _moved(month_samples, _by_month(fresh, key.year), 1)
    if not fresh and not copied:
        return None
    year = _Year(old, codec)
    start = year_days(key.year).start
    portions = list(year.portions(range(start, start + WINDOW_DAYS), copied, fresh))
    return _written(key, covered, month_samples, portions, old, codec)


class _Year:
    """Cuts a year into segments. `old` is what is copied from."""

    def __init__(self, old: YearBlock | None, codec: BlockCodec) -> None:
        self._old = old
        self._codec = codec

    def portions(self, window: range, copied: Sequence[SegmentEntry], fresh: Samples) -> Iterator[_Portion]:
        """The segments of a window of days (since 1970), from those that may stay as they are and from fresh
        samples between them.
        """
        count = sum(entry.sample_count for entry in copied) + len(fresh)
        if not count:
            return
        most = YEAR_SEGMENT_SAMPLES if len(window) <= KERNEL_SEGMENT_DAYS else WIDE_SEGMENT_SAMPLES
        if count <= most or len(window) == 1:
            if len(copied) == 1 and not fresh:
                yield _Portion(copied=copied[0], fresh=fresh)
            else:
                yield _Portion(copied=None, fresh=self._with(copied, fresh))
            return
        middle = window.start + len(window) // 2
        across = [entry for entry in copied if entry.first_day < middle <= entry.last_day]
        fresh = self._with(across, fresh)
        place = bisect_left(fresh.times_ms, middle * DAY_MS)
        low = [entry for entry in copied if entry.last_day < middle]
        high = [entry for entry in copied if entry.first_day >= middle]
        yield from self.portions(range(window.start, middle), low, fresh.part(0, place))
        yield from self.portions(range(middle, window.stop), high, fresh.part(place, len(fresh)))

    def _with(self, entries: Sequence[SegmentEntry], fresh: Samples) -> Samples:
        """Fresh samples and those of segments that cannot stay as they are."""
        if self._old is None or not entries:
            return fresh
        return joined([_decoded(self._old, entries, self._codec), fresh])


def _written(  # noqa: PLR0917 - what a block is made of
    key: YearKey,
    covered: int,
    month_samples: Sequence[int],
    portions: Sequence[_Portion],
    old: YearBlock | None,
    codec: BlockCodec,
) -> YearBlock:
    fresh = appended(one.fresh for one in portions)
    made = iter(_encoded(fresh, [len(one.fresh) for one in portions if one.copied is None], codec))
    segments = [
        next(made) if one.copied is None or old is None else _copy(old, one.copied) for one in portions
    ]
    head = write_year_header(key, covered, month_samples, segments)
    block = head + b"".join(one.data for one in segments)
    written = [one.first_day for one, portion in zip(segments, portions, strict=True) if not portion.copied]
    return YearBlock(header=_proven(block, key, covered, written, fresh, codec), data=block)


def _encoded(samples: Samples, counts: Sequence[int], codec: BlockCodec) -> list[StoredSegment]:
    """Segments of so many samples each, in order."""
    plan: list[Cut] = []
    start = 0
    for count in counts:
        if count > MAX_SEGMENT_SAMPLES:
            raise Defect(f"a day has {count} samples of one point; a block takes {MAX_SEGMENT_SAMPLES}")
        stop = start + count
        first, last = samples.times_ms[start], samples.times_ms[stop - 1]
        plan.append(Cut(first_day=day_of(first), last_day=day_of(last), start=start, stop=stop))
        start = stop
    found = []
    for cut, data in zip(plan, codec.segments(samples, plan) if plan else (), strict=True):
        if columns_bytes(data) > MAX_SEGMENT_BYTES:
            size = columns_bytes(data)
            raise Defect(f"a segment has {size} bytes of values; a block takes {MAX_SEGMENT_BYTES}")
        found.append(
            StoredSegment(
                first_day=cut.first_day, last_day=cut.last_day, sample_count=cut.stop - cut.start, data=data
            )
        )
    return found


def _copy(old: YearBlock, entry: SegmentEntry) -> StoredSegment:
    data = slices_of(old.data)(entry)
    if zlib.crc32(data) != entry.crc:
        raise BlockDamaged("a segment of the block does not fit its checksum")
    return StoredSegment(
        first_day=entry.first_day, last_day=entry.last_day, sample_count=entry.sample_count, data=data
    )


def _proven(  # noqa: PLR0917 - what a block is held against
    block: bytes, key: YearKey, covered: int, written: Sequence[int], fresh: Samples, codec: BlockCodec
) -> YearHeader:
    """The header of a new block. Raises Defect unless its fresh segments, by their first days, read back as
    what they were made of.
    """
    try:
        header = read_year_header(block, key)
        by_day = {entry.first_day: entry for entry in header.segments}
        every = (1 << len(year_days(key.year))) - 1
        there = decode_segments([by_day[day] for day in written], slices_of(block), key.year, every, codec)
    except BlockDamaged as error:
        raise Defect(f"a new block of {key} does not read back: {error.detail}") from error
    if header.days != covered or header.block_bytes != len(block) or not same_samples(there, fresh):
        raise Defect(f"a new block of {key} does not read back as what went in")
    return header


def _decoded(block: YearBlock, entries: Sequence[SegmentEntry], codec: BlockCodec) -> Samples:
    """All samples of some segments."""
    year = block.header.key.year
    return decode_segments(entries, slices_of(block.data), year, (1 << len(year_days(year))) - 1, codec)


def _of_days(samples: Samples, year: str, days: int) -> Samples:
    return appended(
        within(samples, TimeRange(start_ms=first * DAY_MS, end_ms=(last + 1) * DAY_MS))
        for first, last in runs(days_in_year(year, days))
    )


def _by_month(samples: Samples, year: str) -> list[int]:
    ends = [bisect_left(samples.times_ms, month_days(month).stop * DAY_MS) for month in year_months(year)]
    return [end - start for start, end in zip((0, *ends), ends, strict=False)]


def _moved(counts: Sequence[int], change: Sequence[int], sign: int) -> list[int]:
    return [count + sign * more for count, more in zip(counts, change, strict=True)]


def _check_samples(key: YearKey, days: int, samples: Samples) -> None:
    """Raise Defect unless the days are of the year, and the samples lie within them."""
    if days >> len(year_days(key.year)):
        raise Defect(f"{days:b} is no set of days of {key.year}")
    if len(_of_days(samples, key.year, days)) != len(samples):
        raise Defect(f"samples for a block of {key} lie outside the days it is to cover")
