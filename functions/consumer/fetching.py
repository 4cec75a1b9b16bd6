"""The work of a batch: what is missing, fetched piece by piece, stored as whole days.

It is stored only under the generations that stood when it was looked up what is missing: a purge or a
refresh meanwhile makes the batch go again. Before every upstream call the claim is renewed; a renewal that
is refused (the job is cancelled, the lease was lost) ends the work before that call, and so does a budget of
the invocation that is spent. What was fetched until a failure is stored, so that the next attempt goes on
from there. Of days that somebody else is fetching it waits a while for what that one stores (`leasing.py`).
"""

from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Final

from consumer.leasing import leased, patience_of, wait_for
from consumer.ports import Ports
from edgeseries.blocks.ports.blocks import DaysToStore
from edgeseries.blocks.stamps import Stamps
from edgeseries.errors import Conflict, EdgeError, Transient
from edgeseries.jobs.batching import cut_piece, halved
from edgeseries.jobs.job import Claim
from edgeseries.jobs.limits import (
    BATCH_MEMORY_BYTES,
    BATCH_MEMORY_WAIT_MS,
    BATCH_SURPLUS_SAMPLES,
    BUFFER_MAX_SAMPLES,
    INVOCATION_BUDGET_MS,
    PIECE_DEADLINE_MS,
    PIECE_MAX_SAMPLES,
    PIECE_SAMPLES,
)
from edgeseries.origins.ports.origin import Bulk
from edgeseries.origins.ports.surplus import Surplus
from edgeseries.planning.fetch_plan import FetchPlan, Gap, whole_day_gaps
from edgeseries.planning.memory_share import MemoryShare, Waiting, wait_for_share
from edgeseries.reading.fetching import fetch_gaps
from edgeseries.reading.surplus import store_surplus, surplus_days
from edgeseries.series.days import days_touched
from edgeseries.series.points import PointSeries
from edgeseries.series.samples import Samples, days_with_samples, joined

SUPERSEDED_PAUSE_S: Final = 1
"""Until a batch that was overtaken by a purge goes again. An announced pause is no attempt."""


class ClaimLost(Conflict):
    """The batch is not ours any more, or not wanted any more."""


class Superseded(Transient):
    """What was fetched was purged or refreshed before it could be stored: it is to be fetched again, now."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail, retry_after_s=SUPERSEDED_PAUSE_S)


class InvocationSpent(Transient):
    """What the platform allows one invocation is nearly used up; another one goes on from here."""


@dataclass(slots=True, kw_only=True)
class FetchBuffer:
    """What was fetched and is not stored yet, and how much was stored.

    Samples `stored` and `delivered`, `blocks` written and `origin_ms` spent waiting are of the whole attempt.
    `surplus` is what came along of points of other batches, or of none.
    """

    site: str
    stamps: Stamps = field(default_factory=Stamps)
    days: dict[str, list[int]] = field(default_factory=dict)
    parts: dict[str, list[Samples]] = field(default_factory=dict)
    sample_count: int = 0
    stored: int = 0
    delivered: int = 0
    blocks: int = 0
    origin_ms: int = 0
    surplus: Surplus = field(default_factory=Surplus)

    def add(self, piece: Gap, series: tuple[PointSeries, ...]) -> None:
        """Take in a piece. A point that the site does not have is left out: nothing is known of its days."""
        for one in series:
            if one.error is None:
                self.days.setdefault(one.point, []).extend(days_touched(piece.span))
                self.parts.setdefault(one.point, []).append(one.samples)
                self.sample_count += len(one.samples)
                self.delivered += len(one.samples)

    async def store(self, ports: Ports) -> None:
        """Write all of it into blocks. Raises Superseded if some of it was purged or refreshed meanwhile:
        the rest is stored.
        """
        whole_days = [
            DaysToStore(point=point, days=tuple(sorted(days)), samples=joined(self.parts[point]))
            for point, days in self.days.items()
        ]
        if whole_days:
            superseded = (await ports.blocks.store(self.site, whole_days, self.stamps)).superseded
            stored = [one for one in whole_days if one.point not in superseded]
            self.blocks += len(stored)
            self.stored += sum(len(one.samples) for one in stored)
            self.days, self.parts, self.sample_count = {}, {}, 0
            if superseded:
                raise Superseded(f"{len(superseded)} points were purged or refreshed meanwhile")
        await self._store_surplus(ports)

    async def _store_surplus(self, ports: Ports) -> None:
        """Store what came along. If that fails, it is fetched when somebody asks for it."""
        along = surplus_days(self.surplus, ports.reader.unsealed_day(self.site))
        self.surplus.clear()
        try:
            stored = await store_surplus(self.site, along, self.stamps, ports.blocks)
            ports.operations["surplus_samples"] += stored
        except EdgeError as error:
            ports.journal.line("warning", "what came along could not be stored", cause=error.detail)


async def fetch_batch(claim: Claim, buffer: FetchBuffer, ports: Ports) -> None:
    """Fetch and store what is missing. Raises ClaimLost, InvocationSpent, and what the origin and the store
    raise.
    """

    async def renew() -> None:
        if ports.budget.spent():
            raise InvocationSpent("another invocation goes on from here", retry_after_s=0)
        now_ms = ports.clock.now_ms()
        if not await ports.batches.renew(claim, delivered=buffer.stored, now_ms=now_ms):
            raise ClaimLost("cancelled, or taken over by another consumer")

    share = await _share_of_batch(ports)
    buffer.surplus = Surplus(besides=frozenset(claim.points), max_samples=BATCH_SURPLUS_SAMPLES)
    try:
        await _fetched(claim, buffer, Bulk(before_call=renew, max_samples=PIECE_MAX_SAMPLES), ports)
        await buffer.store(ports)
    finally:
        share.give_back()


async def _share_of_batch(ports: Ports) -> MemoryShare:
    """Memory for all that a batch may hold at a time. Raises MemoryBusy, after which it goes again."""
    return await wait_for_share(
        BATCH_MEMORY_BYTES,
        Waiting(budget=ports.sample_budget, clock=ports.clock, pause=ports.timer.pause),
        deadline_ms=ports.clock.now_ms() + INVOCATION_BUDGET_MS,
        wait_ms=BATCH_MEMORY_WAIT_MS,
    )


async def _fetched(claim: Claim, buffer: FetchBuffer, bulk: Bulk, ports: Ports) -> None:
    """Fetch what is missing; what came before a failure is stored."""
    try:
        await _fetch(claim, buffer, bulk, ports)
    except ClaimLost:
        raise
    except EdgeError:
        await _save(buffer, claim, ports)
        raise


async def _fetch(claim: Claim, buffer: FetchBuffer, bulk: Bulk, ports: Ports) -> None:
    """What nobody else is fetching, then what others have not stored meanwhile."""
    patience = patience_of(ports)
    while True:
        index = await ports.reader.look_up(claim)
        buffer.stamps = index.stamps
        plan = ports.reader.missing(claim, index, now_ms=ports.clock.now_ms())
        async with leased(claim.site, plan.missing_days, patience, ports) as found:
            own = replace(plan, missing_days=found.own)
            await _fetch_days(claim, own, dict(index.density_per_day), buffer, bulk, ports)
            await buffer.store(ports)
        if found.others:
            await wait_for(claim.site, found.others, patience, ports)
        elif not found.stale:
            return


async def _fetch_days(  # noqa: PLR0917 - what is fetched, and what with
    claim: Claim,
    fetch_plan: FetchPlan,
    densities: dict[str, float],
    buffer: FetchBuffer,
    bulk: Bulk,
    ports: Ports,
) -> None:
    asked_ms = 0

    def cut(gap: Gap) -> tuple[Gap, tuple[Gap, ...]]:
        # What one call is planned to bring is learned meanwhile, and may have become less.
        most = ports.origin.capabilities(claim.site).call_samples
        return cut_piece(gap, densities, samples=min(PIECE_SAMPLES, most))

    def deadline_ms() -> int:
        nonlocal asked_ms
        asked_ms = ports.clock.now_ms()
        return asked_ms + PIECE_DEADLINE_MS

    deliveries = fetch_gaps(
        claim.site,
        whole_day_gaps(fetch_plan),
        origin=ports.origin,
        deadline_ms=deadline_ms,
        cut=cut,
        halve=halved,
        bulk=bulk,
        surplus=buffer.surplus,
    )
    async with aclosing(deliveries):
        async for piece, series in deliveries:
            buffer.origin_ms += ports.clock.now_ms() - asked_ms
            buffer.add(piece, series)
            for one in series:
                densities[one.point] = max(densities.get(one.point, 0.0), _density(one.samples))
            if buffer.sample_count >= BUFFER_MAX_SAMPLES:
                await buffer.store(ports)


def _density(samples: Samples) -> float:
    """Samples a day, of days that have any; 0 where there is none: so little can be asked for at once."""
    days = days_with_samples(samples.times_ms)
    return len(samples) / len(days) if days else 0.0


async def _save(buffer: FetchBuffer, claim: Claim, ports: Ports) -> None:
    """Store what a failed attempt has fetched; if that fails too, it is fetched again."""
    try:
        await buffer.store(ports)
        await ports.batches.renew(claim, delivered=buffer.stored, now_ms=ports.clock.now_ms())
    except EdgeError as error:
        ports.journal.line("warning", "what was fetched could not be stored", cause=error.detail)
