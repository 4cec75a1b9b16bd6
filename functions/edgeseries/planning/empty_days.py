"""When "no samples" is believed: empty days are read once more, and a silence of everything is doubted.

A day that upstream had no samples of is stored as empty, and stays so for ever unless it is read again. So
each is read once more, EMPTY_REREAD_MS after the first time; empty then, too, it is settled. Where all
points of what was asked fall silent although they are dense, the gateway has lost its memory more likely
than the building its life: such days are not stored before a second read, DOUBT_MS later at the
earliest, finds the same.

Values in, decisions out. A set of days of one month or year is a bitmap, bit 0 the 1st; times are UTC epoch
ms. Formats: `docs/formats/storage.md`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from edgeseries.limits import DOUBT_MAX_AGE_MS, DOUBT_MS, EMPTY_REREAD_MS, SILENT_DENSE_PER_DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Days (bitmap) that were read at one moment."""

    days: int
    read_ms: int


def unsettled_days(readings: Sequence[Reading]) -> int:
    """Days (bitmap) of some readings."""
    found = 0
    for one in readings:
        found |= one.days
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class EmptyDays:
    """The empty days of a stored month: all of them, and when those were read that are not settled.

    `unsettled` holds each day once at most, the earliest reading first.
    """

    days: int = 0
    unsettled: tuple[Reading, ...] = ()

    def __post_init__(self) -> None:
        assert not unsettled_days(self.unsettled) & ~self.days
        assert unsettled_days(self.unsettled) == sum(one.days for one in self.unsettled)


NO_EMPTY_DAYS: Final = EmptyDays()


def within_days(empty: EmptyDays, days: int) -> EmptyDays:
    """The empty days among some days (bitmap)."""
    left = [Reading(days=one.days & days, read_ms=one.read_ms) for one in empty.unsettled]
    return EmptyDays(days=empty.days & days, unsettled=_merged([one for one in left if one.days]))


def due_days(empty: EmptyDays, *, now_ms: int) -> int:
    """Empty days (bitmap) that are to be read again."""
    return unsettled_days([one for one in empty.unsettled if now_ms - one.read_ms >= EMPTY_REREAD_MS])


def first_due_ms(empty: EmptyDays) -> int | None:
    """When the first of the days is to be read again; None if all are settled."""
    return min((one.read_ms + EMPTY_REREAD_MS for one in empty.unsettled), default=None)


def after_reading(before: EmptyDays, *, read: int, found_empty: int, now_ms: int) -> EmptyDays:
    """The empty days after some days (`read`) were read and stored, of which `found_empty` had no sample.

    A day that was empty before settles if it was due. One that is read again sooner stays as it was.
    """
    assert not found_empty & ~read
    again = found_empty & before.days
    settled = again & due_days(before, now_ms=now_ms)
    kept = [
        Reading(days=days, read_ms=one.read_ms)
        for one in before.unsettled
        if (days := one.days & ~(read & ~again) & ~settled)
    ]
    fresh = found_empty & ~before.days
    if fresh:
        kept.append(Reading(days=fresh, read_ms=now_ms))
    return EmptyDays(days=(before.days & ~read) | found_empty, unsettled=_merged(kept))


def _merged(readings: Sequence[Reading]) -> tuple[Reading, ...]:
    """Readings by time, those of one moment as one."""
    days: dict[int, int] = {}
    for one in readings:
        days[one.read_ms] = days.get(one.read_ms, 0) | one.days
    return tuple(Reading(days=days[at_ms], read_ms=at_ms) for at_ms in sorted(days))


def readings_text(readings: Sequence[Reading]) -> str:
    """Readings as they stand in a row: `<bitmap>@<ms>`, semicolons between; empty without any."""
    return ";".join(f"{one.days}@{one.read_ms}" for one in readings)


def readings_of(text: str) -> tuple[Reading, ...]:
    """What `readings_text` wrote. Raises ValueError for another text."""
    pairs = (part.split("@") for part in text.split(";")) if text else ()
    return tuple(Reading(days=int(days), read_ms=int(read_ms)) for days, read_ms in pairs)


def empty_days_of(days: int, text: str) -> EmptyDays:
    """The empty days of a row. A purge takes days away and leaves their readings, which do not count."""
    readings = [Reading(days=one.days & days, read_ms=one.read_ms) for one in readings_of(text)]
    return EmptyDays(days=days, unsettled=tuple(one for one in readings if one.days))


def silent_days(
    read: Mapping[str, frozenset[int]],
    busy: Mapping[str, frozenset[int]],
    density_per_day: Mapping[str, float],
) -> frozenset[int]:
    """Days (since 1970) whose silence is doubtful: of the points that were read for the day (`read`) none
    has a sample (`busy`), and at least one of them is dense by what was learned of it before.
    """
    dense = {point for point in read if density_per_day.get(point, 0.0) >= SILENT_DENSE_PER_DAY}
    heard = frozenset[int]().union(*busy.values())
    expected = frozenset[int]().union(*(read[point] for point in dense))
    return expected - heard


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """What becomes of doubtful days of a month (bitmaps): `believed` are stored as empty after all,
    `waiting` is what is remembered of the others.
    """

    believed: int
    waiting: tuple[Reading, ...]


def after_doubt(before: Sequence[Reading], *, silent: int, now_ms: int) -> Doubt:
    """Days that are silent now, given the silent ones before.

    Believed are those whose first reading is old enough to be another one, and is not forgotten yet.
    """
    remembered = [one for one in before if 0 <= now_ms - one.read_ms < DOUBT_MAX_AGE_MS]
    believed = silent & unsettled_days([one for one in remembered if now_ms - one.read_ms >= DOUBT_MS])
    kept = [Reading(days=days, read_ms=one.read_ms) for one in remembered if (days := one.days & ~believed)]
    fresh = silent & ~believed & ~unsettled_days(kept)
    if fresh:
        kept.append(Reading(days=fresh, read_ms=now_ms))
    return Doubt(believed=believed, waiting=_merged(kept))
