"""Fakes of leases and heartbeats. `FakeLeases` passes the suite of its port (`contract/test_leases.py`)."""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field

from edgeseries.errors import StoreUnavailable
from edgeseries.leases.days import NO_DAYS, Days, common, overlap, union
from edgeseries.leases.limits import LEASE_MS, LEASE_RECENT_MS
from edgeseries.leases.ports.leases import Holder, Lease, Taken
from edgeseries.ports.clock import Clock


@dataclass
class _Row:
    site: str
    days: Days
    holder: Holder
    until_ms: int


@dataclass
class FakeLeases:
    """Leases in memory. `calls` are the names of what was asked for."""

    clock: Clock
    failure: StoreUnavailable | None = None
    rows: dict[int, _Row] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    numbers: int = 0
    released: list[tuple[int, str, Days]] = field(default_factory=list)

    async def take(self, site: str, days: Days, holder: Holder, *, looked_ms: int | None = None) -> Lease:
        now_ms = self._called("take")
        died = [number for number, row in self.rows.items() if row.until_ms <= now_ms]
        run_out = [self.rows.pop(number) for number in died]
        taken = self._taken(site, days, now_ms)
        self.numbers += 1
        self.rows[self.numbers] = _Row(site, days, holder, now_ms + LEASE_MS)
        took_over = any(row.site == site and overlap(days, row.days) for row in run_out)
        self.released = [one for one in self.released if one[0] > now_ms - LEASE_RECENT_MS]
        stale = any(
            of_site == site and overlap(days, held) and (looked_ms is None or at_ms >= looked_ms)
            for at_ms, of_site, held in self.released
        )
        return Lease(lease_id=self.numbers, taken=taken, taken_ms=now_ms, took_over=took_over, stale=stale)

    async def shrink(self, lease: Lease, days: Days) -> None:
        self._called("shrink")
        if lease.lease_id in self.rows and days:
            self.rows[lease.lease_id].days = days
        elif not days:
            self.rows.pop(lease.lease_id, None)

    async def renew(self, lease: Lease) -> None:
        now_ms = self._called("renew")
        row = self.rows.get(lease.lease_id)
        if row is not None and row.until_ms > now_ms:
            row.until_ms = now_ms + LEASE_MS

    async def release(self, lease: Lease) -> None:
        now_ms = self._called("release")
        row = self.rows.pop(lease.lease_id, None)
        if row is not None:
            self.released.append((now_ms, row.site, row.days))

    async def taken(self, site: str, days: Days) -> Taken:
        return self._taken(site, days, self._called("taken"))

    def _called(self, name: str) -> int:
        self.calls.append(name)
        if self.failure is not None:
            raise self.failure
        return self.clock.now_ms()

    def _taken(self, site: str, days: Days, now_ms: int) -> Taken:
        def held(*holders: Holder) -> Iterator[Days]:
            for row in self.rows.values():
                if row.site == site and row.holder in holders and row.until_ms > now_ms:
                    yield common(days, [row.days])

        return Taken(by_requests=union(NO_DAYS, *held(Holder.REQUEST)), by_jobs=union(*held(Holder.JOB)))


@dataclass
class FakeBeating:
    """Beats when a test says so."""

    beat: Callable[[], Awaitable[None]]
    stopped: bool = False

    def stop(self) -> None:
        self.stopped = True


@dataclass
class FakeHeartbeats:
    """Hearts that beat when a test says so."""

    hearts: list[FakeBeating] = field(default_factory=list)

    def start(self, beat: Callable[[], Awaitable[None]], *, every_ms: int) -> FakeBeating:
        assert every_ms > 0
        self.hearts.append(FakeBeating(beat))
        return self.hearts[-1]

    async def beat(self) -> None:
        """Once, all that were not stopped."""
        for one in self.hearts:
            if not one.stopped:
                await one.beat()
