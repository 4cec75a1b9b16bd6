"""The router Worker: platform calls in, values to the flow, platform calls out. It decides nothing."""

import traceback
from collections import Counter
from collections.abc import Callable
from functools import cache
from typing import Any

from workers import WorkerEntrypoint

from edgeseries.access.adapters.key_memory import KeyMemory
from edgeseries.access.adapters.key_store import KeyStore
from edgeseries.access.grants import AccessSettings
from edgeseries.answers.encoding import PythonResultEncoder
from edgeseries.answers.pieces import SamplesText
from edgeseries.answers.ports.result_encoder import ResultEncoder
from edgeseries.blocks.adapters.block_memory import BlockMemory
from edgeseries.blocks.adapters.profile_records import DatabaseProfiles
from edgeseries.blocks.adapters.stamp_memory import IsolateStamps
from edgeseries.errors import Defect
from edgeseries.jobs.adapters.job_store import DeadLetterRecords, JobRecords
from edgeseries.jobs.adapters.result_part_records import ResultPartRecords
from edgeseries.jobs.adapters.watch_memory import SharedJobWatch, WatchMemory
from edgeseries.leases.adapters.lease_records import LeasePause, LeaseRecords
from edgeseries.leases.claims import Claims
from edgeseries.leases.limits import LEASE_TIMEOUT_MS
from edgeseries.metrics.adapters.late_data_records import DatabaseLateData
from edgeseries.metrics.adapters.metrics_buffer import MetricsBuffer
from edgeseries.metrics.adapters.metrics_flusher import MetricsFlusher
from edgeseries.metrics.adapters.statistics import DatabaseStatistics
from edgeseries.origins.adapters.arrow_parquet import ArrowParquetReader
from edgeseries.origins.adapters.installations import IsolateInstallations, ReportMemory
from edgeseries.origins.adapters.isolate_origins import IsolateOrigins
from edgeseries.origins.point_directory import PointDirectory
from edgeseries.origins.work_class import Requester
from edgeseries.planning.adapters.asked_records import AskedMemory, AskedRecords
from edgeseries.planning.adapters.live_memory import LiveMemory
from edgeseries.planning.estimate import LearnedRates
from edgeseries.planning.routing import RouteSizes
from edgeseries.planning.sample_budget import SampleBudget
from edgeseries.planning.work_under_way import WorkUnderWay
from edgeseries.platform.background import PlatformBackground
from edgeseries.platform.bindings import Bindings, bindings_of_isolate
from edgeseries.platform.clock import SystemClock
from edgeseries.platform.d1 import D1Database
from edgeseries.platform.exchange import PlatformIncoming, platform_response
from edgeseries.platform.ffi import js_bytes, raw
from edgeseries.platform.health_checker import PlatformHealthChecker
from edgeseries.platform.heartbeats import PlatformHeartbeats
from edgeseries.platform.identity import RandomIdentity
from edgeseries.platform.job_queue import PlatformJobQueue
from edgeseries.platform.journal import PlatformJournal
from edgeseries.platform.kernel import KernelResultEncoder
from edgeseries.platform.kernel_bucketing import KernelBucketing
from edgeseries.platform.native_libraries import PlatformLibraries
from edgeseries.platform.rate_limiter import PlatformRateLimiter
from edgeseries.platform.stores import stores_of
from edgeseries.platform.streaming import PlatformStreaming, PlatformTimer
from edgeseries.platform.upstream import Caller, upstreams_of
from edgeseries.platform.zone_data import provide_zone_data
from edgeseries.ports.clock import Clock
from edgeseries.ports.incoming import Incoming
from edgeseries.questions.bucketing import PythonBucketing
from edgeseries.questions.ports.bucketing import Bucketing
from edgeseries.rates import Tier
from edgeseries.reading.latest_memory import LatestMemory
from edgeseries.settings.workers import (
    ANSWER_TTL_DAYS,
    DIRECT_MAX_SAMPLES,
    KERNEL,
    LIVE_TTL_SECONDS,
    QUEUED_MIN_SAMPLES,
    REQUEST_DEADLINE_SECONDS,
    SETTLE_LAG_MINUTES,
    WARM_CALLS_PER_DAY,
    WARM_SAMPLES_PER_DAY,
)
from edgeseries.upkeep.adapters.duty_records import DatabaseDutyRecords
from edgeseries.warming.adapters.ask_buffer import AskBuffer
from edgeseries.warming.adapters.warm_store import DatabaseSavedSets, DatabaseWarming
from edgeseries.warming.planning import WarmBudget
from router.access_settings import access_settings
from router.finalize_response import request_id_of
from router.flow import answer, refuse
from router.ports import Ports

LIVE_CACHE = LiveMemory()
"""What is known of the live edge, which all requests of the isolate share."""

MEMORY = BlockMemory()
"""Bytes of blocks that all requests of the isolate share."""

STAMPS = IsolateStamps()
"""Generations that the isolate has read lately, which all its requests share."""

ORIGINS = IsolateOrigins()
"""What all requests of the isolate have under way at each upstream, whether it is called at all, and names of
points that it has."""

REPORTS: ReportMemory = {}
"""What was found out of installations, which all requests of the isolate share."""

BUDGET = SampleBudget()
"""What the samples of all requests of the isolate take, which they share."""

RATES = LearnedRates()
"""How fast the isolate reads and fetches, learned from its answers."""

UNDER_WAY = WorkUnderWay()
"""What requests of the isolate are at that others wait for: last samples, cuts of results."""

CLAIMS = Claims()
"""Missing days that requests of the isolate are fetching, so that others wait for their blocks."""

ASKED = AskedMemory()
"""Days that small questions have asked, which all requests of the isolate share."""

LEASE_PAUSE = LeasePause()
"""Whether the isolate asks for leases at all."""

DIRECTORY = PointDirectory()
"""Points of sites as the upstream listed them, which all requests of the isolate share."""

LATEST = LatestMemory()
"""Last samples that were read lately, which all requests of the isolate share."""

KEYS = KeyMemory()
"""What is known of API keys, which all requests of the isolate share."""

WATCH = WatchMemory()
"""What is known of jobs that are followed, and who follows, which all requests of the isolate share."""

ASKS = AskBuffer()
"""What all requests of the isolate ask, counted before it is written."""

METRICS = MetricsBuffer()
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
        flusher = MetricsFlusher(
            function="router",
            metrics_buffer=METRICS,
            database=D1Database(bindings.database, METRICS.operations),
            clock=clock,
            journal=ports.journal,
            further=(ASKS,),
        )
        try:
            response = await answer(head, ports)
        except Exception as cause:  # noqa: BLE001 - the last resort: the caller gets a problem, the log the cause
            ports.journal.line("error", "unexpected", trace=traceback.format_exc(), requestId=request_id)
            defect = Defect("this is a fault of ours; the log has its cause under the request id")
            defect.__cause__ = cause
            response = refuse(defect, head, ports)
        flusher.settle(ports.background.after, ports.timer.pause)
        return await platform_response(response, method=head.method)


def encoders_of(bindings: Bindings) -> tuple[ResultEncoder, Callable[[SamplesText], Any]]:
    """What writes samples as text, for Python and for a body that is being sent."""
    python = PythonResultEncoder()
    if bindings.text(KERNEL) == "on":
        kernel = KernelResultEncoder(python)
        return kernel, lambda text: kernel.platform_text(text.form, text.samples, text.prefix)
    return python, lambda text: js_bytes(python.part(text.form, text.samples, text.prefix))


def bucketing_of(bindings: Bindings) -> Bucketing:
    """What cuts samples into buckets."""
    provide_zone_data()
    python = PythonBucketing()
    return KernelBucketing(python) if bindings.text(KERNEL) == "on" else python


@cache
def access_of_isolate() -> AccessSettings:
    """Made once, as the bindings are read once."""
    bindings = bindings_of_isolate()
    return access_settings(bindings.text, bindings.whole)


def ports_of(bindings: Bindings, incoming: Incoming, clock: Clock, ctx: Any) -> Ports:
    """The ports of one request over the Worker's bindings."""
    stores = stores_of(
        stack=bindings.stack,
        bucket=bindings.cache,
        database=bindings.database,
        memory=MEMORY,
        clock=clock,
        wait_until=ctx.waitUntil,
        metrics_buffer=METRICS,
        kernel=bindings.text(KERNEL) == "on",
        answer_ttl_ms=bindings.whole(ANSWER_TTL_DAYS),
    )
    jobs = JobRecords(stores.database)
    journal = PlatformJournal(
        function="router", dataset=bindings.analytics, metrics_buffer=METRICS, clock=clock
    )
    dropped: Counter[str] = Counter()
    requester, libraries = Requester(), PlatformLibraries()
    caller = Caller(clock=clock, journal=journal, metrics_buffer=METRICS, requester=requester)
    upstreams = upstreams_of(
        bindings, caller, isolate=ORIGINS, dropped=dropped, parquet=ArrowParquetReader(libraries)
    )
    duties = DatabaseDutyRecords(stores.database)
    warming = DatabaseWarming(stores.database)
    warm_budget = WarmBudget(
        samples=bindings.whole(WARM_SAMPLES_PER_DAY), calls=bindings.whole(WARM_CALLS_PER_DAY)
    )
    encoder, text_of = encoders_of(bindings)
    streaming = PlatformStreaming(wait_until=ctx.waitUntil, journal=journal, text_of=text_of)
    return Ports(
        incoming=incoming,
        origin=upstreams.origin,
        upstream=upstreams,
        blocks=stores.blocks,
        answers=stores.answers,
        stamps=STAMPS,
        jobs=jobs,
        job_reader=jobs,
        job_watch=SharedJobWatch(memory=WATCH, job_reader=jobs, clock=clock),
        dead_letters=DeadLetterRecords(stores.database),
        result_parts=ResultPartRecords(stores.database),
        job_queue=PlatformJobQueue(bindings.job_queues, METRICS.operations),
        streaming=streaming,
        text_streaming=streaming,
        timer=PlatformTimer(),
        live_cache=LIVE_CACHE,
        asked_days=AskedRecords(database=stores.database, memory=ASKED),
        leases=LeaseRecords(
            database=D1Database(raw(bindings.database), METRICS.operations, timeout_ms=LEASE_TIMEOUT_MS),
            pause=LEASE_PAUSE,
            clock=clock,
        ),
        heartbeats=PlatformHeartbeats(),
        profiles=DatabaseProfiles(stores.database),
        background=PlatformBackground(ctx),
        clock=clock,
        identity=RandomIdentity(),
        journal=journal,
        keys=KeyStore(database=stores.database, memory=KEYS, metrics_buffer=METRICS, clock=clock),
        rate_limiter=PlatformRateLimiter(
            {Tier.STANDARD: bindings.env.RATE_STANDARD, Tier.BULK: bindings.env.RATE_BULK}
        ),
        health_checker=PlatformHealthChecker(
            database=bindings.database,
            bucket=bindings.cache,
            queues=bindings.job_queues,
            origins=upstreams.by_part,
            upstream_facts=upstreams.facts_of,
            duties=duties,
            clock=clock,
            journal=journal,
        ),
        installations=IsolateInstallations(upstreams.placed, loads=ORIGINS, memory=REPORTS, clock=clock),
        statistics=DatabaseStatistics(stores.database),
        duties=duties,
        late_data=DatabaseLateData(stores.database),
        access=access_of_isolate(),
        route_sizes=RouteSizes(
            direct_max_samples=bindings.whole(DIRECT_MAX_SAMPLES),
            queued_min_samples=bindings.whole(QUEUED_MIN_SAMPLES),
        ),
        request_deadline_ms=bindings.whole(REQUEST_DEADLINE_SECONDS),
        settle_lag_ms=bindings.whole(SETTLE_LAG_MINUTES),
        settle_lags=upstreams.settle_lags,
        live_ttl_ms=bindings.whole(LIVE_TTL_SECONDS),
        encoder=encoder,
        bucketing=bucketing_of(bindings),
        rates=RATES,
        under_way=UNDER_WAY,
        claims=CLAIMS,
        operations=METRICS.operations,
        lateness=METRICS,
        libraries=libraries,
        sample_budget=BUDGET,
        directory=DIRECTORY,
        latest=LATEST,
        asks=None if warm_budget.spent else ASKS,
        warm_facts=warming,
        saved_sets=DatabaseSavedSets(stores.database),
        warm_budget=warm_budget,
        faults=stores.faults,
        dropped=dropped,
        requester=requester,
    )
