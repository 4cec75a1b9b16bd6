"""From the parts of a download to one file: text end to end, Parquet row group by row group.

Memory is that of one row group, whatever the file holds.
"""

import json
import shutil
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import IO, Any, Final

from edgeseries_client.frames import TEXT, library, split
from edgeseries_client.series import VALUE

ROWS: Final = 131_072
"""Rows of a row group that is made from lines."""

FORMAT_OF: Final = {
    ".parquet": "ndjson",
    ".csv": "csv",
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
    ".json": "json",
}
"""What is asked of the server for a file that ends so."""


def format_for(target: Path) -> str:
    """The server's format for a file. Raises ValueError for an end of a name that means nothing here."""
    try:
        return FORMAT_OF[target.suffix.lower()]
    except KeyError:
        raise ValueError(
            f"{target.name}: name the file {', '.join('*' + end for end in FORMAT_OF)}"
        ) from None


def assemble(parts: Sequence[Path], target: Path) -> None:
    """Make the file of its parts. It has its name once it is whole. Raises ValueError, MissingLibrary."""
    made = target.with_name(target.name + ".whole")
    suffix = target.suffix.lower()
    if suffix == ".parquet":
        write_parquet(parts, made)
    elif suffix == ".json" and len(parts) > 1:
        raise ValueError(
            f"the result has {len(parts)} parts, which are no one JSON document: name it *.ndjson"
        )
    else:
        with made.open("wb") as file:
            for place, part in enumerate(parts):
                with part.open("rb") as source:
                    if suffix == ".csv" and place:
                        source.readline()  # Each part has a header of its own.
                    shutil.copyfileobj(source, file)
    made.replace(target)


def write_parquet(parts: Sequence[Path], made: Path) -> None:
    """Lines of JSON as Parquet: `time`, `point`, `value`, `text`, compressed by zstd."""
    pa = library("pyarrow", "arrow")
    parquet = library("pyarrow.parquet", "arrow")
    schema = pa.schema(
        [
            ("time", pa.timestamp("ms", "UTC")),
            ("point", pa.dictionary(pa.int32(), pa.string())),
            (VALUE, pa.float64()),
            (TEXT, pa.string()),
        ]
    )
    with parquet.ParquetWriter(made, schema, compression="zstd") as writer:
        for part in parts:
            with part.open("rb") as source:
                for rows in _rows(source):
                    points, times, values = zip(*rows, strict=True)
                    numbers, texts = split(values)
                    columns = [
                        pa.array(times, pa.int64()).cast(schema.field("time").type),
                        pa.array(points, pa.string()).dictionary_encode().cast(schema.field("point").type),
                        pa.array(numbers, pa.float64()),
                        pa.array(texts, pa.string()),
                    ]
                    writer.write_batch(pa.record_batch(columns, schema=schema))


def _rows(source: IO[bytes]) -> Iterator[list[tuple[str, int, Any]]]:
    rows: list[tuple[str, int, Any]] = []
    for line in source:
        row = json.loads(line)
        if "timestamp" not in row:
            continue  # A point without samples, and why.
        instant = datetime.fromisoformat(row["timestamp"])
        rows.append((row["point_name"], round(instant.timestamp() * 1000), row["value"]))
        if len(rows) == ROWS:
            yield rows
            rows = []
    if rows:
        yield rows
