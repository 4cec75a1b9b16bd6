"""Blocks read: some of their days, in Python.

Reading gives what was written or raises BlockDamaged, never something else.
"""

import zlib
from bisect import bisect_left
from collections.abc import Iterable

from edgeseries.blocks.codecs import Compressor
from edgeseries.blocks.header import (
    BlockHeader,
    BlockKey,
    SegmentEntry,
    read_header,
)
from edgeseries.blocks.segment_pieces import SegmentPiece
from edgeseries.blocks.segments import decode_segment
from edgeseries.errors import BlockDamaged
from edgeseries.limits import DAY_MS
from edgeseries.series.days import day_of, days_in, runs
from edgeseries.series.samples import Samples, appended


def decode_days(data: bytes, key: BlockKey, days: int, compressor: Compressor) -> Samples:
    """The samples of the days (bitmap) that the block covers; only their segments are decoded.

    Raises BlockDamaged, also when only a part that is not asked for is missing; BlockMismatch when
    the block is not the key's.
    """
    header = whole_header(data, key)
    wanted = set(days_in(key.month, days & header.days))
    parts: list[Samples] = []
    for entry in header.segments:
        here = wanted.intersection(range(entry.first_day, entry.last_day + 1))
        if here:
            parts.extend(of_days(_decode_entry(data, entry, header, compressor), here))
    return appended(parts)


def certain_count(data: bytes, key: BlockKey, days: int) -> int:
    """How many samples the block certainly has on some days (bitmap), by its header: of segments that
    reach into other days it is not known before they are decoded. Raises BlockDamaged.
    """
    header = whole_header(data, key)
    wanted = set(days_in(key.month, days))
    return sum(
        entry.sample_count
        for entry in header.segments
        if wanted.issuperset(range(entry.first_day, entry.last_day + 1))
    )


def same_samples(one: Samples, other: Samples) -> bool:
    """Whether two are equal in every bit: instants, kinds, signs of zero, payloads of NaN."""
    return one == other


def whole_header(data: bytes, key: BlockKey) -> BlockHeader:
    """The header of a whole block. Raises what `read_header` raises, and BlockDamaged for another length."""
    header = read_header(data, key)
    if header.block_bytes != len(data):
        raise BlockDamaged("the block is not as long as its header says")
    return header


def segment_bytes(data: bytes, entry: SegmentEntry) -> bytes:
    """A segment as it is stored. Raises BlockDamaged when it does not fit its checksum."""
    stored = data[entry.offset : entry.offset + entry.size]
    if zlib.crc32(stored) != entry.crc:
        raise BlockDamaged("a segment of the block does not fit its checksum")
    return stored


def decode_piece(data: bytes, piece: SegmentPiece, compressor: Compressor) -> list[Samples]:
    """The samples of a segment's wanted days, in parts that ascend. Raises BlockDamaged."""
    stored = data[piece.at : piece.at + piece.size]
    if len(stored) != piece.size or zlib.crc32(stored) != piece.crc:
        raise BlockDamaged("a segment of the block does not fit its checksum")
    first = day_of(piece.origin_ms)
    last = first + piece.days - 1
    samples = decode_segment(stored, compressor, first_day=first, last_day=last, sample_count=piece.samples)
    if (day_of(samples.times_ms[0]), day_of(samples.times_ms[-1])) != (first, last):
        raise BlockDamaged("a segment of the block starts or ends on another day than it says")
    covered = of_days(samples, (first + place for place in range(piece.days) if piece.covered >> place & 1))
    if sum(map(len, covered)) != len(samples):
        raise BlockDamaged("the block holds samples of days that it does not cover")
    if piece.wanted == (1 << piece.days) - 1:
        return [samples]
    return of_days(samples, (first + place for place in range(piece.days) if piece.wanted >> place & 1))


def _decode_entry(data: bytes, entry: SegmentEntry, header: BlockHeader, compressor: Compressor) -> Samples:
    """One segment's samples, of covered days only."""
    samples = decode_segment(
        segment_bytes(data, entry),
        compressor,
        first_day=entry.first_day,
        last_day=entry.last_day,
        sample_count=entry.sample_count,
    )
    covered = set(days_in(header.key.month, header.days))
    inside = of_days(samples, covered.intersection(range(entry.first_day, entry.last_day + 1)))
    if sum(map(len, inside)) != len(samples):
        raise BlockDamaged("the block holds samples of days that it does not cover")
    if (day_of(samples.times_ms[0]), day_of(samples.times_ms[-1])) != (entry.first_day, entry.last_day):
        raise BlockDamaged("a segment of the block starts or ends on another day than it says")
    return samples


def of_days(samples: Samples, days: Iterable[int]) -> list[Samples]:
    """The samples of some days (since 1970), in a part for each run of days."""
    times_ms = samples.times_ms
    return [
        samples.part(bisect_left(times_ms, first * DAY_MS), bisect_left(times_ms, (last + 1) * DAY_MS))
        for first, last in runs(days)
    ]
