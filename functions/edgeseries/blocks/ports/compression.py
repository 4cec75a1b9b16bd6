"""Compression, which the runtime does natively and Python does not have for brotli."""

from typing import Protocol

from edgeseries.blocks.codecs import Compressor


class Compression(Compressor, Protocol):
    """Writes brotli, the same on every host; reads brotli, gzip, and zstd where the host has it.

    What one host writes every other reads. Nothing is kept between calls.
    """
