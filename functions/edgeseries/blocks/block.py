"""Blocks whole: write one, read some of its days, put newly fetched days into one.

Nothing leaves `encode_block` and `merge_blocks` that did not just read back as what went in, bit
for bit. Reading gives what was written or raises BlockDamaged, never something else.
"""

import zlib
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from operator import lt

from edgeseries.blocks.codecs import Compressor
from edgeseries.blocks.header import (
    BlockHeader,
    BlockKey,
    SegmentEntry,
    StoredSegment,
    read_header,
    write_header,
)
from edgeseries.blocks.segments import Cut, cuts, decode_segment, encode_segment
from edgeseries.errors import BlockDamaged, Defect
from edgeseries.limits import DAY_MS
from edgeseries.series.days import day_of, days_in, month_days, runs
from edgeseries.series.samples import Samples, appended


def encode_block(key: BlockKey, days: int, samples: Samples, compressor: Compressor) -> bytes:
    """A block that covers `days` (bitmap, at least one; bit 0 is the 1st) with these samples.

    The samples ascend and lie within the days; days without any are covered and empty. Raises
    Defect when that is not so, or when the block does not read back as the samples.
    """
    return _encode(key, days, samples, compressor, kept={})


def merge_blocks(
    old: bytes | None, key: BlockKey, days: int, samples: Samples, compressor: Compressor
) -> bytes:
    """The old block with `days` replaced by these samples; a new block where there is no old one.

    Segments that hold none of the days, and stay the same, are taken over as they are. Raises
    BlockDamaged when the old block cannot be read.
    """
    if old is None:
        return encode_block(key, days, samples, compressor)
    header = _whole_header(old, key)
    before = decode_days(old, key, header.days & ~days, compressor)
    _check_samples(key, days, samples)
    parts: list[Samples] = []
    fresh = set(days_in(key.month, days))
    for day in days_in(key.month, header.days | days):
        parts.extend(_of_days(samples if day in fresh else before, [day]))
    kept = {
        (entry.first_day, entry.last_day): _segment_bytes(old, entry)
        for entry in header.segments
        if fresh.isdisjoint(range(entry.first_day, entry.last_day + 1))
    }
    return _encode(key, header.days | days, appended(parts), compressor, kept=kept)


def decode_days(data: bytes, key: BlockKey, days: int, compressor: Compressor) -> Samples:
    """The samples of the days (bitmap) that the block covers; only their segments are decoded.

    Raises BlockDamaged, also when only a part that is not asked for is missing; BlockMismatch when
    the block is not the key's.
    """
    header = _whole_header(data, key)
    wanted = set(days_in(key.month, days & header.days))
    parts: list[Samples] = []
    for entry in header.segments:
        here = wanted.intersection(range(entry.first_day, entry.last_day + 1))
        if here:
            parts.extend(_of_days(_decode_entry(data, entry, header, compressor), here))
    return appended(parts)


def certain_count(data: bytes, key: BlockKey, days: int) -> int:
    """How many samples the block certainly has on some days (bitmap), by its header: of segments that
    reach into other days it is not known before they are decoded. Raises BlockDamaged.
    """
    header = _whole_header(data, key)
    wanted = set(days_in(key.month, days))
    return sum(
        entry.sample_count
        for entry in header.segments
        if wanted.issuperset(range(entry.first_day, entry.last_day + 1))
    )


def _encode(
    key: BlockKey,
    days: int,
    samples: Samples,
    compressor: Compressor,
    *,
    kept: Mapping[tuple[int, int], bytes],
) -> bytes:
    """A block from samples; `kept` are segments that hold what is in `samples` already, by their days."""
    _check_samples(key, days, samples)
    plan = cuts(samples.times_ms)
    segments = []
    for cut in plan:
        data = kept.get((cut.first_day, cut.last_day))
        if data is None:
            data = encode_segment(samples.part(cut.start, cut.stop), cut.first_day, compressor)
        segments.append(
            StoredSegment(
                first_day=cut.first_day,
                last_day=cut.last_day,
                sample_count=cut.stop - cut.start,
                data=data,
            )
        )
    block = write_header(key, days, tuple(segments)) + b"".join(one.data for one in segments)
    _prove(block, key, days, samples, plan=plan, compressor=compressor)
    return block


def _prove(
    block: bytes, key: BlockKey, days: int, samples: Samples, *, plan: Sequence[Cut], compressor: Compressor
) -> None:
    """Raise Defect unless the block reads back as what it was made from."""
    try:
        header = _whole_header(block, key)
        entries = [(entry.first_day, entry.last_day, entry.sample_count) for entry in header.segments]
        sound = header.days == days and entries == [
            (cut.first_day, cut.last_day, cut.stop - cut.start) for cut in plan
        ]
        for cut, entry in zip(plan, header.segments, strict=True):
            back = _decode_entry(block, entry, header, compressor)
            sound = sound and same_samples(back, samples.part(cut.start, cut.stop))
    except BlockDamaged as error:
        raise Defect(f"a new block of {key} does not read back: {error.detail}") from error
    if not sound:
        raise Defect(f"a new block of {key} does not read back as what went in")


def same_samples(one: Samples, other: Samples) -> bool:
    """Whether two are equal in every bit: instants, kinds, signs of zero, payloads of NaN."""
    return one == other


def _check_samples(key: BlockKey, days: int, samples: Samples) -> None:
    """Raise Defect unless the days are of the month, and the samples ascend and lie within them."""
    of_month = month_days(key.month)
    if not 0 < days < 1 << len(of_month):
        raise Defect(f"{days:b} is no set of days of {key.month}")
    times_ms = samples.times_ms
    if not all(map(lt, times_ms, times_ms[1:])):
        raise Defect(f"samples for a block of {key} do not ascend")
    inside = sum(
        bisect_left(times_ms, (last + 1) * DAY_MS) - bisect_left(times_ms, first * DAY_MS)
        for first, last in runs(days_in(key.month, days))
    )
    if inside != len(samples):
        raise Defect(f"samples for a block of {key} lie outside the days it is to cover")


def _whole_header(data: bytes, key: BlockKey) -> BlockHeader:
    header = read_header(data, key)
    if header.block_bytes != len(data):
        raise BlockDamaged("the block is not as long as its header says")
    return header


def _segment_bytes(data: bytes, entry: SegmentEntry) -> bytes:
    stored = data[entry.offset : entry.offset + entry.size]
    if zlib.crc32(stored) != entry.crc:
        raise BlockDamaged("a segment of the block does not fit its checksum")
    return stored


def _decode_entry(data: bytes, entry: SegmentEntry, header: BlockHeader, compressor: Compressor) -> Samples:
    """One segment's samples, of covered days only."""
    samples = decode_segment(
        _segment_bytes(data, entry),
        compressor,
        first_day=entry.first_day,
        last_day=entry.last_day,
        sample_count=entry.sample_count,
    )
    covered = set(days_in(header.key.month, header.days))
    inside = _of_days(samples, covered.intersection(range(entry.first_day, entry.last_day + 1)))
    if sum(map(len, inside)) != len(samples):
        raise BlockDamaged("the block holds samples of days that it does not cover")
    if (day_of(samples.times_ms[0]), day_of(samples.times_ms[-1])) != (entry.first_day, entry.last_day):
        raise BlockDamaged("a segment of the block starts or ends on another day than it says")
    return samples


def _of_days(samples: Samples, days: Iterable[int]) -> list[Samples]:
    """The samples of some days (since 1970), in a part for each run of days."""
    times_ms = samples.times_ms
    return [
        samples.part(bisect_left(times_ms, first * DAY_MS), bisect_left(times_ms, (last + 1) * DAY_MS))
        for first, last in runs(days)
    ]
