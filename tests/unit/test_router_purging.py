"""`DELETE /api/cache` over fakes: what is meant goes, what is not stays, and nothing goes by mistake."""

import pytest

from edgeseries.errors import StoreUnavailable
from edgeseries.limits import DAY_MS
from router.ports import Ports
from tests.asked_router import QUERY, START_MS, ask, make_ports, told
from tests.fake_stores import FakeAnswers, FakeBlocks
from tests.fakes import FakeClock, FakeOrigin

CACHED = (*QUERY, ("route", "cached"))
PATH = "/api/cache"


def filled() -> Ports:
    """A store that holds the first of January of two points, and an answer."""
    ports = make_ports(clock=FakeClock(at_ms=START_MS + 30 * DAY_MS))
    assert ask(query=CACHED, ports=ports).status == 200
    assert isinstance(ports.blocks, FakeBlocks)
    assert {point for (_, point), days in ports.blocks.held.items() if days} == {"a/1", "b"}
    return ports


def held(ports: Ports) -> set[str]:
    assert isinstance(ports.blocks, FakeBlocks)
    return {point for (_, point), days in ports.blocks.held.items() if days}


@pytest.mark.parametrize(
    ("query", "blocks", "left"),
    [
        ((), 2, set()),
        ((("points", "b"),), 1, {"a/1"}),
        ((("point", "b"), ("point", "a/1")), 2, set()),
        ((("start_time", "2024-01-01T23:59:59.999Z"), ("end_time", "2024-01-02T00:00:00Z")), 2, set()),
        ((("start_time", "2024-01-02T00:00:00Z"), ("end_time", "2024-01-03T00:00:00Z")), 0, {"a/1", "b"}),
    ],
)
def test_what_is_meant_goes(query: tuple[tuple[str, str], ...], blocks: int, left: set[str]) -> None:
    ports = filled()
    query = (("site", "hq"), *query)
    rehearsed = told(ask(PATH, (*query, ("dry_run", "true")), method="DELETE", ports=ports))
    assert (rehearsed["blocks"], rehearsed["dryRun"]) == (blocks, True)
    assert held(ports) == {"a/1", "b"}
    response = ask(PATH, query, method="DELETE", ports=ports)
    assert response.status == 200
    assert told(response) == {**rehearsed, "dryRun": False}
    assert held(ports) == left
    assert isinstance(ports.answers, FakeAnswers)
    (void,) = ports.answers.kept
    assert ask(query=CACHED, ports=ports).stream is None, "the cached answer is void"
    assert len(ports.answers.kept) == 2
    assert ask(query=CACHED, ports=ports).stream is not None
    assert void in ports.answers.kept, "nobody asks for it; it goes when its time is over"


def test_the_isolate_forgets_the_live_part_of_what_is_purged() -> None:
    now_ms = START_MS + 3_700_000
    ports = make_ports(clock=FakeClock(at_ms=now_ms))
    assert isinstance(ports.origin, FakeOrigin)
    for query, asked in (
        (None, 1),
        ((("dry_run", "true"),), 0),
        ((("points", "nothing"),), 0),
        ((("points", "b"),), 1),
        ((), 1),
    ):
        if query is not None:
            assert ask(PATH, (("site", "hq"), *query), method="DELETE", ports=ports).status == 200
        ports.origin.spans.clear()
        assert ask(ports=ports).status == 200
        assert len(ports.origin.spans) == asked


@pytest.mark.parametrize(
    ("query", "faulty"),
    [
        ((), {"site"}),
        ((("site", ""),), {"site"}),
        ((("site", "hq"), ("points", "")), {"points"}),
        ((("site", "hq"), ("point", "")), {"points"}),
        ((("site", "hq"), ("points", "a"), ("point", "b")), {"points"}),
        ((("site", "hq"), ("start_time", "2024-01-01T00:00:00Z")), {"end_time"}),
        ((("site", "hq"), ("start_time", ""), ("end_time", "")), {"start_time", "end_time"}),
        ((("site", "hq"), ("dry_run", "yes")), {"dry_run"}),
        ((("site", "hq"), ("dry_run", "")), {"dry_run"}),
        ((("site", "hq"), ("dryrun", "true")), {"dryrun"}),
        ((("site", "hq"), ("route", "cached"), ("dry_run", "1"), ("end_time", "x")), None),
    ],
)
def test_a_purge_that_could_be_misread_removes_nothing(
    query: tuple[tuple[str, str], ...], faulty: set[str] | None
) -> None:
    ports = filled()
    response = ask(PATH, query, method="DELETE", ports=ports)
    assert response.status == 400
    named = {fault["parameter"] for fault in told(response)["errors"]}
    assert named == (faulty or {"route", "dry_run", "start_time", "end_time"})
    assert held(ports) == {"a/1", "b"}


def test_a_store_that_is_down_is_told() -> None:
    ports = filled()
    assert isinstance(ports.blocks, FakeBlocks)
    ports.blocks.failure = StoreUnavailable("5 blocks are done", retry_after_s=1)
    response = ask(PATH, (("site", "hq"),), method="DELETE", ports=ports)
    assert (response.status, response.headers["Retry-After"]) == (503, "1")


def test_only_delete_is_answered_here_and_browsers_may_send_it() -> None:
    assert ask(PATH, (("site", "hq"),)).headers["Allow"] == "DELETE, OPTIONS"
    response = ask(PATH, (), method="OPTIONS")
    assert response.headers["Access-Control-Allow-Methods"] == "DELETE, OPTIONS"
