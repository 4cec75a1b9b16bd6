"""What a row of the index says of a point and year, in values: days that count, samples by month, the object.

A row keeps sets of days as texts (`series/days.py`), because a year's bitmap is no number of a database.
Format: `docs/formats/storage.md`. It knows no SQL.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from edgeseries.planning.empty_days import EmptyDays, Reading, readings_text
from edgeseries.series.days import days_of_text, days_text, in_year, of_month, year_months

REMEMBERED: Final = 2_048
"""Years of points, cut into months, that an isolate remembers. Points of a site mostly have the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockRef:
    """The object that holds a point's month (version 1): its days that count (bitmap), those of them
    without any sample, those of these that were read only once (`planning/empty_days.py`), and what the
    object itself has: days, also purged ones, and samples.
    """

    month: str
    object_key: str
    days: int
    empty_days: int
    sample_count: int
    object_days: int
    unsettled: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthOfYear:
    """A month of a year's row, as the plan sees it (`planning/stored.py`)."""

    month: str
    days: int
    empty_days: int
    sample_count: int
    object_days: int
    unsettled: str


@dataclass(frozen=True, slots=True, kw_only=True)
class YearRef:
    """The object that holds a point's year, by its row. Sets of days are bitmaps of the year: `days` count,
    `empty_days` are those of them without a sample, `object_days` all that the object covers, also purged
    ones.

    `unsettled` are the empty days that were read only once. Without samples there is no object
    (`stored_bytes` is 0). `directory` is empty where only the object knows it.
    """

    year: str
    object_key: str
    days: int
    empty_days: int
    object_days: int
    unsettled: tuple[Reading, ...]
    month_samples: tuple[int, ...]
    stored_bytes: int
    directory: str

    @property
    def empty(self) -> EmptyDays:
        """The empty days with their readings."""
        return EmptyDays(days=self.empty_days, unsettled=self.unsettled)

    def months(self) -> tuple[MonthOfYear, ...]:
        """The months of which some days count."""
        bits = _by_month(self.year, self.days, self.empty_days, self.object_days, self.unsettled)
        return tuple(
            MonthOfYear(
                month=month,
                days=days,
                empty_days=empty_days,
                object_days=object_days,
                unsettled=unsettled,
                sample_count=count,
            )
            for count, (month, days, empty_days, object_days, unsettled) in zip(
                self.month_samples, bits, strict=True
            )
            if days
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PointRefs:
    """The objects of a point that a look at the index found: years, and months of version 1 with the days
    that no year has.
    """

    years: tuple[YearRef, ...] = ()
    months: tuple[BlockRef, ...] = ()

    @property
    def object_count(self) -> int:
        """Objects that have samples on days that count."""
        years = sum(bool(one.stored_bytes and one.days & ~one.empty_days) for one in self.years)
        return years + sum(bool(one.days & ~one.empty_days) for one in self.months)

    def indexed(self) -> tuple[MonthOfYear | BlockRef, ...]:
        """What is stored by month, months ascending; one may come twice, with other days."""
        found: list[MonthOfYear | BlockRef] = [
            *self.months,
            *(month for year in self.years for month in year.months()),
        ]
        return tuple(sorted(found, key=lambda one: one.month))


def year_ref(
    year: str, object_key: str, texts: Sequence[str], *, month_samples: str, stored_bytes: int, directory: str
) -> YearRef:
    """A row in values. `texts` are its sets of days: of the object, those purged since, empty ones, and the
    readings of these.
    """
    object_days, days, empty_days, unsettled = _sets(tuple(texts))
    counts = tuple(map(int, month_samples.split())) if month_samples else (0,) * len(year_months(year))
    return YearRef(
        year=year,
        object_key=object_key,
        days=days,
        empty_days=empty_days,
        object_days=object_days,
        unsettled=unsettled,
        month_samples=counts,
        stored_bytes=stored_bytes,
        directory=directory,
    )


def point_refs(years: Sequence[YearRef], months: Sequence[BlockRef]) -> PointRefs:
    """Rows of both versions: a year's row wins for the days that it has."""
    left = []
    for one in months:
        taken = next((of_month(one.month, year.days) for year in years if one.month.startswith(year.year)), 0)
        if one.days & ~taken:
            left.append(without_days(one, taken))
    return PointRefs(years=tuple(sorted(years, key=lambda one: one.year)), months=tuple(left))


def without_days(ref: BlockRef, taken: int) -> BlockRef:
    """A month without some of its days (bitmap), which count elsewhere."""
    if not ref.days & taken:
        return ref
    return BlockRef(
        month=ref.month,
        object_key=ref.object_key,
        days=ref.days & ~taken,
        empty_days=ref.empty_days & ~taken,
        sample_count=ref.sample_count,
        object_days=ref.object_days,
        unsettled=ref.unsettled,
    )


def year_readings_text(readings: Sequence[Reading]) -> str:
    """Readings as they stand in a year's row: `<days>@<ms>`, semicolons between; empty without any."""
    return ";".join(f"{days_text(one.days)}@{one.read_ms}" for one in readings)


def year_readings_of(text: str) -> tuple[Reading, ...]:
    """What `year_readings_text` wrote. Raises ValueError for another text."""
    pairs = (part.split("@") for part in text.split(";")) if text else ()
    return tuple(Reading(days=days_of_text(days), read_ms=int(read_ms)) for days, read_ms in pairs)


def in_year_readings(month: str, readings: Sequence[Reading]) -> list[Reading]:
    """Readings of a month's days as those of its year."""
    return [Reading(days=in_year(month, one.days), read_ms=one.read_ms) for one in readings]


@lru_cache(maxsize=REMEMBERED)
def _sets(texts: tuple[str, ...]) -> tuple[int, int, int, tuple[Reading, ...]]:
    object_text, purged_text, empty_text, unsettled_text = texts
    object_days = days_of_text(object_text)
    days = object_days & ~days_of_text(purged_text)
    empty_days = days_of_text(empty_text) & days
    readings = [
        Reading(days=one.days & empty_days, read_ms=one.read_ms) for one in year_readings_of(unsettled_text)
    ]
    return object_days, days, empty_days, tuple(one for one in readings if one.days)


@lru_cache(maxsize=REMEMBERED)
def _by_month(
    year: str, days: int, empty_days: int, object_days: int, unsettled: tuple[Reading, ...]
) -> tuple[tuple[str, int, int, int, str], ...]:
    found = []
    for month in year_months(year):
        readings = [
            Reading(days=some, read_ms=one.read_ms)
            for one in unsettled
            if (some := of_month(month, one.days))
        ]
        sets = (of_month(month, days), of_month(month, empty_days), of_month(month, object_days))
        found.append((month, *sets, readings_text(readings)))
    return tuple(found)
