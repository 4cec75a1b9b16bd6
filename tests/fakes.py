"""Fakes of the ports, for tests of flows on the host. Each passes its port's conformance suite."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from edgeseries.access.grants import no_such_site
from edgeseries.answers.encoding import PythonResultEncoder
from edgeseries.answers.pieces import Piece, rendered
from edgeseries.errors import EdgeError, TooLarge
from edgeseries.http.messages import BodyStream, HttpCall, HttpReply, HttpRequest
from edgeseries.limits import KEY_ID_BYTES, KEY_SECRET_BYTES
from edgeseries.metrics.alerting import Notice
from edgeseries.metrics.ports.health import Finding
from edgeseries.metrics.ports.journal import BatchRecord, Level, RequestRecord, SweepRecord
from edgeseries.origins.circuit import CircuitState
from edgeseries.origins.installation import InstallationReport
from edgeseries.origins.ports.origin import Bulk
from edgeseries.origins.ports.surplus import Surplus
from edgeseries.planning.capabilities import Capabilities
from edgeseries.rates import Tier
from edgeseries.series.points import Point, PointSeries, Site, SiteListing
from edgeseries.series.samples import NO_SAMPLES, Samples, in_order, within
from edgeseries.series.timerange import TimeRange
from edgeseries.series.values import Value

Deliveries = Mapping[str, Mapping[str, Sequence[tuple[int, Value]]]]


@dataclass
class FakeOrigin:
    """An upstream in memory: site -> point -> (epoch ms, value) in order of delivery."""

    deliveries: Deliveries
    failure: Exception | None = None
    calls: list[tuple[str, ...]] = field(default_factory=list)
    spans: list[TimeRange] = field(default_factory=list)

    def capabilities(self, site: str) -> Capabilities:  # noqa: ARG002
        return Capabilities(batch_points=50, call_samples=35_000)

    async def sites(self, *, deadline_ms: int) -> SiteListing:
        self._note("sites", deadline_ms)
        return SiteListing(sites=tuple(Site(name=name) for name in sorted(self.deliveries)))

    async def points(self, site: str, *, deadline_ms: int) -> tuple[Point, ...]:
        self._note("points", deadline_ms)
        return tuple(Point(name=name) for name in sorted(self._site(site)))

    async def fetch(
        self,
        site: str,
        points: Sequence[str],
        span: TimeRange,
        *,
        deadline_ms: int,
        bulk: Bulk | None = None,
        surplus: Surplus | None = None,  # noqa: ARG002
    ) -> tuple[PointSeries, ...]:
        if bulk is not None:
            await bulk.before_call()
        self._note("fetch", deadline_ms)
        self.spans.append(span)
        known = self._site(site)
        found = tuple(
            PointSeries(point=point, samples=_samples(known[point], span))
            if point in known
            else PointSeries(point=point, samples=NO_SAMPLES, error="the site has no point of this name")
            for point in points
        )
        if bulk is not None and sum(len(one.samples) for one in found) > bulk.max_samples:
            raise TooLarge("more than this fetch may bring")
        return found

    async def probe(self, site: str, point: str, span: TimeRange, *, deadline_ms: int) -> Mapping[str, str]:
        self._note("probe", deadline_ms)
        if point not in self._site(site):
            raise no_such_site(site)
        return {"samples from": str(span.start_ms)}

    async def ping(self, *, deadline_ms: int) -> None:
        self._note("ping", deadline_ms)

    def _note(self, verb: str, deadline_ms: int) -> None:
        self.calls.append((verb, str(deadline_ms)))
        if self.failure is not None:
            raise self.failure

    def _site(self, site: str) -> Mapping[str, Sequence[tuple[int, Value]]]:
        if site not in self.deliveries:
            raise no_such_site(site)
        return self.deliveries[site]


def _samples(rows: Sequence[tuple[int, Value]], span: TimeRange) -> Samples:
    return (
        within(in_order([at for at, _ in rows], [value for _, value in rows]), span) if rows else NO_SAMPLES
    )


@dataclass
class FakeClock:
    """A clock that moves a little at each look."""

    at_ms: int = 1_700_000_000_000
    step_ms: int = 0

    def now_ms(self) -> int:
        self.at_ms += self.step_ms
        return self.at_ms


@dataclass
class FakeIncoming:
    """Gives the request as it is, or fails."""

    failure: EdgeError | None = None

    async def whole(self, head: HttpRequest, *, deadline_ms: int) -> HttpRequest:
        assert deadline_ms > head.arrived_ms
        if self.failure is not None:
            raise self.failure
        return head


@dataclass
class CountingIdentity:
    """Names in order."""

    count: int = 0

    def request_id(self) -> str:
        self.count += 1
        return f"request{self.count}"

    def key_id(self) -> str:
        self.count += 1
        return f"{self.count:0{2 * KEY_ID_BYTES}x}"

    def key_secret(self) -> str:
        self.count += 1
        return f"{self.count:0{2 * KEY_SECRET_BYTES}x}"


@dataclass
class ListJournal:
    """Keeps what it is told."""

    lines: list[tuple[Level, str, dict[str, str | float | None]]] = field(default_factory=list)
    records: list[RequestRecord] = field(default_factory=list)
    batches: list[BatchRecord] = field(default_factory=list)
    sweeps: list[SweepRecord] = field(default_factory=list)

    def line(self, level: Level, event: str, **fields: str | float | None) -> None:
        self.lines.append((level, event, fields))

    def request(self, record: RequestRecord) -> None:
        self.records.append(record)

    def batch(self, record: BatchRecord) -> None:
        self.batches.append(record)

    def sweep(self, record: SweepRecord) -> None:
        self.sweeps.append(record)


@dataclass
class FixedRateLimiter:
    """Lets in or does not: nobody, nobody of the `spent`, each caller `per_caller` times."""

    open: bool = True
    per_caller: int | None = None
    spent: set[str] = field(default_factory=set)
    callers: list[tuple[str, Tier]] = field(default_factory=list)

    async def allows(self, caller: str, tier: Tier) -> bool:
        self.callers.append((caller, tier))
        times = sum(one == caller for one, _ in self.callers)
        over = self.per_caller is not None and times > self.per_caller
        return self.open and caller not in self.spent and not over


@dataclass
class FixedUpstream:
    """Is called, or is left alone."""

    left_alone: bool = False

    def suspended(self, site: str) -> bool:  # noqa: ARG002
        return self.left_alone


@dataclass
class FixedInstallations:
    """Knows what it is told of upstreams, and counts who looked."""

    states: Mapping[str, CircuitState] = field(default_factory=dict)
    found: Mapping[str, InstallationReport] = field(default_factory=dict)
    looks: int = 0

    def circuits(self) -> Mapping[str, CircuitState]:
        return self.states

    async def reports(self, *, deadline_ms: int) -> Mapping[str, InstallationReport]:
        assert deadline_ms > 0
        self.looks += 1
        return self.found


@dataclass
class FixedHealthChecker:
    """Finds what it is told to find."""

    findings: tuple[Finding, ...] = ()

    async def check_all(self, *, timeout_ms: int) -> tuple[Finding, ...]:
        assert timeout_ms > 0
        return self.findings


@dataclass
class FakeStreaming:
    """Keeps the pieces to be read by the test; they are made when they are read."""

    def stream(self, pieces: AsyncGenerator[bytes]) -> BodyStream:
        return BodyStream(pieces)

    def stream_text(self, pieces: AsyncGenerator[Piece]) -> BodyStream:
        return BodyStream(_as_bytes(pieces))


async def _as_bytes(pieces: AsyncGenerator[Piece]) -> AsyncGenerator[bytes]:
    encoder = PythonResultEncoder()
    async with aclosing(pieces):
        async for piece in pieces:
            yield rendered([piece], encoder)


@dataclass
class FixedBudget:
    """Spent after so many questions; never, if None. Each question is as much as one call."""

    left: int | None = None

    def spent(self) -> bool:
        if self.left is None:
            return False
        self.left -= 1
        return self.left < 0


@dataclass
class FakeTimer:
    """Waits by putting the clock forward; `meanwhile` happens at each wait."""

    clock: FakeClock
    meanwhile: Callable[[], Awaitable[None]] | None = None
    waits: list[int] = field(default_factory=list)

    async def pause(self, wait_ms: int) -> None:
        self.waits.append(wait_ms)
        self.clock.at_ms += wait_ms
        if self.meanwhile is not None:
            await self.meanwhile()


@dataclass
class Afterwards:
    """Keeps work until it is asked for."""

    work: list[Coroutine[Any, Any, None]] = field(default_factory=list)

    def after(self, work: Coroutine[Any, Any, None]) -> None:
        self.work.append(work)

    async def finish(self) -> None:
        while self.work:
            await self.work.pop(0)


@dataclass
class ListNotifier:
    """Keeps what it is told, unless nobody is there."""

    failure: EdgeError | None = None
    notices: list[Notice] = field(default_factory=list)

    async def notify(self, notices: Sequence[Notice]) -> None:
        if self.failure is not None:
            raise self.failure
        self.notices += notices


@dataclass
class FixedWeb:
    """Answers every call alike, or fails."""

    status: int = 200
    failure: EdgeError | None = None
    calls: list[HttpCall] = field(default_factory=list)

    async def send(self, call: HttpCall) -> HttpReply:
        self.calls.append(call)
        if self.failure is not None:
            raise self.failure
        return HttpReply(status=self.status, headers={}, body=b"ok")
