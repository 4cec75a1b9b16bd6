"""Codecs: how a segment's bytes are compressed, and what blocks need of a compressor.

The port that adapters fill is `blocks/ports/compression.py`.
"""

from enum import IntEnum
from typing import Protocol


class Codec(IntEnum):
    """The id byte before a segment's bytes. Ids are part of the format and are never given anew."""

    STORED = 0
    BROTLI = 1
    GZIP = 2
    ZSTD = 3


class Compressor(Protocol):
    """Bytes smaller, and back again."""

    def compress(self, data: bytes, *, quality: int) -> bytes:
        """A brotli stream of `data`; quality 0 to 11."""
        ...

    def decompress(self, codec: Codec, data: bytes, *, size: int) -> bytes:
        """Exactly `size` bytes; never more is allocated than that and a constant.

        Raises BlockDamaged when `data` is no sound stream of that size, BlockUnsupported when the
        host does not have the codec.
        """
        ...
