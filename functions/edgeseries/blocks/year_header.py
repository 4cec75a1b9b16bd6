"""The header of a year's block: whose samples these are, which days are covered, how many samples each month
has, and the directory of its segments.

Owns its bytes and checksum. Format: `docs/formats/block-v2.md`.
"""

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from edgeseries.blocks.directory import directory_bytes, read_directory
from edgeseries.blocks.header import MAGIC, PARSED_HEADERS, SegmentEntry, StoredSegment, name_bytes, read_name
from edgeseries.blocks.wire import Reader, uvarint
from edgeseries.errors import BlockDamaged, BlockMismatch, BlockUnsupported
from edgeseries.limits import MAX_SEGMENT_SAMPLES, MAX_YEAR_DAYS, MAX_YEAR_HEADER_BYTES
from edgeseries.series.days import DECEMBER, of_month, year_days, year_months

YEAR_VERSION: Final = 2

_PREFIX: Final = struct.Struct("<4sBH")
"""Magic, version, bytes of the whole header."""

_YEAR: Final = struct.Struct("<H")
_CRC: Final = struct.Struct("<I")
_FIRST_YEAR: Final = 1970
_LAST_YEAR: Final = 2100


@dataclass(frozen=True, slots=True, kw_only=True)
class YearKey:
    """Whose samples a block holds, and of which UTC year (`YYYY`)."""

    site: str
    point: str
    year: str


@dataclass(frozen=True, slots=True, kw_only=True)
class YearHeader:
    """What a block says of itself: covered days (bitmap, bit 0 is January 1st), samples of each month, and
    where the segments lie.
    """

    key: YearKey
    days: int
    month_samples: tuple[int, ...]
    segments: tuple[SegmentEntry, ...]
    header_bytes: int

    @property
    def sample_count(self) -> int:
        """Samples of all segments."""
        return sum(self.month_samples)

    @property
    def block_bytes(self) -> int:
        """Bytes of the whole block."""
        return self.header_bytes + sum(entry.size for entry in self.segments)


def write_year_header(
    key: YearKey, days: int, month_samples: Sequence[int], segments: Sequence[StoredSegment]
) -> bytes:
    """The header's bytes; the segments follow in the same order without gaps."""
    body = bytearray()
    for name in (key.site, key.point):
        encoded = name_bytes(name)
        body += uvarint(len(encoded)) + encoded
    covered = days.to_bytes((days.bit_length() + 7) // 8, "little")
    body += _YEAR.pack(int(key.year)) + uvarint(len(covered)) + covered
    body += b"".join(map(uvarint, month_samples))
    body += directory_bytes(
        key.year,
        [
            SegmentEntry(
                first_day=one.first_day,
                last_day=one.last_day,
                offset=0,
                size=len(one.data),
                sample_count=one.sample_count,
                crc=zlib.crc32(one.data),
            )
            for one in segments
        ],
    )
    head = _PREFIX.pack(MAGIC, YEAR_VERSION, _PREFIX.size + len(body) + _CRC.size) + body
    return head + _CRC.pack(zlib.crc32(head))


def read_year_header(data: bytes, key: YearKey) -> YearHeader:
    """The header of a block, or of its first MAX_YEAR_HEADER_BYTES.

    Raises BlockUnsupported for another version, BlockDamaged for bytes that are no sound header,
    BlockMismatch when the block is not the key's.
    """
    found = _parsed(_sound_header(data))
    if found.key != key:
        raise BlockMismatch(f"the block under {key} is of {found.key}: look for two keys with one digest")
    return found


@lru_cache(maxsize=PARSED_HEADERS)
def _parsed(head: bytes) -> YearHeader:
    """What a header says whose checksum fits it."""
    reader = Reader(head)
    reader.take(_PREFIX.size)
    site, point = (read_name(reader, reader.uvarint()) for _ in range(2))
    (number,) = _YEAR.unpack(reader.take(_YEAR.size))
    if not _FIRST_YEAR <= number < _LAST_YEAR:
        raise BlockDamaged("the block names an impossible year")
    year = f"{number:04d}"
    days = int.from_bytes(reader.take(reader.count(MAX_YEAR_DAYS)), "little")
    if not days or days >> len(year_days(year)):
        raise BlockDamaged("the block covers no day, or days that its year does not have")
    most = MAX_SEGMENT_SAMPLES * MAX_YEAR_DAYS
    month_samples = tuple(reader.count(most) for _ in range(DECEMBER))
    segments = read_directory(reader, year, len(head) + _CRC.size)
    reader.end()
    found = YearHeader(
        key=YearKey(site=site, point=point, year=year),
        days=days,
        month_samples=month_samples,
        segments=segments,
        header_bytes=len(head) + _CRC.size,
    )
    _check(found)
    return found


def _check(header: YearHeader) -> None:
    """Raise BlockDamaged unless segments and months add up and lie within the covered days."""
    if sum(entry.sample_count for entry in header.segments) != header.sample_count:
        raise BlockDamaged("the block's months and segments do not have as many samples")
    start = year_days(header.key.year).start
    ends = [day - start for entry in header.segments for day in (entry.first_day, entry.last_day)]
    months = zip(year_months(header.key.year), header.month_samples, strict=True)
    if not all(header.days >> place & 1 for place in ends) or any(
        count and not of_month(month, header.days) for month, count in months
    ):
        raise BlockDamaged("the block's segments hold days that it does not cover")


def _sound_header(data: bytes) -> bytes:
    """The header's bytes without the checksum, which fits them."""
    if len(data) < _PREFIX.size:
        raise BlockDamaged("the block ends within its header")
    magic, version, size = _PREFIX.unpack_from(data)
    if magic != MAGIC:
        raise BlockDamaged("these bytes are no block")
    if version != YEAR_VERSION:
        raise BlockUnsupported(
            f"the block has format version {version}; blocks of a year have version {YEAR_VERSION}"
        )
    if not _PREFIX.size + _CRC.size <= size <= min(len(data), MAX_YEAR_HEADER_BYTES):
        raise BlockDamaged("the block ends within its header")
    head = data[: size - _CRC.size]
    if zlib.crc32(head) != _CRC.unpack_from(data, size - _CRC.size)[0]:
        raise BlockDamaged("the block's header does not fit its checksum")
    return head
