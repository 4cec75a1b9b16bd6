"""The port of who reads Parquet files. The library weighs 19 MB, so a bundle has it only if its Worker hands
it in.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class ParquetColumn:
    """Cells of a column as plain values, None for null. `is_instants`: they are instants in UTC epoch ms."""

    cells: Sequence[Any]
    is_instants: bool = False


class ParquetReader(Protocol):
    """Reads whole files."""

    def columns(self, content: bytes, names: Sequence[str]) -> Mapping[str, ParquetColumn]:
        """Columns by name, of equal length: those of `names` that the file has. Raises OriginGarbled for a
        file that is cut short, OriginContract for what cannot be read as Parquet.
        """
        ...
