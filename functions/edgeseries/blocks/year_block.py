"""Blocks of a year read: some of their days, from segments that may have been fetched alone.

Reading gives what was written or raises BlockDamaged, never something else.
"""

from collections.abc import Callable, Sequence

from edgeseries.blocks.directory import entries_of, grouped, piece_of
from edgeseries.blocks.header import SegmentEntry
from edgeseries.blocks.ports.block_codec import BlockCodec
from edgeseries.blocks.year_header import YearHeader, YearKey, read_year_header
from edgeseries.errors import BlockDamaged
from edgeseries.limits import DECODED_AT_ONCE_SAMPLES
from edgeseries.series.samples import Samples, appended

BytesOf = Callable[[SegmentEntry], bytes]
"""The bytes of a segment."""


def whole_year_header(data: bytes, key: YearKey) -> YearHeader:
    """The header of a whole block. Raises what `read_year_header` raises, and BlockDamaged for another
    length.
    """
    header = read_year_header(data, key)
    if header.block_bytes != len(data):
        raise BlockDamaged("the block is not as long as its header says")
    return header


def decode_year_days(data: bytes, key: YearKey, days: int, codec: BlockCodec) -> Samples:
    """The samples of the days (bitmap) that a whole block covers; only their segments are decoded."""
    header = whole_year_header(data, key)
    return decode_segments(header.segments, slices_of(data), key.year, days & header.days, codec)


def decode_segments(
    entries: Sequence[SegmentEntry], bytes_of: BytesOf, year: str, days: int, codec: BlockCodec
) -> Samples:
    """The samples of some days (bitmap of the year), of those segments that may hold them. Raises
    BlockDamaged.
    """
    parts = []
    for some in grouped(entries_of(entries, year, days), samples=DECODED_AT_ONCE_SAMPLES):
        pieces = [piece_of(entry, year, days, part=place) for place, entry in enumerate(some)]
        parts.append(codec.pieces([bytes_of(entry) for entry in some], pieces))
    return appended(parts)


def slices_of(data: bytes) -> BytesOf:
    """The segments of a whole block."""
    return lambda entry: data[entry.offset : entry.offset + entry.size]
