"""The router Worker: platform calls in, values to the flow, platform calls out. It decides nothing."""

import traceback
from typing import Any

from workers import WorkerEntrypoint

from edgeseries.adapters.ace import AceOrigin
from edgeseries.adapters.admission import PlatformAdmission
from edgeseries.adapters.catalogue import Catalogue
from edgeseries.adapters.clock import SystemClock
from edgeseries.adapters.examiner import PlatformExaminer
from edgeseries.adapters.exchange import plain_request, platform_response
from edgeseries.adapters.identity import RandomIdentity
from edgeseries.adapters.journal import PlatformJournal
from edgeseries.adapters.web import PlatformWeb
from edgeseries.core.errors import Defect
from router.bindings import Bindings
from router.flow import answer, refuse
from router.ports import Ports

CATALOGUE = Catalogue()
"""Plain data that all requests of the isolate share."""


class Default(WorkerEntrypoint):
    """The handler of HTTP requests."""

    async def fetch(self, request: Any) -> Any:
        """Answer one request, whatever happens."""
        ports = ports_of(Bindings.from_env(self.env))
        plain = await plain_request(request)
        try:
            response = await answer(plain, ports)
        except Exception:  # noqa: BLE001 - the last resort: the caller gets a problem, the log the cause
            ports.journal.line("error", "unexpected", trace=traceback.format_exc())
            defect = Defect("this is a fault of ours; the log has its cause under the request id")
            response = refuse(defect, plain, ports, arrived_ms=ports.clock.now_ms())
        return platform_response(response)


def ports_of(bindings: Bindings) -> Ports:
    """The ports of one request over the Worker's bindings."""
    clock = SystemClock()
    origin = AceOrigin(
        base_url=bindings.upstream_url,
        token=bindings.upstream_token,
        web=PlatformWeb(),
        clock=clock,
        catalogue=CATALOGUE,
    )
    return Ports(
        origin=origin,
        clock=clock,
        identity=RandomIdentity(),
        journal=PlatformJournal(function="router", dataset=bindings.analytics),
        admission=PlatformAdmission(bindings.rate_standard),
        examiner=PlatformExaminer(
            database=bindings.database,
            bucket=bindings.cache,
            queues=bindings.job_queues,
            origin=origin,
            clock=clock,
        ),
        route_sizes=bindings.route_sizes,
        request_deadline_ms=bindings.request_deadline_ms,
    )
