"""Blocks of a year written: newly fetched days are put into one, and segments that keep their samples are
copied.

Nothing leaves `merged_year` that did not just read back as what went in, bit for bit. No more than the
segments around the new days is ever decoded, so that a year of one-minute data costs what a week of it does.
"""

import zlib
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from edgeseries.blocks.block import same_samples
from edgeseries.blocks.directory import entries_of
from edgeseries.blocks.header import SegmentEntry, StoredSegment
from edgeseries.blocks.ports.block_codec import BlockCodec
from edgeseries.blocks.segments import Cut, columns_bytes, day_places
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
from edgeseries.series.days import days_in_year, month_days, runs, year_days, year_months
from edgeseries.series.samples import NO_SAMPLES, Samples, appended, joined, within
from edgeseries.series.timerange import TimeRange


@dataclass(frozen=True, slots=True, kw_only=True)
class YearBlock:
    """A sound block in memory: its bytes, and its header."""

    header: YearHeader
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class _Group:
    """Samples that are to be written, and the segments before them that are copied."""

    copied: tuple[SegmentEntry, ...]
    samples: Samples


def year_cuts(times_ms: Sequence[int]) -> list[Cut]:
    """Ascending times cut into whole days, as many as stay within the target, first days first; no more days
    than the kernel reads, unless there are few samples.
    """
    found: list[Cut] = []
    for day, start, stop in day_places(times_ms):
        last = found[-1] if found else None
        if last and _fits(last.first_day, day, stop - last.start):
            found[-1] = Cut(first_day=last.first_day, last_day=day, start=last.start, stop=stop)
        else:
            found.append(Cut(first_day=day, last_day=day, start=start, stop=stop))
    return found


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
        changed = entries_of(entries, key.year, old.header.days & ~held | days)
        copied = tuple(one for one in entries if one not in changed)
        there = _decoded(old, changed, codec)
        left = _of_days(there, key.year, held & ~days)
        month_samples = _moved(month_samples, _by_month(there, key.year), -1)
        fresh = joined([left, samples])
    month_samples = _moved(month_samples, _by_month(fresh, key.year), 1)
    if not fresh and not copied:
        return None
    groups = _groups(copied, fresh, old, codec)
    return _written(key, covered, month_samples, groups, old, codec)


def _fits(first_day: int, last_day: int, samples: int) -> bool:
    """Whether so many samples of some days may be one segment."""
    narrow = last_day - first_day < KERNEL_SEGMENT_DAYS
    return samples <= (YEAR_SEGMENT_SAMPLES if narrow else WIDE_SEGMENT_SAMPLES)


def _groups(
    copied: Sequence[SegmentEntry], fresh: Samples, old: YearBlock | None, codec: BlockCodec
) -> Iterator[_Group]:
    """Fresh samples between the copied segments. A segment that ends where fresh samples go on, and has room
    for their first day, is written anew with them.
    """
    waiting: list[SegmentEntry] = []
    start = 0
    for following in (*copied, None):
        entry = following
        stop = len(fresh) if entry is None else bisect_left(fresh.times_ms, entry.first_day * DAY_MS, start)
        group = fresh.part(start, stop)
        if group and waiting and old is not None and _joins(waiting[-1], group):
            group = appended((_decoded(old, [waiting.pop()], codec), group))
        if group and entry is not None and old is not None and _joined_by(group, entry):
            group = appended((group, _decoded(old, [entry], codec)))
            entry = None
        if group:
            yield _Group(copied=tuple(waiting), samples=group)
            waiting = []
        if entry is not None:
            waiting.append(entry)
        start = stop
    if waiting:
        yield _Group(copied=tuple(waiting), samples=NO_SAMPLES)


def _joins(before: SegmentEntry, group: Samples) -> bool:
    """Whether the first day of a group fits into the segment before it."""
    day, _, count = next(day_places(group.times_ms))
    return _fits(before.first_day, day, before.sample_count + count)


def _joined_by(group: Samples, after: SegmentEntry) -> bool:
    """Whether the segment after a group fits into the last one that the group makes."""
    last = year_cuts(group.times_ms)[-1]
    return _fits(last.first_day, after.last_day, last.stop - last.start + after.sample_count)


def _written(  # noqa: PLR0917 - what a block is made of
    key: YearKey,
    covered: int,
    month_samples: Sequence[int],
    groups: Iterable[_Group],
    old: YearBlock | None,
    codec: BlockCodec,
) -> YearBlock:
    segments: list[StoredSegment] = []
    made: list[tuple[Samples, list[StoredSegment]]] = []
    for group in groups:
        assert old is not None or not group.copied
        segments += [_copy(old, entry) for entry in group.copied if old is not None]
        if group.samples:
            fresh = _encoded(group.samples, codec)
            made.append((group.samples, fresh))
            segments += fresh
    head = write_year_header(key, covered, month_samples, segments)
    block = head + b"".join(one.data for one in segments)
    return YearBlock(header=_proven(block, key, covered, made, codec), data=block)


def _encoded(samples: Samples, codec: BlockCodec) -> list[StoredSegment]:
    plan = year_cuts(samples.times_ms)
    for cut in plan:
        if cut.stop - cut.start > MAX_SEGMENT_SAMPLES:
            count = cut.stop - cut.start
            raise Defect(f"a day has {count} samples of one point; a block takes {MAX_SEGMENT_SAMPLES}")
    found = []
    for cut, data in zip(plan, codec.segments(samples, plan), strict=True):
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


def _proven(
    block: bytes,
    key: YearKey,
    covered: int,
    made: Sequence[tuple[Samples, list[StoredSegment]]],
    codec: BlockCodec,
) -> YearHeader:
    """The header of a new block. Raises Defect unless its fresh segments read back as what they were made
    of.
    """
    try:
        header = read_year_header(block, key)
        by_day = {entry.first_day: entry for entry in header.segments}
        sound = header.days == covered and header.block_bytes == len(block)
        for samples, segments in made:
            entries = [by_day[one.first_day] for one in segments]
            every = (1 << len(year_days(key.year))) - 1
            there = decode_segments(entries, slices_of(block), key.year, every, codec)
            sound = sound and same_samples(there, samples)
    except BlockDamaged as error:
        raise Defect(f"a new block of {key} does not read back: {error.detail}") from error
    if not sound:
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
