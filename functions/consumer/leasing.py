"""Days that a batch fetches, and days that somebody else is fetching: it waits for those a while, and
then fetches what is still missing. It is never put back for them, so no message is waited for.
"""

from collections.abc import AsyncGenerator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from consumer.ports import Ports
from edgeseries.errors import StoreUnavailable
from edgeseries.leases.days import NO_DAYS, Days, union, without
from edgeseries.leases.limits import (
    BATCH_LEASE_WAIT_MS,
    CLAIM_BEAT_MS,
    LEASE_BEATS,
    LEASE_LONGEST_TURN_MS,
)
from edgeseries.leases.ports.leases import Holder, Lease


@asynccontextmanager
async def leased(site: str, missing: Days, ports: Ports, *, yields: bool) -> AsyncGenerator[Days]:
    """Days that others are fetching; the rest of `missing` is leased while this is entered. None without
    `yields`, and where leases are not to be had.
    """
    if not missing:
        yield NO_DAYS
        return
    try:
        lease = await ports.leases.take(site, missing, Holder.JOB)
    except StoreUnavailable as error:
        ports.journal.line("warning", "leases_unavailable", cause=error.detail)
        yield NO_DAYS
        return
    ports.operations["fetches_taken_over"] += lease.took_over
    others = union(lease.taken.by_requests, lease.taken.by_jobs) if yields else NO_DAYS
    if others:
        await _quietly(ports.leases.shrink(lease, without(missing, [others])), ports)
    beating = ports.heartbeats.start(lambda: _renew(lease, ports), every_ms=LEASE_BEATS * CLAIM_BEAT_MS)
    try:
        yield others
    finally:
        beating.stop()
        await _quietly(ports.leases.release(lease), ports)


async def wait_for(site: str, days: Days, ports: Ports) -> None:
    """Wait until nobody is fetching any of these days, for BATCH_LEASE_WAIT_MS at most."""
    until_ms = ports.clock.now_ms() + BATCH_LEASE_WAIT_MS
    while ports.clock.now_ms() < until_ms:
        await ports.timer.pause(LEASE_LONGEST_TURN_MS)
        try:
            if (await ports.leases.taken(site, days)).empty:
                ports.operations["shared_fetches"] += 1
                return
        except StoreUnavailable as error:
            ports.journal.line("warning", "leases_unavailable", cause=error.detail)
            return
    ports.operations["waits_in_vain"] += 1


async def _renew(lease: Lease, ports: Ports) -> None:
    await _quietly(ports.leases.renew(lease), ports)


async def _quietly(work: Coroutine[Any, Any, None], ports: Ports) -> None:
    """A lease is no more than a word to others: what fails ends by itself."""
    try:
        await work
    except StoreUnavailable as error:
        ports.journal.line("warning", "leases_unavailable", cause=error.detail)
