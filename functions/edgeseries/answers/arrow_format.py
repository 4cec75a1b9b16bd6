"""An answer as a stream of Arrow IPC: the schema, then batches of samples. Format: `docs/formats/arrow.md`.

arro3 writes whole streams; an answer of any size is to leave batch by batch. So each batch becomes a stream
of its own, of which the messages are taken that the reader does not have yet: the schema once, a dictionary
when it is another than before, the batch itself.
"""

import io
import struct
from collections.abc import Iterable, Iterator, Mapping
from enum import IntEnum
from typing import Final

from arro3.core import RecordBatch
from arro3.io import write_ipc_stream

from edgeseries.answers.arrow_columns import LongBatches, wide_batch
from edgeseries.answers.grid import column_names, grid_of
from edgeseries.answers.pieces import Piece
from edgeseries.answers.whole_formats import TIME, Collected
from edgeseries.planning.query import TimeseriesQuery
from edgeseries.series.points import Point, SeriesName
from edgeseries.series.samples import Samples

END: Final = b"\xff\xff\xff\xff\x00\x00\x00\x00"
"""What a stream ends with."""


class Header(IntEnum):
    """What a message holds (Arrow's `MessageHeader`)."""

    SCHEMA = 1
    DICTIONARY = 2
    BATCH = 3


class ArrowWriter:
    """A row a sample, in batches."""

    def __init__(
        self, query: TimeseriesQuery, facts: Mapping[str, Point], aggregates: tuple[str, ...] = ()
    ) -> None:
        self._batches = LongBatches(query, facts, aggregates=aggregates)
        self._messages = MessageStream()

    def head(self) -> bytes:
        """The schema."""
        return self._messages.head_of(self._batches.batch())

    def part(self, name: SeriesName, samples: Samples) -> Iterator[Piece]:
        """See the protocol."""
        for batch in self._batches.add(name, samples):
            yield self._messages.of(batch)

    def end_series(self, name: SeriesName, error: str | None, source_count: int | None = None) -> bytes:  # noqa: ARG002 - the protocol's
        """Nothing."""
        return b""

    def tail(self) -> Iterable[Piece]:
        """The last batch, if there is anything in it, and the end."""
        batch = self._batches.batch()
        return (self._messages.of(batch) if batch.num_rows else b"", END)


class WideArrowWriter(Collected):
    """A row an instant, a column a series: one batch."""

    def __init__(self, query: TimeseriesQuery, facts: Mapping[str, Point]) -> None:
        super().__init__()
        self._query = query
        self._facts = facts

    def tail(self) -> Iterable[Piece]:
        """See the protocol."""
        return (stream_of(self.batch()),)

    def batch(self) -> RecordBatch:
        """All of it."""
        series = self.series()
        grid = grid_of([*series.values()])
        labels = column_names([name.label for name in series], first=TIME)
        columns = [*zip(series, labels, grid.columns, strict=True)]
        return wide_batch(self._query, self._facts, grid.times_ms, columns)


class MessageStream:
    """Batches of one schema as messages, each dictionary only when it changes."""

    def __init__(self) -> None:
        self._known: dict[int, bytes] = {}

    def head_of(self, batch: RecordBatch) -> bytes:
        """The schema of a batch."""
        return next(message for header, message in messages_of(stream_of(batch)) if header is Header.SCHEMA)

    def of(self, batch: RecordBatch) -> bytes:
        """The messages of a batch that a reader needs who has had those before."""
        found, place = [], 0
        for header, message in messages_of(stream_of(batch)):
            if header is Header.DICTIONARY:
                if self._known.get(place) != message:
                    self._known[place] = message
                    found.append(message)
                place += 1
            elif header is Header.BATCH:
                found.append(message)
        return b"".join(found)


def stream_of(batch: RecordBatch) -> bytes:
    """A batch as a stream of its own."""
    into = io.BytesIO()
    write_ipc_stream(batch, into, compression=None)
    return into.getvalue()


def messages_of(stream: bytes) -> Iterator[tuple[Header, bytes]]:
    """The messages of a stream, but for its end: what each holds, and its bytes.

    A message is 0xFFFFFFFF, a size, so many bytes of metadata, and a body. The metadata is a flatbuffer,
    whose root is a table of two numbers that count here: the kind of its header and the size of the body.
    """
    at = 0
    while True:
        marker, size = struct.unpack_from("<II", stream, at)
        assert marker == 0xFFFFFFFF, "arro3 writes streams of Arrow 0.15 and later"  # noqa: PLR2004
        if size == 0:
            return
        (root,) = struct.unpack_from("<I", stream, at + 8)
        table = at + 8 + root
        header_at, body_at = _field(stream, table, 1), _field(stream, table, 3)
        body = struct.unpack_from("<q", stream, body_at)[0] if body_at else 0
        end = at + 8 + size + body
        yield Header(stream[header_at]), stream[at:end]
        at = end


def _field(stream: bytes, table: int, number: int) -> int:
    """Where a field of a flatbuffer's table stands, 0 where it is left out."""
    vtable = table - int(struct.unpack_from("<i", stream, table)[0])
    (size,) = struct.unpack_from("<H", stream, vtable)
    place = 4 + 2 * number
    offset = int(struct.unpack_from("<H", stream, vtable + place)[0]) if place < size else 0
    return table + offset if offset else 0
