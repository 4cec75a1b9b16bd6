"""What is found out of an installation over the Origin port, what of it is remembered, and who may ask."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace

from edgeseries.access.grants import Right
from edgeseries.errors import OriginUnreachable
from edgeseries.limits import DAY_MS, HOUR_MS, SECOND_MS
from edgeseries.origins.adapters.installations import REPORT_TTL_MS, IsolateInstallations, ReportMemory
from edgeseries.origins.adapters.isolate_origins import IsolateOrigins
from edgeseries.origins.by_site import PlacedOrigin
from edgeseries.origins.circuit import CircuitState, Permit
from edgeseries.origins.installation import ENOUGH_SAMPLES, inspect_installation
from edgeseries.origins.record import OriginRecord
from edgeseries.series.values import Value
from tests.asked_router import ask
from tests.fakes import FakeClock, FakeOrigin
from tests.keyed_router import ADMIN_KEY, House

NOW_MS = 1_700_000_000_000
RECORD = OriginRecord(
    name="meters", prefix="meters/", vendor="ace", url="", settle_lag_ms=1, circuit_pause_ms=1_000
)


def every(step_ms: int, count: int, *, until_ms: int = NOW_MS) -> list[tuple[int, Value]]:
    return [(until_ms - place * step_ms, 1.5) for place in range(count, 0, -1)]


def facts_of(origin: FakeOrigin) -> Mapping[str, str]:
    looking = inspect_installation(
        origin, prefix="meters/", clock=FakeClock(at_ms=NOW_MS), deadline_ms=NOW_MS + 1_000
    )
    report = asyncio.run(looking)
    return dict(report.facts) | ({} if report.fault is None else {"fault": report.fault})


def test_the_shortest_range_with_samples_enough_is_looked_at() -> None:
    dense = FakeOrigin({"hq": {"a": every(10 * SECOND_MS, 2_000), "b": []}})
    found = facts_of(dense)
    assert found["sites"] == "1 (meters/hq)"
    assert found["points of meters/hq"] == "2 (a, b)"
    assert found["points in a call"] == "up to 50"
    assert found["samples"] == "360 of 2 points in 1 h"
    assert (found["real interval"], found["intervals"]) == ("10 s (median)", "10 to 10 s")
    assert (found["types"], found["NaN, NA or null"]) == ("360 x float", "not seen")
    assert found["ranges as callers get them"] == "half-open"
    assert found["samples from"] == str(NOW_MS - HOUR_MS), "what the adapter knows of its own"
    assert dense.spans[0].duration_ms == HOUR_MS
    sparse = FakeOrigin({"hq": {"a": every(HOUR_MS, ENOUGH_SAMPLES)}})
    assert facts_of(sparse)["samples"] == f"{ENOUGH_SAMPLES} of 1 points in 24 h"


def test_few_samples_are_looked_at_if_there_are_no_more() -> None:
    old: list[tuple[int, Value]] = [(NOW_MS - 40 * DAY_MS, None)]
    found = facts_of(FakeOrigin({"hq": {"a": old}}))
    assert found["samples"] == "1 of 1 points in 366 days"
    assert found["NaN, NA or null"] == "1 samples, as null"
    assert "real interval" not in found
    assert facts_of(FakeOrigin({"hq": {"a": []}}))["samples"] == "none of the first 1 points within 366 days"
    assert facts_of(FakeOrigin({"hq": {}}))["points of meters/hq"] == "none"
    assert facts_of(FakeOrigin({})) == {"sites": "none"}


def test_what_was_found_before_a_fault_is_told_with_it() -> None:
    class Broken(FakeOrigin):
        async def fetch(self, *_: object, **__: object) -> tuple[()]:
            raise OriginUnreachable("it broke off")

    found = facts_of(Broken({"hq": {"a": []}}))
    assert (found["points of meters/hq"], found["fault"]) == ("1 (a)", "it broke off")


def test_a_report_is_remembered_for_a_while_and_a_fault_is_not() -> None:
    clock, memory = FakeClock(at_ms=NOW_MS), ReportMemory()
    origin = FakeOrigin({"hq": {"a": every(SECOND_MS, 20)}})

    def ask() -> str | None:
        # Each request has its own adapters.
        known = IsolateInstallations(
            [PlacedOrigin(record=RECORD, origin=origin)], loads=IsolateOrigins(), memory=memory, clock=clock
        )
        return asyncio.run(known.reports(deadline_ms=clock.at_ms + 1_000))[RECORD.part].fault

    origin.failure = OriginUnreachable("down")
    assert ask() == "down"
    origin.failure = None
    assert ask() is None
    calls = len(origin.calls)
    clock.at_ms += REPORT_TTL_MS - 1_000
    assert (ask(), len(origin.calls)) == (None, calls)
    clock.at_ms += 1_000
    ask()
    assert len(origin.calls) > calls


def test_circuits_are_those_of_the_isolate() -> None:
    loads = IsolateOrigins()
    other = replace(RECORD, name="others", prefix="others/")
    placed = [PlacedOrigin(record=one, origin=FakeOrigin({})) for one in (RECORD, other)]
    known = IsolateInstallations(placed, loads=loads, memory={}, clock=FakeClock())
    assert set(known.circuits().values()) == {CircuitState.CLOSED}
    load = loads.load(other, alone=False)
    while load.circuit.state is CircuitState.CLOSED:
        permit = Permit(turn=load.circuit.turn)
        load.failed(permit, NOW_MS, first_pause_ms=1_000, asked_pause_ms=0)
    assert known.circuits() == {
        "upstream:meters": CircuitState.CLOSED,
        "upstream:others": CircuitState.OPEN,
    }


def test_installations_are_for_admins() -> None:
    house = House()
    for key, deep, status in (
        (None, "1", 401),
        (house.key(Right.READ), "1", 200),
        (house.key(Right.READ), "full", 403),
        (ADMIN_KEY, "full", 200),
    ):
        headers = {} if key is None else {"authorization": f"Bearer {key}"}
        answer = ask("/api/health", (("deep", deep),), ports=house.ports, headers=headers)
        assert answer.status == status, deep
