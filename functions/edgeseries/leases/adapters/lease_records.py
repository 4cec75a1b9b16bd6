"""The Leases port over the database. Statements: `lease_statements.py`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from edgeseries.errors import StoreUnavailable
from edgeseries.leases.adapters import lease_statements as statements
from edgeseries.leases.days import Days
from edgeseries.leases.leased_days import held_of, leased_text
from edgeseries.leases.limits import LEASE_MAX_POINTS, LEASE_MS, LEASE_PAUSE_MS, LEASE_RECENT_MS
from edgeseries.leases.ports.leases import Holder, Lease, Taken
from edgeseries.ports.clock import Clock
from edgeseries.storage.database import Command, Database, Row

RELEASED: Final = "released"
"""In the place of a holder: the days are stored, or were given up."""


@dataclass(slots=True)
class LeasePause:
    """Until when (UTC epoch) an isolate asks for no lease: the last call failed or was late."""

    until_ms: int = 0


class LeaseRecords:
    """Leases in rows. `pause` is the isolate's; `lease_ms` is how long one stands without being renewed."""

    def __init__(
        self, *, database: Database, pause: LeasePause, clock: Clock, lease_ms: int = LEASE_MS
    ) -> None:
        self._database = database
        self._pause = pause
        self._clock = clock
        self._lease_ms = lease_ms

    async def take(self, site: str, days: Days, holder: Holder, *, looked_ms: int | None = None) -> Lease:
        """See the port."""
        if len(days) > LEASE_MAX_POINTS:
            raise StoreUnavailable(f"no lease is of more than {LEASE_MAX_POINTS} points")
        run_out, ((lease_id, until_ms),), before = await self._write(
            Command(sql=statements.RUN_OUT, parameters=(LEASE_RECENT_MS,)),
            Command(sql=statements.TAKE, parameters=(site, holder, leased_text(days), self._lease_ms)),
            Command(sql=statements.TAKEN_BEFORE, parameters=(site,)),
        )
        died = [str(text) for of_site, kind, text in run_out if of_site == site and kind != RELEASED]
        recent = [
            str(text)
            for kind, text, released_ms in before
            if kind == RELEASED and (looked_ms is None or released_ms >= looked_ms)
        ]
        return Lease(
            lease_id=int(lease_id),
            taken=_taken(days, [(kind, text) for kind, text, _ in before if kind != RELEASED]),
            taken_ms=int(until_ms) - self._lease_ms,
            took_over=bool(died and held_of(days, died)),
            stale=bool(recent and held_of(days, recent)),
        )

    async def shrink(self, lease: Lease, days: Days) -> None:
        """See the port."""
        await self._write(
            Command(sql=statements.SHRINK, parameters=(lease.lease_id, leased_text(days)))
            if days
            else Command(sql=statements.DROP, parameters=(lease.lease_id,))
        )

    async def renew(self, lease: Lease) -> None:
        """See the port."""
        await self._write(Command(sql=statements.RENEW, parameters=(lease.lease_id, self._lease_ms)))

    async def release(self, lease: Lease) -> None:
        """See the port."""
        await self._write(Command(sql=statements.RELEASE, parameters=(lease.lease_id,)))

    async def taken(self, site: str, days: Days) -> Taken:
        """See the port."""
        self._refuse_in_pause()
        try:
            rows = await self._database.read(Command(sql=statements.TAKEN_NOW, parameters=(site,)))
        except StoreUnavailable:
            self._begin_pause()
            raise
        return _taken(days, rows)

    async def _write(self, *commands: Command) -> list[list[Row]]:
        self._refuse_in_pause()
        try:
            return await self._database.write(commands)
        except StoreUnavailable:
            self._begin_pause()
            raise

    def _refuse_in_pause(self) -> None:
        if self._clock.now_ms() < self._pause.until_ms:
            raise StoreUnavailable("leases are left alone for a while; try again")

    def _begin_pause(self) -> None:
        self._pause.until_ms = self._clock.now_ms() + LEASE_PAUSE_MS


def _taken(days: Days, rows: Sequence[Row]) -> Taken:
    """A holder that nobody knows is taken for a request."""
    of_jobs = [str(text) for holder, text in rows if holder == Holder.JOB]
    of_requests = [str(text) for holder, text in rows if holder != Holder.JOB]
    return Taken(by_requests=held_of(days, of_requests), by_jobs=held_of(days, of_jobs))
