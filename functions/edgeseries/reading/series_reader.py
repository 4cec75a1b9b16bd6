"""The one reader of series: what is stored, what is missing, read it, fetch the rest, join.

Everybody who needs samples, or needs to know which are missing, goes these steps here: answers, results,
coverage, the batches of a job. What becomes of the samples (text, blocks) it does not know.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from edgeseries.blocks.ports.blocks import Blocks, StoredSamples
from edgeseries.errors import Defect, MemoryBusy, StoreUnavailable, Transient
from edgeseries.limits import DAY_MS
from edgeseries.metrics.ports.journal import Journal
from edgeseries.metrics.ports.late_data import LatenessNotes, Unnoted
from edgeseries.origins.ports.origin import Origin
from edgeseries.origins.ports.surplus import Surplus
from edgeseries.planning.fetch_plan import FetchPlan, Gap
from edgeseries.planning.live_edge import Edge
from edgeseries.planning.partial_days import PartialDay, partial_days_of, served_days_of
from edgeseries.planning.ports.live_cache import LiveCache
from edgeseries.planning.sample_bound import SampleBound
from edgeseries.ports.clock import Clock
from edgeseries.reading.faults import note
from edgeseries.reading.fetched import Delivery, Fetched
from edgeseries.reading.fetching import fetch_for_answer
from edgeseries.reading.live_part import LivePart, live_part_of
from edgeseries.reading.survey import Index, Survey, Wanted, gaps_of, plan_of
from edgeseries.series.days import SettleLags, first_unsealed_day
from edgeseries.series.points import PointSeries
from edgeseries.series.samples import NO_SAMPLES, Samples, joined, within
from edgeseries.series.timerange import TimeRange


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadOptions:
    """How a survey is read. `whole_days`: missing sealed days are fetched whole, so that they can be stored.
    `stored_only`: nothing may be fetched. `probes`: where density is unknown, one day is fetched first.
    `deadline_ms` (UTC epoch) ends the fetch.
    """

    deadline_ms: int
    whole_days: bool = False
    stored_only: bool = False
    probes: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What was read: the series of every point that was wanted, cut to the range, and how they came to be.

    `fetch_plan` is what was missing after all, `fetched` what the upstream gave for it, `surplus` what came
    along of other points, `partial_days` days that were sealed while they were watched. `from_store` if
    anything was there already; `origin_ms` the time spent waiting for the upstream, None if it was not asked.
    """

    series: tuple[PointSeries, ...]
    fetch_plan: FetchPlan
    fetched: Fetched
    partial_days: tuple[PartialDay, ...]
    surplus: Surplus
    from_store: bool
    origin_ms: int | None

    @property
    def from_origin(self) -> bool:
        """Whether the upstream was asked."""
        return self.origin_ms is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesReader:
    """Over the stores and the upstream. `live_cache` is the isolate's memory of the live edge; who only asks
    what is missing has none. `faults` counts by name what went wrong and was put up with.
    """

    blocks: Blocks
    origin: Origin
    clock: Clock
    journal: Journal
    settle_lag_ms: int
    settle_lags: SettleLags = field(default_factory=SettleLags)
    live_cache: LiveCache | None = None
    live_ttl_ms: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    lateness: LatenessNotes = field(default_factory=Unnoted)

    async def look_up(self, wanted: Wanted) -> Index:
        """What is stored. Raises StoreUnavailable."""
        return Index(stored=await self.blocks.look_up(wanted.site, wanted.points, wanted.span), known=True)

    def missing(self, wanted: Wanted, index: Index, *, now_ms: int) -> FetchPlan:
        """What is not stored of it, all of the live edge among that, at a moment (UTC epoch)."""
        return plan_of(wanted, index, index.covered, now_ms=now_ms, settle_lag_ms=self._settle_lag_ms(wanted))

    def survey(self, wanted: Wanted, index: Index, *, now_ms: int) -> Survey:
        """What is missing of it at a moment (UTC epoch). A request that uses nothing stored uses no recent
        samples either, nor does one that does not know the generations: those of another are from before a
        purge or a refresh.
        """
        live = self._live_part(wanted, index, now_ms)
        plan = plan_of(
            wanted,
            index,
            index.covered,
            now_ms=now_ms,
            settle_lag_ms=self._settle_lag_ms(wanted),
            live_missing_ms=live.missing_ms,
        )
        survey = Survey(
            wanted=wanted,
            index=index,
            live=live,
            now_ms=now_ms,
            settle_lag_ms=self._settle_lag_ms(wanted),
            fetch_plan=plan,
        )
        served = tuple(one for one in served_days_of(plan, live.known) if one.day not in index.due(one.point))
        if not served:
            return survey
        survey = replace(survey, served=served)
        return replace(survey, fetch_plan=survey.plan_with(index.covered))

    async def read(
        self,
        survey: Survey,
        options: ReadOptions,
        *,
        bound: SampleBound,
        delivered: list[Delivery] | None = None,
    ) -> Reading:
        """The samples. All of them are counted by `bound` while they come; `delivered` gets what the upstream
        gave, also when this raises.

        Raises AnswerTooLarge for more samples than `bound` takes or one answer may fetch, MemoryBusy where it
        has no memory for them, StoreUnavailable if something is missing and nothing may be fetched, and what
        the origin raises.
        """
        delivered = [] if delivered is None else delivered
        stored = await self._stored(survey, bound)
        held = survey.usable({point: one.days for point, one in stored.items()})
        fetch_plan = survey.plan_with(held)
        partial_days = (*survey.served, *partial_days_of(fetch_plan, survey.live.known))
        gaps = gaps_of(survey, fetch_plan, partial_days, whole_days=options.whole_days)
        if options.stored_only and (gaps or partial_days):
            raise StoreUnavailable("something that this is made of is gone; ask again")
        asked_ms = self.clock.now_ms()
        surplus = Surplus(besides=frozenset(survey.wanted.points))
        try:
            await self._fetch(
                survey, gaps, options, bound, delivered, surplus if options.whole_days else None
            )
        except (Transient, Defect) as error:
            if isinstance(error, MemoryBusy) or not fetch_plan.rereads or not survey.index.reads:
                raise
            # Days that were stored as empty could not be read again: what is stored is served, as ever.
            fetch_plan = replace(survey.plan_with(survey.with_due(held)), rereads=True)
            partial_days = (*survey.served, *partial_days_of(fetch_plan, survey.live.known))
            gaps = gaps_of(survey, fetch_plan, partial_days, whole_days=options.whole_days)
            if gaps:
                raise
            note(self, "empty_days_not_reread", error)
            delivered.clear()
        fetched = Fetched(gaps=tuple(delivered))
        return Reading(
            series=_joined(survey.wanted, stored, survey.live.held(partial_days), fetched),
            fetch_plan=fetch_plan,
            fetched=fetched,
            partial_days=partial_days,
            surplus=surplus,
            from_store=bool(stored or partial_days or survey.live.recents),
            origin_ms=self.clock.now_ms() - asked_ms if gaps else None,
        )

    async def fetch_missing(
        self, survey: Survey, *, deadline_ms: int, bound: SampleBound, delivered: list[Delivery]
    ) -> tuple[PartialDay, ...]:
        """Only what the survey says is missing, sealed days whole; nothing that is stored is read.
        `delivered` gets it, also when this raises. The days that were sealed while they were watched.

        Raises AnswerTooLarge, MemoryBusy and what the origin raises, as `read` does.
        """
        partial_days = partial_days_of(survey.fetch_plan, survey.live.known)
        gaps = gaps_of(survey, survey.fetch_plan, partial_days, whole_days=True)
        options = ReadOptions(deadline_ms=deadline_ms, whole_days=True, probes=True)
        await self._fetch(survey, gaps, options, bound, delivered)
        return partial_days

    def unsealed_day(self, site: str) -> int:
        """The first day of a site that is not sealed now."""
        lag_ms = self.settle_lags.of(site, self.settle_lag_ms)
        return first_unsealed_day(now_ms=self.clock.now_ms(), settle_lag_ms=lag_ms)

    def learn(self, survey: Survey, fetched: Fetched, stamps: Mapping[str, int]) -> None:
        """Remember what was read of the live edge, of the points that have a stamp."""
        assert self.live_cache is not None
        if survey.live.plan is not None:
            late_ms = survey.live.late_ms(fetched)
            if late_ms:
                self.lateness.late(survey.wanted.site, late_ms)
            recents = survey.live.recents_after(fetched, stamps, covered=survey.index.covered)
            self.live_cache.learn(survey.wanted.site, recents, instead_of=survey.live.remembered)

    def _settle_lag_ms(self, wanted: Wanted) -> int:
        return self.settle_lags.of(wanted.site, self.settle_lag_ms)

    def _live_part(self, wanted: Wanted, index: Index, now_ms: int) -> LivePart:
        assert self.live_cache is not None, "who reads the live edge has a memory for it"
        remembered = self.live_cache.recall(wanted.site, wanted.points)
        known = {
            point: recent
            for point, recent in remembered.items()
            if index.reads and index.known and recent.stamp == index.stamps.of(point).total
        }
        unsealed_ms = first_unsealed_day(now_ms=now_ms, settle_lag_ms=self._settle_lag_ms(wanted)) * DAY_MS
        start_ms, end_ms = max(wanted.span.start_ms, unsealed_ms), wanted.span.end_ms
        edge = None
        if start_ms < end_ms:
            edge = Edge(
                span=TimeRange(start_ms=start_ms, end_ms=end_ms),
                now_ms=now_ms,
                settle_lag_ms=self._settle_lag_ms(wanted),
                ttl_ms=self.live_ttl_ms,
            )
        batch_points = self.origin.capabilities(wanted.site).batch_points
        return live_part_of(wanted.points, edge, remembered, known, batch_points=batch_points)

    async def _stored(self, survey: Survey, bound: SampleBound) -> Mapping[str, StoredSamples]:
        """What the blocks hold, in the sealed part, of the points that the index says something of. An object
        may be gone that the index lists; a store that fails counts as empty.
        """
        plan, wanted = survey.fetch_plan, survey.wanted
        if not plan.covered_points or plan.sealed_part is None:
            return {}
        try:
            held = await self.blocks.read(
                wanted.site, plan.covered_points, plan.sealed_part, survey.index.stored, bound=bound
            )
        except StoreUnavailable as error:
            note(self, "blocks_unread", error)
            return {}
        return {point: one for point, one in held.items() if one.days}

    async def _fetch(  # noqa: PLR0917 - what is fetched, within which bounds, and where to
        self,
        survey: Survey,
        gaps: Sequence[Gap],
        options: ReadOptions,
        bound: SampleBound,
        delivered: list[Delivery],
        surplus: Surplus | None = None,
    ) -> None:
        async for delivery in fetch_for_answer(
            survey.wanted.site,
            gaps,
            origin=self.origin,
            density_per_day={**_live_densities(survey), **survey.index.density_per_day},
            deadline_ms=options.deadline_ms,
            bound=bound,
            probes=options.probes,
            surplus=surplus,
        ):
            delivered.append(delivery)  # noqa: PERF401 - what came before an error is kept
        # All of the answer has its memory by now; what came along gets of what is left.
        if surplus is not None and surplus.sample_count and not bound.hold_besides(surplus.sample_count):
            surplus.clear()


def _live_densities(survey: Survey) -> Mapping[str, float]:
    """What the live edge says of the density of points of which nothing else is missing: of other days it
    says nothing.
    """
    missing = survey.fetch_plan.missing_days
    return {point: a_day for point, a_day in survey.live.density_per_day.items() if point not in missing}


def _joined(
    wanted: Wanted,
    stored: Mapping[str, StoredSamples],
    known: Sequence[tuple[str, Samples]],
    fetched: Fetched,
) -> tuple[PointSeries, ...]:
    """The series of every point: what blocks hold, what the isolate knows (by point) and what was fetched,
    joined and cut to the range. What was fetched wins.
    """
    parts: dict[str, list[Samples]] = {
        point: [stored[point].samples] if point in stored else [] for point in wanted.points
    }
    for point, samples in known:
        parts[point].append(samples)
    for point, some in fetched.samples_by_point().items():
        parts[point] += some
    errors = fetched.errors()
    return tuple(
        PointSeries(
            point=point,
            samples=within(joined(parts[point]), wanted.span) if parts[point] else NO_SAMPLES,
            error=errors.get(point),
        )
        for point in wanted.points
    )
