"""A codec that remembers what it wrote last, for writers that lose a race and merge again.

Segments follow from their samples alone, so most of what was written for the attempt before is right for
the next one. Plain bytes, bounded, of one event.
"""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

from edgeseries.blocks.header import BlockKey
from edgeseries.blocks.ports.block_codec import BlockCodec
from edgeseries.blocks.segment_pieces import SegmentPiece
from edgeseries.blocks.segments import Cut
from edgeseries.series.image import image_of
from edgeseries.series.samples import Samples
from edgeseries.storage.object_keys import content_digest

REMEMBERED_BYTES: Final = 4_000_000
"""Segments of a batch of a job: 250,000 samples are a tenth of it."""


class WrittenSegments:
    """See the port BlockCodec; `inner` does the work."""

    def __init__(self, inner: BlockCodec, *, most_bytes: int = REMEMBERED_BYTES) -> None:
        self._inner = inner
        self._most_bytes = most_bytes
        self._known: OrderedDict[str, bytes] = OrderedDict()
        self._bytes = 0

    def decode(self, data: bytes, key: BlockKey, days: int) -> Samples:
        """See the port."""
        return self._inner.decode(data, key, days)

    def pieces(self, parts: Sequence[bytes], pieces: Sequence[SegmentPiece]) -> Samples:
        """See the port."""
        return self._inner.pieces(parts, pieces)

    def segments(self, samples: Samples, cuts: Sequence[Cut]) -> list[bytes]:
        """See the port. What was written lately is not written again."""
        names = [content_digest(image_of(samples.part(cut.start, cut.stop))) for cut in cuts]
        new = [place for place, name in enumerate(names) if name not in self._known]
        made = self._inner.segments(samples, [cuts[place] for place in new]) if new else []
        found = dict(zip((names[place] for place in new), made, strict=True))
        segments = [found[name] if name in found else self._known[name] for name in names]
        for name, data in found.items():
            self._remember(name, data)
        return segments

    def _remember(self, name: str, data: bytes) -> None:
        self._known[name] = data
        self._bytes += len(data)
        while self._bytes > self._most_bytes:
            _, oldest = self._known.popitem(last=False)
            self._bytes -= len(oldest)
