"""The janitor Worker: a cron event in, a sweep done. It decides nothing."""

import traceback
from collections.abc import Awaitable
from typing import Any

from workers import WorkerEntrypoint

from edgeseries.adapters.ace import AceOrigin
from edgeseries.adapters.bookkeeping import Bookkeeping
from edgeseries.adapters.catalogue import Catalogue
from edgeseries.adapters.clock import SystemClock
from edgeseries.adapters.d1 import D1Database
from edgeseries.adapters.duty_records import DatabaseDutyRecords
from edgeseries.adapters.examiner import PlatformExaminer
from edgeseries.adapters.ffi import raw, whole_number
from edgeseries.adapters.job_rescue import RescueRecords
from edgeseries.adapters.journal import PlatformJournal
from edgeseries.adapters.object_upkeep import ObjectUpkeep
from edgeseries.adapters.outbox import PlatformOutbox
from edgeseries.adapters.r2 import R2Bucket
from edgeseries.adapters.record_upkeep import RecordUpkeep
from edgeseries.adapters.statistics import DatabaseStatistics
from edgeseries.adapters.tallies import Tallies
from edgeseries.adapters.web import PlatformWeb
from edgeseries.adapters.webhook import Webhook
from edgeseries.core.errors import Defect, EdgeError
from edgeseries.ports.journal import Journal
from janitor.bindings import Bindings
from janitor.duties import DUTIES
from janitor.duty import Outcome
from janitor.flow import Guard, sweep
from janitor.ports import Ports

TALLIES = Tallies()
"""What sweeps of the isolate count before it is written."""


class Default(WorkerEntrypoint):
    """The handler of cron events."""

    async def scheduled(self, controller: Any, env: Any, ctx: Any) -> None:  # noqa: ARG002 - the platform's signature
        """Sweep once."""
        bindings = Bindings.from_env(self.env)
        ports = ports_of(bindings)
        scheduled_ms = whole_number(controller.scheduledTime, "scheduledTime")
        await sweep(str(controller.cron), scheduled_ms, ports, duties=DUTIES, guard=guard_with(ports.journal))
        TALLIES.operations["requests"] += 1
        await Bookkeeping(
            function="janitor",
            tallies=TALLIES,
            database=D1Database(raw(bindings.database), TALLIES.operations),
            clock=ports.clock,
            journal=ports.journal,
        ).flush()


def ports_of(bindings: Bindings) -> Ports:
    """The ports of one sweep over the Worker's bindings."""
    database, clock = D1Database(raw(bindings.database), TALLIES.operations), SystemClock()
    journal = PlatformJournal(function="janitor", dataset=bindings.analytics, tallies=TALLIES, clock=clock)
    records = DatabaseDutyRecords(database)
    origin = AceOrigin(
        base_url=bindings.upstream_url,
        token=bindings.upstream_token,
        web=PlatformWeb(TALLIES.operations),
        clock=clock,
        catalogue=Catalogue(),
    )
    return Ports(
        records=records,
        objects=ObjectUpkeep(bucket=R2Bucket(raw(bindings.cache), TALLIES.operations), database=database),
        keeping=RecordUpkeep(database),
        rescues=RescueRecords(database),
        outbox=PlatformOutbox(bindings.job_queues, TALLIES.operations),
        statistics=DatabaseStatistics(database),
        examiner=PlatformExaminer(
            database=bindings.database,
            bucket=bindings.cache,
            queues=bindings.job_queues,
            origin=origin,
            duties=records,
            clock=clock,
            journal=journal,
        ),
        alarm=Webhook(
            url=bindings.alert_webhook_url, stack=bindings.stack, web=PlatformWeb(), journal=journal
        ),
        clock=clock,
        journal=journal,
        settings=bindings.settings,
    )


def guard_with(journal: Journal) -> Guard:
    """A guard that writes the trace of a defect into the log."""

    async def guard(work: Awaitable[Outcome]) -> Outcome:
        try:
            return await work
        except EdgeError:
            raise
        except Exception as cause:
            journal.line("error", "unexpected", trace=traceback.format_exc())
            raise Defect("this is a fault of ours; the log has its trace") from cause

    return guard
