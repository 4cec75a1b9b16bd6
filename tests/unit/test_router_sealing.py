"""A dashboard watched over midnight: the day that is sealed is not fetched again, and stored as it was."""

import json
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from edgeseries.limits import DAY_MS, HOUR_MS, MINUTE_MS
from edgeseries.planning.capabilities import Capabilities
from edgeseries.series.points import PointSeries
from edgeseries.series.timerange import TimeRange
from edgeseries.series.values import Value
from router.ports import Ports
from tests.asked_router import ask, make_ports
from tests.fake_stores import FakeBlocks
from tests.fakes import FakeClock, FakeOrigin

DAY = 19_750
MIDNIGHT_MS = (DAY + 1) * DAY_MS
POINTS = ("a", "b")
LATE_MS = MIDNIGHT_MS - 50 * MINUTE_MS + 1
"""A sample that comes out of order, forty minutes after its instant."""


@dataclass
class OriginOfTheMoment:
    """An upstream that knows only what has come by now."""

    clock: FakeClock
    arrivals: dict[str, list[tuple[int, int, Value]]]
    delivered: int = 0
    spans: list[TimeRange] = field(default_factory=list)

    def capabilities(self, site: str) -> Capabilities:  # noqa: ARG002
        return Capabilities(batch_points=50, call_samples=35_000)

    async def fetch(self, site: str, points: Any, span: TimeRange, **more: Any) -> tuple[PointSeries, ...]:
        rows = {
            point: [(at_ms, value) for arrived_ms, at_ms, value in some if arrived_ms <= self.clock.at_ms]
            for point, some in self.arrivals.items()
        }
        self.spans.append(span)
        found = await FakeOrigin({"hq": rows}).fetch(site, points, span, **more)
        self.delivered += sum(len(one.samples) for one in found)
        return found


def world() -> tuple[Ports, OriginOfTheMoment, FakeClock]:
    clock = FakeClock(at_ms=MIDNIGHT_MS - 6 * HOUR_MS + 30_000)
    minutes = range(MIDNIGHT_MS - DAY_MS, MIDNIGHT_MS + 6 * HOUR_MS, MINUTE_MS)
    arrivals: dict[str, list[tuple[int, int, Value]]] = {
        point: [(at_ms, at_ms, float(at_ms // MINUTE_MS % 97)) for at_ms in minutes] for point in POINTS
    }
    arrivals["a"].append((LATE_MS + 40 * MINUTE_MS, LATE_MS, "late"))
    origin = OriginOfTheMoment(clock, arrivals)
    return make_ports(clock=clock, origin=origin), origin, clock


def look(ports: Ports, start_ms: int, end_ms: int, route: str) -> list[list[Any]]:
    query = (
        ("site", "hq"),
        ("points", ",".join(POINTS)),
        ("start_time", str(start_ms)),
        ("end_time", str(end_ms)),
    )
    response = ask(query=(*query, ("route", route)) if route else query, ports=ports)
    assert response.status == 200
    body = response.body if response.stream is None else response.stream
    assert isinstance(body, bytes)
    rows: list[list[Any]] = json.loads(body)["data"]["a"]["samples"]
    return rows


@pytest.mark.parametrize("route", ["cached", ""])
def test_a_day_that_is_sealed_while_it_is_watched_is_not_fetched_again(route: str) -> None:
    ports, origin, clock = world()
    look(ports, MIDNIGHT_MS - DAY_MS, clock.at_ms, route)
    for _ in range(6 * 60 + 59):
        clock.at_ms += MINUTE_MS
        look(ports, MIDNIGHT_MS - DAY_MS, clock.at_ms, route)
    before = origin.delivered
    origin.spans.clear()
    clock.at_ms += 2 * MINUTE_MS
    look(ports, MIDNIGHT_MS - DAY_MS, clock.at_ms, "cached")
    # It is 01:01: the two new samples, and what had not settled of the day, which is two lags at the most.
    assert origin.delivered - before <= len(POINTS) * (2 + 120) + 1
    assert all(span.start_ms >= MIDNIGHT_MS - 2 * HOUR_MS for span in origin.spans)
    assert isinstance(ports.blocks, FakeBlocks)
    for point in POINTS:
        truth = sorted((at_ms, value) for _, at_ms, value in origin.arrivals[point] if at_ms < MIDNIGHT_MS)
        assert list(ports.blocks.held["hq", point][DAY]) == truth
    assert (LATE_MS, "late") in ports.blocks.held["hq", "a"][DAY]


def watched(origin: OriginOfTheMoment, start_ms: int, end_ms: int) -> list[list[Any]]:
    """What a direct fetch of a window gives now."""
    now_ms = origin.clock.at_ms
    rows = [one for one in origin.arrivals["a"] if one[0] <= now_ms and start_ms <= one[1] < end_ms]
    return sorted([at_ms, value] for _, at_ms, value in rows)


def in_order(rows: list[list[Any]]) -> list[list[Any]]:
    """Without the sample that comes out of order: until it is two lags old it may be there or not."""
    return [row for row in rows if row[1] != "late"]


@pytest.mark.parametrize("route", ["cached", "direct", ""])
def test_a_short_window_over_the_sealing_of_a_day_reads_its_end_once_more_and_stores_nothing(
    route: str,
) -> None:
    ports, origin, clock = world()
    assert isinstance(ports.blocks, FakeBlocks)
    clock.at_ms = MIDNIGHT_MS - HOUR_MS + 30_000
    window_ms = 4 * HOUR_MS
    look(ports, clock.at_ms - window_ms, clock.at_ms, route)
    first = origin.delivered
    origin.spans.clear()
    for _ in range(5 * 60):
        clock.at_ms += MINUTE_MS
        start_ms = clock.at_ms - window_ms
        rows = look(ports, start_ms, clock.at_ms, route)
        assert in_order(rows) == in_order(watched(origin, start_ms, clock.at_ms))
        if clock.at_ms > LATE_MS + 2 * HOUR_MS:
            assert rows == watched(origin, start_ms, clock.at_ms)
    new = len(POINTS) * 5 * 60
    assert origin.delivered - first <= 2.2 * new
    assert all(span.start_ms >= MIDNIGHT_MS - 2 * HOUR_MS for span in origin.spans)
    assert ("hq", "a") not in ports.blocks.held
    # Who wants more of the day than was watched has it fetched whole, and then it is stored.
    looked = look(ports, MIDNIGHT_MS - DAY_MS, clock.at_ms, "cached")
    assert looked == watched(origin, MIDNIGHT_MS - DAY_MS, clock.at_ms)
    assert len(ports.blocks.held["hq", "a"][DAY]) == 24 * 60 + 1
    before = origin.delivered
    look(ports, clock.at_ms - window_ms, clock.at_ms, "cached")
    assert origin.delivered == before


def test_a_sealed_part_of_a_day_that_was_watched_is_answered_without_a_call() -> None:
    ports, origin, clock = world()
    clock.at_ms = MIDNIGHT_MS - HOUR_MS
    for _ in range(40):
        look(ports, clock.at_ms - 4 * HOUR_MS, clock.at_ms, "")
        clock.at_ms += 5 * MINUTE_MS
    before, end_ms = len(origin.spans), MIDNIGHT_MS - 10 * MINUTE_MS
    rows = look(ports, MIDNIGHT_MS - 90 * MINUTE_MS, end_ms, "")
    assert rows == watched(origin, MIDNIGHT_MS - 90 * MINUTE_MS, end_ms)
    assert len(origin.spans) == before


def test_a_gateway_that_was_cut_off_over_midnight_is_stored_whole() -> None:
    ports, origin, clock = world()
    cut_off_ms, back_ms = MIDNIGHT_MS - 5 * HOUR_MS, MIDNIGHT_MS + 50 * MINUTE_MS
    origin.arrivals["a"] = [
        (max(arrived_ms, back_ms) if at_ms > cut_off_ms else arrived_ms, at_ms, value)
        for arrived_ms, at_ms, value in origin.arrivals["a"]
        if value != "late"
    ]
    while clock.at_ms < MIDNIGHT_MS + 40 * MINUTE_MS:
        look(ports, MIDNIGHT_MS - DAY_MS, clock.at_ms, "cached")
        clock.at_ms += 10 * MINUTE_MS
    # Nobody looks when it comes back; the next look is after the day was sealed.
    clock.at_ms = MIDNIGHT_MS + 70 * MINUTE_MS
    answered = look(ports, MIDNIGHT_MS - DAY_MS, clock.at_ms, "cached")
    rows = [(at_ms, value) for _, at_ms, value in origin.arrivals["a"] if at_ms < clock.at_ms]
    assert [tuple(row) for row in answered] == rows
    assert isinstance(ports.blocks, FakeBlocks)
    of_the_day = tuple((at_ms, value) for at_ms, value in rows if at_ms < MIDNIGHT_MS)
    assert ports.blocks.held["hq", "a"][DAY] == of_the_day


def test_blocks_know_better_than_what_the_isolate_has_read_before() -> None:
    ports, origin, clock = world()
    look(ports, MIDNIGHT_MS - DAY_MS, clock.at_ms, "cached")
    at_ms = MIDNIGHT_MS - 7 * HOUR_MS
    origin.arrivals["a"].append((clock.at_ms, at_ms, "corrected"))
    clock.at_ms = MIDNIGHT_MS + 2 * HOUR_MS
    other = replace(ports, live_cache=make_ports().live_cache)
    look(other, MIDNIGHT_MS - DAY_MS, MIDNIGHT_MS, "cached")
    assert [at_ms, "corrected"] in look(ports, MIDNIGHT_MS - DAY_MS, clock.at_ms, "cached")


@pytest.mark.parametrize("elsewhere", [False, True], ids=["here", "through another isolate"])
def test_a_day_that_was_watched_before_a_purge_is_fetched_whole_after_it(*, elsewhere: bool) -> None:
    """What the isolate knows of it is of before: the vendor has corrected the day since."""
    ports, origin, clock = world()
    while clock.at_ms < MIDNIGHT_MS + 50 * MINUTE_MS:
        look(ports, MIDNIGHT_MS - DAY_MS, clock.at_ms, "cached")
        clock.at_ms += 10 * MINUTE_MS
    at_ms = MIDNIGHT_MS - 7 * HOUR_MS
    origin.arrivals["a"].append((clock.at_ms, at_ms, "corrected"))
    purging = (
        replace(ports, live_cache=make_ports().live_cache, stamps=make_ports().stamps) if elsewhere else ports
    )
    assert ask("/api/cache", (("site", "hq"), ("points", "a")), method="DELETE", ports=purging).status == 200
    clock.at_ms = MIDNIGHT_MS + 70 * MINUTE_MS
    assert [at_ms, "corrected"] in look(ports, MIDNIGHT_MS - DAY_MS, clock.at_ms, "cached")
    assert isinstance(ports.blocks, FakeBlocks)
    assert (at_ms, "corrected") in ports.blocks.held["hq", "a"][DAY]


def test_a_watcher_that_a_purge_overtakes_while_it_completes_a_day_stores_nothing() -> None:
    ports, origin, clock = world()
    while clock.at_ms < MIDNIGHT_MS + 50 * MINUTE_MS:
        look(ports, MIDNIGHT_MS - DAY_MS, clock.at_ms, "cached")
        clock.at_ms += 10 * MINUTE_MS
    clock.at_ms = MIDNIGHT_MS + 70 * MINUTE_MS
    blocks = ports.blocks
    assert isinstance(blocks, FakeBlocks)

    @dataclass
    class Overtaken:
        """The upstream, while whose answer is under way somebody purges."""

        def capabilities(self, site: str) -> Any:
            return origin.capabilities(site)

        async def fetch(self, *given: Any, **more: Any) -> tuple[PointSeries, ...]:
            found = await origin.fetch(*given, **more)
            await blocks.forget("hq", points=["a"], span=None, dry_run=False)
            return found

    overtaken: Any = Overtaken()
    look(replace(ports, origin=overtaken), MIDNIGHT_MS - DAY_MS, clock.at_ms, "cached")
    assert DAY not in blocks.held.get(("hq", "a"), {})
    assert DAY in blocks.held["hq", "b"]
    origin.arrivals["a"].append((clock.at_ms, MIDNIGHT_MS - 7 * HOUR_MS, "corrected"))
    assert [MIDNIGHT_MS - 7 * HOUR_MS, "corrected"] in look(
        ports, MIDNIGHT_MS - DAY_MS, clock.at_ms, "cached"
    )


def test_a_sealed_day_that_was_fetched_whole_takes_no_room_beside_the_live_edge() -> None:
    ports, _, clock = world()
    clock.at_ms = MIDNIGHT_MS + 3 * HOUR_MS
    look(ports, MIDNIGHT_MS - 12 * HOUR_MS, clock.at_ms, "cached")
    recents = ports.live_cache.recall("hq", POINTS)
    assert {one.from_ms for one in recents.values()} == {MIDNIGHT_MS}
