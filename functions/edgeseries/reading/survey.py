"""What a request finds before anything is read: what is stored, what is known of the live edge, and what is
missing.

Values only: `series_reader.py` makes and uses them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import ceil
from typing import Protocol

from edgeseries.answers.parts import block_count
from edgeseries.blocks.ports.blocks import StoredIndex
from edgeseries.blocks.stamps import Stamps
from edgeseries.planning.fetch_plan import FetchPlan, Gap, exact_gaps, live_gaps, plan_fetch, whole_day_gaps
from edgeseries.planning.partial_days import PartialDay, partial_day_gaps, without_partial_days
from edgeseries.planning.stored import StoredPoint
from edgeseries.reading.live_part import LivePart
from edgeseries.series.timerange import TimeRange

_NOTHING: Mapping[str, frozenset[int]] = {}
_NO_DAYS: frozenset[int] = frozenset()


class Wanted(Protocol):
    """Some points of a site in a range: a request, or a batch of a job."""

    @property
    def site(self) -> str:
        """The site."""
        ...

    @property
    def points(self) -> Sequence[str]:
        """The points, each once."""
        ...

    @property
    def span(self) -> TimeRange:
        """The range, half-open, in UTC epoch milliseconds."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """What the index lists some points. `known` if it could be asked; `reads` if what is stored may be
    used.
    """

    stored: StoredIndex = field(default_factory=StoredIndex)
    known: bool = False
    reads: bool = True

    @property
    def covered(self) -> Mapping[str, frozenset[int]]:
        """Days that may be taken from the store, by point."""
        return self.stored.covered if self.reads else _NOTHING

    @property
    def points(self) -> Mapping[str, StoredPoint]:
        """What is stored of each point, whether or not it may be used."""
        return self.stored.stored

    @property
    def density_per_day(self) -> Mapping[str, float]:
        """Samples a day of each point that something has been learned of."""
        return self.stored.density_per_day

    @property
    def stamps(self) -> Stamps:
        """The generations when it was asked."""
        return self.stored.stamps

    def due(self, point: str) -> frozenset[int]:
        """Days of a point that were stored as empty, and are to be read again."""
        known = self.points.get(point)
        return _NO_DAYS if known is None else known.days.due

    def with_empty_days(self) -> "Index":
        """The same, with the days that are to be read again taken as they are stored."""
        held = {point: one.days.held for point, one in self.points.items()}
        return replace(self, stored=replace(self.stored, covered=held))


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What is wanted, and what there is of it at the moment `now_ms` (UTC epoch). `fetch_plan` is what
    upstream must deliver if every object is there that the index lists. `served` are sealed days that are not
    stored, and of which the isolate knows what is wanted.
    """

    wanted: Wanted
    index: Index
    live: LivePart
    now_ms: int
    settle_lag_ms: int
    fetch_plan: FetchPlan
    served: tuple[PartialDay, ...] = ()

    @property
    def block_count(self) -> int:
        """Blocks that the sealed part lies in, or will: one a point and year, or more while there are
        months of version 1.
        """
        objects = sum(self.index.stored.objects.values())
        return max(objects, block_count(len(self.wanted.points), self.fetch_plan.sealed_part))

    def usable(self, days: Mapping[str, frozenset[int]]) -> Mapping[str, frozenset[int]]:
        """Of days that blocks really hold, by point, those that need not be fetched. Equal sets are one
        object.
        """
        covered = self.index.covered
        return {
            point: covered[point] if some == covered[point] else some & covered[point]
            for point, some in days.items()
            if point in covered
        }

    def with_due(self, held: Mapping[str, frozenset[int]]) -> Mapping[str, frozenset[int]]:
        """Days that are held, and those that are stored as empty and were to be read again."""
        return {point: held.get(point, _NO_DAYS) | self.index.due(point) for point in self.wanted.points}

    def plan_with(self, held: Mapping[str, frozenset[int]]) -> FetchPlan:
        """What upstream must deliver if only these days, by point, are taken from the store."""
        return plan_of(
            self.wanted,
            self.index,
            with_days(held, self.served),
            now_ms=self.now_ms,
            settle_lag_ms=self.settle_lag_ms,
            live_missing_ms=self.live.missing_ms,
        )


def with_days(held: Mapping[str, frozenset[int]], days: Sequence[PartialDay]) -> Mapping[str, frozenset[int]]:
    """Days that are held, by point, and those of some partial days. Equal sets stay one object."""
    if not days:
        return held
    further: dict[str, frozenset[int]] = {}
    for one in days:
        further[one.point] = further.get(one.point, _NO_DAYS) | {one.day}
    made: dict[tuple[int, frozenset[int]], frozenset[int]] = {}
    found = dict(held)
    for point, some in further.items():
        before = held.get(point, _NO_DAYS)
        found[point] = made.setdefault((id(before), some), before | some)
    return found


def plan_of(
    wanted: Wanted,
    index: Index,
    covered: Mapping[str, frozenset[int]],
    *,
    now_ms: int,
    settle_lag_ms: int,
    live_missing_ms: Mapping[str, int] | None = None,
) -> FetchPlan:
    """The plan to fetch what is missing. Without `live_missing_ms` nothing is known of the live edge."""
    return plan_fetch(
        wanted.points,
        wanted.span,
        covered=covered,
        density_per_day=index.density_per_day,
        now_ms=now_ms,
        settle_lag_ms=settle_lag_ms,
        live_missing_ms=live_missing_ms,
        stored=index.points,
    )


def part_of(survey: Survey, days: Mapping[str, tuple[int, ...]]) -> Survey:
    """The survey of these missing days alone, by point: nothing else is missing, and nothing is live."""
    plan = survey.fetch_plan
    share = sum(map(len, days.values())) / sum(map(len, plan.missing_days.values()))
    return replace(
        survey,
        live=LivePart(known=survey.live.known),
        fetch_plan=replace(
            plan,
            missing_days=days,
            live=None,
            missing_samples=ceil(plan.missing_samples * share),
            cautious_samples=ceil(plan.cautious_samples * share),
        ),
    )


def gaps_of(
    survey: Survey, fetch_plan: FetchPlan, partial_days: Sequence[PartialDay], *, whole_days: bool
) -> tuple[Gap, ...]:
    """What to fetch: exactly what is missing, or sealed days whole, so that they can be stored."""
    left = without_partial_days(fetch_plan, partial_days)
    points, span, pieces = survey.wanted.points, survey.wanted.span, survey.live.pieces
    if not whole_days:
        return (*exact_gaps(left, points, pieces), *partial_day_gaps(partial_days, span, whole_days=False))
    return (
        *whole_day_gaps(left),
        *partial_day_gaps(partial_days, span, whole_days=True),
        *live_gaps(left, points, pieces),
    )
