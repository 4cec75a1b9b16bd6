"""What blocks hold, as the store uses the block format: names checked, faults counted, facts beside.

It is the one place of the store that knows the codec. Bytes that are no sound block of their key
are counted by name and count as not held.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, unquote

from edgeseries.blocks.block import certain_count, same_samples
from edgeseries.blocks.block_encoding import encode_block, merge_blocks
from edgeseries.blocks.header import BlockKey, read_header
from edgeseries.blocks.ports.block_codec import BlockCodec
from edgeseries.blocks.stamps import Stamp
from edgeseries.errors import BlockDamaged, BlockMismatch, BlockUnsupported, StoreUnavailable
from edgeseries.series.days import day_span, days_in, runs
from edgeseries.series.samples import Samples, overlaid
from edgeseries.storage.limits import OBJECT_FACTS_MAX_BYTES
from edgeseries.storage.object_keys import content_digest

CODEC: Final = "br"
"""What stands in facts and rows; which codec a segment really has, its own first byte says."""

RAW_SAMPLE_BYTES: Final = 16
"""A sample laid down plainly: an int64 instant and a float64."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Days of one block (bitmap) and all their samples."""

    days: int
    samples: Samples


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """A sound block: its bytes, the days it covers (bitmap), and its sizes."""

    key: BlockKey
    data: bytes
    days: int
    sample_count: int

    @property
    def digest(self) -> str:
        """What names these bytes."""
        return content_digest(self.data)

    @property
    def raw_bytes(self) -> int:
        """What the samples take when they are laid down plainly."""
        return RAW_SAMPLE_BYTES * self.sample_count


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockFacts:
    """What the facts beside a block say of it."""

    site: str
    point: str
    month: str
    days: int
    site_generation: int
    ticket: int


def facts_of(content: Content, stamp: Stamp) -> dict[str, str]:
    """The facts that stand beside a block, ASCII, within what R2 takes. The stamp says what it was
    fetched under, so that a lost row can be made again and one of before a purge is not.
    """
    facts = {
        "site": quote(content.key.site, safe=""),
        "point": quote(content.key.point, safe=""),
        "month": content.key.month,
        "days": str(content.days),
        "samples": str(content.sample_count),
        "raw-bytes": str(content.raw_bytes),
        "stored-bytes": str(len(content.data)),
        "codec": CODEC,
        "site-generation": str(stamp.site),
        "ticket": str(stamp.ticket),
    }
    assert sum(len(name) + len(value) for name, value in facts.items()) <= OBJECT_FACTS_MAX_BYTES
    return facts


def block_facts_of(facts: Mapping[str, str]) -> BlockFacts | None:
    """What facts say, or None if they are not of our writing."""
    try:
        return BlockFacts(
            site=unquote(facts["site"], errors="strict"),
            point=unquote(facts["point"], errors="strict"),
            month=facts["month"],
            days=int(facts["days"]),
            site_generation=int(facts["site-generation"]),
            ticket=int(facts["ticket"]),
        )
    except (KeyError, ValueError):
        return None


def overlaid_pieces(under: Piece, over: Piece, month: str) -> Piece:
    """Both pieces as one; days of both are those of `over`."""
    samples = under.samples
    for first, last in runs(days_in(month, over.days)):
        samples = overlaid(samples, day_span(first, last), over.samples)
    return Piece(days=under.days | over.days, samples=samples)


class BlockContents:
    """Blocks opened, read and made. `faults` counts what was not as it should be."""

    def __init__(self, codec: BlockCodec, faults: Counter[str]) -> None:
        self._codec = codec
        self._faults = faults

    def held(self, key: BlockKey, data: bytes) -> Content | None:
        """The block of a key, by its header, or None."""
        try:
            return _content(key, data)
        except BlockDamaged as error:
            self._count(error)
            return None

    def samples(self, content: Content, days: int) -> Samples | None:
        """The samples of some days of a block, or None if they cannot be trusted."""
        try:
            return self._codec.decode(content.data, content.key, days)
        except BlockDamaged as error:
            self._count(error)
            return None

    def certain_count(self, content: Content, days: int) -> int:
        """Samples that a sound block certainly has on some days, by its header."""
        try:
            return certain_count(content.data, content.key, days & content.days)
        except BlockDamaged:
            return 0  # Whoever decodes it finds out, and says so.

    def merged(self, key: BlockKey, old: bytes | None, days: int, piece: Piece) -> Content:
        """The block with the piece's days in it; the old bytes themselves where that changes nothing.

        Of the old block only `days` count. Damaged bytes and another name's block give way. Raises
        StoreUnavailable over a block of a newer version: the Worker that wrote it can read it.
        """
        if old is not None and days & ~piece.days:
            try:
                return self._merged(key, old, days, piece)
            except BlockUnsupported as error:
                self._count(error)
                raise StoreUnavailable(error.detail) from error
            except BlockDamaged as error:
                self._count(error)
        return _content(key, encode_block(key, piece.days, piece.samples, self._codec))

    def _merged(self, key: BlockKey, old: bytes, days: int, piece: Piece) -> Content:
        content = _content(key, old)
        if content.days & ~days:
            # A purge took days of it: only the row says so.
            days &= content.days
            under = Piece(days=days, samples=self._codec.decode(old, key, days))
            whole = overlaid_pieces(under, piece, key.month)
            return _content(key, encode_block(key, whole.days, whole.samples, self._codec))
        if not piece.days & ~content.days:
            there = self._codec.decode(old, key, piece.days)
            if same_samples(there, piece.samples):
                return content
        return _content(key, merge_blocks(old, key, piece.days, piece.samples, self._codec))

    def _count(self, error: BlockDamaged) -> None:
        kinds = {BlockMismatch: "block_of_another_name", BlockUnsupported: "block_unsupported"}
        self._faults[kinds.get(type(error), "block_damaged")] += 1


def _content(key: BlockKey, data: bytes) -> Content:
    header = read_header(data, key)
    return Content(key=key, data=data, days=header.days, sample_count=header.sample_count)
