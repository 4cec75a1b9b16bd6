"""The live part of a request: what the isolate knows of it, and what it learns when more is read.

The algebra is `planning/live_edge.py`. Values only; recent samples come in.
"""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace

from edgeseries.limits import LATEST_MS
from edgeseries.planning.lateness import LATENESS_MIN_MS
from edgeseries.planning.live_edge import (
    Edge,
    LivePlan,
    Read,
    RecentSamples,
    late_ms,
    plan_live,
    recent_after,
)
from edgeseries.planning.partial_days import PartialDay
from edgeseries.reading.fetched import Fetched
from edgeseries.series.samples import Samples, within
from edgeseries.series.timerange import TimeRange


@dataclass(frozen=True, slots=True, kw_only=True)
class LivePart:
    """The plan of a request's live part, the recent samples it may use, and what was known when it began.

    Without a live part there is no plan. `known` is what was remembered, if it may be used at all: days
    that were sealed since can be made from it.
    """

    plan: LivePlan | None = None
    recents: Mapping[str, RecentSamples] = field(default_factory=dict)
    known: Mapping[str, RecentSamples] = field(default_factory=dict)
    remembered: Mapping[str, RecentSamples] = field(default_factory=dict)

    @property
    def missing_ms(self) -> Mapping[str, int]:
        """How much of the live part upstream must deliver, by point."""
        return {} if self.plan is None else self.plan.missing_ms

    @property
    def pieces(self) -> Mapping[str, tuple[TimeRange, ...]]:
        """What to ask upstream, by point."""
        return {} if self.plan is None else self.plan.pieces

    @property
    def density_per_day(self) -> Mapping[str, float]:
        """Samples a day of each point that enough is known of lately: a quiet one has none."""
        return {
            point: per_day
            for point, recent in self.recents.items()
            if (per_day := recent.per_day) is not None
        }

    def held(self, partial_days: Sequence[PartialDay]) -> list[tuple[str, Samples]]:
        """Samples that are known, by point: of the live part, and of days that were sealed since.

        Of other sealed days blocks know better.
        """
        found = [(partial_day.point, partial_day.samples) for partial_day in partial_days]
        if self.plan is not None:
            live = TimeRange(start_ms=self.plan.edge.span.start_ms, end_ms=LATEST_MS)
            found += [(point, within(recent.samples, live)) for point, recent in self.recents.items()]
        return found

    def late_ms(self, fetched: Fetched) -> list[int]:
        """How late samples came that were read on from what was known, an observation a point, of those for
        which it is worth saying.
        """
        if not self.recents:
            return []
        reads = self._reads(fetched)
        found = [late_ms(self.recents[point], reads[point]) for point in reads if point in self.recents]
        return [one for one in found if one >= LATENESS_MIN_MS]

    def recents_after(
        self,
        fetched: Fetched,
        stamps: Mapping[str, int],
        *,
        covered: Mapping[str, AbstractSet[int]] | None = None,
    ) -> Mapping[str, RecentSamples]:
        """What is known once more was read, of the points that have a stamp: the generation that it was read
        under. A point that the site does not have is not remembered. `covered` are days that are stored.
        """
        if self.plan is None:
            return {}
        reads = self._reads(fetched)
        after = {
            point: recent_after(
                self.recents.get(point),
                reads[point],
                self.plan.edge,
                floor_ms=self.plan.edge.kept_from_ms(
                    (covered or {}).get(point, ()), [span for span, _ in reads[point]]
                ),
            )
            for point in reads
            if point in stamps
        }
        return {
            point: replace(recent, stamp=stamps[point])
            for point, recent in after.items()
            if recent is not None
        }

    def _reads(self, fetched: Fetched) -> dict[str, list[Read]]:
        """What was read of each point that the site has."""
        reads: dict[str, list[Read]] = {}
        for gap, series in fetched.gaps:
            for one in series:
                if one.error is None:
                    reads.setdefault(one.point, []).append((gap.span, one.samples))
        return reads


def live_part_of(
    points: Sequence[str],
    edge: Edge | None,
    remembered: Mapping[str, RecentSamples],
    known: Mapping[str, RecentSamples],
    *,
    batch_points: int,
) -> LivePart:
    """The plan for an edge (None where the range is sealed), of all recent samples that are remembered and
    those of them that may be used. One call may name `batch_points` points.
    """
    if edge is None:
        return LivePart(known=known)
    start_ms, end_ms = edge.span.start_ms, edge.span.end_ms
    recents = {
        point: recent
        for point, recent in known.items()
        if start_ms <= recent.known_until_ms and recent.from_ms <= end_ms
    }
    plan = plan_live(points, edge, recents, batch_points=batch_points)
    return LivePart(plan=plan, recents=recents, known=known, remembered=remembered)
