"""The router Worker: platform calls in, values to the flow, platform calls out. It decides nothing."""

import traceback
from functools import cache
from typing import Any

from workers import WorkerEntrypoint

from edgeseries.adapters.ace import AceOrigin
from edgeseries.adapters.admission import PlatformAdmission
from edgeseries.adapters.background import PlatformBackground
from edgeseries.adapters.block_memory import BlockMemory
from edgeseries.adapters.block_writing import pause
from edgeseries.adapters.bookkeeping import Bookkeeping
from edgeseries.adapters.catalogue import Catalogue
from edgeseries.adapters.clock import SystemClock
from edgeseries.adapters.d1 import D1Database
from edgeseries.adapters.duty_records import DatabaseDutyRecords
from edgeseries.adapters.examiner import PlatformExaminer
from edgeseries.adapters.exchange import PlatformIncoming, platform_response
from edgeseries.adapters.ffi import raw_env
from edgeseries.adapters.guarded_web import GuardedWeb
from edgeseries.adapters.identity import RandomIdentity
from edgeseries.adapters.job_store import JobRecords, LetterRecords
from edgeseries.adapters.journal import PlatformJournal
from edgeseries.adapters.key_memory import KeyMemory
from edgeseries.adapters.key_store import KeyStore
from edgeseries.adapters.live_memory import LiveMemory
from edgeseries.adapters.outbox import PlatformOutbox
from edgeseries.adapters.statistics import DatabaseStatistics
from edgeseries.adapters.stores import stores_of
from edgeseries.adapters.streaming import PlatformStreaming, PlatformTimer
from edgeseries.adapters.tallies import Tallies
from edgeseries.adapters.upstream_load import UpstreamLoad
from edgeseries.adapters.web import PlatformWeb
from edgeseries.core.errors import Defect
from edgeseries.ports.clock import Clock
from edgeseries.ports.incoming import Incoming
from router.bindings import Bindings
from router.departure import request_id_of
from router.flow import answer, refuse
from router.ports import Ports

CATALOGUE = Catalogue()
"""Names of points that all requests of the isolate share."""

TAILS = LiveMemory()
"""What is known of the live edge, which all requests of the isolate share."""

MEMORY = BlockMemory()
"""Bytes of blocks that all requests of the isolate share."""

UPSTREAM = UpstreamLoad()
"""What all requests of the isolate have under way at the upstream, and whether it is called at all."""

KEYS = KeyMemory()
"""What is known of API keys, which all requests of the isolate share."""

TALLIES = Tallies()
"""What all requests of the isolate count before it is written."""


class Default(WorkerEntrypoint):
    """The handler of HTTP requests."""

    async def fetch(self, request: Any) -> Any:
        """Answer one request, whatever happens."""
        clock, bindings = SystemClock(), bindings_of_isolate()
        incoming = PlatformIncoming(request, clock)
        request_id = request_id_of(incoming.headers, RandomIdentity())
        head = incoming.head(request_id=request_id, arrived_ms=clock.now_ms())
        ports = ports_of(bindings, incoming, clock, self.ctx)
        books = Bookkeeping(
            function="router",
            tallies=TALLIES,
            database=D1Database(bindings.database, TALLIES.operations),
            clock=clock,
            journal=ports.journal,
        )
        try:
            response = await answer(head, ports)
        except Exception as cause:  # noqa: BLE001 - the last resort: the caller gets a problem, the log the cause
            ports.journal.line("error", "unexpected", trace=traceback.format_exc(), requestId=request_id)
            defect = Defect("this is a fault of ours; the log has its cause under the request id")
            defect.__cause__ = cause
            response = refuse(defect, head, ports)
        books.settle(ports.background.after, pause)
        return await platform_response(response, method=head.method)


@cache
def bindings_of_isolate() -> Bindings:
    """The bindings, read once: they belong to the version that an isolate runs, not to an event."""
    return Bindings.from_env(raw_env())


def ports_of(bindings: Bindings, incoming: Incoming, clock: Clock, ctx: Any) -> Ports:
    """The ports of one request over the Worker's bindings."""
    stores = stores_of(
        bucket=bindings.cache,
        database=bindings.database,
        memory=MEMORY,
        clock=clock,
        wait_until=ctx.waitUntil,
        tallies=TALLIES,
        answer_ttl_ms=bindings.answer_ttl_ms,
    )
    jobs = JobRecords(stores.database)
    journal = PlatformJournal(function="router", dataset=bindings.analytics, tallies=TALLIES, clock=clock)
    web = GuardedWeb(
        PlatformWeb(TALLIES.operations),
        load=UPSTREAM,
        clock=clock,
        pause=pause,
        journal=journal,
        first_pause_ms=bindings.circuit_pause_ms,
    )
    origin = AceOrigin(
        base_url=bindings.upstream_url,
        token=bindings.upstream_token,
        web=web,
        clock=clock,
        catalogue=CATALOGUE,
    )
    duties = DatabaseDutyRecords(stores.database)
    return Ports(
        incoming=incoming,
        origin=origin,
        upstream=web,
        blocks=stores.blocks,
        answers=stores.answers,
        jobs=jobs,
        book=jobs,
        letters=LetterRecords(stores.database),
        outbox=PlatformOutbox(bindings.job_queues, TALLIES.operations),
        streaming=PlatformStreaming(wait_until=ctx.waitUntil, journal=journal),
        timer=PlatformTimer(),
        tails=TAILS,
        background=PlatformBackground(ctx),
        clock=clock,
        identity=RandomIdentity(),
        journal=journal,
        keys=KeyStore(database=stores.database, memory=KEYS, tallies=TALLIES, clock=clock),
        admission=PlatformAdmission(bindings.rate_limits),
        examiner=PlatformExaminer(
            database=bindings.database,
            bucket=bindings.cache,
            queues=bindings.job_queues,
            origin=origin,
            duties=duties,
            clock=clock,
            journal=journal,
        ),
        statistics=DatabaseStatistics(stores.database),
        duties=duties,
        access=bindings.access,
        route_sizes=bindings.route_sizes,
        request_deadline_ms=bindings.request_deadline_ms,
        settle_lag_ms=bindings.settle_lag_ms,
        live_ttl_ms=bindings.live_ttl_ms,
        faults=stores.faults,
    )
