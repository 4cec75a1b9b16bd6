"""The router Worker: platform calls in, values to the flow, platform calls out. It decides nothing."""

import traceback
from typing import Any

from workers import WorkerEntrypoint

from edgeseries.adapters.ace import AceOrigin
from edgeseries.adapters.admission import PlatformAdmission
from edgeseries.adapters.answer_store import AnswerStore
from edgeseries.adapters.background import PlatformBackground
from edgeseries.adapters.block_memory import BlockMemory
from edgeseries.adapters.block_store import BlockStore
from edgeseries.adapters.catalogue import Catalogue
from edgeseries.adapters.clock import SystemClock
from edgeseries.adapters.compression_workers import RuntimeCompression
from edgeseries.adapters.d1 import D1Database
from edgeseries.adapters.examiner import PlatformExaminer
from edgeseries.adapters.exchange import PlatformIncoming, platform_response, request_head, request_headers
from edgeseries.adapters.ffi import raw_env
from edgeseries.adapters.identity import RandomIdentity
from edgeseries.adapters.journal import PlatformJournal
from edgeseries.adapters.r2 import R2Bucket
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

MEMORY = BlockMemory()
"""Bytes of blocks that all requests of the isolate share."""


class Default(WorkerEntrypoint):
    """The handler of HTTP requests."""

    async def fetch(self, request: Any) -> Any:
        """Answer one request, whatever happens."""
        clock, headers = SystemClock(), request_headers(request)
        request_id = request_id_of(headers, RandomIdentity())
        head = request_head(request, headers=headers, request_id=request_id, arrived_ms=clock.now_ms())
        ports = ports_of(Bindings.from_env(raw_env()), PlatformIncoming(request, clock), clock, self.ctx)
        try:
            response = await answer(head, ports)
        except Exception as cause:  # noqa: BLE001 - the last resort: the caller gets a problem, the log the cause
            ports.journal.line("error", "unexpected", trace=traceback.format_exc(), requestId=request_id)
            defect = Defect("this is a fault of ours; the log has its cause under the request id")
            defect.__cause__ = cause
            response = refuse(defect, head, ports)
        return await platform_response(response, method=head.method)


def ports_of(bindings: Bindings, incoming: Incoming, clock: Clock, ctx: Any) -> Ports:
    """The ports of one request over the Worker's bindings."""
    database, bucket = D1Database(bindings.database), R2Bucket(bindings.cache)
    compression = RuntimeCompression()
    answers = AnswerStore(
        bucket=bucket, database=database, compression=compression, clock=clock, wait_until=ctx.waitUntil
    )
    blocks = BlockStore(
        bucket=bucket,
        database=database,
        compression=compression,
        memory=MEMORY,
        clock=clock,
        answers=answers,
    )
    journal = PlatformJournal(function="router", dataset=bindings.analytics)
    origin = AceOrigin(
        base_url=bindings.upstream_url,
        token=bindings.upstream_token,
        web=PlatformWeb(),
        clock=clock,
        catalogue=CATALOGUE,
    )
    return Ports(
        incoming=incoming,
        origin=origin,
        blocks=blocks,
        answers=answers,
        background=PlatformBackground(ctx),
        clock=clock,
        journal=journal,
        admission=PlatformAdmission(bindings.rate_standard),
        examiner=PlatformExaminer(
            database=bindings.database,
            bucket=bindings.cache,
            queues=bindings.job_queues,
            origin=origin,
            clock=clock,
            journal=journal,
        ),
        route_sizes=bindings.route_sizes,
        request_deadline_ms=bindings.request_deadline_ms,
        settle_lag_ms=bindings.settle_lag_ms,
    )
