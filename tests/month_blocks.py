"""Blocks of months (version 1) written, as Workers of before version 2 wrote them.

Stored blocks of theirs are read for ever; nobody but the tests writes any. Nothing leaves `encode_block`
and `merge_blocks` that did not just read back as what went in, bit for bit.
"""

import struct
import zlib
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from edgeseries.blocks.block import of_days, same_samples, segment_bytes, whole_header
from edgeseries.blocks.header import MAGIC, VERSION, BlockKey, StoredSegment, name_bytes
from edgeseries.blocks.ports.block_codec import BlockCodec
from edgeseries.blocks.segments import Cut, columns_bytes, day_places
from edgeseries.blocks.wire import uvarint
from edgeseries.errors import BlockDamaged, Defect
from edgeseries.limits import DAY_MS, MAX_SEGMENT_BYTES, MAX_SEGMENT_SAMPLES
from edgeseries.series.days import days_in, month_days, runs
from edgeseries.series.samples import Samples, appended

_PREFIX: Final = struct.Struct("<4sBH")
_FIXED: Final = struct.Struct("<HIB")
_ENTRY: Final = struct.Struct("<BBI")
_CRC: Final = struct.Struct("<I")
_LENGTH: Final = struct.Struct("<H")

SEGMENT_TARGET_SAMPLES: Final = 2_100
SEGMENT_TAIL_SAMPLES: Final = SEGMENT_TARGET_SAMPLES // 2


def encode_block(key: BlockKey, days: int, samples: Samples, codec: BlockCodec) -> bytes:
    """A block that covers `days` (bitmap, at least one; bit 0 is the 1st) with these samples.

    The samples ascend and lie within the days; days without any are covered and empty. Raises
    Defect when that is not so, or when the block does not read back as the samples.
    """
    return _encode(key, days, samples, codec, kept={})


def merge_blocks(old: bytes | None, key: BlockKey, days: int, samples: Samples, codec: BlockCodec) -> bytes:
    """The old block with `days` replaced by these samples; a new block where there is no old one.

    Segments that hold none of the days, and stay the same, are taken over as they are. Raises
    BlockDamaged when the old block cannot be read.
    """
    if old is None:
        return encode_block(key, days, samples, codec)
    header = whole_header(old, key)
    before = codec.decode(old, key, header.days & ~days)
    _check_samples(key, days, samples)
    parts: list[Samples] = []
    fresh = set(days_in(key.month, days))
    for is_fresh, run in _runs_of(days_in(key.month, header.days | days), fresh):
        parts.extend(of_days(samples if is_fresh else before, run))
    kept = {
        (entry.first_day, entry.last_day): segment_bytes(old, entry)
        for entry in header.segments
        if fresh.isdisjoint(range(entry.first_day, entry.last_day + 1))
    }
    return _encode(key, header.days | days, appended(parts), codec, kept=kept)


def _runs_of(days: Iterable[int], fresh: set[int]) -> Iterable[tuple[bool, list[int]]]:
    """Days in order, those together that are all fresh or all not."""
    found: list[tuple[bool, list[int]]] = []
    for day in days:
        if found and found[-1][0] is (day in fresh):
            found[-1][1].append(day)
        else:
            found.append((day in fresh, [day]))
    return found


def _encode(
    key: BlockKey,
    days: int,
    samples: Samples,
    codec: BlockCodec,
    *,
    kept: Mapping[tuple[int, int], bytes],
) -> bytes:
    """A block from samples; `kept` are segments that hold what is in `samples` already, by their days."""
    _check_samples(key, days, samples)
    plan = cuts(samples.times_ms)
    _check_sizes(plan)
    written = _segments(samples, plan, codec, kept)
    segments = [
        StoredSegment(
            first_day=cut.first_day, last_day=cut.last_day, sample_count=cut.stop - cut.start, data=data
        )
        for cut, data in zip(plan, written, strict=True)
    ]
    block = write_header(key, days, tuple(segments)) + b"".join(written)
    _prove(block, key, days, samples, plan=plan, codec=codec)
    return block


def _segments(
    samples: Samples, plan: Sequence[Cut], codec: BlockCodec, kept: Mapping[tuple[int, int], bytes]
) -> list[bytes]:
    """The bytes of every segment: those that are kept, and the others written."""
    fresh = [cut for cut in plan if (cut.first_day, cut.last_day) not in kept]
    made = codec.segments(samples, fresh) if fresh else []
    for data in made:
        if columns_bytes(data) > MAX_SEGMENT_BYTES:
            raise Defect(
                f"a segment has {columns_bytes(data)} bytes of values; a block takes {MAX_SEGMENT_BYTES}"
            )
    by_days = dict(kept) | {
        (cut.first_day, cut.last_day): data for cut, data in zip(fresh, made, strict=True)
    }
    return [by_days[cut.first_day, cut.last_day] for cut in plan]


def _prove(
    block: bytes, key: BlockKey, days: int, samples: Samples, *, plan: Sequence[Cut], codec: BlockCodec
) -> None:
    """Raise Defect unless the block reads back as what it was made from."""
    try:
        header = whole_header(block, key)
        entries = [(entry.first_day, entry.last_day, entry.sample_count) for entry in header.segments]
        sound = header.days == days and entries == [
            (cut.first_day, cut.last_day, cut.stop - cut.start) for cut in plan
        ]
        sound = sound and same_samples(codec.decode(block, key, days), samples)
    except BlockDamaged as error:
        raise Defect(f"a new block of {key} does not read back: {error.detail}") from error
    if not sound:
        raise Defect(f"a new block of {key} does not read back as what went in")


def _check_samples(key: BlockKey, days: int, samples: Samples) -> None:
    """Raise Defect unless the days are of the month, and the samples lie within them."""
    of_month = month_days(key.month)
    if not 0 < days < 1 << len(of_month):
        raise Defect(f"{days:b} is no set of days of {key.month}")
    times_ms = samples.times_ms
    inside = sum(
        bisect_left(times_ms, (last + 1) * DAY_MS) - bisect_left(times_ms, first * DAY_MS)
        for first, last in runs(days_in(key.month, days))
    )
    if inside != len(samples):
        raise Defect(f"samples for a block of {key} lie outside the days it is to cover")


def _check_sizes(plan: Sequence[Cut]) -> None:
    for cut in plan:
        if cut.stop - cut.start > MAX_SEGMENT_SAMPLES:
            raise Defect(
                f"a day has {cut.stop - cut.start} samples of one point; a block takes {MAX_SEGMENT_SAMPLES}"
            )


def write_header(key: BlockKey, days: int, segments: tuple[StoredSegment, ...]) -> bytes:
    """The header's bytes; the segments follow in the same order without gaps."""
    start = month_days(key.month).start
    body = bytearray()
    for name in (key.site, key.point):
        encoded = name_bytes(name)
        body += _LENGTH.pack(len(encoded)) + encoded
    body += _FIXED.pack(_month_number(key.month), days, len(segments))
    for one in segments:
        body += _ENTRY.pack(one.first_day - start, one.last_day - one.first_day, zlib.crc32(one.data))
        body += uvarint(one.sample_count) + uvarint(len(one.data))
    size = _PREFIX.size + len(body) + _CRC.size
    head = _PREFIX.pack(MAGIC, VERSION, size) + body
    return head + _CRC.pack(zlib.crc32(head))


def _month_number(month: str) -> int:
    return (int(month[:4]) - 1970) * 12 + int(month[5:]) - 1


def cuts(times_ms: Sequence[int]) -> list[Cut]:
    """Ascending times cut into whole days, as many as stay within the target, first days first.

    So a day that is added at the end changes the last two segments at most. A day that is over
    the target alone is one segment. A small last segment joins the one before it.
    """
    found: list[Cut] = []
    for day, start, stop in day_places(times_ms):
        if found and stop - found[-1].start <= SEGMENT_TARGET_SAMPLES:
            last = found.pop()
            found.append(Cut(first_day=last.first_day, last_day=day, start=last.start, stop=stop))
        else:
            found.append(Cut(first_day=day, last_day=day, start=start, stop=stop))
    if len(found) > 1:
        before, last = found[-2:]
        small = last.stop - last.start < SEGMENT_TAIL_SAMPLES
        if small and last.stop - before.start <= SEGMENT_TARGET_SAMPLES + SEGMENT_TAIL_SAMPLES:
            found[-2:] = [
                Cut(first_day=before.first_day, last_day=last.last_day, start=before.start, stop=last.stop)
            ]
    return found
