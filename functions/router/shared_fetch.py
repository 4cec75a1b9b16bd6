"""Of requests that lack the same days one fetches them, in this isolate and in others: every request fetches
what nobody else is fetching, and waits for the rest.

Who fetches is told by claims in the isolate and by leases in the database (`edgeseries/leases`). Nobody holds
a lease while he waits, and nobody waits longer than half of the time he has: then he fetches himself. Why it
is built so: `docs/adr/0023-leases.md`.
"""

from collections.abc import Coroutine
from dataclasses import dataclass, field, replace
from typing import Any, Final

from edgeseries.errors import StoreUnavailable
from edgeseries.leases.claims import Claim
from edgeseries.leases.days import NO_DAYS, Days, common, union, without
from edgeseries.leases.limits import (
    CLAIM_BEAT_MS,
    CLAIM_TURN_MS,
    LEASE_BEATS,
    LEASE_FIRST_TURN_MS,
    LEASE_LONGEST_TURN_MS,
    LEASE_OF_JOB_WAIT_MS,
    LEASE_STALE_LOOKS,
)
from edgeseries.leases.ports.leases import Holder, Lease, Taken
from edgeseries.planning.query import TimeseriesQuery
from edgeseries.planning.routing import Route
from edgeseries.reading.faults import note
from edgeseries.reading.survey import Survey, part_of
from router.endpoint import Arrival
from router.fetch_turn import FetchTurn, half_time_of
from router.inline_answer import Choice
from router.missing_part import store_missing
from router.ports import Ports

NOBODY: Final = Taken()
"""Nobody else is fetching any of it, as far as is known."""


def is_shared(choice: Choice) -> bool:
    """Whether others may wait for what is fetched: it is, and it will be stored."""
    return (
        choice.route is Route.CACHED
        and choice.freshness.reads
        and choice.freshness.keeps
        and choice.survey.index.known
        and bool(choice.survey.fetch_plan.missing_days)
    )


@dataclass(slots=True, kw_only=True)
class Patience:
    """How long a request waits for others (UTC epoch), for jobs not as long, and what came of it: the days
    that it waited for, and whether others have stored some of them. What was released since `mark` (of
    the isolate) or `looked_ms` (the database's time) the last look at the index may not have seen.
    """

    until_ms: int
    jobs_until_ms: int
    waited_for: Days = field(default_factory=lambda: NO_DAYS)
    shared: bool = False
    mark: int = 0
    looked_ms: int | None = None
    taken_ms: int | None = None
    stale_looks: int = 0

    def begin_look(self, ports: Ports) -> None:
        """Before a look at the index."""
        self.mark, self.looked_ms = ports.claims.mark(), self.taken_ms

    def look(self, survey: Survey) -> None:
        """Take note of what is missing still."""
        if self.waited_for:
            self.shared = self.shared or bool(without(self.waited_for, [survey.fetch_plan.missing_days]))

    def binding(self, taken: Taken, now_ms: int) -> Days:
        """What of leased days is waited for at a moment."""
        return union(
            taken.by_requests if now_ms < self.until_ms else NO_DAYS,
            taken.by_jobs if now_ms < self.jobs_until_ms else NO_DAYS,
        )


def patience_of(arrival: Arrival, ports: Ports) -> Patience:
    """The patience of a request."""
    until_ms = half_time_of(arrival, ports)
    jobs_until_ms = min(until_ms, arrival.request.arrived_ms + LEASE_OF_JOB_WAIT_MS)
    return Patience(until_ms=until_ms, jobs_until_ms=jobs_until_ms)


async def next_turn(
    query: TimeseriesQuery, choice: Choice, patience: Patience, arrival: Arrival, ports: Ports
) -> FetchTurn | None:
    """The turn to fetch all that is missing, to be given back when it is stored; None after others have
    fetched some of it, or this request has, or may have since the index was looked at: then look again.

    Raises what `store_missing` raises.
    """
    site, missing = query.site, choice.survey.fetch_plan.missing_days
    waits = ports.clock.now_ms() < patience.until_ms
    if waits and ports.claims.released_since(site, missing, patience.mark):
        return None
    work = _Work(ports.claims.take(site, missing, ports.clock.now_ms()), ports)
    handed_over = False
    try:
        taken = await work.lease(patience) if waits else NOBODY
        if work.stale and patience.stale_looks < LEASE_STALE_LOOKS:
            patience.stale_looks += 1
            await work.shrink_lease(NO_DAYS)
            return None
        leased = patience.binding(taken, ports.clock.now_ms())
        claimed = work.claim.taken if waits else NO_DAYS
        if not leased and not claimed:
            if not waits and common(patience.waited_for, [missing]):
                ports.operations["waits_in_vain"] += 1
            handed_over = True
            return FetchTurn(work.end)
        patience.waited_for = union(claimed, leased)
        await _fetch_own(query, choice, leased, work, arrival, ports)
        if leased:
            await _wait_for_leases(site, leased, patience, ports)
        work.end()
        await _wait_for_claims(site, claimed, patience, ports)
    finally:
        if not handed_over:
            work.end()
    return None


async def _fetch_own(  # noqa: PLR0917 - what is fetched, for whom, and what others have of it
    query: TimeseriesQuery, choice: Choice, leased: Days, work: "_Work", arrival: Arrival, ports: Ports
) -> None:
    """Fetch and store what nobody else is fetching, and hold no lease any longer."""
    own = without(work.claim.free, [leased]) if leased else work.claim.free
    await work.shrink_lease(own)
    if own:
        part = replace(choice, survey=part_of(choice.survey, own))
        await store_missing(query, part, arrival, ports)
    work.shrink_claim(leased)
    await work.release_lease()


async def _wait_for_leases(site: str, days: Days, patience: Patience, ports: Ports) -> None:
    pause_ms = LEASE_FIRST_TURN_MS
    while ports.clock.now_ms() < patience.until_ms:
        await ports.timer.pause(pause_ms)
        pause_ms = min(2 * pause_ms, LEASE_LONGEST_TURN_MS)
        try:
            taken = await ports.leases.taken(site, days)
        except StoreUnavailable as error:
            note(ports, "leases_unavailable", error)
            return
        if not patience.binding(taken, ports.clock.now_ms()):
            return


async def _wait_for_claims(site: str, days: Days, patience: Patience, ports: Ports) -> None:
    while days and (now_ms := ports.clock.now_ms()) < patience.until_ms:
        if not ports.claims.is_held(site, days, now_ms):
            return
        await ports.timer.pause(CLAIM_TURN_MS)


class _Work:
    """A claim of the isolate, and a lease of what is claimed, while their request beats. `stale` if the index
    is to be looked at again first.
    """

    def __init__(self, claim: Claim, ports: Ports) -> None:
        self.claim = claim
        self._ports = ports
        self._lease: Lease | None = None
        self._beats = 0
        self.stale = False
        self._beating = ports.heartbeats.start(self._beat, every_ms=CLAIM_BEAT_MS) if claim.free else None
        ports.operations["fetches_taken_over"] += claim.took_over

    async def lease(self, patience: Patience) -> Taken:
        """Lease what is claimed. What others had leased before; nothing where leases are not to be had."""
        if not self.claim.free:
            return NOBODY
        try:
            self._lease = await self._ports.leases.take(
                self.claim.site, self.claim.free, Holder.REQUEST, looked_ms=patience.looked_ms
            )
        except StoreUnavailable as error:
            note(self._ports, "leases_unavailable", error)
            return NOBODY
        self._ports.operations["fetches_taken_over"] += self._lease.took_over
        patience.taken_ms, self.stale = self._lease.taken_ms, self._lease.stale
        return self._lease.taken

    async def shrink_lease(self, days: Days) -> None:
        """Lease only these any longer."""
        if self._lease is not None and days is not self.claim.free:
            await _quietly(self._ports.leases.shrink(self._lease, days), self._ports)
            if not days:
                self._lease = None

    async def release_lease(self) -> None:
        """Lease nothing any longer."""
        if self._lease is not None:
            lease, self._lease = self._lease, None
            await _quietly(self._ports.leases.release(lease), self._ports)

    def shrink_claim(self, days: Days) -> None:
        """Claim only these any longer."""
        self._ports.claims.shrink(self.claim, days)

    def end(self) -> None:
        """It is stored, or was given up. It may be called again."""
        if self._beating is not None:
            self._beating.stop()
        self._ports.claims.release(self.claim)
        if self._lease is not None:
            self._ports.background.after(self.release_lease())

    async def _beat(self) -> None:
        self._ports.claims.beat(self.claim, self._ports.clock.now_ms())
        self._beats += 1
        if self._lease is not None and self._beats % LEASE_BEATS == 0:
            await _quietly(self._ports.leases.renew(self._lease), self._ports)


async def _quietly(work: Coroutine[Any, Any, None], ports: Ports) -> None:
    """A lease is no more than a word to others: what fails ends by itself."""
    try:
        await work
    except StoreUnavailable as error:
        note(ports, "leases_unavailable", error)
