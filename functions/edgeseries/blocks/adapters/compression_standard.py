"""What every host's adapter does alike: gzip and zstd by the standard library, brotli's window.

zstd is there since Python 3.14. Brotli itself is the host's.
"""

import sys
import zlib
from typing import Final

from edgeseries.blocks.codecs import Codec
from edgeseries.errors import BlockDamaged, BlockUnsupported

if sys.version_info >= (3, 14):
    from compression import zstd

SMALLEST_WINDOW_BITS: Final = 16
LARGEST_WINDOW_BITS: Final = 22

ZSTD_LEVEL: Final = 3

_GZIP_WINDOW: Final = 16 + zlib.MAX_WBITS


def brotli_window_bits(size: int) -> int:
    """The window of a brotli stream of `size` bytes, as every host sets it.

    With the default window of 22 bits brotli sets up tables of megabytes for a few kilobytes of
    columns: 0.8 ms instead of 0.04 ms at quality 9, for no better result (bench/measures/codec.py).
    """
    return min(max(size.bit_length(), SMALLEST_WINDOW_BITS), LARGEST_WINDOW_BITS)


def compress_zstd(data: bytes) -> bytes:
    """A zstd stream, at the level that keeps up with a network. Raises BlockUnsupported before Python
    3.14.
    """
    if sys.version_info >= (3, 14):
        return zstd.compress(data, ZSTD_LEVEL)
    raise BlockUnsupported("zstd is not supported before Python 3.14")


def decompress_standard(codec: Codec, data: bytes, *, size: int) -> bytes:
    """Exactly `size` bytes of a gzip or zstd stream; never more is allocated.

    Raises BlockDamaged for another size or a stream that is not sound, BlockUnsupported for other
    codecs and for zstd before Python 3.14.
    """
    if codec is Codec.GZIP:
        return _gunzip(data, size)
    if codec is Codec.ZSTD:
        return _unzstd(data, size)
    raise BlockUnsupported(f"codec {codec.name} is not of the standard library")


def exactly(data: bytes, size: int, *, finished: bool) -> bytes:
    """What came out of a stream, if it is all of it and as long as was said; else BlockDamaged."""
    if not finished or len(data) != size:
        raise BlockDamaged(f"the compressed data does not come out as {size} bytes")
    return data


def _gunzip(data: bytes, size: int) -> bytes:
    stream = zlib.decompressobj(_GZIP_WINDOW)
    try:
        # One byte more than is wanted: a stream that is longer shows, and its end is reached otherwise.
        out = stream.decompress(data, size + 1)
    except zlib.error as error:
        raise BlockDamaged("the compressed data is no sound gzip stream") from error
    return exactly(out, size, finished=stream.eof and not stream.unused_data)


def _unzstd(data: bytes, size: int) -> bytes:
    if sys.version_info >= (3, 14):
        stream = zstd.ZstdDecompressor()
        try:
            out = stream.decompress(data, size + 1)
        except zstd.ZstdError as error:
            raise BlockDamaged("the compressed data is no sound zstd stream") from error
        return exactly(out, size, finished=stream.eof and not stream.unused_data)
    raise BlockUnsupported("the data is zstd, which this host's Python (before 3.14) cannot read")
