"""The Dialect port: what is a vendor's own in reading its API. All else is `origins/listed_origin.py`.

A dialect makes calls and reads what comes back into columns. It need not cut them to the range, nor sort, nor
count them, nor leave out points that nobody asked for.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from edgeseries.planning.capabilities import Capabilities
from edgeseries.series.points import Point, Site
from edgeseries.series.timerange import TimeRange
from edgeseries.series.values import Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """Until when calls may take (UTC epoch ms), and what is awaited before each of them."""

    deadline_ms: int
    before: Callable[[], Awaitable[None]] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedPoint:
    """A point of a site's list, and how the vendor is asked for it: plain data of its adapter."""

    point: Point
    address: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PointColumns:
    """Samples of a point as they came: two columns of equal length, instants in UTC epoch ms."""

    point: str
    times_ms: Sequence[int]
    values: Sequence[Value]

    def __post_init__(self) -> None:
        assert len(self.times_ms) == len(self.values)


Finding = Mapping[str, str]
"""What was found out of an installation, by what it is."""


class Dialect(Protocol):
    """One vendor's API, with one credential."""

    @property
    def capabilities(self) -> Capabilities:
        """What one call can hold."""
        ...

    async def sites(self, turn: Turn) -> Sequence[Site]:
        """Every site, in any order."""
        ...

    async def points(self, site: str, turn: Turn) -> Sequence[ListedPoint] | None:
        """Every point of a site, in any order; None for a site that is not there."""
        ...

    async def samples(
        self, points: Sequence[ListedPoint], span: TimeRange, turn: Turn
    ) -> Sequence[PointColumns]:
        """All samples of up to `capabilities.batch_points` points of one site in the half-open range, and
        maybe others.

        Silence means that there are none. Raises OriginOversize for an answer that is too large: it is asked
        again in halves.
        """
        ...

    async def ping(self, turn: Turn) -> None:
        """The cheapest call that proves that the upstream answers and takes our credential."""
        ...

    async def probe(self, point: ListedPoint, span: TimeRange, turn: Turn) -> Finding:
        """What this installation does where installations differ, seen on samples of a point in a range."""
        ...
