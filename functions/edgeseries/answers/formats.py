"""The formats of a result, each as a writer of pieces: what comes first, a point's samples, what comes last.

A writer takes every point in order, its samples in one or more parts, and remembers nothing but
counts. Formats: `docs/formats/results.md`. It knows no HTTP but media types.
"""

import json
from collections.abc import Iterator
from enum import StrEnum
from itertools import starmap
from typing import Final, Protocol

from edgeseries.answers.answer import json_bytes, meta_of
from edgeseries.answers.instants import InstantTexts
from edgeseries.http.documents import to_json
from edgeseries.planning.query import TimeseriesQuery
from edgeseries.series.samples import Samples, Value


class ResultFormat(StrEnum):
    """Also the values of `format=`."""

    JSON = "json"
    NDJSON = "ndjson"
    CSV = "csv"


MEDIA_TYPES: Final = {
    ResultFormat.JSON: "application/json",
    ResultFormat.NDJSON: "application/x-ndjson",
    ResultFormat.CSV: "text/csv; charset=utf-8",
}

ERROR_KEY: Final = "error"


def media_type_of(chosen: ResultFormat) -> str:
    """The media type without parameters."""
    return MEDIA_TYPES[chosen].partition(";")[0]


class ResultWriter(Protocol):
    """Pieces of one result, in order: `head`, for each point `point` (first with its samples, then
    perhaps more parts) and `end_point`, `tail`.
    """

    def head(self) -> bytes:
        """What comes before the first point."""
        ...

    def part(self, point: str, samples: Samples) -> bytes:
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


class JsonWriter:
    """The very bytes of an answer made at once (`answers/answer.py`): one document."""

    def __init__(self, query: TimeseriesQuery) -> None:
        self._query = query
        self._point_count = 0
        self._open = ""
        self._count = 0
        self._total = 0

    def head(self) -> bytes:
        """See the protocol."""
        return b'{"data":{'

    def part(self, point: str, samples: Samples) -> bytes:
        """See the protocol."""
        rows = json_bytes(list(zip(samples.times_ms, samples.values, strict=True)))[1:-1]
        opening = self._opening(point)
        if self._count and rows:
            opening += b","
        self._count += len(samples)
        return opening + rows

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

    def __init__(self) -> None:
        self._texts = InstantTexts()

    def head(self) -> bytes:
        """Nothing."""
        return b""

    def part(self, point: str, samples: Samples) -> bytes:
        """See the protocol."""
        start = line_start(ResultFormat.NDJSON, point)
        values = _json_values(samples)
        lines = [
            f'{start}{at}","value":{value}}}\n'
            for at, value in zip(self._texts.of(samples.times_ms), values, strict=True)
        ]
        return "".join(lines).encode()

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

    def __init__(self) -> None:
        self._texts = InstantTexts()

    def head(self) -> bytes:
        """The names of the columns."""
        return b"point_name,timestamp,value\r\n"

    def part(self, point: str, samples: Samples) -> bytes:
        """See the protocol."""
        start = line_start(ResultFormat.CSV, point)
        rows = [
            f"{start}{at},{value}\r\n"
            for at, value in zip(
                self._texts.of(samples.times_ms), map(_csv_value, samples.values), strict=True
            )
        ]
        return "".join(rows).encode(errors="replace")

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
            return f"{_csv_text(point)},"


def _json_values(samples: Samples) -> list[str]:
    """Values as JSON texts. All floats, which is the rule, need no look at each one's type."""
    if set(map(type, samples.values)) <= {float}:
        return list(map(repr, samples.values))
    return list(map(json.dumps, samples.values))


def _csv_value(value: Value) -> str:
    if type(value) is float:
        return repr(value)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return _csv_text(value) if isinstance(value, str) else str(value)


def _csv_text(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def parts_of(samples: Samples, size: int) -> Iterator[Samples]:
    """Samples in parts of at most `size`; one empty part of none."""
    if len(samples) <= size:
        yield samples
        return
    yield from starmap(
        lambda first, last: Samples(times_ms=samples.times_ms[first:last], values=samples.values[first:last]),
        ((first, first + size) for first in range(0, len(samples), size)),
    )
