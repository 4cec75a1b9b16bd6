"""What an isolate counts: few writes for many hits, sums that are right, losses that are bounded."""

import asyncio
import json
from collections.abc import Coroutine, Iterator
from typing import Any

import pytest

from edgeseries.limits import MINUTE_MS
from edgeseries.metrics.adapters.buffer_limits import (
    FLUSH_AFTER_MS,
    FLUSH_REQUESTS,
    LATE_SITES_MAX,
    USE_GRAIN_MS,
)
from edgeseries.metrics.adapters.late_data_records import DatabaseLateData
from edgeseries.metrics.adapters.metrics_buffer import MetricsBuffer
from edgeseries.metrics.adapters.metrics_flusher import MetricsFlusher
from edgeseries.metrics.ports.journal import RequestRecord
from tests.fake_stores import SqliteDatabase
from tests.fakes import FakeClock, ListJournal

KEY = "answers/v1/d"


@pytest.fixture
def database() -> Iterator[SqliteDatabase]:
    made = SqliteDatabase()
    made.connection.execute(
        "INSERT INTO cache_metadata (object_key, kind, site, sample_count, raw_bytes, stored_bytes, codec, "
        "created_ms, used_ms) VALUES (?, 'answer', 's', 1, 1, 1, 'br', 5, 5)",
        (KEY,),
    )
    yield made
    made.close()


def record(**changes: object) -> RequestRecord:
    fields: dict[str, object] = {
        "endpoint": "/api/timeseries",
        "method": "GET",
        "route": "cached",
        "status": 200,
        "duration_ms": 4,
        "origin_ms": 0,
        "point_count": 3,
        "sample_count": 40,
        "body_bytes": 900,
        "cache_verdict": "hit",
    }
    return RequestRecord(**{**fields, **changes})  # type: ignore[arg-type]


class Isolate:
    """Events of one isolate, one after the other; work after the response is done when its time comes."""

    def __init__(self, database: SqliteDatabase, clock: FakeClock | None = None) -> None:
        self.clock = clock or FakeClock()
        self.metrics_buffer = MetricsBuffer()
        self.journal = ListJournal()
        self.flusher = MetricsFlusher(
            function="router",
            metrics_buffer=self.metrics_buffer,
            database=database,
            clock=self.clock,
            journal=self.journal,
        )
        self.waiting: list[Coroutine[Any, Any, None]] = []

    def hit(self, **changes: object) -> None:
        self.metrics_buffer.used([KEY], self.clock.at_ms)
        self.metrics_buffer.request(record(**changes), self.clock.at_ms)
        self.flusher.settle(self.waiting.append, self._pause)

    async def _pause(self, _: int) -> None:
        """The wait is over when the work is run."""

    def finish(self) -> None:
        """Run what was to be done after responses."""
        while self.waiting:
            asyncio.run(self.waiting.pop(0))


def rows(database: SqliteDatabase) -> list[tuple[object, ...]]:
    return database.rows(
        "SELECT minute_ms, route, status_class, cache_verdict, request_count, duration_sum_ms, sample_count "
        "FROM request_analytics ORDER BY 1, 2, 3, 4"
    )


def test_ten_thousand_hits_are_a_handful_of_transactions(database: SqliteDatabase) -> None:
    """500 a second for 20 seconds: one write for each FLUSH_AFTER_MS, not one for each hit."""
    isolate = Isolate(database, FakeClock(at_ms=1_700_000_000_000 // MINUTE_MS * MINUTE_MS))
    due_ms = None
    for place in range(10_000):
        isolate.hit()
        if isolate.waiting and due_ms is None:
            due_ms = isolate.clock.at_ms + FLUSH_AFTER_MS
        if due_ms is not None and isolate.clock.at_ms >= due_ms:
            isolate.finish()
            due_ms = None
        isolate.clock.at_ms += 2 * (place % 2) + 1
    isolate.finish()
    assert database.transactions <= 20_000 // FLUSH_AFTER_MS + 10_000 // FLUSH_REQUESTS + 1
    assert [row[4:] for row in rows(database)] == [(10_000, 40_000, 400_000)]
    ((hits, used_ms),) = database.rows("SELECT hit_count, used_ms FROM cache_metadata")
    # The first use is written at once, the others of the next ten minutes are told with the next write.
    assert 1 <= int(str(hits)) <= 10_000
    assert int(str(used_ms)) > 5


def test_many_hits_at_once_are_written_at_once(database: SqliteDatabase) -> None:
    isolate = Isolate(database)
    for _ in range(FLUSH_REQUESTS):
        isolate.hit()
    assert len(isolate.waiting) == 2  # the wait of the first, and the write of the last
    isolate.finish()
    assert rows(database)[0][4] == FLUSH_REQUESTS
    assert database.transactions == 1


def test_counts_are_kept_apart_by_minute_endpoint_route_status_and_verdict(
    database: SqliteDatabase,
) -> None:
    isolate = Isolate(database, FakeClock(at_ms=0))
    for changes in (
        {},
        {"duration_ms": 30_001},
        {"route": "direct", "cache_verdict": "miss"},
        {"route": "", "status": 404, "cache_verdict": ""},
        {"status": 304},
    ):
        isolate.hit(**changes)
    isolate.clock.at_ms = MINUTE_MS
    isolate.hit()
    isolate.finish()
    assert [row[:5] for row in rows(database)] == [
        (0, "", 4, "none", 1),
        (0, "cached", 2, "hit", 2),
        (0, "cached", 3, "hit", 1),
        (0, "direct", 2, "miss", 1),
        (MINUTE_MS, "cached", 2, "hit", 1),
    ]
    found = database.rows(
        "SELECT duration_buckets FROM request_analytics WHERE route = 'cached' AND status_class = 2 "
        "AND minute_ms = 0"
    )
    assert json.loads(str(found[0][0])) == [0, 0, 1, *[0] * 11, 1]


def test_a_second_write_adds_to_the_first(database: SqliteDatabase) -> None:
    isolate = Isolate(database, FakeClock(at_ms=0))
    for _ in range(2):
        isolate.hit()
        isolate.finish()
    assert rows(database) == [(0, "cached", 2, "hit", 2, 8, 80)]
    assert database.rows("SELECT duration_buckets FROM request_analytics")[0][0] == json.dumps(
        [0, 0, 2, *[0] * 12], separators=(",", ":")
    )


def test_the_use_of_an_object_is_written_when_it_is_new_and_then_every_ten_minutes(
    database: SqliteDatabase,
) -> None:
    isolate = Isolate(database)

    def hits() -> object:
        return database.rows("SELECT hit_count FROM cache_metadata")[0][0]

    seen = []
    for wait_ms in (0, 1, USE_GRAIN_MS - 2, 1):
        isolate.clock.at_ms += wait_ms
        isolate.hit()
        isolate.finish()
        seen.append(hits())
    assert seen == [1, 1, 1, 4]
    assert database.rows("SELECT used_ms FROM cache_metadata") == [(isolate.clock.at_ms,)]


def test_use_of_what_has_gone_writes_nothing(database: SqliteDatabase) -> None:
    isolate = Isolate(database)
    isolate.metrics_buffer.used(["answers/v1/gone"], isolate.clock.at_ms)
    isolate.hit()
    isolate.finish()
    assert database.rows("SELECT count(*) FROM cache_metadata") == [(1,)]


def test_a_database_that_is_down_costs_no_request_count(database: SqliteDatabase) -> None:
    isolate = Isolate(database)
    database.down = True
    isolate.hit()
    isolate.finish()
    assert [level for level, _, _ in isolate.journal.lines] == ["warning"]
    database.down = False
    isolate.hit()
    isolate.finish()
    assert rows(database)[0][4] == 2
    assert database.rows("SELECT requests FROM platform_usage") == [(2,)]


def test_how_late_samples_came_is_added_up_by_site_and_not_lost(database: SqliteDatabase) -> None:
    isolate = Isolate(database)
    database.down = True
    isolate.metrics_buffer.late("hq", [MINUTE_MS, 2 * MINUTE_MS])
    isolate.hit()
    isolate.finish()
    database.down = False
    isolate.metrics_buffer.late("hq", [3 * MINUTE_MS])
    isolate.metrics_buffer.late("other", [MINUTE_MS])
    isolate.hit()
    isolate.finish()
    isolate.hit()
    isolate.finish()
    seen = asyncio.run(DatabaseLateData(database).since(0))
    assert [(one.site, one.lateness.count, one.lateness.highest_ms) for one in seen] == [
        ("hq", 3, 3 * MINUTE_MS),
        ("other", 1, MINUTE_MS),
    ]
    for place in range(LATE_SITES_MAX + 5):
        isolate.metrics_buffer.late(f"s{place}", [MINUTE_MS])
    assert len(isolate.metrics_buffer.take(isolate.clock.at_ms).late) == LATE_SITES_MAX


def test_an_event_that_was_to_write_and_died_is_replaced(database: SqliteDatabase) -> None:
    isolate = Isolate(database)
    isolate.hit()
    isolate.waiting.pop().close()
    isolate.clock.at_ms += 2 * FLUSH_AFTER_MS - 1
    isolate.hit()
    assert not isolate.waiting
    isolate.clock.at_ms += 1
    isolate.hit()
    isolate.finish()
    assert rows(database)[0][4] == 3


def test_operations_are_added_up_by_day_and_function(database: SqliteDatabase) -> None:
    isolate = Isolate(database)
    for _ in range(2):
        isolate.metrics_buffer.operations.update({"r2_class_b": 2, "upstream_calls": 1})
        isolate.hit(origin_samples=25)
        isolate.finish()
    found = database.rows(
        "SELECT function, requests, r2_class_a, r2_class_b, upstream_calls, upstream_samples "
        "FROM platform_usage"
    )
    assert found == [("router", 2, 0, 4, 2, 50)]


def test_memory_is_bounded() -> None:
    metrics_buffer = MetricsBuffer(max_rows=2, max_keys=3)
    metrics_buffer.used(["a", "b", "c", "d"], 5)
    assert [key for key, _, _ in metrics_buffer.take(5).uses] == ["a", "b", "c"]
    metrics_buffer.used(["d"], 6)  # those that were written make room
    assert [key for key, _, _ in metrics_buffer.take(6).uses] == ["d"]
    for endpoint in ("/1", "/2", "/3", "/1"):
        metrics_buffer.request(record(endpoint=endpoint), 5)
    assert [sums.request_count for sums in metrics_buffer.take(5).requests.values()] == [2, 1]
