"""ACE's rows as samples: typed values, instants, and which of the rows were asked for.

It owns how the vendor's texts become typed values (rules: `docs/formats/answer.md`), and that nothing that
nobody asked for gets among the samples of a point.
"""

import unicodedata
from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, cast

from edgeseries.errors import OriginContract
from edgeseries.origins.ace.activity import Heard
from edgeseries.origins.ace.row_columns import NO_NAME, Columns, RowColumns, Rows, columns_of
from edgeseries.origins.declared_text import texts_of
from edgeseries.origins.instants import times_of
from edgeseries.origins.ports.page_reader import PointRows, ReadPage
from edgeseries.origins.text_values import values_of
from edgeseries.series.points import PointSeries
from edgeseries.series.samples import NO_SAMPLES, Samples, ascend, in_order
from edgeseries.series.timerange import TimeRange
from edgeseries.series.values import ValueColumn, column_of, concatenated


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What an answer is held against: points and range that were asked, and points whose rows come along
    by right (of a page of a whole site).
    """

    points: Collection[str]
    span: TimeRange
    along: frozenset[str] = frozenset()


ROWS_UNASKED: Final = "rows_unasked"
ROWS_OUTSIDE: Final = "rows_outside"
"""What is dropped, by the names of `docs/formats/analytics.md`."""


class RowCollector:
    """Rows in order of delivery, sorted out by point: what was asked, whatever else is sent.

    `count` is how many rows were taken, `dropped` how many were not, by why. Of points in `texts` the values
    stay texts: their rows come as they were sent.
    """

    def __init__(self, points: Iterable[str], *, texts: frozenset[str] = frozenset()) -> None:
        self.texts = texts
        self._taken: dict[str, list[PointRows]] = {point: [] for point in points}
        self.count = 0
        self.dropped: Counter[str] = Counter()

    @property
    def points(self) -> Collection[str]:
        """The points whose rows are taken."""
        return self._taken.keys()

    def add(self, rows: Rows, asked: Asked, *, point: str | None = None) -> set[str]:
        """Take rows; `point` names them where the answer is about one point and may leave the name out.

        Returns the points that the answer settles: it has rows of them, or none of them and none that
        was not asked for. Raises OriginContract for rows that are no rows, and where a name is
        an asked one in another form of Unicode: whose they are nobody could say.
        """
        columns = rows if isinstance(rows, ReadPage | RowColumns) else columns_of(rows, point)
        by_name = _named(columns.by_name, point)
        asked_points = set(asked.points)
        strangers = by_name.keys() - asked_points - asked.along
        if strangers:
            _refuse_other_forms(strangers, asked.points)
            self.dropped[ROWS_UNASKED] += sum(_row_count(by_name[name]) for name in strangers)
        known: dict[object, int] | None = {} if len(by_name) > 1 else None
        numbers = isinstance(columns, RowColumns) and columns.numbers
        for name in asked.points:
            if name in by_name:
                found = by_name[name]
                assert not (name in self.texts and (numbers or isinstance(found, PointRows)))
                text = name in self.texts
                own = (
                    found
                    if isinstance(found, PointRows)
                    else _typed(found, known, numbers=numbers, text=text)
                )
                self._take(name, own, asked.span)
        return asked_points & by_name.keys() if strangers else asked_points

    def _take(self, point: str, rows: PointRows, span: TimeRange) -> None:
        """Rows of a point, but for those outside the range. One at its very end is no fault: which ends
        a range holds is the vendor's affair.
        """
        inside, ends = (_cut if rows.ascends else _sifted)(rows, span)
        outside = len(rows) - len(inside) - ends
        if outside:
            self.dropped[ROWS_OUTSIDE] += outside
        if len(inside):
            self._taken[point].append(inside)
        self.count += len(inside)

    def take_over(self, other: "RowCollector", points: Iterable[str], span: TimeRange) -> None:
        """The rows that another one has of points in a range, as if they had come here."""
        for point in points:
            for part in other.parts(point):
                inside, _ = (_cut if part.ascends else _sifted)(part, span)
                if len(inside):
                    self._taken[point].append(inside)
                    self.count += len(inside)

    def extent(self) -> TimeRange | None:
        """The range that all rows lie in; None without any."""
        ends = [
            (part.times_ms[0], part.times_ms[-1])
            if part.ascends
            else (min(part.times_ms), max(part.times_ms))
            for parts in self._taken.values()
            for part in parts
        ]
        if not ends:
            return None
        return TimeRange(start_ms=min(first for first, _ in ends), end_ms=max(last for _, last in ends) + 1)

    def heard(self, points: Iterable[str]) -> dict[str, Heard]:
        """Those of some points that have rows: the instant of the last, and how many."""
        return {
            point: Heard(
                last_ms=max(part.times_ms[-1] if part.ascends else max(part.times_ms) for part in parts),
                count=sum(map(len, parts)),
            )
            for point in points
            if (parts := self._taken[point])
        }

    def parts(self, point: str) -> Sequence[PointRows]:
        """The rows of a point, as they came."""
        return self._taken[point]

    def series(self, points: Iterable[str]) -> list[PointSeries]:
        """The series of those of some points that have rows."""
        return [
            PointSeries(point=point, samples=self.samples(point)) for point in points if self._taken[point]
        ]

    def leave_out(self, point: str) -> None:
        """Rows of a point are not taken any more, nor those that were."""
        self.count -= sum(map(len, self._taken.pop(point)))

    def samples(self, point: str) -> Samples:
        """The point's samples in normal form."""
        parts = self._taken[point]
        if not parts:
            return NO_SAMPLES
        times_ms = parts[0].times_ms if len(parts) == 1 else array("q")
        if len(parts) > 1:
            for part in parts:
                times_ms.extend(part.times_ms)
        values = concatenated([part.values for part in parts])
        if all(part.ascends for part in parts) and all(
            before.times_ms[-1] < after.times_ms[0] for before, after in pairwise(parts)
        ):
            return Samples(times_ms=times_ms, values=values)
        return in_order(times_ms, values)


def _row_count(rows: Columns | PointRows) -> int:
    return len(rows) if isinstance(rows, PointRows) else len(rows[0])


def _typed(
    columns: Columns, known: dict[object, int] | None, *, numbers: bool, text: bool = False
) -> PointRows:
    times, raws = columns
    if numbers:
        values = ValueColumn(floats=array("d", raws))
    else:
        values = column_of(texts_of(raws) if text else values_of(raws))
    times_ms = times_of(times, known)
    return PointRows(times_ms=array("q", times_ms), values=values, ascends=ascend(times_ms))


def _cut(rows: PointRows, span: TimeRange) -> tuple[PointRows, int]:
    """Ascending rows inside the range, and how many there are at its very end."""
    times_ms = rows.times_ms
    if span.start_ms <= times_ms[0] and times_ms[-1] < span.end_ms:
        return rows, 0
    first = bisect_left(times_ms, span.start_ms)
    last = bisect_left(times_ms, span.end_ms, lo=first)
    inside = PointRows(times_ms=times_ms[first:last], values=rows.values.part(first, last), ascends=True)
    return inside, int(last < len(times_ms) and times_ms[last] == span.end_ms)


def _sifted(rows: PointRows, span: TimeRange) -> tuple[PointRows, int]:
    """The same of rows in any order."""
    times_ms, listed = rows.times_ms, rows.values.to_list()
    inside = [place for place, at_ms in enumerate(times_ms) if span.start_ms <= at_ms < span.end_ms]
    taken = PointRows(
        times_ms=array("q", [times_ms[place] for place in inside]),
        values=column_of([listed[place] for place in inside]),
        ascends=False,
    )
    return taken, times_ms.count(span.end_ms)


def _named(
    by_name: Mapping[str | None, Columns] | Mapping[str | None, PointRows], point: str | None
) -> Mapping[str, Columns | PointRows]:
    """`point` is the name of rows without one, which then have none of them."""
    if None not in by_name:
        return cast("Mapping[str, Columns | PointRows]", by_name)
    if point is None:
        raise OriginContract(NO_NAME)
    return {point: by_name[None]}


def _refuse_other_forms(strangers: Iterable[str], asked: Iterable[str]) -> None:
    forms = {unicodedata.normalize("NFKC", name) for name in asked}
    if any(unicodedata.normalize("NFKC", name) in forms for name in strangers):
        raise OriginContract("the upstream writes the name of a point in another form than it was asked in")
