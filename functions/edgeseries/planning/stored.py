"""What the index says of the points of a request: days, and how many samples they really have.

The index has real sample counts by month. Of a month that a range holds whole the count is exact; of one
that it cuts there are a least number, a most, and a likely one by the share of its days. Only the
least may refuse a request: what is stored is never refused because of a guess. It knows no store.
"""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from math import ceil
from typing import Final, Protocol

from edgeseries.limits import DAY_MS
from edgeseries.planning.empty_days import due_days, empty_days_of, first_due_ms
from edgeseries.series.days import days_in, days_touched, month_days
from edgeseries.series.timerange import TimeRange

_NONE: Final[frozenset[int]] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredMonth:
    """A stored month (`YYYY-MM`) of a point: days that have samples (bitmap, bit 0 is the 1st), how many
    samples they have together, and which days count: a purge leaves an object as it is.
    """

    month: str
    busy_days: int
    held_days: int
    sample_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCount:
    """Real samples of a point in a range: `whole` of the months whose days with samples all lie in it, and
    the months of which it holds a part (two at most).
    """

    whole: int = 0
    cut: tuple[StoredMonth, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleEstimate:
    """How many samples a range holds: at least, at most, and likely."""

    least: int
    likely: int
    most: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredDays:
    """Days that a range touches and the index has (`held`), those of them that have no sample (`empty`),
    and those of the empty ones that are to be read again by now (`due`); when the first of those that are
    not settled is or was due. Points share them.
    """

    held: frozenset[int] = _NONE
    empty: frozenset[int] = _NONE
    due: frozenset[int] = _NONE
    first_due_ms: int | None = None
    usable: frozenset[int] = field(init=False)
    """Days that need not be fetched."""

    def __post_init__(self) -> None:
        assert self.due <= self.empty <= self.held
        object.__setattr__(self, "usable", self.held - self.due if self.due else self.held)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPoint:
    """What the index has of a point."""

    days: StoredDays
    count: StoredCount = StoredCount()


MonthDays = tuple[tuple[str, int, int, str], ...]
"""Months with their days, those of them that are empty (bitmaps), and those of these that were read once."""


class IndexedMonth(Protocol):
    """A month of a point as the index has it: bitmaps of days, and samples of all of them."""

    @property
    def month(self) -> str:
        """`YYYY-MM`."""
        ...

    @property
    def days(self) -> int:
        """Days that are held."""
        ...

    @property
    def empty_days(self) -> int:
        """Those of them without a sample."""
        ...

    @property
    def unsettled(self) -> str:
        """Those of the empty ones that were read only once, and when (`empty_days.readings_text`)."""
        ...

    @property
    def object_days(self) -> int:
        """Days that the object has: those that are held, and perhaps some that were purged."""
        ...

    @property
    def sample_count(self) -> int:
        """Samples of the days that the object has."""
        ...


def stored_points(
    months: Mapping[str, Sequence[IndexedMonth]], span: TimeRange, *, now_ms: int
) -> dict[str, StoredPoint]:
    """What the index has of each point in a range. Points whose days are alike share them."""
    touched = frozenset(days_touched(span))
    alike: dict[MonthDays, StoredDays] = {}
    found = {}
    for point, some in months.items():
        form = tuple((one.month, one.days, one.empty_days, one.unsettled) for one in some)
        if form not in alike:
            alike[form] = stored_days(form, touched, now_ms=now_ms)
        if alike[form].held:
            count = counted(
                map(stored_month, some),
                span,
            )
            found[point] = StoredPoint(days=alike[form], count=count)
    return found


def stored_month(one: IndexedMonth) -> StoredMonth:
    """What a month counts for."""
    return StoredMonth(
        month=one.month,
        busy_days=one.object_days & ~one.empty_days,
        held_days=one.days,
        sample_count=one.sample_count,
    )


def stored_days(months: MonthDays, touched: AbstractSet[int], *, now_ms: int) -> StoredDays:
    """The days of some months that a range touches."""
    held: set[int] = set()
    empty: set[int] = set()
    due: set[int] = set()
    moments: list[int] = []
    for month, days, empty_days, unsettled in months:
        held.update(days_in(month, days))
        empty.update(days_in(month, empty_days))
        read_once = empty_days_of(empty_days, unsettled)
        due.update(days_in(month, due_days(read_once, now_ms=now_ms)))
        first_ms = first_due_ms(read_once)
        moments += [] if first_ms is None else [first_ms]
    return StoredDays(
        held=frozenset(held & touched),
        empty=frozenset(empty & touched),
        due=frozenset(due & touched),
        first_due_ms=min(moments, default=None),
    )


def counted(months: Iterable[StoredMonth], span: TimeRange) -> StoredCount:
    """The count of a range from the stored months that it touches."""
    whole = 0
    cut: list[StoredMonth] = []
    for month in months:
        share = _share(month, span)
        if share == 1.0:
            whole += month.sample_count
        elif share > 0.0:
            cut.append(month)
    return StoredCount(whole=whole, cut=tuple(cut))


def estimate_stored(count: StoredCount, span: TimeRange) -> SampleEstimate:
    """How many stored samples a range holds."""
    likely = sum(month.sample_count * _share(month, span) for month in count.cut)
    most = sum(month.sample_count for month in count.cut if _share(month, span) > 0.0)
    return SampleEstimate(
        least=count.whole, likely=count.whole + min(ceil(likely), most), most=count.whole + most
    )


def _share(month: StoredMonth, span: TimeRange) -> float:
    """How much of the days with samples a range holds, 0 to 1; exactly 1 if it holds all of them."""
    days = month_days(month.month)
    whole = span.start_ms <= days.start * DAY_MS and days.stop * DAY_MS <= span.end_ms
    if whole and not month.busy_days & ~month.held_days:
        return 1.0
    touched = days_touched(span)
    held_ms = sum(
        min(span.end_ms, (day + 1) * DAY_MS) - max(span.start_ms, day * DAY_MS)
        for day in days_in(month.month, month.busy_days & month.held_days)
        if day in touched
    )
    return held_ms / (month.busy_days.bit_count() * DAY_MS) if month.busy_days else 0.0
