"""The live part of a request: what the isolate knows of it, and what it learns when more is read.

The algebra is `planning/live_edge.py`; here it meets the ports. No store is asked and nothing fails.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from edgeseries.limits import DAY_MS, LATEST_MS
from edgeseries.planning.live_edge import Edge, LivePlan, Read, RecentSamples, plan_live, recent_after
from edgeseries.planning.partial_days import PartialDay
from edgeseries.planning.query import TimeseriesQuery
from edgeseries.series.days import first_unsealed_day
from edgeseries.series.samples import Samples, within
from edgeseries.series.timerange import TimeRange
from router.assembly import Fetched
from router.index_lookup import Index
from router.ports import Ports


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
        """How much of the live part upstream must tell, by point."""
        return {} if self.plan is None else self.plan.missing_ms

    @property
    def pieces(self) -> Mapping[str, tuple[TimeRange, ...]]:
        """What to ask upstream, by point."""
        return {} if self.plan is None else self.plan.pieces

    def held(self, partial_days: Sequence[PartialDay]) -> list[tuple[str, Samples]]:
        """Samples that are known, by point: of the live part, and of days that were sealed since.

        Of other sealed days blocks know better.
        """
        found = [(partial_day.point, partial_day.samples) for partial_day in partial_days]
        if self.plan is not None:
            live = TimeRange(start_ms=self.plan.edge.span.start_ms, end_ms=LATEST_MS)
            found += [(point, within(recent.samples, live)) for point, recent in self.recents.items()]
        return found


def live_part_of(query: TimeseriesQuery, index: Index, *, now_ms: int, ports: Ports) -> LivePart:
    """Plan the live part. A request that uses nothing stored uses no recent samples either, nor does one that
    does not know the generations: those of another generation are from before a purge or a refresh.
    """
    unsealed_ms = first_unsealed_day(now_ms=now_ms, settle_lag_ms=ports.settle_lag_ms) * DAY_MS
    start_ms = max(query.span.start_ms, unsealed_ms)
    remembered = ports.live_cache.recall(query.site, query.points)
    known = {
        point: recent
        for point, recent in remembered.items()
        if index.reads and index.known and recent.stamp == index.stamps.of(point).total
    }
    if start_ms >= query.span.end_ms:
        return LivePart(known=known)
    edge = Edge(
        span=TimeRange(start_ms=start_ms, end_ms=query.span.end_ms),
        now_ms=now_ms,
        settle_lag_ms=ports.settle_lag_ms,
        ttl_ms=ports.live_ttl_ms,
    )
    recents = {
        point: recent
        for point, recent in known.items()
        if start_ms <= recent.known_until_ms and recent.from_ms <= query.span.end_ms
    }
    plan = plan_live(query.points, edge, recents, batch_points=ports.origin.capabilities.batch_points)
    return LivePart(plan=plan, recents=recents, known=known, remembered=remembered)


def learn(
    query: TimeseriesQuery, part: LivePart, fetched: Fetched, stamps: Mapping[str, int], ports: Ports
) -> None:
    """Remember what was read of the live part of the points that have a stamp: the generation that it was
    read under. A point that the site does not have is not remembered.
    """
    if part.plan is None:
        return
    reads: dict[str, list[Read]] = {}
    for gap, series in fetched.gaps:
        for one in series:
            if one.error is None and one.point in stamps:
                reads.setdefault(one.point, []).append((gap.span, one.samples))
    after = {point: recent_after(part.recents.get(point), reads[point], part.plan.edge) for point in reads}
    learned = {
        point: replace(recent, stamp=stamps[point]) for point, recent in after.items() if recent is not None
    }
    ports.live_cache.learn(query.site, learned, instead_of=part.remembered)
