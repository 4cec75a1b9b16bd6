"""Formats of which nothing can be written before all samples are there: columns, wide CSV, MessagePack.

They collect what comes, up to a bound, and write all of it at the end. Format: `docs/formats/results.md`.
"""

from collections.abc import Iterable, Iterator

from msgspec import Raw
from msgspec.msgpack import Ext, encode

from edgeseries.answers.answer import json_bytes, meta_of
from edgeseries.answers.encoding import csv_text, csv_value
from edgeseries.answers.grid import column_names, grid_of
from edgeseries.answers.instants import InstantTexts
from edgeseries.answers.pieces import Piece, joined_texts
from edgeseries.answers.result_format import Shape, TimeUnit
from edgeseries.answers.text_form import TextForm
from edgeseries.errors import TooLarge
from edgeseries.http.documents import to_json
from edgeseries.limits import WHOLE_MAX_SAMPLES
from edgeseries.planning.query import TimeseriesQuery
from edgeseries.series.points import SeriesName
from edgeseries.series.samples import NO_SAMPLES, Samples, joined
from edgeseries.series.values import INT64_MAX, INT64_MIN, Value

LONG_INTEGER = 1
"""The MessagePack extension type of an integer of more than 64 bits: its decimal digits in ASCII."""

TIME = "time"
"""The first column of columns; of wide CSV it is `timestamp`, as in long CSV."""

TIMESTAMP = "timestamp"


def whole_bound(count: int) -> str:
    """What to do about so many samples."""
    return (
        f"{count} samples or more; this format is made whole, of at most {WHOLE_MAX_SAMPLES}. Take one that "
        "is sent while it is made (json, rows, ndjson, parquet; csv and arrow in their long shape), or ask "
        "for less at a time"
    )


class Collected:
    """The series that came, each whole. Subclasses write them in `tail`."""

    def __init__(self) -> None:
        self._parts: dict[SeriesName, list[Samples]] = {}
        self._errors: dict[SeriesName, str | None] = {}
        self._count = 0

    def head(self) -> bytes:
        """Nothing yet."""
        return b""

    def part(self, name: SeriesName, samples: Samples) -> Iterable[Piece]:
        """Nothing yet. Raises TooLarge for more samples than may be held."""
        self._count += len(samples)
        if self._count > WHOLE_MAX_SAMPLES:
            raise TooLarge(whole_bound(self._count))
        self._parts.setdefault(name, []).append(samples)
        return ()

    def end_series(self, name: SeriesName, error: str | None, source_count: int | None = None) -> bytes:  # noqa: ARG002 - the protocol's
        """Nothing yet."""
        self._errors[name] = error
        return b""

    def series(self) -> dict[SeriesName, Samples]:
        """All of them, in the order in which they ended."""
        return {
            name: joined(self._parts[name]) if name in self._parts else NO_SAMPLES for name in self._errors
        }


class ColumnsWriter(Collected):
    """An object of arrays: one of instants, and one a series (wide), or two for each series (long)."""

    def __init__(self, shape: Shape, unit: TimeUnit) -> None:
        super().__init__()
        self._shape = shape
        self._times = TextForm.TIMES if unit is TimeUnit.MS else TextForm.SECONDS

    def tail(self) -> Iterator[Piece]:
        """See the protocol."""
        return self._wide() if self._shape is Shape.WIDE else self._long()

    def _wide(self) -> Iterator[Piece]:
        series = self.series()
        grid = grid_of([*series.values()])
        names = column_names([name.label for name in series], first=TIME)
        first = Samples(times_ms=grid.times_ms, values=grid.columns[0]) if series else NO_SAMPLES
        yield b'{"' + TIME.encode() + b'":['
        yield from joined_texts(self._times, first)
        for name, column in zip(names, grid.columns, strict=True):
            yield b"]," + json_bytes(name) + b":["
            yield from joined_texts(TextForm.VALUES, Samples(times_ms=grid.times_ms, values=column))
        yield b"]}"

    def _long(self) -> Iterator[Piece]:
        before = b"{"
        for name, samples in self.series().items():
            yield before + json_bytes(name.label) + b':{"' + TIME.encode() + b'":['
            yield from joined_texts(self._times, samples)
            yield b'],"value":['
            yield from joined_texts(TextForm.VALUES, samples)
            yield b"]}"
            before = b","
        yield b"}" if before == b"," else b"{}"


class WideCsvWriter(Collected):
    """A line for each instant, a column for each series; empty where there is no sample, or null."""

    def tail(self) -> Iterator[Piece]:
        """See the protocol."""
        series = self.series()
        grid = grid_of([*series.values()])
        names = column_names([name.label for name in series], first=TIMESTAMP)
        head = ",".join((TIMESTAMP, *map(csv_text, names)))
        columns = [
            map(csv_value, column) if column.places else map(repr, column.floats) for column in grid.columns
        ]
        rows = map(",".join, zip(InstantTexts().of(grid.times_ms), *columns, strict=True))
        yield ("\r\n".join((head, *rows)) + "\r\n").encode(errors="replace")


class MsgpackWriter(Collected):
    """The document of JSON (`docs/formats/answer.md`) as MessagePack, values with their types."""

    def __init__(self, query: TimeseriesQuery) -> None:
        super().__init__()
        self._query = query

    def tail(self) -> Iterator[Piece]:
        """See the protocol."""
        series = self.series()
        data = {
            _sound(name.label): Raw(
                encode(
                    {
                        "samples": [*zip(samples.times_ms, _packable(samples), strict=True)],
                        "count": len(samples),
                        "error": self._errors[name],
                    }
                )
            )
            for name, samples in series.items()
        }
        meta = meta_of(self._query, len(series), self._count)
        yield encode({"data": data, "_meta": to_json(meta)})


def _packable(samples: Samples) -> Iterable[Value | Ext]:
    """Values as MessagePack can hold them."""
    column = samples.values
    return map(_packed, column) if column.table else column


def _packed(value: Value) -> Value | Ext:
    if isinstance(value, str):
        return _sound(value)
    if isinstance(value, int) and not INT64_MIN <= value <= INT64_MAX:
        return Ext(LONG_INTEGER, str(value).encode())
    return value


def _sound(text: str) -> str:
    """A text in UTF-8; half of a surrogate pair becomes a question mark."""
    return text.encode(errors="replace").decode()
