"""ACE's rows by name, as two columns each: times and values, as they were sent.

Owns how they come out of a body: against a schema, without a dict a row, where a page is as the vendor
writes them; out of a parsed document where it is not. What the columns mean is `rows.py`.

The schema names every field and takes nothing nested, so no bracket of a body leads the parser deeper: what
the schema refuses is bounded in depth before it is parsed in full (`wire.py`).

Loops and comprehensions on purpose: in WebAssembly a call of C code out of `map` costs three times what the
interpreter takes for the same step (`docs/adr/0015-native-wheels.md`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any, Final, Generic, TypeVar

from msgspec import Struct, ValidationError
from msgspec.json import Decoder

from edgeseries.errors import OriginContract
from edgeseries.origins.ports.page_reader import ReadPage
from edgeseries.origins.text_values import EXACT_INTEGERS

NO_NAME: Final = "the upstream sent a row whose name is no text"

Row = Mapping[str, object]
"""A row of a parsed document."""

Columns = tuple[list[Any], list[Any]]
"""Times and values of one name, of equal length, in order of delivery."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowColumns:
    """Rows by name. None stands for all rows, where they have no name.

    `numbers` says that every value is a float as it is meant: a text or number that no other float is near.
    """

    by_name: Mapping[str | None, Columns]
    numbers: bool = False


Rows = ReadPage | RowColumns | Sequence[Row]


def rows_in(rows: Rows) -> int:
    """How many there are."""
    if isinstance(rows, ReadPage):
        return sum(map(len, rows.by_name.values()))
    if isinstance(rows, RowColumns):
        return sum(len(times) for times, _ in rows.by_name.values())
    return len(rows)


_Value = TypeVar("_Value")


class _Row(Struct, Generic[_Value], gc=False, forbid_unknown_fields=True):
    time: str
    value: _Value
    name: str | None = None


class _Page(Struct, Generic[_Value], gc=False, forbid_unknown_fields=True):
    """A text among the kinds of a field keeps a text a text where the decoder is not strict."""

    point_samples: list[_Row[_Value]]
    next_cursor: str | None = None
    has_more: str | int | bool | None = None


# Not strict: a text that is a JSON number is read as one.
_NUMBERS: Final = Decoder(_Page[float], strict=False)
_ANY_VALUES: Final = Decoder(_Page[str | float | int | bool | None])

_SIGNED_ZERO: Final = b'"-0"'
_ESCAPED_SIGN: Final = b"\\u002"
"""The text "-0" is a zero with its sign; msgspec takes it for an integer. An escape may be in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageColumns:
    """A page whose rows are columns, and what it says of the next one."""

    rows: RowColumns
    next_cursor: str | None
    has_more: str | int | bool | None


def page_columns(body: bytes, *, numbers: bool = True) -> PageColumns | None:
    """The page that a body is; None if it is not just as the vendor writes pages, or no JSON. Without
    `numbers` texts stay texts.
    """
    try:
        found = _page_of_numbers(body) if numbers else None
        if found is None:
            page = _ANY_VALUES.decode(body)
            found = page, _by_name(page.point_samples), False
    except ValueError:
        return None
    page, by_name, are_numbers = found
    if None in by_name and len(by_name) > 1:
        return None
    return PageColumns(
        rows=RowColumns(by_name=by_name, numbers=are_numbers),
        next_cursor=page.next_cursor,
        has_more=page.has_more,
    )


def _page_of_numbers(body: bytes) -> tuple[_Page[Any], dict[str | None, Columns], bool] | None:
    """The page, if each value is a number and none of them is "nan" or one that a float64 may have rounded.

    Raises ValueError for what is no JSON.
    """
    if _SIGNED_ZERO in body or (b"\\" in body and _ESCAPED_SIGN in body):
        return None
    try:
        page = _NUMBERS.decode(body)
    except ValidationError:
        return None
    by_name = _by_name(page.point_samples)
    if not all(_are_plain(values) for _, values in by_name.values()):
        return None
    return page, by_name, True


def _by_name(rows: Sequence[_Row[Any]]) -> dict[str | None, Columns]:
    by_name: dict[str | None, Columns] = {}
    for row in rows:
        try:
            times, values = by_name[row.name]
        except KeyError:
            times, values = by_name[row.name] = [], []
        times.append(row.time)
        values.append(row.value)
    return by_name


def _are_plain(values: Sequence[float]) -> bool:
    # A sum is finite only if all are. One that overflows makes no more than work.
    return isfinite(sum(values)) and min(values) > -EXACT_INTEGERS and max(values) < EXACT_INTEGERS


def columns_of(rows: Sequence[Row], point: str | None = None) -> RowColumns:
    """Rows of a document as columns; `point` is the name of rows without one.

    Raises OriginContract for a name that is no text.
    """
    by_name: dict[str | None, Columns] = {}
    for row in rows:
        name = row.get("name")
        name = point if name is None else name
        if not isinstance(name, str):
            raise OriginContract(NO_NAME)
        times, values = by_name.setdefault(name, ([], []))
        times.append(row.get("time"))
        values.append(row.get("value"))
    return RowColumns(by_name=by_name)
