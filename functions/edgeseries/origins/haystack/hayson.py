"""Hayson: Haystack's grids as JSON (version 4), as pure functions."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from edgeseries.errors import OriginContract, OriginGarbled
from edgeseries.origins.haystack.grid import Column, Grid, Tags
from edgeseries.origins.haystack.values import Moment, Quantity, Ref, Scalar, Sign, number_of
from edgeseries.series.json_text import TooDeep, parsed_rows

MEDIA_TYPE: Final = "application/vnd.haystack+json;version=4"


def grid_in(body: bytes) -> Grid:
    """The grid that a body is. Raises OriginGarbled, OriginContract."""
    try:
        document = parsed_rows(body)
    except TooDeep as fault:
        raise OriginContract("the upstream's answer has brackets within brackets without end") from fault
    except ValueError as fault:
        raise OriginGarbled("the upstream's answer is not whole JSON; try again") from fault
    if not isinstance(document, dict) or document.get("_kind") != "grid":
        raise OriginContract("the upstream answered with something else than a grid")
    columns, rows = document.get("cols"), document.get("rows")
    if not isinstance(columns, list) or not isinstance(rows, list):
        raise OriginContract("the upstream answered with a grid without columns or rows")
    return Grid(
        meta=_tags(document.get("meta") or {}),
        columns=[_column(one) for one in columns],
        rows=[_tags(row) for row in rows],
    )


def _column(raw: object) -> Column:
    if not isinstance(raw, dict) or not isinstance(raw.get("name"), str):
        raise OriginContract("the upstream answered with a column without a name")
    return Column(name=raw["name"], meta=_tags(raw.get("meta") or {}))


def _tags(raw: object) -> Tags:
    if not isinstance(raw, Mapping):
        raise OriginContract("the upstream answered with a row that is no object")
    return {name: scalar_of(value) for name, value in raw.items() if value is not None}


def scalar_of(raw: Any) -> Scalar:
    """A value. Lists, dicts and grids within are texts. Raises OriginContract."""
    if raw is None or isinstance(raw, bool | str):
        return raw
    if isinstance(raw, int | float):
        return number_of(raw)
    if isinstance(raw, list):
        return "[...]"
    kind = raw.get("_kind")
    if kind in _SIGNS:
        return _SIGNS[kind]
    read = _READERS.get(kind)
    if read is not None:
        return read(raw)
    value = raw.get("val")
    return value if isinstance(value, str) else "{...}"


def _number(raw: Mapping[str, Any]) -> Scalar:
    unit, number = raw.get("unit"), number_of(raw.get("val"))
    return Quantity(number, unit) if isinstance(unit, str) and unit else number


def _moment(raw: Mapping[str, Any]) -> Scalar:
    return Moment(_text(raw.get("val")))


def _ref(raw: Mapping[str, Any]) -> Scalar:
    return Ref(_text(raw.get("val")), str(raw.get("dis") or ""))


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise OriginContract("the upstream sent a reference or an instant without a text")
    return value


_SIGNS: Final[Mapping[Any, Scalar]] = {one.value: one for one in Sign}
_READERS: Final[Mapping[Any, Callable[[Mapping[str, Any]], Scalar]]] = {
    "number": _number,
    "dateTime": _moment,
    "ref": _ref,
}
