"""What is counted of each upstream: calls, fetches, failures, samples; written with the other counts."""

import asyncio

import pytest

from edgeseries.errors import EdgeError, OriginUnreachable
from edgeseries.http.messages import HttpCall, HttpReply
from edgeseries.limits import DAY_MS
from edgeseries.metrics.adapters.metrics_buffer import MetricsBuffer
from edgeseries.metrics.adapters.metrics_flusher import MetricsFlusher
from edgeseries.origins.adapters.counted import CountedOrigin, CountedWeb
from edgeseries.series.timerange import TimeRange
from tests.fake_stores import SqliteDatabase
from tests.fakes import FakeClock, FakeOrigin, ListJournal

SPAN = TimeRange(start_ms=0, end_ms=1_000)
CALL = HttpCall(method="GET", url="https://vendor.example/api", timeout_ms=1, max_bytes=1)


class Statuses:
    """The Web port that answers with one status after the other; None is a broken connection."""

    def __init__(self, *statuses: int | None) -> None:
        self.waiting = list(statuses)

    async def send(self, call: HttpCall) -> HttpReply:  # noqa: ARG002
        status = self.waiting.pop(0)
        if status is None:
            raise OriginUnreachable("it broke")
        return HttpReply(status=status, headers={}, body=b"")


def test_a_call_fails_that_is_not_answered_or_by_a_status_of_trouble() -> None:
    counts = MetricsBuffer().upstreams.of("meters")
    web = CountedWeb(web=Statuses(200, 404, 429, 500, None), counts=counts)
    for _ in range(4):
        asyncio.run(web.send(CALL))
    with pytest.raises(OriginUnreachable):
        asyncio.run(web.send(CALL))
    assert counts == {"calls": 5, "failed_calls": 3}


def test_a_fetch_counts_what_it_brought() -> None:
    counts = MetricsBuffer().upstreams.of("meters")
    fake = FakeOrigin({"hq": {"a": [(1, 1.0), (2, 2.0)]}})
    origin = CountedOrigin(origin=fake, counts=counts)
    assert len(asyncio.run(origin.fetch("hq", ["a", "none"], SPAN, deadline_ms=1))) == 2
    for failure in (OriginUnreachable("down"), None):
        fake.failure = failure
        with pytest.raises(EdgeError):
            asyncio.run(origin.fetch("nowhere", ["a"], SPAN, deadline_ms=1))
    assert counts == {"fetches": 3, "failed_fetches": 2, "samples": 2}


def test_counts_are_written_by_day_and_not_lost() -> None:
    database, clock, buffer = SqliteDatabase(), FakeClock(at_ms=5 * DAY_MS + 7), MetricsBuffer()
    flusher = MetricsFlusher(
        function="router", metrics_buffer=buffer, database=database, clock=clock, journal=ListJournal()
    )
    held = buffer.upstreams.of("meters")
    for down in (True, False, False):
        held["calls"] += 2
        buffer.upstreams.of("upstream")["samples"] += 1
        database.down = down
        asyncio.run(flusher.flush())
    asyncio.run(flusher.flush())
    assert database.rows("SELECT day_ms, upstream, calls, samples FROM upstream_usage ORDER BY 2") == [
        (5 * DAY_MS, "meters", 6, 0),
        (5 * DAY_MS, "upstream", 0, 3),
    ]
