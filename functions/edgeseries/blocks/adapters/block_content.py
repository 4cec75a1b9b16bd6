"""What blocks hold, as the store uses the block formats: names checked, faults counted, facts beside.

It is the one place of the store that knows the codec. Bytes that are no sound block of their key
are counted by name and count as not held.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, unquote

from edgeseries.blocks.block import certain_count
from edgeseries.blocks.directory import directory_of_text, directory_text
from edgeseries.blocks.header import BlockKey, SegmentEntry
from edgeseries.blocks.ports.block_codec import BlockCodec
from edgeseries.blocks.stamps import Stamp
from edgeseries.blocks.year_block import BytesOf, decode_segments, decode_year_days, whole_year_header
from edgeseries.blocks.year_encoding import YearBlock, merged_year
from edgeseries.blocks.year_header import YearKey
from edgeseries.blocks.year_rows import BlockRef, YearRef
from edgeseries.errors import BlockDamaged, BlockMismatch, BlockUnsupported, StoreUnavailable
from edgeseries.series.days import (
    day_span,
    days_in_year,
    days_of_text,
    days_text,
    in_year,
    of_month,
    runs,
)
from edgeseries.series.samples import NO_SAMPLES, Samples, overlaid
from edgeseries.storage.limits import OBJECT_FACTS_MAX_BYTES
from edgeseries.storage.object_keys import content_digest

CODEC: Final = "br"
"""What stands in facts and rows; which codec a segment really has, its own first byte says."""

RAW_SAMPLE_BYTES: Final = 16
"""A sample laid down plainly: an int64 instant and a float64."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Days of one year (bitmap) and all their samples."""

    days: int
    samples: Samples


@dataclass(frozen=True, slots=True, kw_only=True)
class OldMonth:
    """A month of version 1 with its bytes, None if they are gone."""

    ref: BlockRef
    data: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """A point's year as it is to be stored: the days it covers (bitmap), and its block, None without
    samples.
    """

    key: YearKey
    days: int
    block: YearBlock | None

    @property
    def data(self) -> bytes:
        """The object's bytes; none without samples."""
        return b"" if self.block is None else self.block.data

    @property
    def month_samples(self) -> str:
        """Samples of each month, as rows and facts have them."""
        return "" if self.block is None else " ".join(map(str, self.block.header.month_samples))

    @property
    def sample_count(self) -> int:
        """All of them."""
        return 0 if self.block is None else self.block.header.sample_count

    @property
    def directory(self) -> str:
        """Where the segments lie, as rows have it."""
        return "" if self.block is None else directory_text(self.key.year, self.block.header.segments)

    @property
    def raw_bytes(self) -> int:
        """What the samples take when they are laid down plainly."""
        return RAW_SAMPLE_BYTES * self.sample_count

    def digest(self, *facts: str) -> str:
        """What names these bytes; where there are none, what names the row's facts."""
        return content_digest(self.data or "\n".join((days_text(self.days), *facts)).encode())


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockFacts:
    """What the facts beside a block of either version say of it. `period` is a year or a month; `days` a
    bitmap.
    """

    site: str
    point: str
    period: str
    days: int
    month_samples: str
    directory: str
    site_generation: int
    ticket: int


def facts_of(content: Content, stamp: Stamp) -> dict[str, str]:
    """The facts that stand beside a block, ASCII, within what R2 takes. The stamp says what it was
    fetched under, so that a lost row can be made again and one of before a purge is not.
    """
    facts = {
        "site": quote(content.key.site, safe=""),
        "point": quote(content.key.point, safe=""),
        "year": content.key.year,
        "days": days_text(content.days),
        "month-samples": content.month_samples,
        "samples": str(content.sample_count),
        "raw-bytes": str(content.raw_bytes),
        "stored-bytes": str(len(content.data)),
        "codec": CODEC,
        "site-generation": str(stamp.site),
        "ticket": str(stamp.ticket),
    }
    room = OBJECT_FACTS_MAX_BYTES - sum(len(name) + len(value) for name, value in facts.items())
    assert room >= 0
    # Of a year with many segments and long names the object alone knows where they lie.
    if len(content.directory) + len("directory") <= room:
        facts["directory"] = content.directory
    return facts


def block_facts_of(facts: Mapping[str, str]) -> BlockFacts | None:
    """What facts say, or None if they are not of our writing."""
    try:
        year = facts.get("year")
        return BlockFacts(
            site=unquote(facts["site"], errors="strict"),
            point=unquote(facts["point"], errors="strict"),
            period=facts["month"] if year is None else year,
            days=int(facts["days"]) if year is None else days_of_text(facts["days"]),
            month_samples="" if year is None else facts["month-samples"],
            directory=facts.get("directory", ""),
            site_generation=int(facts["site-generation"]),
            ticket=int(facts["ticket"]),
        )
    except (KeyError, ValueError):
        return None


def overlaid_pieces(under: Piece, over: Piece, year: str) -> Piece:
    """Both pieces as one; days of both are those of `over`."""
    samples = under.samples
    for first, last in runs(days_in_year(year, over.days)):
        samples = overlaid(samples, day_span(first, last), over.samples)
    return Piece(days=under.days | over.days, samples=samples)


class BlockContents:
    """Blocks opened, read and made. `faults` counts what was not as it should be."""

    def __init__(self, codec: BlockCodec, faults: Counter[str]) -> None:
        self._codec = codec
        self._faults = faults

    def directory(self, ref: YearRef, key: YearKey, data: bytes | None) -> Sequence[SegmentEntry] | None:
        """The segments of a year, by its row or its whole object, or None if neither can be trusted."""
        try:
            if data is not None:
                return whole_year_header(data, key).segments
            return directory_of_text(ref.year, ref.directory)
        except BlockDamaged as error:
            self._count(error)
            return None

    def year_samples(
        self, entries: Sequence[SegmentEntry], bytes_of: BytesOf, year: str, days: int
    ) -> Samples | None:
        """The samples of some days of a year, or None if they cannot be trusted."""
        return self._trusted(lambda: decode_segments(entries, bytes_of, year, days, self._codec))

    def month_samples(self, key: BlockKey, data: bytes, days: int) -> Samples | None:
        """The same of a block of a month (version 1)."""
        return self._trusted(lambda: self._codec.decode(data, key, days))

    def certain_count(self, key: BlockKey, data: bytes, days: int) -> int:
        """Samples that a block of a month certainly has on some days, by its header."""
        try:
            return certain_count(data, key, days)
        except BlockDamaged:
            return 0  # Whoever decodes it finds out, and says so.

    def merged(
        self, key: YearKey, old: bytes | None, held: int, months: Sequence[OldMonth], piece: Piece
    ) -> Content:
        """The year with the piece's days in it; the old bytes themselves where that changes nothing.

        Of the old block the days `held` count; without one they are empty days. Months of version 1 bring the
        days that neither has. Damaged bytes and another name's block give way. Raises StoreUnavailable over a
        block of a newer version: the Worker that wrote it can read it.
        """
        try:
            return self._merged(key, old, held, months, piece)
        except BlockUnsupported as error:
            self._count(error)
            raise StoreUnavailable(error.detail) from error
        except BlockDamaged as error:
            self._count(error)
            return self._merged(key, None, 0, months, piece)

    def _merged(
        self, key: YearKey, old: bytes | None, held: int, months: Sequence[OldMonth], piece: Piece
    ) -> Content:
        block = None if old is None else YearBlock(header=whole_year_header(old, key), data=old)
        covered = held if block is None else held & block.header.days
        for month in months:
            days = in_year(month.ref.month, month.ref.days) & ~covered & ~piece.days
            samples = self._of_month(key, month, of_month(month.ref.month, days)) if days else None
            if samples is not None:
                block = merged_year(block, key, covered, days, samples, self._codec)
                covered |= days
        if block is not None and block.header.days == covered == covered | piece.days:
            there = decode_year_days(block.data, key, piece.days, self._codec)
            if there == piece.samples:
                return Content(key=key, days=covered, block=block)
        block = merged_year(block, key, covered, piece.days, piece.samples, self._codec)
        return Content(key=key, days=covered | piece.days, block=block)

    def _of_month(self, key: YearKey, month: OldMonth, days: int) -> Samples | None:
        """The samples of some days (bitmap) of a month of version 1, or None if it has none to give."""
        if not days & ~month.ref.empty_days:
            return NO_SAMPLES
        if month.data is None:
            self._faults["block_gone"] += 1
            return None
        old = BlockKey(site=key.site, point=key.point, month=month.ref.month)
        try:
            return self._codec.decode(month.data, old, days)
        except BlockUnsupported:
            raise
        except BlockDamaged as error:
            self._count(error)
            return None

    def _trusted(self, decode: Callable[[], Samples]) -> Samples | None:
        try:
            return decode()
        except BlockDamaged as error:
            self._count(error)
            return None

    def _count(self, error: BlockDamaged) -> None:
        kinds = {BlockMismatch: "block_of_another_name", BlockUnsupported: "block_unsupported"}
        self._faults[kinds.get(type(error), "block_damaged")] += 1
