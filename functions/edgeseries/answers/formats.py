"""The formats of answers and results, each as a writer of pieces: what comes first, the samples of a series,
what comes last.

A writer takes every series in order, its samples in one or more parts. Formats: `docs/formats/results.md`. It
knows no HTTP but media types.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from edgeseries.answers.answer import json_bytes, meta_of
from edgeseries.answers.line_formats import CsvWriter, NdjsonWriter, RowsWriter
from edgeseries.answers.pieces import Piece, rendered, texts_of
from edgeseries.answers.ports.result_encoder import ResultEncoder
from edgeseries.answers.presentation import Presentation
from edgeseries.answers.result_format import ResultFormat, Shape
from edgeseries.answers.text_form import TextForm
from edgeseries.answers.whole_formats import ColumnsWriter, MsgpackWriter, WideCsvWriter
from edgeseries.http.documents import to_json
from edgeseries.planning.query import TimeseriesQuery
from edgeseries.questions.question import Buckets
from edgeseries.series.points import Point, PointSeries, SeriesName
from edgeseries.series.samples import Samples


class ResultWriter(Protocol):
    """Pieces of one answer, in order: `head`, for each series `part` (some of its samples, once or more
    often) and `end_series`, `tail`. Pieces are made when they are taken, one after the other.
    """

    def head(self) -> bytes:
        """What comes before the first series."""
        ...

    def part(self, name: SeriesName, samples: Samples) -> Iterable[Piece]:
        """Some samples of a series, following those before."""
        ...

    def end_series(self, name: SeriesName, error: str | None, source_count: int | None = None) -> bytes:
        """What comes after a series' last sample; of a question, `source_count` samples are behind it."""
        ...

    def tail(self) -> Iterable[Piece]:
        """What comes after the last series."""
        ...


def writer_of(
    presentation: Presentation, query: TimeseriesQuery, facts: Mapping[str, Point] | None = None
) -> ResultWriter:
    """A new writer. `facts` is what is known of points, for formats that say it."""
    wide, aggregates = presentation.shape is Shape.WIDE, aggregates_of(query)
    makers: Mapping[ResultFormat, Callable[[], ResultWriter]] = {
        ResultFormat.JSON: lambda: JsonWriter(query),
        ResultFormat.ROWS: RowsWriter,
        ResultFormat.NDJSON: NdjsonWriter,
        ResultFormat.CSV: WideCsvWriter if wide else lambda: CsvWriter(aggregates=bool(aggregates)),
        ResultFormat.COLUMNS: lambda: ColumnsWriter(presentation.shape, presentation.time_unit),
        ResultFormat.MSGPACK: lambda: MsgpackWriter(query),
        ResultFormat.ARROW: lambda: _arrow_writer(presentation, query, facts or {}),
        ResultFormat.PARQUET: lambda: _arrow_writer(presentation, query, facts or {}),
    }
    return makers[presentation.format]()


def aggregates_of(query: TimeseriesQuery) -> tuple[str, ...]:
    """The aggregates that tell the series of a point apart; none where a point has one series."""
    named = query.question.aggregates if isinstance(query.question, Buckets) else ()
    return tuple(map(str, named)) if len(named) > 1 else ()


def _arrow_writer(
    presentation: Presentation, query: TimeseriesQuery, facts: Mapping[str, Point]
) -> ResultWriter:
    """Imported when the first caller asks: arro3 takes half a second and some megabytes, and most isolates
    never serve Arrow or Parquet (`docs/adr/0015-native-wheels.md`).
    """
    from edgeseries.answers.arrow_format import ArrowWriter, WideArrowWriter  # noqa: PLC0415
    from edgeseries.answers.parquet_format import ParquetWriter  # noqa: PLC0415

    aggregates = aggregates_of(query)
    if presentation.format is ResultFormat.PARQUET:
        return ParquetWriter(query, facts, aggregates, names_points=not presentation.partitioned)
    if presentation.shape is Shape.WIDE:
        return WideArrowWriter(query, facts)
    return ArrowWriter(query, facts, aggregates)


def answer_body(writer: ResultWriter, series: Sequence[PointSeries], encoder: ResultEncoder) -> bytes:
    """An answer whose series are all there. Raises TooLarge where a format cannot hold them."""
    return rendered((writer.head(), *pieces_of(writer, series), *writer.tail()), encoder)


def pieces_of(writer: ResultWriter, series: Iterable[PointSeries]) -> Iterator[Piece]:
    """The pieces of whole series."""
    for one in series:
        yield from writer.part(one.name, one.samples)
        yield writer.end_series(one.name, one.error, one.source_count)


class JsonWriter:
    """One document, the same for an answer that is made at once and for a result (`docs/formats/answer.md`).

    It holds only what is the same at every delivery (request id, duration, hit or miss are headers), so that
    stored bytes can be streamed and two deliveries compared.
    """

    def __init__(self, query: TimeseriesQuery) -> None:
        self._query = query
        self._series_count = 0
        self._open = ""
        self._count = 0
        self._total = 0

    def head(self) -> bytes:
        """See the protocol."""
        return b'{"data":{'

    def part(self, name: SeriesName, samples: Samples) -> Iterator[Piece]:
        """See the protocol."""
        yield self._opening(name.label)
        for text in texts_of(TextForm.PAIRS, samples):
            if self._count:
                yield b","
            self._count += len(text.samples)
            yield text

    def end_series(self, name: SeriesName, error: str | None, source_count: int | None = None) -> bytes:
        """See the protocol."""
        opening = self._opening(name.label)
        source = b"" if source_count is None else b',"sourceCount":%d' % source_count
        closing = b'],"count":%d,"error":%b%b}' % (self._count, json_bytes(error), source)
        self._total += self._count
        self._open, self._count = "", 0
        return opening + closing

    def tail(self) -> Iterable[Piece]:
        """See the protocol."""
        meta = meta_of(self._query, len(self._query.points), self._total)
        return (b'},"_meta":' + json_bytes(to_json(meta)) + b"}",)

    def _opening(self, label: str) -> bytes:
        if self._open == label:
            return b""
        comma = b"," if self._series_count else b""
        self._open = label
        self._series_count += 1
        return comma + json_bytes(label) + b':{"samples":['
