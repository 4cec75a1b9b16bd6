"""The directory of a year's block: where its segments lie, which days and how many samples they hold.

It stands in the block's header and, as text, in the row of the index, so that whoever has the row reads the
bytes that are needed and nothing else. Format: `docs/formats/block-v2.md`.
"""

import struct
from base64 import b64decode, b64encode
from binascii import Error as NoBase64
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from edgeseries.blocks.header import SegmentEntry
from edgeseries.blocks.segment_pieces import SegmentPiece
from edgeseries.blocks.wire import Reader, uvarint
from edgeseries.errors import BlockDamaged
from edgeseries.limits import (
    DAY_MS,
    MAX_BLOCK_HEADER_BYTES,
    MAX_SEGMENT_BYTES,
    MAX_SEGMENT_SAMPLES,
    MAX_YEAR_DAYS,
    MAX_YEAR_HEADER_BYTES,
)
from edgeseries.series.days import year_days

REMEMBERED: Final = 2_048
"""Directories that an isolate remembers as they were read."""

_CRC: Final = struct.Struct("<I")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Segments that lie next to each other, and the bytes that they take together."""

    entries: tuple[SegmentEntry, ...]

    @property
    def offset(self) -> int:
        """Of the first byte, from the block's start."""
        return self.entries[0].offset

    @property
    def size(self) -> int:
        """Bytes of all of them."""
        return self.entries[-1].offset + self.entries[-1].size - self.offset


def directory_bytes(year: str, entries: Sequence[SegmentEntry]) -> bytes:
    """Entries as they stand in a header, in order of their days, without their offsets."""
    out = bytearray(uvarint(len(entries)))
    after = year_days(year).start
    for one in entries:
        out += uvarint(one.first_day - after) + uvarint(one.last_day - one.first_day) + _CRC.pack(one.crc)
        out += uvarint(one.sample_count) + uvarint(one.size)
        after = one.last_day + 1
    return bytes(out)


def read_directory(reader: Reader, year: str, offset: int) -> tuple[SegmentEntry, ...]:
    """What `directory_bytes` wrote; the first segment begins at `offset`. Raises BlockDamaged."""
    of_year = year_days(year)
    after, found = of_year.start, []
    for _ in range(reader.count(MAX_YEAR_DAYS)):
        first = after + reader.count(MAX_YEAR_DAYS)
        last = first + reader.count(MAX_YEAR_DAYS)
        (crc,) = _CRC.unpack(reader.take(_CRC.size))
        sample_count = reader.count(MAX_SEGMENT_SAMPLES)
        size = reader.count(MAX_SEGMENT_BYTES + MAX_BLOCK_HEADER_BYTES)
        if not sample_count or last >= of_year.stop:
            raise BlockDamaged(
                "the block has a segment without samples, or of days that its year does not have"
            )
        found.append(
            SegmentEntry(
                first_day=first,
                last_day=last,
                offset=offset,
                size=size,
                sample_count=sample_count,
                crc=crc,
            )
        )
        offset, after = offset + size, last + 1
    return tuple(found)


def directory_text(year: str, entries: Sequence[SegmentEntry]) -> str:
    """Entries as they stand in a row; empty without any."""
    if not entries:
        return ""
    return b64encode(uvarint(entries[0].offset) + directory_bytes(year, entries)).decode()


@lru_cache(maxsize=REMEMBERED)
def directory_of_text(year: str, text: str) -> tuple[SegmentEntry, ...]:
    """What `directory_text` wrote. Raises BlockDamaged."""
    if not text:
        return ()
    try:
        reader = Reader(b64decode(text, validate=True))
    except NoBase64 as error:
        raise BlockDamaged("the row of the block has no directory") from error
    entries = read_directory(reader, year, reader.count(MAX_YEAR_HEADER_BYTES))
    reader.end()
    return entries


def entries_of(entries: Iterable[SegmentEntry], year: str, days: int) -> tuple[SegmentEntry, ...]:
    """Those that may hold samples of some days (bitmap of the year)."""
    start = year_days(year).start
    return tuple(one for one in entries if days & _bits(one, start))


def certain_samples(entries: Iterable[SegmentEntry], year: str, days: int) -> int:
    """How many samples there certainly are on some days (bitmap of the year): of segments that reach into
    other days it is not known before they are decoded.
    """
    start = year_days(year).start
    return sum(one.sample_count for one in entries if not _bits(one, start) & ~days)


def stretches(entries: Sequence[SegmentEntry], *, most_bytes: int) -> list[Stretch]:
    """Entries in order as stretches that are read at once: neighbours, and no more bytes than that unless one
    alone has more.
    """
    found: list[Stretch] = []
    for one in entries:
        before = found[-1] if found else None
        end = before.offset + before.size if before else -1
        if before and end == one.offset and before.size + one.size <= most_bytes:
            found[-1] = Stretch(entries=(*before.entries, one))
        else:
            found.append(Stretch(entries=(one,)))
    return found


def piece_of(entry: SegmentEntry, year: str, days: int, *, part: int) -> SegmentPiece:
    """A segment that is part number `part` alone, of which some days (bitmap of the year) are wanted."""
    count = entry.last_day - entry.first_day + 1
    every = (1 << count) - 1
    return SegmentPiece(
        part=part,
        at=0,
        size=entry.size,
        crc=entry.crc,
        samples=entry.sample_count,
        origin_ms=entry.first_day * DAY_MS,
        days=count,
        covered=every,
        wanted=days >> (entry.first_day - year_days(year).start) & every,
    )


def grouped(entries: Sequence[SegmentEntry], *, samples: int) -> Iterator[Sequence[SegmentEntry]]:
    """Entries in order, in groups of so many samples at most, or of one that has more."""
    first, total = 0, 0
    for place, one in enumerate(entries):
        if place > first and total + one.sample_count > samples:
            yield entries[first:place]
            first, total = place, 0
        total += one.sample_count
    if first < len(entries):
        yield entries[first:]


def _bits(entry: SegmentEntry, year_start: int) -> int:
    count = entry.last_day - entry.first_day + 1
    return ((1 << count) - 1) << (entry.first_day - year_start)
