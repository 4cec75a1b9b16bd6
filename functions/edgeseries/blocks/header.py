"""The header of a block: whose samples these are, which days are covered, where the segments lie.

Owns its bytes and checksum, and the checks that make a header trustworthy before anything behind
it is read. It can be read from the first bytes of a block alone.
"""

import struct
import zlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from edgeseries.blocks.wire import Reader
from edgeseries.errors import BlockDamaged, BlockMismatch, BlockUnsupported, Defect
from edgeseries.limits import (
    MAX_BLOCK_HEADER_BYTES,
    MAX_BLOCK_SEGMENTS,
    MAX_NAME_BYTES,
    MAX_SEGMENT_BYTES,
    MAX_SEGMENT_SAMPLES,
)
from edgeseries.series.days import month_days

MAGIC: Final = b"\x8bESB"
"""The first byte is no ASCII and no UTF-8: text tools see at once that this is none."""

VERSION: Final = 1

PARSED_HEADERS: Final = 512
"""Headers that an isolate remembers as they were read: a megabyte or two."""

_PREFIX: Final = struct.Struct("<4sBH")
"""Magic, version, bytes of the whole header."""

_FIXED: Final = struct.Struct("<HIB")
"""Month since 1970-01, bitmap of covered days (bit 0 is the 1st), segments."""

_ENTRY: Final = struct.Struct("<BBI")
"""First day of the month with samples (0 is the 1st), days to the last one, CRC-32 of the segment."""

_CRC: Final = struct.Struct("<I")
_LENGTH: Final = struct.Struct("<H")
_FIRST_YEAR: Final = 1970
_MONTHS: Final = 12
_LAST_MONTH: Final = 130 * _MONTHS - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockKey:
    """Whose samples a block holds, and of which UTC month (`YYYY-MM`)."""

    site: str
    point: str
    month: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentEntry:
    """Where a segment lies (`offset` from the block's start) and what it holds. Days are since 1970."""

    first_day: int
    last_day: int
    offset: int
    size: int
    sample_count: int
    crc: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockHeader:
    """What a block says of itself. `days` is the bitmap of covered days, bit 0 the 1st."""

    key: BlockKey
    days: int
    segments: tuple[SegmentEntry, ...]
    header_bytes: int

    @property
    def sample_count(self) -> int:
        """Samples of all segments."""
        return sum(entry.sample_count for entry in self.segments)

    @property
    def block_bytes(self) -> int:
        """Bytes of the whole block."""
        return self.header_bytes + sum(entry.size for entry in self.segments)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSegment:
    """The bytes of a segment, and what its entry will say."""

    first_day: int
    last_day: int
    sample_count: int
    data: bytes


def read_header(data: bytes, key: BlockKey) -> BlockHeader:
    """The header of a block, or of its first MAX_BLOCK_HEADER_BYTES.

    Raises BlockUnsupported for another version, BlockDamaged for bytes that are no sound header,
    BlockMismatch when the block is not the key's.
    """
    found = _parsed(_sound_header(data))
    if found.key != key:
        raise BlockMismatch(f"the block under {key} is of {found.key}: look for two keys with one digest")
    return found


@lru_cache(maxsize=PARSED_HEADERS)
def _parsed(head: bytes) -> BlockHeader:
    """What a header says whose checksum fits it. A block is looked at several times on its way, and asked for
    again and again.
    """
    reader = Reader(head)
    reader.take(_PREFIX.size)
    site, point = (read_name(reader, _LENGTH.unpack(reader.take(_LENGTH.size))[0]) for _ in range(2))
    month_number, days, segment_count = _FIXED.unpack(reader.take(_FIXED.size))
    if month_number > _LAST_MONTH or segment_count > MAX_BLOCK_SEGMENTS:
        raise BlockDamaged("the block names an impossible month or number of segments")
    month = f"{_FIRST_YEAR + month_number // _MONTHS}-{month_number % _MONTHS + 1:02d}"
    of_month = month_days(month)
    if not days or days >> len(of_month):
        raise BlockDamaged("the block covers no day, or days that its month does not have")
    header_bytes = len(head) + _CRC.size
    offset, segments = header_bytes, []
    for _ in range(segment_count):
        entry = _read_entry(reader, of_month.start, offset)
        segments.append(entry)
        offset += entry.size
    reader.end()
    _check_days(segments, of_month, days)
    return BlockHeader(
        key=BlockKey(site=site, point=point, month=month),
        days=days,
        segments=tuple(segments),
        header_bytes=header_bytes,
    )


def _sound_header(data: bytes) -> bytes:
    """The header's bytes without the checksum, which fits them."""
    if len(data) < _PREFIX.size:
        raise BlockDamaged("the block ends within its header")
    magic, version, size = _PREFIX.unpack_from(data)
    if magic != MAGIC:
        raise BlockDamaged("these bytes are no block")
    if version != VERSION:
        raise BlockUnsupported(f"the block has format version {version}; this code reads version {VERSION}")
    if not _PREFIX.size + _CRC.size <= size <= min(len(data), MAX_BLOCK_HEADER_BYTES):
        raise BlockDamaged("the block ends within its header")
    head = data[: size - _CRC.size]
    if zlib.crc32(head) != _CRC.unpack_from(data, size - _CRC.size)[0]:
        raise BlockDamaged("the block's header does not fit its checksum")
    return head


def _read_entry(reader: Reader, month_start: int, offset: int) -> SegmentEntry:
    first, further, crc = _ENTRY.unpack(reader.take(_ENTRY.size))
    sample_count = reader.count(MAX_SEGMENT_SAMPLES)
    size = reader.count(MAX_SEGMENT_BYTES + MAX_BLOCK_HEADER_BYTES)
    if not sample_count:
        raise BlockDamaged("the block has a segment without samples")
    return SegmentEntry(
        first_day=month_start + first,
        last_day=month_start + first + further,
        offset=offset,
        size=size,
        sample_count=sample_count,
        crc=crc,
    )


def _check_days(segments: list[SegmentEntry], of_month: range, days: int) -> None:
    after = of_month.start
    for entry in segments:
        ends = (entry.first_day, entry.last_day)
        if entry.first_day < after or any(
            day not in of_month or not days >> (day - of_month.start) & 1 for day in ends
        ):
            raise BlockDamaged("the block's segments hold days that it does not cover, or one day twice")
        after = entry.last_day + 1


def name_bytes(name: str) -> bytes:
    """A name as it stands in a block. Raises Defect for one that is too long."""
    encoded = name.encode("utf-8", "surrogatepass")
    if len(encoded) > MAX_NAME_BYTES:
        raise Defect(f"a name of {len(encoded)} bytes was let in; a block takes {MAX_NAME_BYTES}")
    return encoded


def read_name(reader: Reader, size: int) -> str:
    """A name of so many bytes. Raises BlockDamaged."""
    if size > MAX_NAME_BYTES:
        raise BlockDamaged("the block has a name of impossible length")
    try:
        return reader.take(size).decode("utf-8", "surrogatepass")
    except UnicodeDecodeError as error:
        raise BlockDamaged("the block has a name that is not UTF-8") from error
