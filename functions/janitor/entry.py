"""The janitor Worker: a cron event in, a sweep done. It decides nothing."""

import traceback
from collections import Counter
from collections.abc import Awaitable
from dataclasses import replace
from typing import Any

from workers import WorkerEntrypoint

from edgeseries.blocks.adapters.block_memory import BlockMemory
from edgeseries.errors import Defect, EdgeError
from edgeseries.jobs.adapters.job_rescue import RescueRecords
from edgeseries.jobs.adapters.job_store import JobRecords
from edgeseries.metrics.adapters.late_data_records import DatabaseLateData
from edgeseries.metrics.adapters.metrics_buffer import MetricsBuffer
from edgeseries.metrics.adapters.metrics_flusher import MetricsFlusher
from edgeseries.metrics.adapters.statistics import DatabaseStatistics
from edgeseries.metrics.adapters.webhook import Webhook
from edgeseries.metrics.ports.journal import Journal
from edgeseries.origins.adapters.arrow_parquet import ArrowParquetReader
from edgeseries.origins.adapters.isolate_origins import IsolateOrigins
from edgeseries.origins.work_class import Requester, WorkClass
from edgeseries.platform.bindings import Bindings, bindings_of_isolate
from edgeseries.platform.blocks import platform_blocks
from edgeseries.platform.clock import SystemClock
from edgeseries.platform.d1 import D1Database
from edgeseries.platform.ffi import raw, whole_number
from edgeseries.platform.health_checker import PlatformHealthChecker
from edgeseries.platform.job_queue import PlatformJobQueue
from edgeseries.platform.journal import PlatformJournal
from edgeseries.platform.native_libraries import PlatformLibraries
from edgeseries.platform.r2 import R2Bucket
from edgeseries.platform.upstream import Caller, upstreams_of
from edgeseries.platform.web import PlatformWeb
from edgeseries.settings.workers import (
    ALERT_WEBHOOK_URL,
    CACHE_BUDGET_GB,
    DEAD_LETTER_KEEP_DAYS,
    JOB_KEEP_DAYS,
    KERNEL,
    RECHECK_CALLS,
    RESCUE_AFTER_SECONDS,
    SETTLE_LAG_MINUTES,
    WARM_CALLS_PER_DAY,
    WARM_SAMPLES_PER_DAY,
)
from edgeseries.upkeep.adapters.duty_records import DatabaseDutyRecords
from edgeseries.upkeep.adapters.month_blocks import MonthBlocks
from edgeseries.upkeep.adapters.object_upkeep import ObjectUpkeep
from edgeseries.upkeep.adapters.record_upkeep import RecordUpkeep
from edgeseries.upkeep.adapters.stored_days import DatabaseStoredDays
from edgeseries.warming.adapters.warm_store import DatabaseSavedSets, DatabaseWarming
from edgeseries.warming.planning import WarmBudget
from janitor.duties import DUTIES
from janitor.duty import Outcome
from janitor.flow import Guard, sweep
from janitor.ports import Ports, Settings

METRICS = MetricsBuffer()
"""What sweeps of the isolate count before it is written."""

ORIGINS = IsolateOrigins()
"""What sweeps of the isolate know of each upstream that they read from."""


class Default(WorkerEntrypoint):
    """The handler of cron events."""

    async def scheduled(self, controller: Any, env: Any, ctx: Any) -> None:  # noqa: ARG002 - the platform's signature
        """Sweep once."""
        bindings = bindings_of_isolate()
        ports = ports_of(bindings)
        scheduled_ms = whole_number(controller.scheduledTime, "scheduledTime")
        await sweep(str(controller.cron), scheduled_ms, ports, duties=DUTIES, guard=guard_with(ports.journal))
        METRICS.operations["requests"] += 1
        await MetricsFlusher(
            function="janitor",
            metrics_buffer=METRICS,
            database=D1Database(raw(bindings.database), METRICS.operations),
            clock=ports.clock,
            journal=ports.journal,
        ).flush()


def ports_of(bindings: Bindings) -> Ports:
    """The ports of one sweep over the Worker's bindings."""
    database, clock = D1Database(raw(bindings.database), METRICS.operations), SystemClock()
    bucket = R2Bucket(raw(bindings.cache), METRICS.operations)
    journal = PlatformJournal(
        function="janitor", dataset=bindings.analytics, metrics_buffer=METRICS, clock=clock
    )
    records = DatabaseDutyRecords(database)
    caller = Caller(clock=clock, journal=journal, metrics_buffer=METRICS)
    # A probe asks whatever the circuit says; who reads days again leaves an upstream in trouble alone.
    probed = upstreams_of(bindings, caller, isolate=IsolateOrigins(), dropped=Counter(), guarded=False)
    reader = replace(caller, requester=Requester(work_class=WorkClass.WARMING))
    upstreams = upstreams_of(
        bindings, reader, isolate=ORIGINS, dropped=Counter(), parquet=ArrowParquetReader(PlatformLibraries())
    )
    blocks = platform_blocks(
        bucket=bucket,
        database=database,
        memory=BlockMemory(max_bytes=0),
        clock=clock,
        kernel=bindings.text(KERNEL) == "on",
    )
    return Ports(
        records=records,
        objects=ObjectUpkeep(bucket=bucket, database=database),
        old_blocks=MonthBlocks(blocks=blocks, database=database),
        keeping=RecordUpkeep(database),
        rescues=RescueRecords(database),
        warming=DatabaseWarming(database),
        saved_sets=DatabaseSavedSets(database),
        jobs=JobRecords(database),
        job_queue=PlatformJobQueue(bindings.job_queues, METRICS.operations),
        statistics=DatabaseStatistics(database),
        health_checker=PlatformHealthChecker(
            database=bindings.database,
            bucket=bindings.cache,
            queues=bindings.job_queues,
            origins=probed.by_part,
            duties=records,
            clock=clock,
            journal=journal,
        ),
        notifier=Webhook(
            url=bindings.text(ALERT_WEBHOOK_URL),
            stack=bindings.stack,
            web=PlatformWeb(),
            journal=journal,
        ),
        clock=clock,
        journal=journal,
        settings=Settings(
            cache_budget_bytes=bindings.whole(CACHE_BUDGET_GB),
            job_keep_ms=bindings.whole(JOB_KEEP_DAYS),
            rescue_after_ms=bindings.whole(RESCUE_AFTER_SECONDS),
            dead_letter_keep_ms=bindings.whole(DEAD_LETTER_KEEP_DAYS),
            settle_lag_ms=bindings.whole(SETTLE_LAG_MINUTES),
            recheck_calls=bindings.whole(RECHECK_CALLS),
            warm_budget=WarmBudget(
                samples=bindings.whole(WARM_SAMPLES_PER_DAY), calls=bindings.whole(WARM_CALLS_PER_DAY)
            ),
        ),
        stored_days=DatabaseStoredDays(database),
        late_data=DatabaseLateData(database),
        blocks=blocks,
        origin=upstreams.origin,
        settle_lags=upstreams.settle_lags,
        operations=METRICS.operations,
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
