"""The PageReader port: a page of an upstream as columns, without a Python step a row."""

from array import array
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from edgeseries.series.values import Value, ValueColumn


@dataclass(frozen=True, slots=True, kw_only=True)
class PointRows:
    """Rows of one point as columns of equal length, in order of delivery. `ascends`: strictly."""

    times_ms: "array[int]"
    values: ValueColumn
    ascends: bool

    def __post_init__(self) -> None:
        assert isinstance(self.times_ms, array)
        assert len(self.times_ms) == len(self.values)

    def __len__(self) -> int:
        return len(self.times_ms)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadPage:
    """Rows by name, and what the page says of the next one. None stands for all rows, where they have no
    name.
    """

    by_name: Mapping[str | None, PointRows]
    next_cursor: str | None
    has_more: bool | None


class PageReader(Protocol):
    """Reads pages that are just as the vendor writes them."""

    def read(self, body: bytes, value_of: Callable[[object], Value]) -> ReadPage | None:
        """The page that a body is; None if it is of another form, or no JSON.

        `value_of` gives the typed value of a text, boolean or null. It is asked once for each different one
        of a page, and not for plain decimals.
        """
