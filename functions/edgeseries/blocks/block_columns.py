"""The BlockCodec in Python: the specification, and what runs where the kernel does not."""

from collections.abc import Sequence
from dataclasses import dataclass

from edgeseries.blocks.block import decode_days, decode_piece
from edgeseries.blocks.codecs import Compressor
from edgeseries.blocks.header import BlockKey
from edgeseries.blocks.segment_pieces import SegmentPiece
from edgeseries.blocks.segments import Cut, encode_segment
from edgeseries.series.samples import Samples, appended


@dataclass(frozen=True, slots=True, kw_only=True)
class PythonBlockCodec:
    """See the port."""

    compressor: Compressor

    def decode(self, data: bytes, key: BlockKey, days: int) -> Samples:
        """See the port."""
        return decode_days(data, key, days, self.compressor)

    def pieces(self, parts: Sequence[bytes], pieces: Sequence[SegmentPiece]) -> Samples:
        """See the port."""
        return appended(
            part for piece in pieces for part in decode_piece(parts[piece.part], piece, self.compressor)
        )

    def segments(self, samples: Samples, cuts: Sequence[Cut]) -> list[bytes]:
        """See the port."""
        return [
            encode_segment(samples.part(cut.start, cut.stop), cut.first_day, self.compressor) for cut in cuts
        ]
