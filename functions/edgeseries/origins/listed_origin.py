"""The Origin port over a vendor's dialect: the same for every vendor that lists its points.

It owns what may be asked (only points that the site has), batches, halves of what is too large, and bounds.
What calls are made and what their answers mean is the dialect's.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

from edgeseries.access.grants import no_such_site
from edgeseries.bounded_gather import bounded_gather
from edgeseries.errors import DeadlineExceeded, NotFound, OriginOversize
from edgeseries.limits import FORCED_DIRECT_MAX_SAMPLES, UPSTREAM_CONCURRENCY, UPSTREAM_MAX_SPLITS
from edgeseries.origins.call_sizes import SizeOutcome
from edgeseries.origins.collecting import SampleCollector
from edgeseries.origins.learned_sizes import Asking, Served, sizes_up_to
from edgeseries.origins.listing_memory import ListingMemory
from edgeseries.origins.ports.dialect import Dialect, Finding, ListedPoint, Turn
from edgeseries.origins.ports.origin import NO_SUCH_POINT, Bulk
from edgeseries.origins.ports.surplus import Surplus
from edgeseries.planning.capabilities import Capabilities
from edgeseries.ports.clock import Clock
from edgeseries.series.points import Point, PointSeries, SiteListing
from edgeseries.series.samples import NO_SAMPLES
from edgeseries.series.timerange import TimeRange

Batch = tuple[ListedPoint, ...]


class ListedOrigin:
    """One installation. `memory` is shared by the isolate's requests; `dropped` counts by name what the
    upstream sent and nobody had asked for.
    """

    def __init__(
        self, dialect: Dialect, *, memory: ListingMemory, clock: Clock, dropped: Counter[str] | None = None
    ) -> None:
        self.dialect = dialect
        self._memory = memory
        self._clock = clock
        self._dropped: Counter[str] = Counter() if dropped is None else dropped
        if memory.sizes is None:
            memory.sizes = sizes_up_to(dialect.capabilities)
        self._sizes = memory.sizes

    def capabilities(self, site: str) -> Capabilities:  # noqa: ARG002 - the same for all of its sites
        """See the port."""
        return self._sizes.capabilities

    async def sites(self, *, deadline_ms: int) -> SiteListing:
        """See the port."""
        sites = await self.dialect.sites(Turn(deadline_ms=deadline_ms))
        return SiteListing(sites=tuple(sorted(sites, key=lambda site: site.name)))

    async def points(self, site: str, *, deadline_ms: int) -> tuple[Point, ...]:
        """See the port. Read anew at every call; the memory takes note."""
        listed = await self.listed(site, Turn(deadline_ms=deadline_ms))
        return tuple(sorted((one.point for one in listed.values()), key=lambda point: point.name))

    async def fetch(
        self,
        site: str,
        points: Sequence[str],
        span: TimeRange,
        *,
        deadline_ms: int,
        bulk: Bulk | None = None,
        surplus: Surplus | None = None,  # noqa: ARG002 - these answer what they are asked
    ) -> tuple[PointSeries, ...]:
        """See the port."""
        turn = Turn(deadline_ms=deadline_ms, before=None if bulk is None else bulk.before_call)
        known = self._memory.recall(site, points, self._clock.now_ms())
        if known is None:
            known = await self.listed(site, turn)
        most = FORCED_DIRECT_MAX_SAMPLES if bulk is None else bulk.max_samples
        collector = SampleCollector(points, max_samples=most)
        wanted = [known[point] for point in dict.fromkeys(points) if point in known]
        size = self._sizes.batch_points
        batches = [tuple(wanted[first : first + size]) for first in range(0, len(wanted), size)]
        gathering = bounded_gather(
            range(len(batches)),
            lambda place: self._gather(batches[place], span, turn, collector),
            at_once=UPSTREAM_CONCURRENCY,
        )
        try:
            _, error = await gathering
        finally:
            self._dropped.update(collector.dropped)
        if error is not None:
            raise error
        return tuple(
            PointSeries(point=point, samples=collector.samples(point))
            if point in known
            else PointSeries(point=point, samples=NO_SAMPLES, error=NO_SUCH_POINT)
            for point in points
        )

    async def probe(self, site: str, point: str, span: TimeRange, *, deadline_ms: int) -> Finding:
        """See the port."""
        turn = Turn(deadline_ms=deadline_ms)
        known = self._memory.recall(site, [point], self._clock.now_ms()) or await self.listed(site, turn)
        if point not in known:
            raise NotFound(f"{NO_SUCH_POINT}: {point!r}")
        return await self.dialect.probe(known[point], span, turn)

    async def ping(self, *, deadline_ms: int) -> None:
        """See the port."""
        await self.dialect.ping(Turn(deadline_ms=deadline_ms))

    async def listed(self, site: str, turn: Turn) -> Mapping[str, ListedPoint]:
        """The site's points by name, read anew. Raises NotFound."""
        found = await self.dialect.points(site, turn)
        if found is None:
            raise no_such_site(site)
        return self._memory.learn(site, found, self._clock.now_ms())

    async def _gather(self, points: Batch, span: TimeRange, turn: Turn, collector: SampleCollector) -> None:
        """Samples of up to a batch of points. What is too large is asked in halves: of points, then of
        time.
        """
        waiting = [(points, span, UPSTREAM_MAX_SPLITS)]
        while waiting:
            some, part, splits = waiting.pop()
            asking = self._sizes.asking(points=len(some))
            given_ms = turn.deadline_ms - self._clock.now_ms()
            try:
                columns = await self.dialect.samples(some, part, turn)
            except DeadlineExceeded:
                self._learn(asking, Served(outcome=SizeOutcome.TIMED_OUT, given_ms=given_ms))
                raise
            except OriginOversize:
                self._learn(asking, Served(outcome=SizeOutcome.TOO_LARGE))
                halves = _halves(some, part)
                if not splits or not halves:
                    raise
                waiting.extend((fewer, shorter, splits - 1) for fewer, shorter in reversed(halves))
                continue
            self._learn(asking, Served(rows=sum(len(one.times_ms) for one in columns)))
            collector.add(columns, part)

    def _learn(self, asking: Asking, served: Served) -> None:
        self._sizes.learn(asking, served, self._clock.now_ms())


def _halves(points: Batch, span: TimeRange) -> list[tuple[Batch, TimeRange]]:
    half = len(points) // 2
    if half:
        return [(points[:half], span), (points[half:], span)]
    return [(points, one) for one in span.halves() or ()]
