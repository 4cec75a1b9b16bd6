"""What the rows of a look at the index say, put together: days, counts, densities, generations, objects.

Rows are those of LOOK_UP and LOOK_UP_MANY (`index_statements.py`). It asks nothing.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from edgeseries.blocks.ports.blocks import StoredIndex
from edgeseries.blocks.stamps import Stamp, Stamps
from edgeseries.blocks.year_rows import BlockRef, MonthOfYear, PointRefs, YearRef, point_refs, year_ref
from edgeseries.planning.stored import (
    IndexedMonth,
    StoredCount,
    StoredDays,
    StoredMonth,
    StoredPoint,
    counted,
    stored_days,
    stored_points,
)
from edgeseries.series.days import YEAR_CHARS, days_touched, month_of
from edgeseries.series.timerange import TimeRange
from edgeseries.storage.database import Row
from edgeseries.storage.object_keys import block_key

_CUT_COLUMNS: Final = ("month", "busy_days", "held_days", "sample_count")


class Found:
    """What the rows of a look-up say."""

    def __init__(self, *, site: str, points: Sequence[str], span: TimeRange, now_ms: int) -> None:
        self._site = site
        self._points = points
        self._span = span
        self._now_ms = now_ms
        self._touched = frozenset(days_touched(span))
        self._first_month = month_of(days_touched(span)[0])
        self._by_coverage: dict[str, StoredDays] = {}
        self._days: dict[str, StoredDays] = {}
        self._counts: dict[str, StoredCount] = {}
        self._densities: dict[str, float] = {}
        self._refs: dict[str, PointRefs] = {}
        self._objects: dict[str, int] = {}
        self._stamps: dict[str, Stamp] = {}
        self._site_generations: list[int] = []

    def take(self, rows: Sequence[Row], first: int) -> None:
        """Rows of LOOK_UP, of points from a place on."""
        for place, density, generation, ticket, site_generation, months, years in rows:
            point = self._points[first + place]
            self._site_generations.append(int(site_generation))
            if density is not None:
                self._densities[point] = float(density)
            if generation is not None:
                self._stamps[point] = stamp_of(site_generation, generation, ticket)
            refs = point_refs(
                [
                    year_row(row[0], block_key(self._site, point, row[0], row[1]), row[2:])
                    for row in json.loads(years)
                ],
                [
                    month_row(row[0], block_key(self._site, point, row[0], row[1]), row[2:])
                    for row in sorted(json.loads(months))
                    if row[0] >= self._first_month
                ],
            )
            if refs.years or refs.months:
                self._refs[point] = refs
                self._objects[point] = refs.object_count

    def take_many(self, rows: Sequence[Row], first: int) -> None:
        """Rows of LOOK_UP_MANY."""
        for kind, key, value in rows:
            match kind:
                case "site":
                    self._site_generations.append(int(key))
                case "density":
                    self._densities[self._points[first + int(key)]] = float(value)
                case "generation":
                    generation, ticket = json.loads(value)
                    self._stamps[self._points[first + int(key)]] = stamp_of(0, generation, ticket)
                case "count":
                    whole, cut, objects = json.loads(value)
                    self._objects[self._points[first + int(key)]] = objects
                    count = counted(self._cut_months(cut), self._span)
                    self._counts[self._points[first + int(key)]] = StoredCount(
                        whole=whole + count.whole, cut=count.cut
                    )
                case _:
                    days = self._by_coverage.get(key)
                    if days is None:
                        days = self._by_coverage[key] = _stored_days(key, self._touched, self._now_ms)
                    self._days.update((self._points[first + place], days) for place in json.loads(value))

    def index(self, *, few: bool) -> StoredIndex:
        """All of it. Of several statements the earliest generation of the site counts."""
        site = min(self._site_generations, default=0)
        if few:
            months: Mapping[str, Sequence[IndexedMonth]] = {
                point: refs.indexed() for point, refs in self._refs.items()
            }
            stored = stored_points(months, self._span, now_ms=self._now_ms)
        else:
            stored = {
                point: StoredPoint(days=days, count=self._counts[point])
                for point, days in self._days.items()
                if days.held
            }
        return StoredIndex(
            covered={point: one.days.usable for point, one in stored.items() if one.days.usable},
            stored=stored,
            density_per_day=self._densities,
            stamps=Stamps(
                site=site, points={point: replace(stamp, site=site) for point, stamp in self._stamps.items()}
            ),
            refs=self._refs if few else None,
            objects={point: count for point, count in self._objects.items() if count},
        )

    def _cut_months(self, rows: Sequence[Sequence[Any]]) -> Iterator[StoredMonth]:
        """The months that a range may hold a part of."""
        for row in rows:
            if len(row[0]) > YEAR_CHARS:
                yield StoredMonth(**dict(zip(_CUT_COLUMNS, row, strict=True)))
                continue
            year, days, purged, empty, month_samples = row
            texts = (days, purged, empty, "")
            found = year_ref(year, "", texts, month_samples=month_samples, stored_bytes=0, directory="")
            for one in found.months():
                yield StoredMonth(
                    month=one.month,
                    busy_days=one.object_days & ~one.empty_days,
                    held_days=one.days,
                    sample_count=one.sample_count,
                )


def year_row(year: str, object_key: str, row: Sequence[Any]) -> YearRef:
    """A year by the columns of its row."""
    *texts, month_samples, stored_bytes, directory = row
    return year_ref(
        year,
        object_key,
        texts,
        month_samples=month_samples,
        stored_bytes=int(stored_bytes),
        directory=directory,
    )


def month_row(month: str, object_key: str, row: Sequence[Any]) -> BlockRef:
    """A month of version 1 by the columns of its row."""
    days, empty_days, sample_count, object_days, unsettled = row
    return BlockRef(
        month=month,
        object_key=object_key,
        days=days,
        empty_days=empty_days,
        sample_count=sample_count,
        object_days=object_days,
        unsettled=unsettled,
    )


def stamp_of(site: object, point: object, ticket: object) -> Stamp:
    """Generations of a row; who has none has 0."""
    return Stamp(site=_number(site), point=_number(point), ticket=_number(ticket))


def _number(value: object) -> int:
    return int(value) if isinstance(value, int) else 0


def _stored_days(coverage: str, touched: frozenset[int], now_ms: int) -> StoredDays:
    """The days that a row of LOOK_UP_MANY says."""
    years: list[YearRef] = []
    months: list[BlockRef] = []
    for text in coverage.split(","):
        period, *sets = text.split("=")
        if len(period) == YEAR_CHARS:
            years.append(year_ref(period, "", sets, month_samples="", stored_bytes=0, directory=""))
        else:
            days, empty_days, unsettled = int(sets[0]), int(sets[1]), sets[2]
            months.append(month_row(period, "", (days, empty_days, 0, days, unsettled)))
    found: tuple[MonthOfYear | BlockRef, ...] = point_refs(years, months).indexed()
    values = tuple((one.month, one.days, one.empty_days, one.unsettled) for one in found)
    return stored_days(values, touched, now_ms=now_ms)
