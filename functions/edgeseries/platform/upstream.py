"""The upstreams of a Worker over its bindings: the same in every Worker that asks them.

Settings name them: `upstreamUrl` the one of every site that no prefix of `origins` fits, `origins` the
others.
Each has its own credential, circuit, bounds and memory.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

from edgeseries.errors import OriginRefused
from edgeseries.http.messages import HttpCall, HttpReply
from edgeseries.metrics.adapters.metrics_buffer import MetricsBuffer
from edgeseries.metrics.ports.journal import Journal
from edgeseries.origins.adapters.counted import CountedOrigin, CountedWeb
from edgeseries.origins.adapters.guarded_web import GuardedWeb
from edgeseries.origins.adapters.isolate_origins import IsolateOrigins
from edgeseries.origins.by_site import OriginsBySite, PlacedOrigin
from edgeseries.origins.ports.origin import Origin
from edgeseries.origins.ports.parquet_reader import ParquetReader
from edgeseries.origins.record import DEFAULT_NAME, OriginRecord, record_for
from edgeseries.origins.registry import VENDORS
from edgeseries.origins.vendor import Connection
from edgeseries.origins.work_class import Requester
from edgeseries.platform.bindings import Bindings
from edgeseries.platform.ffi import raw
from edgeseries.platform.identity import RandomIdentity
from edgeseries.platform.page_reader import RuntimePageReader
from edgeseries.platform.r2 import R2Bucket
from edgeseries.platform.streaming import PlatformTimer
from edgeseries.platform.web import PlatformWeb
from edgeseries.ports.clock import Clock
from edgeseries.series.days import SettleLags
from edgeseries.settings.origins import credentials_of, origin_records
from edgeseries.settings.workers import (
    CIRCUIT_PAUSE_SECONDS,
    KERNEL,
    ORIGIN_CREDENTIALS,
    ORIGINS,
    SETTLE_LAG_MINUTES,
    UPSTREAM_TOKEN,
    UPSTREAM_URL,
)

DEFAULT_VENDOR = "ace"
"""The vendor of `upstreamUrl`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Upstreams:
    """What one event asks. `origin` is all of them, `placed` each with its record; `settle_lags` those of
    upstreams that have one of their own.
    """

    origin: Origin
    placed: tuple[PlacedOrigin, ...]
    settle_lags: SettleLags
    loads: IsolateOrigins
    records: tuple[OriginRecord, ...]

    @property
    def by_part(self) -> Mapping[str, Origin]:
        """Each by the name that health and alerts have for it."""
        return {one.record.part: one.origin for one in self.placed}

    def suspended(self, site: str) -> bool:
        """See UpstreamState."""
        record = record_for(self.records, site)
        return record is not None and self.loads.load(record).suspended

    def facts_of(self, part: str, now_ms: int) -> tuple[tuple[str, int], ...]:
        """What the isolate knows of how an upstream is called, by the name of its part."""
        (record,) = (one for one in self.records if one.part == part)
        return self.loads.facts(record, now_ms)


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """What calls of one event leave by, whose they are, and where they are counted."""

    clock: Clock
    journal: Journal
    metrics_buffer: MetricsBuffer
    requester: Requester = field(default_factory=Requester)


class RefusedWeb:
    """The Web port of an upstream that has no credential: no call leaves."""

    def __init__(self, name: str) -> None:
        self._name = name

    async def send(self, call: HttpCall) -> HttpReply:
        """Raises OriginRefused."""
        raise OriginRefused(
            f"no call leaves for {call.url.partition('?')[0]}: the operator must set the credential of "
            f"{self._name} in originCredentials (an empty text where it takes none)"
        )


@cache
def records_of(bindings: Bindings) -> tuple[OriginRecord, ...]:
    """The upstreams of the settings, read once an isolate."""
    settle_lag_ms, pause_ms = settled_by(bindings)
    others = origin_records(bindings.text(ORIGINS), settle_lag_ms=settle_lag_ms, circuit_pause_ms=pause_ms)
    url = bindings.text(UPSTREAM_URL)
    if not url:
        return others
    own = OriginRecord(
        name=DEFAULT_NAME,
        prefix="",
        vendor=DEFAULT_VENDOR,
        url=url,
        settle_lag_ms=settle_lag_ms,
        circuit_pause_ms=pause_ms,
    )
    return (own, *others)


@cache
def credentials_in(bindings: Bindings) -> Mapping[str, str]:
    """Credentials of upstreams by their names."""
    return credentials_of(bindings.text(ORIGIN_CREDENTIALS))


def settled_by(bindings: Bindings) -> tuple[int, int]:
    """The stack's own settle lag and circuit pause, in milliseconds."""
    return bindings.whole(SETTLE_LAG_MINUTES), bindings.whole(CIRCUIT_PAUSE_SECONDS)


def upstreams_of(
    bindings: Bindings,
    caller: Caller,
    *,
    isolate: IsolateOrigins,
    dropped: Counter[str],
    parquet: ParquetReader | None = None,
    guarded: bool = True,
) -> Upstreams:
    """The upstreams of one event. `isolate` is what all events of the isolate know of them; `dropped` counts
    by name what they send and nobody asked for. `parquet` reads Parquet files, for Workers that read samples.
    `guarded`: the circuit and the bounds of the isolate hold.
    """
    records, credentials = records_of(bindings), credentials_in(bindings)
    placed = []
    for record in records:
        own = record.name == DEFAULT_NAME
        credential = bindings.text(UPSTREAM_TOKEN) if own else credentials.get(record.name)
        counts = caller.metrics_buffer.upstreams.of(record.name)
        web: CountedWeb | RefusedWeb | GuardedWeb = CountedWeb(
            web=PlatformWeb(caller.metrics_buffer.operations), counts=counts
        )
        if credential is None:
            web = RefusedWeb(record.name)
        elif guarded:
            web = GuardedWeb(
                web,
                load=isolate.load(record, alone=len(records) == 1),
                clock=caller.clock,
                pause=PlatformTimer().pause,
                journal=caller.journal,
                requester=caller.requester,
                meter=caller.metrics_buffer.operations,
                first_pause_ms=record.circuit_pause_ms,
            )
        connection = Connection(
            record=record,
            credential=credential or "",
            web=web,
            clock=caller.clock,
            identity=RandomIdentity(),
            memory=isolate.memory(record),
            dropped=dropped,
            page_reader=RuntimePageReader() if bindings.text(KERNEL) == "on" else None,
            parquet=parquet,
            bucket=R2Bucket(raw(bindings.cache), caller.metrics_buffer.operations),
        )
        origin = CountedOrigin(origin=VENDORS[record.vendor].origin(connection), counts=counts)
        placed.append(PlacedOrigin(record=record, origin=origin))
    alone = len(placed) == 1 and not placed[0].record.prefix
    return Upstreams(
        origin=placed[0].origin if alone else OriginsBySite(placed),
        placed=tuple(placed),
        settle_lags=SettleLags(by_prefix={one.record.prefix: one.record.settle_lag_ms for one in placed}),
        loads=isolate,
        records=records,
    )
