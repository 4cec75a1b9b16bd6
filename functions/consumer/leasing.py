"""Days that a batch fetches, and days that somebody else is fetching: it waits for those a while, and
then fetches what is still missing. It is never put back for them, so no message is waited for.
"""

from collections.abc import AsyncGenerator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from consumer.ports import Ports
from edgeseries.errors import StoreUnavailable
from edgeseries.leases.days import NO_DAYS, Days, union, without
from edgeseries.leases.limits import (
    BATCH_LEASE_WAIT_MS,
    CLAIM_BEAT_MS,
    LEASE_BEATS,
    LEASE_LONGEST_TURN_MS,
    LEASE_STALE_LOOKS,
)
from edgeseries.leases.ports.leases import Holder, Lease


@dataclass(slots=True, kw_only=True)
class Patience:
    """How long a batch waits for others (UTC epoch), the database's time of its last lease, and how often it
    has looked again because of a release.
    """

    until_ms: int
    taken_ms: int | None = None
    stale_looks: int = 0


def patience_of(ports: Ports) -> Patience:
    """The patience of a batch that begins."""
    return Patience(until_ms=ports.clock.now_ms() + BATCH_LEASE_WAIT_MS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Leased:
    """Of the missing days those that the batch is to fetch, and those that others are fetching. `stale` if
    the index is to be looked at again first.
    """

    own: Days
    others: Days
    stale: bool = False


@asynccontextmanager
async def leased(site: str, missing: Days, patience: Patience, ports: Ports) -> AsyncGenerator[Leased]:
    """Missing days, those that nobody else is fetching leased while this is entered. All of them are the
    batch's own where leases are not to be had, and when its patience is at an end.
    """
    alone = Leased(own=missing, others=NO_DAYS)
    if not missing:
        yield alone
        return
    try:
        lease = await ports.leases.take(site, missing, Holder.JOB, looked_ms=patience.taken_ms)
    except StoreUnavailable as error:
        ports.journal.line("warning", "leases_unavailable", cause=error.detail)
        yield alone
        return
    patience.taken_ms = lease.taken_ms
    ports.operations["fetches_taken_over"] += lease.took_over
    found = _cut(missing, lease, patience) if ports.clock.now_ms() < patience.until_ms else alone
    if found.own is not missing:
        await _quietly(ports.leases.shrink(lease, found.own), ports)
    beating = ports.heartbeats.start(lambda: _renew(lease, ports), every_ms=LEASE_BEATS * CLAIM_BEAT_MS)
    try:
        yield found
    finally:
        beating.stop()
        await _quietly(ports.leases.release(lease), ports)


async def wait_for(site: str, days: Days, patience: Patience, ports: Ports) -> None:
    """Wait until nobody is fetching any of these days, as long as the batch has patience."""
    while ports.clock.now_ms() < patience.until_ms:
        await ports.timer.pause(LEASE_LONGEST_TURN_MS)
        try:
            if (await ports.leases.taken(site, days)).empty:
                ports.operations["shared_fetches"] += 1
                return
        except StoreUnavailable as error:
            ports.journal.line("warning", "leases_unavailable", cause=error.detail)
            return
    ports.operations["waits_in_vain"] += 1


def _cut(missing: Days, lease: Lease, patience: Patience) -> Leased:
    if lease.stale and patience.stale_looks < LEASE_STALE_LOOKS:
        patience.stale_looks += 1
        return Leased(own=NO_DAYS, others=NO_DAYS, stale=True)
    others = union(lease.taken.by_requests, lease.taken.by_jobs)
    return Leased(own=without(missing, [others]) if others else missing, others=others)


async def _renew(lease: Lease, ports: Ports) -> None:
    await _quietly(ports.leases.renew(lease), ports)


async def _quietly(work: Coroutine[Any, Any, None], ports: Ports) -> None:
    """A lease is no more than a word to others: what fails ends by itself."""
    try:
        await work
    except StoreUnavailable as error:
        ports.journal.line("warning", "leases_unavailable", cause=error.detail)
