"""Stored days are read again from the vendor, a few in each sweep, and repaired where they differ.

Which days they are is `planning/recheck_walk.py`. What the vendor cannot tell now is read another time; a
vendor in trouble ends the readings of this sweep.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from edgeseries.limits import DAY_MS, RECHECK_MAX_CALLS, SECOND_MS
from edgeseries.metrics.ports.late_data import LateData, summed
from edgeseries.planning.late_data import Difference, Verdict, doubts_after, due_doubts
from edgeseries.planning.lateness import LEARNED_DAYS, NO_LATENESS, Lateness, lateness_of
from edgeseries.planning.recheck_walk import (
    GROUP_POINTS,
    RECENT_DAYS,
    HeldPoint,
    RecheckState,
    Walk,
    Where,
    chosen_day,
    cycle_of,
    days_of,
    fitting,
    flood_after,
    next_walk,
    offset_of,
    points_on,
    state_of,
    state_text,
)
from edgeseries.series.days import first_unsealed_day, iso_day
from janitor import reread as one_reading
from janitor.duty import Duty, Outcome, Turn
from janitor.ports import Ports
from janitor.reread import VendorCannotTell, reread

FOLLOW_CALLS: Final = 6
"""Readings on top of `recheckCalls`, where corrections were found or losses are doubted."""

REPAIRS_MAX: Final = 2
"""Readings of one sweep that store something."""

LOOKS_MAX: Final = RECHECK_MAX_CALLS + FOLLOW_CALLS
"""Looks at the index for what to read."""

WALK_LOOKS: Final = 2
"""Groups that a walk passes in one turn because nothing of them is to be read."""

STATEMENTS: Final = (
    LOOKS_MAX * (1 + one_reading.STATEMENTS) + REPAIRS_MAX * one_reading.STATEMENTS_OF_A_REPAIR + 2
)


async def recheck_days(ports: Ports, turn: Turn) -> Outcome:
    """The walks, then what lies beside corrections, then losses that can be settled."""
    if not ports.settings.recheck_calls:
        return Outcome(summary="off: recheckCalls is 0", count=0, cursor=turn.cursor)
    sweep = _Sweep(ports=ports, turn=turn, state=state_of(turn.cursor, seed=turn.now_ms))
    try:
        await sweep.walk()
        await sweep.follow_flood()
        await sweep.settle_doubts()
    except VendorCannotTell as trouble:
        sweep.trouble = str(trouble)
    await ports.late_data.add(sweep.late_data(), now_ms=turn.now_ms)
    await ports.late_data.forget(before_ms=turn.now_ms - LEARNED_DAYS * DAY_MS)
    return Outcome(summary=sweep.summary(), count=sweep.corrected, cursor=state_text(sweep.state))


@dataclass(slots=True, kw_only=True)
class _Sweep:
    """One run: the state as it changes, what is left of the bounds, and what was found."""

    ports: Ports
    turn: Turn
    state: RecheckState
    follow_calls: int = FOLLOW_CALLS
    looks: int = LOOKS_MAX
    repairs: int = REPAIRS_MAX
    trouble: str = ""
    found: list[LateData] = field(default_factory=list)

    @property
    def corrected(self) -> int:
        """Days of points that were repaired."""
        return sum(one.corrected_days for one in self.found)

    def goes_on(self) -> bool:
        """Whether another look may begin."""
        return self.looks > 0 and self.repairs > 0 and self.turn.has_time(self.ports)

    async def walk(self) -> None:
        """The two walks in turn. A site whose days cannot be had at all is passed over."""
        for _ in range(self.ports.settings.recheck_calls):
            try:
                await self._step(recent_only=not self.state.whole_next)
            except VendorCannotTell as trouble:
                if not trouble.lasts:
                    raise
                self.trouble = str(trouble)
            finally:
                self.state = replace(self.state, whole_next=not self.state.whole_next)

    async def _step(self, *, recent_only: bool) -> None:
        """Read a day of the next group that has some. The walk moves on whatever becomes of the reading: what
        cannot be read must not hold up the others.
        """
        for _ in range(WALK_LOOKS):
            if not self.goes_on():
                return
            self.looks -= 1
            walk = self.state.recent if recent_only else self.state.whole
            near = await self.ports.stored_days.following(walk.site, walk.point)
            if near is None:
                following = next_walk(walk, now_ms=self.turn.now_ms)
                if following is None:
                    return
                self._move(following, recent_only=recent_only)
                continue
            group = fitting(near.points, where=Where.AFTER)
            self._move(replace(walk, site=near.site, point=group[-1].point), recent_only=recent_only)
            before_day = self.sealed_before_day(near.site)
            days = days_of(group, sealed_before_day=before_day, recent_only=recent_only)
            if days:
                offset = offset_of(self.state.seed, near.site, group[0].point)
                cycle = cycle_of(days, recent_only=recent_only)
                day = chosen_day(days, walk=walk.number, offset=offset, cycle=cycle)
                await self.read(near.site, group, day)
                return

    def _move(self, walk: Walk, *, recent_only: bool) -> None:
        if recent_only:
            self.state = replace(self.state, recent=walk)
        else:
            self.state = replace(self.state, whole=walk)

    async def follow_flood(self) -> None:
        """Read what lies beside corrections."""
        while self.goes_on() and self.follow_calls > 0 and self.state.waiting:
            cell, rest = self.state.waiting[0], self.state.waiting[1:]
            self.looks -= 1
            near = await self.ports.stored_days.neighbours(cell.site, cell.where, cell.point)
            group = fitting(near.points, where=cell.where) if near else ()
            waits = replace(self.state, waiting=rest)
            held = bool(points_on(group, cell.day)) and cell.day < self.sealed_before_day(cell.site)
            if not held or waits.has_seen(cell.site, group[0].point, cell.day):
                passed = group or (HeldPoint(point=cell.point, days=frozenset()),)
                self.state = flood_after(waits, site=cell.site, group=passed, day=cell.day, corrected=())
                continue
            self.follow_calls -= 1
            before, self.state = self.state, waits
            try:
                await self.read(cell.site, group, cell.day)
            except VendorCannotTell as trouble:
                self.state = waits if trouble.lasts else before
                raise

    async def settle_doubts(self) -> None:
        """Read days again whose samples were gone at a reading an hour ago."""
        while self.goes_on() and self.follow_calls > 0:
            due = due_doubts(self.state.doubts, now_ms=self.turn.now_ms, at_most=GROUP_POINTS)
            if not due:
                return
            self.looks -= 1
            self.follow_calls -= 1
            group = [HeldPoint(point=one.point, days=frozenset({one.day})) for one in due]
            try:
                await self.read(due[0].site, group, due[0].day, {one.point: one.read_ms for one in due})
            except VendorCannotTell as trouble:
                if trouble.lasts:
                    left = tuple(one for one in self.state.doubts if one not in due)
                    self.state = replace(self.state, doubts=left)
                raise

    async def read(
        self, site: str, group: Sequence[HeldPoint], day: int, doubted: Mapping[str, int] | None = None
    ) -> None:
        """One reading, and what follows from it."""
        doubted, now_ms = doubted or {}, self.turn.now_ms
        points = points_on(group, day)
        found = await reread(site, points, day, doubted=doubted, now_ms=now_ms, ports=self.ports)
        self.repairs -= found.repaired
        self.ports.operations["upstream_samples"] += found.delivered
        # A point that is not stored any more, or that the site has no more, is not doubted any more.
        verdicts = {**dict.fromkeys(doubted, Verdict.SAME), **found.verdicts}
        doubts = doubts_after(self.state.doubts, site=site, day=day, verdicts=verdicts, now_ms=now_ms)
        self.state = flood_after(
            replace(self.state, doubts=doubts), site=site, group=group, day=day, corrected=found.corrected
        )
        self._count(site, day, len(found.verdicts), [found.differences[one] for one in found.corrected])

    def _count(self, site: str, day: int, checked: int, corrected: Sequence[Difference]) -> None:
        """Count a reading; corrections go into the log, too."""
        one = LateData(
            site=site,
            lateness=self._lateness(site, day, corrected),
            checked_days=checked,
            corrected_days=len(corrected),
            added_samples=sum(found.added for found in corrected),
            changed_samples=sum(found.changed for found in corrected),
            removed_samples=sum(found.removed for found in corrected),
        )
        self.found.append(one)
        if corrected:
            self.ports.journal.line(
                "warning",
                "the vendor corrected a sealed day, which is repaired",
                site=site,
                day=iso_day(day),
                points=one.corrected_days,
                added=one.added_samples,
                changed=one.changed_samples,
                removed=one.removed_samples,
            )

    def _lateness(self, site: str, day: int, corrected: Sequence[Difference]) -> Lateness:
        """What corrections of a recent day say of how late samples come: later than the settle lag. Of old
        days they say that somebody has mended something.
        """
        if day < self.sealed_before_day(site) - RECENT_DAYS:
            return NO_LATENESS
        return lateness_of([self.settle_lag_ms(site) + SECOND_MS for found in corrected if found.added])

    def late_data(self) -> tuple[LateData, ...]:
        """What was found, an entry a site."""
        sites = sorted({one.site for one in self.found})
        return tuple(summed(site, [one for one in self.found if one.site == site]) for site in sites)

    def summary(self) -> str:
        """A sentence for people."""
        checked = sum(one.checked_days for one in self.found)
        parts = [f"{checked} days of points read again, {self.corrected} repaired"]
        if self.state.doubts:
            parts.append(f"{len(self.state.doubts)} have lost samples and wait for a second reading")
        if self.state.waiting:
            parts.append(f"{len(self.state.waiting)} neighbours are still to be read")
        return "; ".join([*parts, self.trouble] if self.trouble else parts)

    def settle_lag_ms(self, site: str) -> int:
        """The settle lag in force for a site."""
        return self.ports.settle_lags.of(site, self.ports.settings.settle_lag_ms)

    def sealed_before_day(self, site: str) -> int:
        """The first day of a site that is not sealed."""
        return first_unsealed_day(now_ms=self.turn.now_ms, settle_lag_ms=self.settle_lag_ms(site))


DUTY: Final = Duty(name="recheck-days", statements=STATEMENTS, run=recheck_days)
