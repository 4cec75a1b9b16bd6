"""Blocks to columns: in Python by `blocks/block_columns.py`, in the kernel by `platform/kernel.py`."""

from typing import Protocol

from edgeseries.blocks.header import BlockKey
from edgeseries.series.samples import Samples


class BlockCodec(Protocol):
    """Reads blocks. Nothing is kept between calls."""

    def decode(self, data: bytes, key: BlockKey, days: int) -> Samples:
        """The samples of the days (bitmap, bit 0 the 1st) that the block covers, of their segments alone.

        Raises BlockDamaged, BlockMismatch when the block is not the key's, BlockUnsupported for another
        version or codec. The columns are canonical: equal samples have equal images.
        """
        ...
