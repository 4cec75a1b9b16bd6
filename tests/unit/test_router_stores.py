"""The router and its stores over fakes: faults put up with, and estimates that prove too low."""

from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

import pytest

from edgeseries.errors import StoreUnavailable
from router.ports import Ports
from tests.asked_router import QUERY, START_MS, ask, make_ports, told
from tests.fake_stores import FakeBlocks
from tests.fakes import FakeClock, FakeOrigin, ListJournal


def test_faults_of_the_stores_are_in_the_log_line_and_in_the_record() -> None:
    ports = make_ports()
    assert isinstance(ports.blocks, FakeBlocks)
    assert isinstance(ports.journal, ListJournal)
    ports.blocks.index_failure = StoreUnavailable("down")
    assert ask(ports=ports).status == 200
    line = next(facts for _, event, facts in ports.journal.lines if event == "GET /api/timeseries")
    assert line["faults"] == "index_unread=1"
    (record,) = ports.journal.records
    assert (record.store_faults, record.cache_verdict, record.origin_samples) == (1, "miss", 2)
    assert [line["faults"] for _, _, line in (ports_of_a_sound_request()).lines] == [None]


def ports_of_a_sound_request() -> ListJournal:
    ports = make_ports()
    ask(ports=ports)
    assert isinstance(ports.journal, ListJournal)
    return ports.journal


def test_what_goes_wrong_after_the_answer_has_left_has_a_line_of_its_own() -> None:
    ports = make_ports(clock=FakeClock(at_ms=START_MS + 30 * 86_400_000))
    assert isinstance(ports.blocks, FakeBlocks)
    assert isinstance(ports.journal, ListJournal)
    ports = replace(ports, blocks=Failing(ports.blocks, "store"))
    assert ask(query=(*QUERY, ("route", "cached")), ports=ports).status == 200
    assert isinstance(ports.journal, ListJournal)
    assert ("warning", "faults while storing", {"faults": "not_stored=1"}) in ports.journal.lines


DENSE_DAYS = 12
DENSE_START_MS = 1_690_000_000_000 // 86_400_000 * 86_400_000
"""Long before FakeClock's moment, so that every day is sealed."""


def dense_ports() -> Ports:
    """Ten points at one sample a minute, of which nothing is learned yet: 172,800 samples in twelve days."""
    rows = [(DENSE_START_MS + minute * 60_000, 1.0) for minute in range(DENSE_DAYS * 1_440)]
    return make_ports(origin=FakeOrigin({"hq": {f"p{number}": rows for number in range(10)}}))


def dense_query(*more: tuple[str, str]) -> tuple[tuple[str, str], ...]:
    return (
        ("site", "hq"),
        ("points", ",".join(f"p{number}" for number in range(10))),
        ("start_time", str(DENSE_START_MS)),
        ("end_time", str(DENSE_START_MS + DENSE_DAYS * 86_400_000)),
        *more,
    )


def test_an_answer_that_proves_too_large_is_queued_and_its_density_is_learned() -> None:
    ports = dense_ports()
    response = ask(query=dense_query(), ports=ports)
    assert (response.status, response.headers["X-Route-Type"]) == (202, "queued")
    assert told(response)["estimatedSamples"] == DENSE_DAYS * 14_400
    # One day of them was enough to know.
    assert isinstance(ports.origin, FakeOrigin)
    assert [span.duration_ms for span in ports.origin.spans] == [86_400_000]
    assert isinstance(ports.blocks, FakeBlocks)
    assert ports.blocks.learned["hq", "p0"] == (1_440.0, 1)
    assert ports.blocks.held["hq", "p0"].keys() == {DENSE_START_MS // 86_400_000}
    # The next estimate is right before anything is fetched.
    ask(query=dense_query(), ports=ports)
    assert len(ports.origin.spans) == 1


def test_an_answer_that_proves_too_large_on_a_forced_route_is_refused() -> None:
    response = ask(query=dense_query(("route", "cached")), ports=dense_ports())
    assert (response.status, told(response)["type"]) == (413, "urn:edgeseries:problem:too-large")


def test_points_that_prove_sparse_are_answered_after_the_first_day() -> None:
    rows = {
        f"p{number}": [(DENSE_START_MS + hour * 3_600_000, 1.0) for hour in range(288)]
        for number in range(10)
    }
    ports = make_ports(origin=FakeOrigin({"hq": rows}))
    response = ask(query=dense_query(), ports=ports)
    assert (response.status, told(response)["_meta"]["sampleCount"]) == (200, 2_880)
    assert isinstance(ports.origin, FakeOrigin)
    assert [span.duration_ms // 86_400_000 for span in ports.origin.spans] == [1, DENSE_DAYS - 1]


@dataclass
class Failing:
    """A store of which one call fails, whatever else it can do."""

    inner: Any
    verb: str

    def __getattr__(self, name: str) -> Any:
        if name != self.verb:
            return getattr(self.inner, name)

        async def fail(*_: Any, **__: Any) -> None:
            raise StoreUnavailable(f"{name} is down")

        return fail


@pytest.mark.parametrize(
    ("store", "verb", "fault"),
    [
        ("answers", "find", "answers_unread"),
        ("blocks", "look_up", "index_unread"),
        ("blocks", "read", "blocks_unread"),
        ("blocks", "store", "not_stored"),
        ("answers", "store", "not_stored"),
    ],
)
def test_whatever_call_of_a_store_fails_the_answer_comes_and_the_fault_is_counted(
    store: str, verb: str, fault: str
) -> None:
    cached = (*QUERY, ("route", "cached"))
    sound = make_ports(clock=FakeClock(at_ms=START_MS + 30 * 86_400_000))
    body = ask(query=cached, ports=sound).body
    # Blocks are held, but no answer of another range, so that every call of the path is made.
    wider = (*QUERY[:2], ("start_time", "2023-12-31T00:00:00Z"), QUERY[3], ("route", "cached"))
    expected = ask(query=wider, ports=make_ports(clock=FakeClock(at_ms=START_MS + 30 * 86_400_000))).body
    failing: dict[str, Any] = {store: Failing(getattr(sound, store), verb)}
    ports = replace(sound, faults=Counter(), **failing)
    assert isinstance(ports.journal, ListJournal)
    ports.journal.records.clear()
    response = ask(query=wider, ports=ports)
    assert (response.status, response.body) == (200, expected)
    assert ports.faults == {fault: 1}
    assert ports.journal.records[0].store_faults == (0 if fault == "not_stored" else 1)
    # Nothing that was stored before is lost by it.
    stream: object = ask(query=cached, ports=replace(sound, faults=Counter())).stream
    assert stream == body
