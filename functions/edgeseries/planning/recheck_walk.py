"""Which stored days are read again from the vendor, a few in each sweep: two walks, and what they lead to.

A walk goes through the points of all sites in groups of neighbours by name. Of each group it reads one day;
the next walk reads another one, far from it. So a correction that touches many points of a day, as most do,
is met early, and every day still has its turn. One walk takes the last RECENT_DAYS sealed days only, the
other all.

Where a reading finds a correction, the days before and after it and the groups of points beside it on that
day are read next, and so on from each that has one: a flood that stops at what is right.

Values in, decisions out: no store, no clock, no chance. A place is a point of a site; days count from 1970.
"""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from math import gcd
from typing import Final
from zlib import crc32

from edgeseries.limits import HOUR_MS
from edgeseries.planning.late_data import DoubtedDay

VERSION: Final = 1
"""Of the text of a state."""

RECENT_DAYS: Final = 14
"""Days that are read again more often: what comes late comes within days, as a rule."""

CYCLE_STEP_DAYS: Final = 32
"""The days of a store are taken for a multiple of this: each day that comes would shuffle the order else."""

GROUP_POINTS: Final = 20
"""Points of one reading, at most. More make it dearer for the vendor, fewer find less with a call."""

READING_SAMPLES: Final = 20_000
"""Samples of one reading, as expected: a page or two of the vendor."""

WALK_MIN_MS: Final = 6 * HOUR_MS
"""A walk begins this long after the one before it began at the earliest: a small store is not read again all
the time just because there are calls left."""

WAITING_MAX: Final = 64
"""Cells of the flood that wait to be read; of more the latest are given up, and the walks find them."""

SEEN_MAX: Final = 512
"""Cells of a flood that were read: it ends there at the latest."""

GOLDEN: Final = 0.618_033_988_75
"""Of a circle: steps of this share lie as far apart as they can, however many there are."""


class Where(StrEnum):
    """Where a group of points lies from a place: it begins there, or is the one after or before it."""

    AT = "at"
    AFTER = "after"
    BEFORE = "before"


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldPoint:
    """A point, its stored days, and how many samples a day it is known to have (0: not known)."""

    point: str
    days: frozenset[int]
    density_per_day: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """A walk: its number, when it began (UTC epoch ms), and the last place that it has done (empty: none)."""

    number: int = 0
    begun_ms: int = 0
    site: str = ""
    point: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A day of a group of points of a site, waiting to be read."""

    site: str
    where: Where
    point: str
    day: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RecheckState:
    """All that is remembered between sweeps. `seed` makes the order of days one of its own, `seen` are the
    cells of the flood that were read, as numbers; `whole_next` says whose turn it is of the walks.
    """

    seed: int
    whole_next: bool = False
    recent: Walk = Walk()
    whole: Walk = Walk()
    waiting: tuple[Cell, ...] = ()
    seen: tuple[int, ...] = ()
    doubts: tuple[DoubtedDay, ...] = ()

    def has_seen(self, site: str, first_point: str, day: int) -> bool:
        """Whether this flood has read the day of the group that begins with a point."""
        return cell_number(site, first_point, day) in self.seen


def chosen_day(days: Sequence[int], *, walk: int, offset: int, cycle: int) -> int:
    """The day of a group that a walk reads. In `cycle` walks every day comes that is held in all of them,
    whatever else comes and goes; neighbours far apart in time. `offset` is where this group begins.

    `cycle` is at least the number of days from the first to the last.
    """
    assert max(days) - min(days) < cycle
    step = max(1, round(cycle * GOLDEN))
    while gcd(step, cycle) != 1:
        step += 1
    wanted = offset + walk * step
    return min(days, key=lambda day: (day - wanted) % cycle)


def cycle_of(days: Sequence[int], *, recent_only: bool) -> int:
    """How many walks it takes to read all of some days, ascending. It changes rarely while days come."""
    if recent_only:
        return RECENT_DAYS
    return -(-(days[-1] - days[0] + 1) // CYCLE_STEP_DAYS) * CYCLE_STEP_DAYS


def offset_of(seed: int, site: str, point: str) -> int:
    """Where a group begins in its days: the same for ever, and different for each."""
    return crc32(f"{seed}/{site}/{point}".encode(errors="surrogatepass"))


def days_of(group: Sequence[HeldPoint], *, sealed_before_day: int, recent_only: bool) -> tuple[int, ...]:
    """The sealed days that any point of a group holds, ascending; only the last RECENT_DAYS of the calendar
    where that is asked.
    """
    first_day = sealed_before_day - RECENT_DAYS if recent_only else 0
    held = frozenset[int]().union(*(one.days for one in group))
    return tuple(sorted(day for day in held if first_day <= day < sealed_before_day))


def fitting(group: Sequence[HeldPoint], *, where: Where) -> tuple[HeldPoint, ...]:
    """As many of some neighbours, nearest to their place first, as make one reading: GROUP_POINTS, with about
    READING_SAMPLES a day together, and one at least. In order by name.
    """
    nearest = list(reversed(group)) if where is Where.BEFORE else list(group)
    chosen: list[HeldPoint] = []
    total = 0.0
    for one in nearest[:GROUP_POINTS]:
        total += one.density_per_day
        if chosen and total > READING_SAMPLES:
            break
        chosen.append(one)
    return tuple(sorted(chosen, key=lambda one: one.point))


def points_on(group: Sequence[HeldPoint], day: int) -> tuple[str, ...]:
    """The points of a group that hold a day."""
    return tuple(one.point for one in group if day in one.days)


def next_walk(walk: Walk, *, now_ms: int) -> Walk | None:
    """The walk after one that has come to its end; None while it is too early for it."""
    if 0 <= now_ms - walk.begun_ms < WALK_MIN_MS:
        return None
    return Walk(number=walk.number + 1, begun_ms=now_ms)


def cell_number(site: str, first_point: str, day: int) -> int:
    """A cell as a number. Two cells may have the same: then one of them is not read in this flood."""
    return crc32(f"{day}/{site}/{first_point}".encode(errors="surrogatepass"))


def flood_after(
    state: RecheckState, *, site: str, group: Sequence[HeldPoint], day: int, corrected: Collection[str]
) -> RecheckState:
    """The state once a day of a group was read in the flood, or by a walk: where points were corrected, the
    cells beside it wait to be read. When none wait any more the flood is over.
    """
    first, last = group[0].point, group[-1].point
    seen, waiting = state.seen, state.waiting
    if corrected:
        seen = (*seen, cell_number(site, first, day))
        beside = (
            Cell(site=site, where=Where.AT, point=first, day=day - 1),
            Cell(site=site, where=Where.AT, point=first, day=day + 1),
            Cell(site=site, where=Where.BEFORE, point=first, day=day),
            Cell(site=site, where=Where.AFTER, point=last, day=day),
        )
        waiting = (*waiting, *(cell for cell in beside if cell not in waiting))[:WAITING_MAX]
    elif waiting or seen:
        seen = (*seen, cell_number(site, first, day))
    if not waiting or len(seen) > SEEN_MAX:
        seen, waiting = (), ()
    return replace(state, seen=seen, waiting=waiting)


def state_text(state: RecheckState) -> str:
    """A state as it is remembered."""
    return json.dumps(
        {
            "version": VERSION,
            "seed": state.seed,
            "wholeNext": state.whole_next,
            "recent": _walk_row(state.recent),
            "whole": _walk_row(state.whole),
            "waiting": [[one.site, one.where, one.point, one.day] for one in state.waiting],
            "seen": state.seen,
            "doubts": [[one.read_ms, one.site, one.day, one.point] for one in state.doubts],
        },
        separators=(",", ":"),
    )


def state_of(text: str, *, seed: int) -> RecheckState:
    """What `state_text` wrote; the beginning for an empty text, or one of another version."""
    found = json.loads(text) if text else {}
    if found.get("version") != VERSION:
        return RecheckState(seed=seed)
    return RecheckState(
        seed=int(found["seed"]),
        whole_next=bool(found["wholeNext"]),
        recent=_walk_of(found["recent"]),
        whole=_walk_of(found["whole"]),
        waiting=tuple(
            Cell(site=site, where=Where(where), point=point, day=day)
            for site, where, point, day in found["waiting"]
        ),
        seen=tuple(found["seen"]),
        doubts=tuple(
            DoubtedDay(read_ms=read_ms, site=site, day=day, point=point)
            for read_ms, site, day, point in found["doubts"]
        ),
    )


def _walk_row(walk: Walk) -> list[int | str]:
    return [walk.number, walk.begun_ms, walk.site, walk.point]


def _walk_of(row: Sequence[int | str]) -> Walk:
    number, begun_ms, site, point = row
    return Walk(number=int(number), begun_ms=int(begun_ms), site=str(site), point=str(point))
