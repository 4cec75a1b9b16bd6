"""Series of several points on one grid of instants: a row for each instant that any of them has.

It knows no format.
"""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import repeat

from edgeseries.answers.limits import WIDE_MAX_CELLS
from edgeseries.answers.result_format import Shape
from edgeseries.errors import TooLarge
from edgeseries.series.samples import Samples
from edgeseries.series.values import FILLER, Kind, ValueColumn


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """Instants (UTC epoch ms, ascending) and a column of as many values for each series, null where it has no
    sample.
    """

    times_ms: "array[int]"
    columns: tuple[ValueColumn, ...]


def grid_of(series: Sequence[Samples]) -> Grid:
    """All of them on one grid. Raises TooLarge for more cells than one answer may have."""
    first = series[0].times_ms if series else array("q")
    if all(one.times_ms == first for one in series):
        _check(len(first) * len(series))
        return Grid(times_ms=first, columns=tuple(one.values for one in series))
    times_ms = array("q", sorted(set().union(*(one.times_ms for one in series))))
    _check(len(times_ms) * len(series))
    places = dict(zip(times_ms, range(len(times_ms)), strict=True))
    return Grid(times_ms=times_ms, columns=tuple(_aligned(one, times_ms, places) for one in series))


def column_names(labels: Sequence[str], *, first: str) -> list[str]:
    """A name for each column, none of them that of the first column: underscores tell apart."""
    own = first
    while own == first or own in labels:
        own += "_"
    return [own if label == first else label for label in labels]


def _check(cells: int) -> None:
    if cells > WIDE_MAX_CELLS:
        raise TooLarge(
            f"{cells} cells, a row for each instant that any point has; at most {WIDE_MAX_CELLS} go into one "
            f"answer. Ask for fewer points or a shorter range, or take shape={Shape.LONG}"
        )


def _aligned(samples: Samples, times_ms: "array[int]", places: dict[int, int]) -> ValueColumn:
    """A series on the grid's instants."""
    column = samples.values
    if samples.times_ms == times_ms:
        return column
    found = dict(zip(samples.times_ms, column.floats, strict=True))
    floats = array("d", map(found.get, times_ms, repeat(FILLER)))
    own = [
        (places[samples.times_ms[place]], kind, payload)
        for place, kind, payload in zip(column.places, column.kinds, column.payloads, strict=True)
    ]
    missing = [(place, Kind.NULL, 0) for place, at_ms in enumerate(times_ms) if at_ms not in found]
    exceptions = sorted([*own, *missing])
    return ValueColumn(
        floats=floats,
        places=array("I", [place for place, _, _ in exceptions]),
        kinds=bytes([kind for _, kind, _ in exceptions]),
        payloads=array("q", [payload for _, _, payload in exceptions]),
        table=column.table,
    )
