"""The ParquetReader port by arro3, which is imported where a file is read: it takes some 100 ms.

A file that is cut short is seen by its footer before arro3 sees it; what arro3 cannot read ends in an error
of ours, its panics too.
"""

from collections.abc import Mapping, Sequence
from io import BytesIO
from types import TracebackType
from typing import Any, Final, cast

from edgeseries.errors import OriginContract, OriginGarbled
from edgeseries.origins.ports.parquet_reader import ParquetColumn
from edgeseries.ports.libraries import ImportedLibraries, Libraries

MAGIC: Final = b"PAR1"
FOOTER_BYTES: Final = 8
"""The length of the footer, and the magic."""


class ArrowFaults:
    """Turns what arro3 raises into an error of ours: a plain Exception, and the panic of its Rust code, which
    no class can be imported for.
    """

    def __enter__(self) -> None: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        """Raises OriginContract for a fault of arro3."""
        if kind is Exception or (kind is not None and kind.__name__ == "PanicException"):
            raise OriginContract("a file of the archive is no Parquet that can be read") from error


class ArrowParquetReader:
    """Reads by arro3, which `libraries` load."""

    def __init__(self, libraries: Libraries | None = None) -> None:
        self._libraries = ImportedLibraries() if libraries is None else libraries

    def columns(self, content: bytes, names: Sequence[str]) -> Mapping[str, ParquetColumn]:
        """See the port."""
        check_footer(content)
        self._libraries.load_arrow()
        from arro3.io import read_parquet  # noqa: PLC0415 - loaded by who reads Parquet alone

        with ArrowFaults():
            table = read_parquet(BytesIO(content)).read_all()
            return {name: _column(table[name]) for name in table.column_names if name in names}


def check_footer(content: bytes) -> None:
    """See that a file has both its ends. Raises OriginGarbled, OriginContract."""
    if not content.startswith(MAGIC):
        raise OriginContract("a file of the archive is no Parquet, though its name says so")
    size = int.from_bytes(content[-FOOTER_BYTES:-4], "little")
    if not content.endswith(MAGIC) or size + FOOTER_BYTES + len(MAGIC) > len(content):
        raise OriginGarbled("a file of the archive ends in the middle; try again")


def _column(column: Any) -> ParquetColumn:
    from arro3.core import DataType  # noqa: PLC0415 - loaded by who reads Parquet alone

    types: Any = DataType  # Its stubs do not say what these give.
    kind = column.type
    if not types.is_timestamp(kind):
        return ParquetColumn(cells=_listed(column))
    in_ms = column.cast(types.timestamp("ms", tz=kind.tz)).cast(types.int64())
    return ParquetColumn(cells=_listed(in_ms), is_instants=True)


def _listed(column: Any) -> list[Any]:
    """A column as a list. Its type stubs say otherwise."""
    return cast("list[Any]", column.to_pylist())
