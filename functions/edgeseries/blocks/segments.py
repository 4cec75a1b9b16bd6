"""Segments of a block: the samples of some of its whole days as bytes, readable without the others.

Owns which days stand together, and the bytes of one segment: times, values, compression. It
knows no names and no checksums: those are the header's.
"""

from array import array
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from edgeseries.blocks.codecs import Codec, Compressor
from edgeseries.blocks.integers import decode_integers, encode_integers
from edgeseries.blocks.values import decode_values, encode_values
from edgeseries.blocks.wire import Reader, uvarint
from edgeseries.errors import BlockDamaged, BlockUnsupported, Defect
from edgeseries.limits import (
    BLOCK_QUALITY,
    DAY_MS,
    MAX_SEGMENT_BYTES,
)
from edgeseries.series.days import day_of
from edgeseries.series.samples import Samples, ascend

_CODECS: Final = frozenset(Codec)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """One segment to be: first and last day that has samples (days since 1970), and their places."""

    first_day: int
    last_day: int
    start: int
    stop: int


def day_places(times_ms: Sequence[int]) -> Iterator[tuple[int, int, int]]:
    """Each day that has samples, with the places where they start and stop."""
    start = 0
    while start < len(times_ms):
        day = day_of(times_ms[start])
        stop = bisect_left(times_ms, (day + 1) * DAY_MS, start)
        yield day, start, stop
        start = stop


def encode_segment(samples: Samples, first_day: int, compressor: Compressor) -> bytes:
    """At least one sample, from the start of `first_day` (days since 1970) on; Defect unless they ascend."""
    if not ascend(samples.times_ms):
        raise Defect("samples for a block do not ascend")
    origin_ms = first_day * DAY_MS
    times = encode_integers([at_ms - origin_ms for at_ms in samples.times_ms])[1]
    columns = times + encode_values(samples.values)
    codec, payload = Codec.BROTLI, compressor.compress(columns, quality=BLOCK_QUALITY)
    if len(payload) >= len(columns):
        codec, payload = Codec.STORED, columns
    return bytes((codec,)) + uvarint(len(columns)) + payload


def columns_bytes(data: bytes) -> int:
    """How long a segment says that its columns are, decompressed."""
    return Reader(data[1:]).uvarint()


def decode_segment(
    data: bytes, compressor: Compressor, *, first_day: int, last_day: int, sample_count: int
) -> Samples:
    """The samples of a segment whose bytes are sound by checksum.

    Raises BlockDamaged unless exactly `sample_count` samples come out, ascending and within the days.
    """
    reader = Reader(_columns(data, compressor))
    origin_ms = first_day * DAY_MS
    offsets = decode_integers(reader, sample_count)
    if not ascend(offsets) or offsets[0] < 0 or offsets[-1] >= (last_day + 1 - first_day) * DAY_MS:
        raise BlockDamaged("the block holds samples outside its days or out of order")
    values = decode_values(reader, sample_count)
    reader.end()
    return Samples(times_ms=array("q", map(origin_ms.__add__, offsets)), values=values)


def _columns(data: bytes, compressor: Compressor) -> bytes:
    """The columns of a segment, decompressed, of the size that the segment says."""
    reader = Reader(data)
    code = reader.byte()
    size = reader.count(MAX_SEGMENT_BYTES)
    if code not in _CODECS:
        raise BlockUnsupported(f"the block is compressed with codec {code}, which this version does not know")
    payload = reader.rest()
    columns = payload if code == Codec.STORED else compressor.decompress(Codec(code), payload, size=size)
    if len(columns) != size:
        raise BlockDamaged("a segment of the block is not as long as it says")
    return columns
