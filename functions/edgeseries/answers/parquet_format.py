"""An answer as one Parquet file, row group by row group. Format: `docs/formats/arrow.md`."""

import io
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from arro3.core import RecordBatch, Table
from arro3.io import write_parquet

from edgeseries.answers.arrow_columns import LongBatches
from edgeseries.answers.parquet_footer import ParquetJoin
from edgeseries.answers.pieces import CHUNK_SAMPLES, Piece
from edgeseries.planning.query import TimeseriesQuery
from edgeseries.series.points import Point, SeriesName
from edgeseries.series.samples import Samples

GROUP_BATCHES: Final = 4
"""Batches of a row group: 131,072 rows, of which readers decode one at a time; in memory some megabytes."""

GROUP_ROWS: Final = GROUP_BATCHES * CHUNK_SAMPLES


class ParquetWriter:
    """A row a sample, compressed with zstd."""

    def __init__(
        self,
        query: TimeseriesQuery,
        facts: Mapping[str, Point],
        aggregates: tuple[str, ...] = (),
        *,
        names_points: bool = True,
    ) -> None:
        self._batches = LongBatches(query, facts, aggregates=aggregates, names_points=names_points)
        self._waiting: list[RecordBatch] = []
        self._join = ParquetJoin()
        self._begun = False

    def head(self) -> bytes:
        """Nothing: the first row group brings the beginning."""
        return b""

    def part(self, name: SeriesName, samples: Samples) -> Iterator[Piece]:
        """See the protocol."""
        for batch in self._batches.add(name, samples):
            self._waiting.append(batch)
            if len(self._waiting) == GROUP_BATCHES:
                yield self._group()

    def end_series(self, name: SeriesName, error: str | None, source_count: int | None = None) -> bytes:  # noqa: ARG002 - the protocol's
        """Nothing."""
        return b""

    def tail(self) -> Iterable[Piece]:
        """The last row group, if there is anything in it, and the footer."""
        batch = self._batches.batch()
        if batch.num_rows or not (self._begun or self._waiting):
            self._waiting.append(batch)
        return (self._group() if self._waiting else b"", self._join.end())

    def _group(self) -> bytes:
        """What is waiting as a row group."""
        table = Table.from_batches(self._waiting, schema=self._batches.schema)
        self._waiting = []
        self._begun = True
        into = io.BytesIO()
        write_parquet(
            table,
            into,
            compression="zstd(3)",
            max_row_group_size=GROUP_ROWS,
            column_encoding={"time": "delta_binary_packed"},
            column_dictionary_enabled={"time": False, "value": False},
            created_by="EdgeSeries",
        )
        return self._join.add(into.getvalue())
