"""Bounds by real counts, empty days and the isolate's memory, over the router's whole flow."""

import asyncio
import json
from functools import cache
from typing import Any

import pytest

from edgeseries.access.grants import Right
from edgeseries.errors import OriginUnreachable
from edgeseries.http.messages import HttpResponse
from edgeseries.limits import (
    BUDGET_RETRY_S,
    DAY_MS,
    DOUBT_MS,
    EMPTY_REREAD_MS,
    HELD_BODY_BYTES,
    INLINE_MAX_SAMPLES,
    WHOLE_MAX_SAMPLES,
)
from edgeseries.memory_limits import BUDGET_BYTES
from edgeseries.planning.sample_budget import SampleBudget
from edgeseries.series.timerange import parse_instant
from router.ports import Ports
from tests.asked_router import ask, told
from tests.fake_stores import Day, FakeAnswers, FakeBlocks, SqliteDatabase
from tests.fakes import FakeClock, FakeOrigin, ListJournal
from tests.keyed_router import House
from tests.made_ports import router_ports

SITE = "hq"
JUNE = parse_instant("2023-06-01T00:00:00Z") // DAY_MS
NOW_MS = parse_instant("2023-09-01T00:00:00Z")


@cache
def day_of_samples(day: int, count: int) -> Day:
    return tuple((day * DAY_MS + place * (DAY_MS // count), float(place)) for place in range(count))


def query(first_day: int, days: int, **changes: str) -> tuple[tuple[str, str], ...]:
    return (
        ("site", SITE),
        ("points", "a"),
        ("start_time", str(first_day * DAY_MS)),
        ("end_time", str((first_day + days) * DAY_MS)),
        *changes.items(),
    )


def ports_with(days: dict[int, Day], *, density: float = 1.0, **changes: Any) -> Ports:
    ports = router_ports(
        **{"clock": FakeClock(at_ms=NOW_MS), "origin": FakeOrigin({SITE: {"a": []}}), **changes}
    )
    assert isinstance(ports.blocks, FakeBlocks)
    ports.blocks.held[SITE, "a"] = days
    ports.blocks.learned[SITE, "a"] = (density, 30)
    return ports


def body_of(response: HttpResponse) -> Any:
    if response.stream is None or isinstance(response.stream, bytes):
        return json.loads(response.stream or response.body)

    async def read() -> bytes:
        return b"".join([piece async for piece in response.stream])  # type: ignore[union-attr]

    return json.loads(asyncio.run(read()))


def calls_of(ports: Ports) -> int:
    assert isinstance(ports.origin, FakeOrigin)
    return len(ports.origin.spans)


@pytest.mark.parametrize("route", [{}, {"route": "cached"}, {"route": "direct"}])
def test_a_week_of_a_stored_year_is_answered_whatever_was_learned(route: dict[str, str]) -> None:
    """The case of the review: 413 "about 444,935 samples", really a week of one-minute data."""
    dense_spring = {JUNE - 30 + day: day_of_samples(JUNE - 30 + day, 1) for day in range(30)}
    june = {JUNE + day: day_of_samples(JUNE + day, 1_440) for day in range(30)}
    ports = ports_with({**dense_spring, **june}, density=444_935 / 7)
    response = ask(query=query(JUNE + 3, 7, **route), ports=ports)
    assert response.status == 200
    assert body_of(response)["_meta"]["sampleCount"] == 7 * 1_440
    assert calls_of(ports) == 0
    assert told(ask("/api/coverage", query(JUNE + 3, 7), ports=ports))["totals"] == {
        "points": 1,
        "storedDays": 7,
        "emptyDays": 0,
        "rereadDays": 0,
        "missingDays": 0,
        "liveDays": 0,
        "estimatedMissingSamples": 0,
        "estimatedAnswerSamples": 7 * 1_440,
        "route": "direct",
    }
    assert ports.sample_budget.held_bytes == 0


def dense(count: int, days: int) -> dict[int, Day]:
    return {JUNE + day: day_of_samples(JUNE + day, count) for day in range(days)}


def test_what_is_really_too_large_to_be_made_whole_is_counted_while_it_is_read_and_streamed() -> None:
    """A range that cuts its month: the index does not know how many of the samples lie in it."""
    per_day = WHOLE_MAX_SAMPLES // 4 + 1
    ports = ports_with(dense(per_day, 5), density=1.0)
    for route in ({"route": "cached"}, {}):
        streamed = ask(query=query(JUNE, 4, **route), ports=ports)
        assert (streamed.status, streamed.stream is None) == (200, False)
        assert body_of(streamed)["_meta"]["sampleCount"] == 4 * per_day
        assert ports.sample_budget.held_bytes == 0
    assert ask(query=query(JUNE, 1, route="cached"), ports=ports).status == 200
    assert ports.sample_budget.held_bytes <= BUDGET_BYTES


def test_a_month_that_is_too_large_for_certain_is_not_read() -> None:
    days = {**dense(1, 30), JUNE + 7: day_of_samples(JUNE + 7, INLINE_MAX_SAMPLES)}
    ports = ports_with(days)
    assert isinstance(ports.blocks, FakeBlocks)
    refused = ask(query=query(JUNE, 30, route="cached"), ports=ports)
    assert (refused.status, f"at least {INLINE_MAX_SAMPLES + 29} samples" in told(refused)["detail"]) == (
        413,
        True,
    )
    assert ask(query=query(JUNE, 30), ports=ports).status == 202
    assert ports.blocks.reads == []


def full(ports: Ports) -> int:
    """Somebody else holds all memory."""
    now_ms = ports.clock.now_ms()
    ticket = ports.sample_budget.ticket(now_ms)
    assert ports.sample_budget.enter(ticket, BUDGET_BYTES, now_ms, until_ms=now_ms + DAY_MS)
    return ticket


def test_who_finds_no_room_waits_and_becomes_a_job_or_is_told_when_to_come_again() -> None:
    ports = ports_with(dense(1_440, 3), sample_budget=SampleBudget())
    ticket = full(ports)
    refused = ask(query=query(JUNE, 3, route="cached"), ports=ports)
    assert (refused.status, refused.headers["Retry-After"]) == (503, str(BUDGET_RETRY_S))
    assert told(refused)["type"].endswith(":memory-busy")
    assert ask(query=query(JUNE, 3), ports=ports).status == 202
    ports.sample_budget.leave(ticket)
    assert ask(query=query(JUNE, 3, route="cached"), ports=ports).status == 200
    assert (ports.sample_budget.held_bytes, len(ports.sample_budget._waiting)) == (0, 0)


def test_a_reader_without_the_right_to_jobs_gets_503() -> None:
    house = House(changes={"sample_budget": SampleBudget()})
    statuses = {}
    for rights in ((Right.READ,), (Right.READ, Right.JOBS)):
        headers = {"authorization": f"Bearer {house.key(*rights)}"}
        ports = house.ports
        ticket = full(ports)
        response = ask(query=query(JUNE, 3), ports=ports, headers=headers)
        ports.sample_budget.leave(ticket)
        statuses[rights[-1]] = response.status
    assert statuses == {Right.READ: 503, Right.JOBS: 202}


def test_a_large_answer_holds_its_memory_until_it_has_left() -> None:
    ports = ports_with(dense(20_000, 3))
    response = ask(query=query(JUNE, 3, route="cached"), ports=ports)
    assert response.status == 200
    assert HELD_BODY_BYTES <= ports.sample_budget.held_bytes < 3 * HELD_BODY_BYTES
    assert body_of(response)["_meta"]["sampleCount"] == 60_000
    assert ports.sample_budget.held_bytes == 0
    assert isinstance(ports.journal, ListJournal)
    assert ports.journal.records[-1].body_bytes >= HELD_BODY_BYTES


def test_a_request_that_fails_gives_everything_back() -> None:
    ports = ports_with(
        dense(1_440, 3), origin=FakeOrigin({SITE: {"a": []}}, failure=OriginUnreachable("gone"))
    )
    assert ask(query=query(JUNE, 5, route="cached"), ports=ports).status == 502
    assert (ports.sample_budget.held_bytes, len(ports.sample_budget._waiting)) == (0, 0)


def test_an_empty_day_is_read_once_more_after_a_day_and_then_never_again() -> None:
    clock = FakeClock(at_ms=NOW_MS)
    ports = ports_with({}, density=1_440.0, clock=clock)
    asked = query(JUNE, 1, route="cached")
    calls = []
    for wait_ms in (0, 1, EMPTY_REREAD_MS - 2, 1, 1, EMPTY_REREAD_MS, 40 * DAY_MS):
        clock.at_ms += wait_ms
        assert ask(query=asked, ports=ports).status == 200
        calls.append(calls_of(ports))
    assert calls == [1, 1, 1, 2, 2, 2, 2]


def test_the_reread_finds_samples_that_were_not_there() -> None:
    clock = FakeClock(at_ms=NOW_MS)
    origin = FakeOrigin({SITE: {"a": []}})
    ports = ports_with({}, density=1_440.0, clock=clock, origin=origin)
    asked = query(JUNE, 1)  # Nobody forces a route: a reread is stored, however small it is.
    assert body_of(ask(query=query(JUNE, 1, route="cached"), ports=ports))["_meta"]["sampleCount"] == 0
    origin.deliveries = {SITE: {"a": [(JUNE * DAY_MS + 5, 1.0)]}}
    assert body_of(ask(query=asked, ports=ports))["_meta"]["sampleCount"] == 0
    clock.at_ms += EMPTY_REREAD_MS
    totals = told(ask("/api/coverage", asked, ports=ports))["totals"]
    assert (totals["storedDays"], totals["emptyDays"], totals["rereadDays"]) == (1, 1, 1)
    assert body_of(ask(query=asked, ports=ports))["_meta"]["sampleCount"] == 1
    totals = told(ask("/api/coverage", asked, ports=ports))["totals"]
    assert (totals["storedDays"], totals["emptyDays"], totals["rereadDays"]) == (1, 0, 0)


def test_what_cannot_be_read_again_is_served_as_it_is_stored() -> None:
    clock = FakeClock(at_ms=NOW_MS)
    origin = FakeOrigin({SITE: {"a": []}})
    ports = ports_with(dense(1_440, 1), clock=clock, origin=origin)
    asked = query(JUNE, 2, route="cached")
    assert ask(query=asked, ports=ports).status == 200
    clock.at_ms += EMPTY_REREAD_MS
    origin.failure = OriginUnreachable("gone")
    response = ask(query=asked, ports=ports)
    assert response.status == 200
    assert body_of(response)["_meta"]["sampleCount"] == 1_440
    assert ports.faults["empty_days_not_reread"] == 1
    # It is tried again, and other days still fail.
    assert ask(query=query(JUNE, 3, route="cached"), ports=ports).status == 502
    origin.failure = None
    before = calls_of(ports)
    assert ask(query=asked, ports=ports).status == 200
    assert calls_of(ports) == before + 1


def test_an_answer_with_empty_days_is_kept_no_longer_than_they_are_believed() -> None:
    clock = FakeClock(at_ms=NOW_MS)
    ports = ports_with(dense(1_440, 1), clock=clock)
    assert isinstance(ports.answers, FakeAnswers)

    def kept() -> list[int | None]:
        assert isinstance(ports.answers, FakeAnswers)
        found = [facts.fresh_until_ms for _, facts in ports.answers.kept.values()]
        ports.answers.kept.clear()
        return found

    ask(query=query(JUNE, 2, route="cached"), ports=ports)
    assert kept() == [NOW_MS + DOUBT_MS]
    ask(query=query(JUNE, 2, route="cached"), ports=ports)
    assert kept() == [NOW_MS + EMPTY_REREAD_MS]
    ask(query=query(JUNE, 1, route="cached"), ports=ports)
    assert len(kept()) == 1
    clock.at_ms += EMPTY_REREAD_MS
    ask(query=query(JUNE, 2, route="cached"), ports=ports)
    kept()
    ask(query=query(JUNE, 2, route="cached"), ports=ports)
    assert kept() == [None], "settled"


def test_a_result_of_which_nobody_knew_how_dense_it_is_is_read_in_halves() -> None:
    count = 40_000
    rows = {
        name: [(JUNE * DAY_MS + place * 2_000, 1.0) for place in range(count)]
        for name in ("a", "b", "c", "d")
    }
    origin, database = FakeOrigin({SITE: rows}), SqliteDatabase()
    ports = ports_with({}, origin=origin, database=database)
    body = {"site": SITE, "points": list(rows), "start_time": JUNE * DAY_MS, "end_time": (JUNE + 1) * DAY_MS}
    job_id = told(ask("/api/jobs", (), method="POST", ports=ports, body=json.dumps(body).encode()))["jobId"]
    database.connection.execute("UPDATE queue_jobs SET status = 'completed', ended_ms = 1")
    found = body_of(ask(f"/api/jobs/{job_id}/result", (), ports=ports))
    assert {point: one["count"] for point, one in found["data"].items()} == dict.fromkeys(rows, count)
    assert ports.sample_budget.held_bytes == 0
    assert [call[0] for call in origin.calls] == ["fetch"] * 3, "all four at once, then two and two"
