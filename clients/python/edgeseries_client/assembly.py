"""From the parts of a download to one file: text end to end, Parquet row group by row group.

Memory is that of one row group, whatever the file holds.
"""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from edgeseries_client.frames import library

FORMAT_OF: Final[Mapping[str, str]] = {
    ".parquet": "parquet",
    ".arrow": "arrow",
    ".csv": "csv",
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
    ".json": "json",
}
"""What is asked of the server for a file that ends so."""

END_TO_END: Final = frozenset({".csv", ".ndjson", ".jsonl"})
"""Parts of these are text that follows on, but for the header that each part of CSV has."""


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
    if len(parts) == 1:
        shutil.copyfile(parts[0], made)
    elif suffix == ".parquet":
        join_parquet(parts, made)
    elif suffix in END_TO_END:
        with made.open("wb") as file:
            for place, part in enumerate(parts):
                with part.open("rb") as source:
                    if suffix == ".csv" and place:
                        source.readline()
                    shutil.copyfileobj(source, file)
    else:
        raise ValueError(
            f"the result has {len(parts)} parts, which are no one {suffix} file: name it *.parquet"
        )
    made.replace(target)


def join_parquet(parts: Sequence[Path], made: Path) -> None:
    """Parquet files of the same columns as one, row group after row group. Raises MissingLibrary."""
    parquet = library("pyarrow.parquet", "arrow")
    schema = parquet.read_schema(parts[0])
    with parquet.ParquetWriter(made, schema, compression="zstd") as writer:
        for part in parts:
            with parquet.ParquetFile(part) as source:
                for place in range(source.num_row_groups):
                    writer.write_table(source.read_row_group(place).cast(schema))
