"""The ParquetReader port by arro3, which is imported where a file is read: it takes some 100 ms.

A file that is cut short is seen by its footer before arro3 sees it; what arro3 cannot read ends in an error
of ours, its panics too.
"""

from array import array
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
            reader = read_parquet(BytesIO(content))
            schema = reader.schema
            found = {name: _Cells(schema.field(name).type) for name in schema.names if name in names}
            for batch in reader:
                for name, cells in found.items():
                    cells.add(batch[name])
            return {name: cells.column() for name, cells in found.items()}


def check_footer(content: bytes) -> None:
    """See that a file has both its ends. Raises OriginGarbled, OriginContract."""
    if not content.startswith(MAGIC):
        raise OriginContract("a file of the archive is no Parquet, though its name says so")
    size = int.from_bytes(content[-FOOTER_BYTES:-4], "little")
    if not content.endswith(MAGIC) or size + FOOTER_BYTES + len(MAGIC) > len(content):
        raise OriginGarbled("a file of the archive ends in the middle; try again")


class _Cells:
    """Cells of a column, batch by batch: numbers and instants in eight bytes each while none is null, texts
    each once.
    """

    def __init__(self, kind: Any) -> None:
        from arro3.core import DataType  # noqa: PLC0415 - loaded by who reads Parquet alone

        self._types: Any = DataType  # Its stubs do not say what these give.
        self._is_instants = bool(self._types.is_timestamp(kind))
        self._zone = kind.tz if self._is_instants else None
        self._cells: Any = []
        if self._is_instants or self._types.is_float64(kind):
            self._cells = array("q" if self._is_instants else "d")
        self._is_text = bool(self._types.is_string(kind))
        self._known: dict[str | None, str | None] = {}

    def add(self, some: Any) -> None:
        """The cells of a batch."""
        if self._is_instants:
            some = some.cast(self._types.timestamp("ms", tz=self._zone)).cast(self._types.int64())
        if some.null_count and isinstance(self._cells, array):
            self._cells = list(self._cells)
        cells = cast("list[Any]", some.to_pylist())  # Its type stubs say otherwise.
        if self._is_text:
            cells = [self._known.setdefault(text, text) for text in cells]
        self._cells.extend(cells)

    def column(self) -> ParquetColumn:
        """All of them."""
        return ParquetColumn(cells=self._cells, is_instants=self._is_instants)
