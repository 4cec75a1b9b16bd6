"""Ports of the router over fakes, the jobs over the real SQL; a test changes what it is about."""

from typing import Any

from edgeseries.access.adapters.key_memory import KeyMemory
from edgeseries.access.adapters.key_store import KeyStore
from edgeseries.access.grants import AccessSettings, Auth
from edgeseries.blocks.adapters.profile_records import DatabaseProfiles
from edgeseries.blocks.adapters.stamp_memory import IsolateStamps
from edgeseries.jobs.adapters.job_store import DeadLetterRecords, JobRecords
from edgeseries.jobs.adapters.result_part_records import ResultPartRecords
from edgeseries.jobs.adapters.watch_memory import SharedJobWatch, WatchMemory
from edgeseries.metrics.adapters.late_data_records import DatabaseLateData
from edgeseries.metrics.adapters.metrics_buffer import MetricsBuffer
from edgeseries.metrics.adapters.statistics import DatabaseStatistics
from edgeseries.planning.adapters.asked_records import AskedMemory, AskedRecords
from edgeseries.planning.adapters.live_memory import LiveMemory
from edgeseries.planning.routing import RouteSizes
from edgeseries.rates import RatePolicy, Tier
from edgeseries.upkeep.adapters.duty_records import DatabaseDutyRecords
from edgeseries.warming.adapters.warm_store import DatabaseSavedSets, DatabaseWarming
from router.ports import Ports
from tests.fake_leases import FakeHeartbeats, FakeLeases
from tests.fake_stores import FakeAnswers, FakeBlocks, SqliteDatabase
from tests.fakes import (
    Afterwards,
    CountingIdentity,
    FakeClock,
    FakeIncoming,
    FakeOrigin,
    FakeStreaming,
    FakeTimer,
    FixedHealthChecker,
    FixedInstallations,
    FixedRateLimiter,
    FixedUpstream,
    ListJournal,
)
from tests.job_system import Queues

RATES = {
    Tier.STANDARD: RatePolicy(name="standard", quota=600, window_s=60),
    Tier.BULK: RatePolicy(name="bulk", quota=6_000, window_s=60),
}
OPEN_ACCESS = AccessSettings(auth=Auth.OPEN, admin_key_hash="", rates=RATES, active_jobs_per_key=20)


def router_ports(**changes: Any) -> Ports:
    """Ports; what `changes` names is as it says."""
    clock = changes.get("clock") or FakeClock(step_ms=5)
    answers = changes.get("answers") or FakeAnswers(clock)
    database = changes.pop("database", None) or SqliteDatabase()
    jobs = JobRecords(database)
    ports: dict[str, Any] = {
        "incoming": FakeIncoming(),
        "origin": FakeOrigin({}),
        "upstream": FixedUpstream(),
        "blocks": FakeBlocks(clock=clock),
        "stamps": IsolateStamps(),
        "answers": answers,
        "jobs": jobs,
        "job_reader": jobs,
        "job_watch": SharedJobWatch(memory=WatchMemory(), job_reader=jobs, clock=clock),
        "dead_letters": DeadLetterRecords(database),
        "result_parts": ResultPartRecords(database),
        "job_queue": Queues(clock),
        "streaming": FakeStreaming(),
        "text_streaming": FakeStreaming(),
        "timer": FakeTimer(clock),
        "background": Afterwards(),
        "clock": clock,
        "identity": CountingIdentity(),
        "journal": ListJournal(),
        "keys": KeyStore(database=database, memory=KeyMemory(), metrics_buffer=MetricsBuffer(), clock=clock),
        "access": OPEN_ACCESS,
        "rate_limiter": FixedRateLimiter(),
        "health_checker": FixedHealthChecker(),
        "installations": FixedInstallations(),
        "statistics": DatabaseStatistics(database),
        "duties": DatabaseDutyRecords(database),
        "late_data": DatabaseLateData(database),
        "route_sizes": RouteSizes(),
        "request_deadline_ms": 30_000,
        "settle_lag_ms": 3_600_000,
        "live_ttl_ms": 10_000,
        "live_cache": LiveMemory(),
        "asked_days": AskedRecords(database=database, memory=AskedMemory()),
        "leases": FakeLeases(clock=clock),
        "heartbeats": FakeHeartbeats(),
        "warm_facts": DatabaseWarming(database),
        "saved_sets": DatabaseSavedSets(database),
        "profiles": DatabaseProfiles(database),
        **changes,
    }
    return Ports(**ports)
