"""Formats of a line, or a row, for each sample: NDJSON, CSV, and an array of flat objects.

They need no more in memory than the samples that are being written. Format: `docs/formats/results.md`.
"""

import json
from collections.abc import Iterable, Iterator

from edgeseries.answers.answer import json_bytes
from edgeseries.answers.encoding import csv_text
from edgeseries.answers.pieces import Piece, texts_of
from edgeseries.answers.text_form import TextForm
from edgeseries.series.points import SeriesName
from edgeseries.series.samples import Samples


class NdjsonWriter:
    """A line a sample, columns named as the vendor's exports name them; a line for a point with an error."""

    def head(self) -> bytes:
        """Nothing."""
        return b""

    def part(self, name: SeriesName, samples: Samples) -> Iterable[Piece]:
        """See the protocol."""
        return texts_of(TextForm.LINES, samples, ndjson_start(name))

    def end_series(self, name: SeriesName, error: str | None, source_count: int | None = None) -> bytes:  # noqa: ARG002 - the protocol's
        """See the protocol."""
        return b"" if error is None else json_bytes({"point_name": name.point, "error": error}) + b"\n"

    def tail(self) -> Iterable[Piece]:
        """Nothing."""
        return ()


class RowsWriter:
    """One array of objects `{point, time, value}`, a row a sample."""

    def __init__(self) -> None:
        self._begun = False

    def head(self) -> bytes:
        """See the protocol."""
        return b"["

    def part(self, name: SeriesName, samples: Samples) -> Iterator[Piece]:
        """See the protocol. Before every row but the first stands a comma."""
        start = rows_start(name)
        if not self._begun and len(samples):
            self._begun = True
            yield from texts_of(TextForm.LINES, samples.part(0, 1), start)
            samples = samples.part(1, len(samples))
        yield from texts_of(TextForm.LINES, samples, b"," + start)

    def end_series(self, name: SeriesName, error: str | None, source_count: int | None = None) -> bytes:  # noqa: ARG002 - the protocol's
        """Nothing."""
        return b""

    def tail(self) -> Iterable[Piece]:
        """See the protocol."""
        return (b"]",)


class CsvWriter:
    """RFC 4180 with LF-free fields as they are: `point_name,timestamp,value`, UTC, texts always quoted.

    Numbers and true/false stand without quotes, null is an empty field, so that a text "1" and a
    number 1 are distinguished. A point without samples has no row; its error is in the other formats. With
    `aggregates` a column says which one a row is.
    """

    def __init__(self, *, aggregates: bool = False) -> None:
        self._aggregates = aggregates

    def head(self) -> bytes:
        """The names of the columns."""
        return b"point_name,aggregate,timestamp,value\r\n" if self._aggregates else CSV_HEAD

    def part(self, name: SeriesName, samples: Samples) -> Iterable[Piece]:
        """See the protocol."""
        return texts_of(TextForm.CSV, samples, csv_start(name))

    def end_series(self, name: SeriesName, error: str | None, source_count: int | None = None) -> bytes:  # noqa: ARG002 - the protocol's
        """Nothing."""
        return b""

    def tail(self) -> Iterable[Piece]:
        """Nothing."""
        return ()


CSV_HEAD = b"point_name,timestamp,value\r\n"


def ndjson_start(name: SeriesName) -> bytes:
    """What every line of a series begins with, up to the instant."""
    aggregate = "" if name.aggregate is None else f'"aggregate":{json.dumps(name.aggregate)},'
    return f'{{"point_name":{json.dumps(name.point)},{aggregate}"timestamp":"'.encode()


def rows_start(name: SeriesName) -> bytes:
    """The same of a row."""
    aggregate = "" if name.aggregate is None else f'"aggregate":{json.dumps(name.aggregate)},'
    return f'{{"point":{json.dumps(name.point)},{aggregate}"time":"'.encode()


def csv_start(name: SeriesName) -> bytes:
    """The same of a line of CSV."""
    aggregate = "" if name.aggregate is None else f"{name.aggregate},"
    return f"{csv_text(name.point)},{aggregate}".encode(errors="replace")
