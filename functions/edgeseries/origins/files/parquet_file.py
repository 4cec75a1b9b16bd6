"""Parquet files as columns, by arro3, which is imported where a file is read: it takes some 100 ms.

A file that is cut short is seen by its footer before arro3 sees it; what arro3 cannot read ends in an error
of ours, its panics too.
"""

from collections.abc import Sequence
from io import BytesIO
from types import TracebackType
from typing import Any, Final, cast

from edgeseries.errors import OriginContract, OriginGarbled
from edgeseries.origins.collecting import plain_values
from edgeseries.origins.files.csv_file import ColumnNames, Rows, instants, scaled
from edgeseries.origins.text_values import values_of
from edgeseries.series.values import Value

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


def rows_in(content: bytes, names: ColumnNames) -> Rows:
    """Samples of a Parquet file. Raises OriginGarbled for one that is cut short, OriginContract for another
    form, or without the columns of times and values.
    """
    check_footer(content)
    from arro3.io import read_parquet  # noqa: PLC0415 - loaded by who reads Parquet alone

    with ArrowFaults():
        table = read_parquet(BytesIO(content)).read_all()
        found = {name: table[name] for name in table.column_names}
    for one in (names.time, names.value):
        if one not in found:
            raise OriginContract(f"a file of the archive has no column {one!r}: set timeColumn, valueColumn")
    with ArrowFaults():
        points = _listed(found[names.point]) if names.point in found else None
        times = _times(found[names.time], names)
        values = _values(found[names.value])
    if points is not None and not set(map(type, points)) <= {str}:
        raise OriginContract(f"a file of the archive has names in {names.point!r} that are no texts")
    return Rows(times_ms=times, values=values, points=points)


def check_footer(content: bytes) -> None:
    """See that a file has both its ends. Raises OriginGarbled, OriginContract."""
    if not content.startswith(MAGIC):
        raise OriginContract("a file of the archive is no Parquet, though its name says so")
    size = int.from_bytes(content[-FOOTER_BYTES:-4], "little")
    if not content.endswith(MAGIC) or size + FOOTER_BYTES + len(MAGIC) > len(content):
        raise OriginGarbled("a file of the archive ends in the middle; try again")


def _times(column: Any, names: ColumnNames) -> Sequence[int]:
    from arro3.core import DataType  # noqa: PLC0415 - loaded by who reads Parquet alone

    types: Any = DataType  # Its stubs do not say what these give.
    kind = column.type
    if types.is_timestamp(kind):
        in_ms = column.cast(types.timestamp("ms", tz=kind.tz)).cast(types.int64())
        return _without_nulls(_listed(in_ms))
    listed = _without_nulls(_listed(column))
    if set(map(type, listed)) <= {int} and names.time_unit != "iso":
        return scaled(listed, names.time_unit)
    if not set(map(type, listed)) <= {str}:
        raise OriginContract(
            "a file of the archive has times that are neither instants nor texts: set timeUnit"
        )
    return instants(listed, names)


def _values(column: Any) -> Sequence[Value]:
    listed = _listed(column)
    kinds = set(map(type, listed))
    if kinds <= {str}:
        return values_of(listed) if listed else []
    if not kinds <= {float, int, bool, str, type(None)}:
        raise OriginContract("a file of the archive has values that are no numbers, texts or booleans")
    return plain_values(listed)


def _listed(column: Any) -> list[Any]:
    """A column as a list. Its type stubs say otherwise."""
    return cast("list[Any]", column.to_pylist())


def _without_nulls(listed: Sequence[Any]) -> Sequence[Any]:
    if None in listed:
        raise OriginContract("a file of the archive has a row without a time")
    return listed
