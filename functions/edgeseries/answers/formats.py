"""The formats of a result, each as a writer of pieces: what comes first, a point's samples, what comes last.

A writer takes every point in order, its samples in one or more parts, and remembers nothing but
counts. Formats: `docs/formats/results.md`. It knows no HTTP but media types.
"""

import json
from collections.abc import Sequence
from typing import Final, Protocol

from edgeseries.answers.answer import json_bytes, meta_of
from edgeseries.answers.pieces import Piece, rendered, texts_of
from edgeseries.answers.ports.result_encoder import ResultEncoder
from edgeseries.answers.result_format import ResultFormat
from edgeseries.http.documents import to_json
from edgeseries.planning.query import TimeseriesQuery
from edgeseries.series.points import PointSeries
from edgeseries.series.samples import Samples

ERROR_KEY: Final = "error"


class ResultWriter(Protocol):
    """Pieces of one result, in order: `head`, for each point `point` (first with its samples, then
    perhaps more parts) and `end_point`, `tail`.
    """

    def head(self) -> bytes:
        """What comes before the first point."""
        ...

    def part(self, point: str, samples: Samples) -> list[Piece]:
        """Some samples of a point, following those before."""
        ...

    def end_point(self, point: str, error: str | None) -> bytes:
        """What comes after a point's last sample."""
        ...

    def tail(self) -> bytes:
        """What comes after the last point."""
        ...


def writer_of(chosen: ResultFormat, query: TimeseriesQuery) -> ResultWriter:
    """A new writer."""
    match chosen:
        case ResultFormat.JSON:
            return JsonWriter(query)
        case ResultFormat.NDJSON:
            return NdjsonWriter()
        case ResultFormat.CSV:
            return CsvWriter()


def answer_body(query: TimeseriesQuery, series: Sequence[PointSeries], encoder: ResultEncoder) -> bytes:
    """The answer as one JSON document; `series` holds each point of the query once, in its order."""
    assert tuple(one.point for one in series) == query.points
    writer = JsonWriter(query)
    pieces: list[Piece] = [writer.head()]
    for one in series:
        pieces += (*writer.part(one.point, one.samples), writer.end_point(one.point, one.error))
    return rendered([*pieces, writer.tail()], encoder)


class JsonWriter:
    """One document, the same for an answer that is made at once and for a result (`docs/formats/answer.md`).

    It holds only what is the same at every delivery (request id, duration, hit or miss are headers), so that
    stored bytes can be streamed and two deliveries compared.
    """

    def __init__(self, query: TimeseriesQuery) -> None:
        self._query = query
        self._point_count = 0
        self._open = ""
        self._count = 0
        self._total = 0

    def head(self) -> bytes:
        """See the protocol."""
        return b'{"data":{'

    def part(self, point: str, samples: Samples) -> list[Piece]:
        """See the protocol."""
        pieces: list[Piece] = [self._opening(point)]
        for text in texts_of(ResultFormat.JSON, point, samples):
            pieces += (b"," if self._count else b"", text)
            self._count += len(text.samples)
        return pieces

    def end_point(self, point: str, error: str | None) -> bytes:
        """See the protocol."""
        opening = self._opening(point)
        closing = b'],"count":%d,"error":%b}' % (self._count, json_bytes(error))
        self._total += self._count
        self._open, self._count = "", 0
        return opening + closing

    def tail(self) -> bytes:
        """See the protocol."""
        meta = meta_of(self._query, self._point_count, self._total)
        return b'},"_meta":' + json_bytes(to_json(meta)) + b"}"

    def _opening(self, point: str) -> bytes:
        if self._open == point:
            return b""
        comma = b"," if self._point_count else b""
        self._open = point
        self._point_count += 1
        return comma + json_bytes(point) + b':{"samples":['


class NdjsonWriter:
    """A line a sample, columns named as the vendor's exports name them; a line for a point with an error."""

    def head(self) -> bytes:
        """Nothing."""
        return b""

    def part(self, point: str, samples: Samples) -> list[Piece]:
        """See the protocol."""
        return [*texts_of(ResultFormat.NDJSON, point, samples)]

    def end_point(self, point: str, error: str | None) -> bytes:
        """See the protocol."""
        return b"" if error is None else json_bytes({"point_name": point, ERROR_KEY: error}) + b"\n"

    def tail(self) -> bytes:
        """Nothing."""
        return b""


class CsvWriter:
    """RFC 4180 with LF-free fields as they are: `point_name,timestamp,value`, UTC, texts always quoted.

    Numbers and true/false stand without quotes, null is an empty field, so that a text "1" and a
    number 1 are distinguished. A point without samples has no row; its error is in the other formats.
    """

    def head(self) -> bytes:
        """The names of the columns."""
        return b"point_name,timestamp,value\r\n"

    def part(self, point: str, samples: Samples) -> list[Piece]:
        """See the protocol."""
        return [*texts_of(ResultFormat.CSV, point, samples)]

    def end_point(self, point: str, error: str | None) -> bytes:  # noqa: ARG002 - the protocol's
        """Nothing."""
        return b""

    def tail(self) -> bytes:
        """Nothing."""
        return b""


def line_start(form: ResultFormat, point: str) -> str:
    """What every line of a point begins with, up to the instant; nothing in JSON, which has no lines."""
    match form:
        case ResultFormat.JSON:
            return ""
        case ResultFormat.NDJSON:
            return f'{{"point_name":{json.dumps(point)},"timestamp":"'
        case ResultFormat.CSV:
            return f"{csv_text(point)},"


def csv_text(text: str) -> str:
    """A text as a field of CSV: always quoted."""
    return '"' + text.replace('"', '""') + '"'
