"""Answers that are too large to be made whole: what is missing is stored first, then samples leave in
windows."""

import json
from typing import Any

import pytest

from edgeseries.errors import OriginUnreachable
from edgeseries.http.messages import HttpResponse
from edgeseries.limits import DAY_MS, DOUBT_MS, WHOLE_MAX_SAMPLES
from edgeseries.series.timerange import parse_instant
from router.ports import Ports
from tests.asked_router import LOOP, ask, told
from tests.fake_stores import Day, FakeAnswers, FakeBlocks
from tests.fakes import FakeClock, FakeOrigin, ListJournal
from tests.made_ports import router_ports

SITE = "hq"
JUNE = parse_instant("2023-06-01T00:00:00Z") // DAY_MS
NOW_MS = parse_instant("2023-09-01T00:00:00Z")
DAYS = 5
PER_DAY = WHOLE_MAX_SAMPLES // (DAYS - 1) + 1
"""All but one of the days are too much for an answer that is made whole."""

LATER_SAMPLES = 40


def samples_of(day: int, count: int) -> Day:
    return tuple((day * DAY_MS + place * (DAY_MS // count), float(place)) for place in range(count))


STORED: dict[int, Day] = {JUNE + day: samples_of(JUNE + day, PER_DAY) for day in range(DAYS)}
LATER: Day = samples_of(JUNE + DAYS, LATER_SAMPLES)
"""A day that only the upstream has."""


def query(days: int, **changes: str) -> tuple[tuple[str, str], ...]:
    return (
        ("site", SITE),
        ("points", "a"),
        ("start_time", str(JUNE * DAY_MS)),
        ("end_time", str((JUNE + days) * DAY_MS)),
        *changes.items(),
    )


def ports_with(**changes: Any) -> Ports:
    ports = router_ports(
        **{"clock": FakeClock(at_ms=NOW_MS), "origin": FakeOrigin({SITE: {"a": LATER}}), **changes}
    )
    assert isinstance(ports.blocks, FakeBlocks)
    ports.blocks.held[SITE, "a"] = dict(STORED)
    ports.blocks.learned[SITE, "a"] = (float(PER_DAY), 30)
    return ports


def document_of(response: HttpResponse) -> Any:
    assert response.stream is not None

    async def read() -> bytes:
        return b"".join([piece async for piece in response.stream])  # type: ignore[union-attr]

    return json.loads(LOOP.run_until_complete(read()))


def fetches(ports: Ports) -> int:
    assert isinstance(ports.origin, FakeOrigin)
    return len(ports.origin.spans)


def test_all_that_is_stored_leaves_with_a_tag_and_without_the_upstream() -> None:
    ports = ports_with()
    response = ask(query=query(DAYS), ports=ports)
    assert response.status == 200
    document = document_of(response)
    assert document["_meta"]["sampleCount"] == document["data"]["a"]["count"] == DAYS * PER_DAY
    assert document["data"]["a"]["samples"] == [[*pair] for day in STORED.values() for pair in day]
    assert (fetches(ports), ports.sample_budget.held_bytes) == (0, 0)
    again = ask(query=query(DAYS), ports=ports, headers={"if-none-match": response.headers["ETag"]})
    assert (again.status, again.stream) == (304, None)
    head = ask(query=query(DAYS), method="HEAD", ports=ports)
    assert (head.status, head.stream, head.headers["ETag"]) == (200, None, response.headers["ETag"])
    assert isinstance(ports.answers, FakeAnswers)
    assert ports.answers.kept == {}, "it is made of blocks as fast as it would be read"
    assert isinstance(ports.journal, ListJournal)
    assert ports.journal.records[0].sample_count == DAYS * PER_DAY
    assert ports.sample_budget.held_bytes == 0


def test_a_missing_day_is_fetched_once_and_stored_before_the_first_sample_leaves() -> None:
    ports = ports_with()
    response = ask(query=query(DAYS + 1), ports=ports)
    assert (response.status, fetches(ports)) == (200, 1)
    assert document_of(response)["_meta"]["sampleCount"] == DAYS * PER_DAY + LATER_SAMPLES
    assert fetches(ports) == 1
    assert isinstance(ports.blocks, FakeBlocks)
    assert ports.blocks.held[SITE, "a"][JUNE + DAYS] == LATER
    assert document_of(ask(query=query(DAYS + 1), ports=ports))["data"]["a"]["count"] > DAYS * PER_DAY
    assert fetches(ports) == 1


@pytest.mark.parametrize("route", [{}, {"route": "cached"}])
def test_an_upstream_that_fails_is_a_problem_and_no_body_that_breaks_off(route: dict[str, str]) -> None:
    ports = ports_with(origin=FakeOrigin({SITE: {"a": LATER}}, failure=OriginUnreachable("gone")))
    response = ask(query=query(DAYS + 1, **route), ports=ports)
    assert (response.status, response.stream) == (502, None)
    assert told(response)["type"].endswith("upstream-unreachable")
    assert ports.sample_budget.held_bytes == 0


@pytest.mark.parametrize("asked", ["no-cache", "no-store"])
def test_so_much_that_may_not_come_from_the_store_is_a_job(asked: str) -> None:
    assert ask(query=query(DAYS), ports=ports_with(), headers={"cache-control": asked}).status == 202


def test_the_live_edge_is_read_before_the_first_sample_leaves() -> None:
    clock = FakeClock(at_ms=(JUNE + DAYS) * DAY_MS + DAY_MS // 2)
    ports = ports_with(clock=clock)
    response = ask(query=query(DAYS + 1), ports=ports)
    assert (response.status, fetches(ports), "ETag" in response.headers) == (200, 1, False)
    assert document_of(response)["_meta"]["sampleCount"] == DAYS * PER_DAY + LATER_SAMPLES
    assert fetches(ports) == 1, "the windows take it from the isolate"


@pytest.mark.parametrize(("later", "fresh_ms"), [(LATER, None), ((), NOW_MS + DOUBT_MS)])
def test_an_answer_of_a_question_is_kept_until_an_empty_day_is_to_be_read_again(
    later: Day, fresh_ms: int | None
) -> None:
    """Of more samples than are made whole: its buckets are, and are kept."""
    ports = ports_with(origin=FakeOrigin({SITE: {"a": later}}))
    response = ask(query=query(DAYS + 1, every="1d", agg="count"), ports=ports)
    counts = [[day * DAY_MS, float(PER_DAY)] for day in STORED]
    counts += [[(JUNE + DAYS) * DAY_MS, float(len(later))]] if later else []
    assert json.loads(response.body)["data"]["a"]["samples"] == counts
    assert isinstance(ports.answers, FakeAnswers)
    ((_, facts),) = ports.answers.kept.values()
    assert facts.fresh_until_ms == fresh_ms
