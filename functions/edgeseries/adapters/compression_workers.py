"""The Compression port on Workers: brotli of the runtime, through `codec.mjs` beside this file.

Make one in an event, not at module scope: importing JavaScript needs a running event.
"""

from pyodide.ffi import JsException
from workers import import_from_javascript

from edgeseries.adapters.compression_standard import brotli_window_bits, decompress_standard, exactly
from edgeseries.adapters.ffi import js_bytes, python_bytes
from edgeseries.core.blocks.codecs import Codec
from edgeseries.core.errors import BlockDamaged


class RuntimeCompression:
    """Brotli by the runtime's node:zlib, the rest by the standard library."""

    def __init__(self) -> None:
        self._codec = import_from_javascript("./codec.mjs")

    def compress(self, data: bytes, *, quality: int) -> bytes:
        """A brotli stream."""
        return python_bytes(
            self._codec.brotliCompress(js_bytes(data), quality, brotli_window_bits(len(data)))
        )

    def decompress(self, codec: Codec, data: bytes, *, size: int) -> bytes:
        """Exactly `size` bytes, or BlockDamaged, or BlockUnsupported."""
        if codec is not Codec.BROTLI:
            return decompress_standard(codec, data, size=size)
        try:
            out = python_bytes(self._codec.brotliDecompress(js_bytes(data), size))
        except JsException as error:
            raise BlockDamaged("the compressed data is no sound brotli stream of its size") from error
        return exactly(out, size, finished=True)
