"""Ports of the router over fakes, the jobs over the real SQL; a test changes what it is about."""

from typing import Any

from edgeseries.adapters.duty_records import DatabaseDutyRecords
from edgeseries.adapters.job_store import JobRecords, LetterRecords
from edgeseries.adapters.live_memory import LiveMemory
from edgeseries.adapters.statistics import DatabaseStatistics
from edgeseries.core.routing import RouteSizes
from router.ports import Ports
from tests.fake_stores import FakeAnswers, FakeBlocks, SqliteDatabase
from tests.fakes import (
    Afterwards,
    FakeClock,
    FakeIncoming,
    FakeOrigin,
    FakeStreaming,
    FakeTimer,
    FixedAdmission,
    FixedExaminer,
    ListJournal,
)
from tests.job_system import Queues


def router_ports(**changes: Any) -> Ports:
    """Ports; what `changes` names is as it says."""
    clock = changes.get("clock") or FakeClock(step_ms=5)
    answers = changes.get("answers") or FakeAnswers(clock)
    database = changes.pop("database", None) or SqliteDatabase()
    jobs = JobRecords(database)
    ports: dict[str, Any] = {
        "incoming": FakeIncoming(),
        "origin": FakeOrigin({}),
        "blocks": FakeBlocks(answers),
        "answers": answers,
        "jobs": jobs,
        "book": jobs,
        "letters": LetterRecords(database),
        "outbox": Queues(clock),
        "streaming": FakeStreaming(),
        "timer": FakeTimer(clock),
        "background": Afterwards(),
        "clock": clock,
        "journal": ListJournal(),
        "admission": FixedAdmission(),
        "examiner": FixedExaminer(),
        "statistics": DatabaseStatistics(database),
        "duties": DatabaseDutyRecords(database),
        "route_sizes": RouteSizes(),
        "request_deadline_ms": 30_000,
        "settle_lag_ms": 3_600_000,
        "live_ttl_ms": 10_000,
        "tails": LiveMemory(),
        **changes,
    }
    return Ports(**ports)
