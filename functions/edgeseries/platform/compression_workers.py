"""The Compression port on Workers: brotli of the runtime, through `codec.mjs` beside this file.

The module is imported by the first call in the isolate, since importing JavaScript needs a running
event. A request that neither packs nor unpacks does not wait for it.
"""

from functools import cache
from typing import Any

from pyodide.ffi import JsException
from workers import import_from_javascript

from edgeseries.blocks.adapters.compression_standard import decompress_standard, exactly
from edgeseries.blocks.codecs import Codec
from edgeseries.errors import BlockDamaged
from edgeseries.platform.ffi import js_bytes, python_bytes


class RuntimeCompression:
    """Brotli by the runtime's node:zlib, the rest by the standard library."""

    def compress(self, data: bytes, *, quality: int) -> bytes:
        """A brotli stream."""
        return python_bytes(_codec().brotliCompress(js_bytes(data), quality))

    def decompress(self, codec: Codec, data: bytes, *, size: int) -> bytes:
        """Exactly `size` bytes, or BlockDamaged, or BlockUnsupported."""
        if codec is not Codec.BROTLI:
            return decompress_standard(codec, data, size=size)
        try:
            out = python_bytes(_codec().brotliDecompress(js_bytes(data), size))
        except JsException as error:
            raise BlockDamaged("the compressed data is no sound brotli stream of its size") from error
        return exactly(out, size, finished=True)


@cache
def _codec() -> Any:
    return import_from_javascript("./codec.mjs")
