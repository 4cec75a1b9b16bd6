"""Rows of points that nobody asked for, gathered from pages of a whole site beside those that were.

They must never spoil what was asked for: rows that are none end their gathering, not the fetch.
"""

from collections.abc import Iterable

from edgeseries.errors import OriginContract, OriginGarbled
from edgeseries.origins.ace.row_columns import Rows
from edgeseries.origins.ace.rows import Asked, RowCollector
from edgeseries.origins.ports.surplus import Surplus
from edgeseries.series.timerange import TimeRange


class OtherRows:
    """Rows of some points in a range, at most `max_rows`: of more, the points that have the most are left
    out. `along` are all points of the site. Values of points in `texts` stay texts.
    """

    def __init__(
        self,
        points: Iterable[str],
        span: TimeRange,
        *,
        max_rows: int,
        along: frozenset[str] = frozenset(),
        texts: frozenset[str] = frozenset(),
    ) -> None:
        named = frozenset(points)
        self._collector = RowCollector(named, texts=texts & named)
        self._span = span
        self._max_rows = max_rows
        self._along = along

    def add(self, rows: Rows) -> None:
        """Take the rows of a page that are of these points."""
        collector = self._collector
        if not collector.points:
            return
        try:
            collector.add(rows, Asked(points=tuple(collector.points), span=self._span, along=self._along))
        except (OriginContract, OriginGarbled):
            self._collector = RowCollector(())
            return
        if collector.count > self._max_rows:
            heard = collector.heard(collector.points)
            for point in sorted(heard, key=lambda point: -heard[point].count):
                if collector.count <= self._max_rows:
                    return
                collector.leave_out(point)

    def give_to(self, surplus: Surplus | None) -> None:
        """Hand over what was gathered, once the pages were read to their end."""
        if surplus is not None:
            surplus.add(self._span, self._collector.series(self._collector.points))
