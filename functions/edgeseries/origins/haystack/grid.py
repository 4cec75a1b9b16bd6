"""A grid: what every Haystack operation takes and gives."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from edgeseries.errors import OriginRefused, OriginUnreachable
from edgeseries.origins.haystack.values import Scalar

MESSAGE_MAX_CHARS = 500

Tags = Mapping[str, Scalar]


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column's name and its meta."""

    name: str
    meta: Tags = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """Meta, columns, and rows by column, without empty cells."""

    meta: Tags
    columns: Sequence[Column]
    rows: Sequence[Tags]


def whole(grid: Grid) -> Grid:
    """The grid, unless it tells of an error. Raises OriginUnreachable for one that may pass, OriginRefused
    for any other.
    """
    if "err" not in grid.meta:
        return grid
    told = str(grid.meta.get("dis") or "an error without a text")[:MESSAGE_MAX_CHARS]
    if "imeout" in told or "nterrupt" in told:
        raise OriginUnreachable(f"the upstream gave up: {told}")
    raise OriginRefused(f"the upstream refused: {told}")
