"""Which segments of a block the kernel is to decode, and what it is to hold them against.

Owns the words of a program that `platform/kernel.mjs` carries out (docs/formats/columns.md).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from edgeseries.blocks.header import BlockHeader, BlockKey, read_header
from edgeseries.errors import BlockDamaged
from edgeseries.limits import DAY_MS
from edgeseries.series.days import month_days


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentPiece:
    """A segment: where it lies (`at`, from the start of part number `part`), and what its entry says.

    Days count from its first: `days` of them, of which the block covers some (bitmap) and some are wanted.
    """

    part: int
    at: int
    size: int
    crc: int
    samples: int
    origin_ms: int
    days: int
    covered: int
    wanted: int

    def to_wire(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "part": self.part,
            "at": self.at,
            "size": self.size,
            "crc": self.crc,
            "samples": self.samples,
            "originMs": self.origin_ms,
            "days": self.days,
            "covered": self.covered,
            "wanted": self.wanted,
        }


def pieces_of(data: bytes, key: BlockKey, days: int, *, part: int = 0) -> tuple[SegmentPiece, ...]:
    """The segments that hold some of the days (bitmap, bit 0 the 1st) of a whole block.

    Raises what `read_header` raises, and BlockDamaged when the block is not as long as its header says.
    """
    header = read_header(data, key)
    if header.block_bytes != len(data):
        raise BlockDamaged("the block is not as long as its header says")
    return tuple(_pieces(header, days & header.days, part))


def _pieces(header: BlockHeader, wanted: int, part: int) -> Iterator[SegmentPiece]:
    start = month_days(header.key.month).start
    for entry in header.segments:
        first, count = entry.first_day - start, entry.last_day - entry.first_day + 1
        of_segment = (1 << count) - 1
        here = wanted >> first & of_segment
        if here:
            yield SegmentPiece(
                part=part,
                at=entry.offset,
                size=entry.size,
                crc=entry.crc,
                samples=entry.sample_count,
                origin_ms=entry.first_day * DAY_MS,
                days=count,
                covered=header.days >> first & of_segment,
                wanted=here,
            )
