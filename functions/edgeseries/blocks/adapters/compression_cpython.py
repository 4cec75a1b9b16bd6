"""The Compression port on CPython: brotli from the package of that name."""

import brotli

from edgeseries.blocks.adapters.compression_standard import brotli_window_bits, decompress_standard, exactly
from edgeseries.blocks.codecs import Codec
from edgeseries.errors import BlockDamaged


class PackageCompression:
    """Brotli by the `brotli` package, the rest by the standard library."""

    def compress(self, data: bytes, *, quality: int) -> bytes:
        """A brotli stream."""
        return bytes(brotli.compress(data, quality=quality, lgwin=brotli_window_bits(len(data))))

    def decompress(self, codec: Codec, data: bytes, *, size: int) -> bytes:
        """Exactly `size` bytes, or BlockDamaged, or BlockUnsupported."""
        if codec is not Codec.BROTLI:
            return decompress_standard(codec, data, size=size)
        stream = brotli.Decompressor()
        try:
            out = stream.process(data, output_buffer_limit=size + 1)
        except brotli.error as error:
            raise BlockDamaged("the compressed data is no sound brotli stream") from error
        return exactly(out, size, finished=stream.is_finished())
