"""Blocks to columns and back: `blocks/block_columns.py` in Python, `platform/kernel.py` in the kernel."""

from collections.abc import Sequence
from typing import Protocol

from edgeseries.blocks.header import BlockKey
from edgeseries.blocks.segment_pieces import SegmentPiece
from edgeseries.blocks.segments import Cut
from edgeseries.series.samples import Samples


class BlockCodec(Protocol):
    """Reads blocks and writes their segments. Nothing is kept between calls."""

    def decode(self, data: bytes, key: BlockKey, days: int) -> Samples:
        """The samples of the days (bitmap, bit 0 the 1st) that the block covers, of their segments alone.

        Raises BlockDamaged, BlockMismatch when the block is not the key's, BlockUnsupported for another
        version or codec. The columns are canonical: equal samples have equal images.
        """
        ...

    def pieces(self, parts: Sequence[bytes], pieces: Sequence[SegmentPiece]) -> Samples:
        """The wanted samples of segments that ascend and share no day; `parts` hold their bytes.

        Raises BlockDamaged, BlockUnsupported for another codec. The columns are canonical.
        """
        ...

    def segments(self, samples: Samples, cuts: Sequence[Cut]) -> list[bytes]:
        """The bytes of a segment for each cut (`docs/formats/block.md`); the same from all codecs.

        The samples ascend. Raises Defect when they cannot be written; whether what was written reads back,
        the caller finds out (`year_encoding.py`).
        """
        ...
