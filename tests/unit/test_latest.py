"""`/api/latest` over fakes: the last sample of each point, and how often the upstream is asked for it."""

import json
from typing import Any

import pytest

from edgeseries.errors import OriginUnreachable
from edgeseries.limits import CATALOGUE_TTL_MS, DAY_MS, HOUR_MS, MINUTE_MS
from edgeseries.reading.latest_memory import LastSample, LatestMemory
from edgeseries.series.values import Value
from router.ports import Ports
from tests.asked_router import ask, make_ports, told
from tests.fakes import FakeClock, FakeOrigin

NOW_MS = 1_709_164_800_000 + 13 * HOUR_MS
"""2024-02-29, one in the afternoon."""

DELIVERIES: dict[str, dict[str, list[tuple[int, Value]]]] = {
    "hq": {
        "minutely": [(NOW_MS - place * MINUTE_MS, float(place)) for place in range(600, 0, -1)],
        "hourly": [(NOW_MS - 2 * HOUR_MS, 1.0), (NOW_MS - HOUR_MS, "on")],
        "yesterday's": [(NOW_MS - 25 * HOUR_MS, True)],
        "stopped": [(NOW_MS - 40 * DAY_MS, 7.0)],
        "silent": [],
        "forecast": [(NOW_MS - 5 * MINUTE_MS, 2.0), (NOW_MS + HOUR_MS, 3.0)],
    }
}


def ports_at(now_ms: int = NOW_MS, **changes: Any) -> Ports:
    return make_ports(**{"clock": FakeClock(at_ms=now_ms), "origin": FakeOrigin(DELIVERIES), **changes})


def latest(ports: Ports, *points: str, **more: str) -> dict[str, Any]:
    query = (("site", "hq"), *(("point", point) for point in points), *more.items())
    response = ask("/api/latest", query, ports=ports)
    assert response.status == 200, response.body
    return told(response)


def fetches(ports: Ports) -> int:
    assert isinstance(ports.origin, FakeOrigin)
    return sum(verb == "fetch" for verb, _ in ports.origin.calls)


def test_the_last_sample_of_every_point_with_its_age() -> None:
    found = latest(ports_at())
    assert (found["site"], found["at"], found["count"]) == ("hq", "2024-02-29T13:00:00.000Z", 4)
    samples = {name: (one["time"], one["value"], one["ageSeconds"]) for name, one in found["points"].items()}
    assert samples == {
        "forecast": (NOW_MS - 5 * MINUTE_MS, 2.0, 300.0),
        "hourly": (NOW_MS - HOUR_MS, "on", 3600.0),
        "minutely": (NOW_MS - MINUTE_MS, 1.0, 60.0),
        "silent": (None, None, None),
        "stopped": (None, None, None),
        "yesterday's": (NOW_MS - 25 * HOUR_MS, True, 25 * 3600.0),
    }


def test_a_point_that_stopped_is_found_in_stored_days() -> None:
    ports = ports_at()
    day_ms = (NOW_MS - 40 * DAY_MS) // DAY_MS * DAY_MS
    query = (
        ("site", "hq"),
        ("point", "stopped"),
        ("start_time", str(day_ms)),
        ("end_time", str(day_ms + 3 * DAY_MS)),
        ("route", "cached"),
    )
    assert ask(query=query, ports=ports).status == 200
    found = latest(ports, "stopped")["points"]["stopped"]
    assert (found["time"], found["value"]) == (NOW_MS - 40 * DAY_MS, 7.0)


def test_many_callers_ask_the_upstream_once_in_a_live_ttl() -> None:
    ports = ports_at()
    assert isinstance(ports.clock, FakeClock)
    latest(ports, "minutely", "hourly")
    first = fetches(ports)
    for _ in range(20):
        latest(ports, "minutely")
        latest(ports, "hourly", "minutely")
    assert fetches(ports) == first
    ports.clock.at_ms += ports.live_ttl_ms - 1
    latest(ports, "minutely")
    assert fetches(ports) == first
    ports.clock.at_ms += 1
    latest(ports, "minutely")
    assert fetches(ports) > first


def test_only_points_without_a_sample_are_looked_for_further_back() -> None:
    ports = ports_at()
    latest(ports)
    assert isinstance(ports.origin, FakeOrigin)
    lengths = [span.duration_ms for span in ports.origin.spans]
    assert lengths[0] < HOUR_MS
    assert max(lengths) >= DAY_MS
    assert lengths == sorted(lengths[:1]) + lengths[1:]


def test_stored_days_are_not_searched_at_every_refresh() -> None:
    memory = LatestMemory()
    ports = ports_at(latest=memory)
    assert isinstance(ports.clock, FakeClock)
    latest(ports, "silent")
    searched_ms = memory.recall("hq", ["silent"])["silent"].searched_ms
    ports.clock.at_ms += CATALOGUE_TTL_MS - 1
    latest(ports, "silent")
    assert memory.recall("hq", ["silent"])["silent"].searched_ms == searched_ms
    ports.clock.at_ms += ports.live_ttl_ms
    latest(ports, "silent")
    assert memory.recall("hq", ["silent"])["silent"].searched_ms != searched_ms


def test_a_point_that_is_not_there_says_so() -> None:
    found = latest(ports_at(), "minutely", "mintely")["points"]
    assert found["mintely"]["error"].startswith("the site has no point of this name")
    assert found["minutely"]["error"] is None


def test_an_upstream_that_fails_is_an_error_not_an_old_value() -> None:
    ports = ports_at()
    assert isinstance(ports.clock, FakeClock)
    assert isinstance(ports.origin, FakeOrigin)
    latest(ports, "minutely")
    ports.clock.at_ms += ports.live_ttl_ms
    ports.origin.failure = OriginUnreachable("gone")
    query = (("site", "hq"), ("point", "minutely"))
    assert ask("/api/latest", query, ports=ports).status == 502
    ports.origin.failure = None
    assert ask("/api/latest", query, ports=ports).status == 200


def test_other_formats_have_one_sample_a_point() -> None:
    ports = ports_at()
    query = (("site", "hq"), ("point", "minutely"), ("point", "silent"), ("format", "rows"))
    response = ask("/api/latest", query, ports=ports)
    assert json.loads(response.body) == [
        {"point": "minutely", "time": "2024-02-29T12:59:00.000Z", "value": 1.0}
    ]


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ((), "site"),
        ((("site", "hq"), ("points", "")), "points"),
        ((("site", "hq"), ("start_time", "0")), "start_time"),
        ((("site", "hq"), ("format", "xlsx")), "format"),
    ],
)
def test_what_is_wrong_with_a_request_is_said(query: tuple[tuple[str, str], ...], parameter: str) -> None:
    response = ask("/api/latest", query, ports=ports_at())
    assert response.status == 400
    assert [one["parameter"] for one in told(response)["errors"]] == [parameter]


def test_a_memory_of_sites_lets_the_oldest_go() -> None:
    memory = LatestMemory()
    for number in range(5):
        memory.learn(f"s{number}", {f"p{place}": LastSample(read_ms=0) for place in range(9_000)})
    assert memory.recall("s0", ["p0"]) == {}
    assert memory.recall("s4", ["p0"]) == {"p0": LastSample(read_ms=0)}
    memory.forget("s4")
    assert memory.recall("s4", ["p0"]) == {}


def series_of(ports: Ports, *points: str, **fields: str) -> dict[str, Any]:
    query = (("site", "hq"), *(("point", point) for point in points), *fields.items())
    response = ask(query=query, ports=ports)
    assert response.status == 200, response.body
    body = response.body if response.stream is None else response.stream
    assert isinstance(body, bytes)
    data: dict[str, Any] = json.loads(body)["data"]
    return {name: one["samples"] for name, one in data.items()}


NOON_MS = 1_709_164_800_000 + 12 * HOUR_MS - DAY_MS
CHANGES: dict[str, dict[str, list[tuple[int, Value]]]] = {
    "hq": {
        "mode": [(NOON_MS - 20 * DAY_MS, "day"), (NOON_MS - 5 * DAY_MS, "night"), (NOON_MS + 60_000, "day")],
        "fan": [(NOON_MS - HOUR_MS, True), (NOON_MS, False)],
        "old": [(NOON_MS - 40 * DAY_MS, 1.0)],
    }
}
HOUR = {"start_time": str(NOON_MS), "end_time": str(NOON_MS + HOUR_MS)}


def test_the_value_in_force_when_a_range_begins_comes_first() -> None:
    ports = make_ports(clock=FakeClock(at_ms=NOW_MS), origin=FakeOrigin(CHANGES))
    plain = series_of(ports, "mode", "fan", "old", **HOUR)
    assert plain == {"fan": [[NOON_MS, False]], "mode": [[NOON_MS + 60_000, "day"]], "old": []}
    for _ in range(2):
        assert series_of(ports, "mode", "fan", "old", previous="true", **HOUR) == {
            "fan": [[NOON_MS - HOUR_MS, True], [NOON_MS, False]],
            "mode": [[NOON_MS - 5 * DAY_MS, "night"], [NOON_MS + 60_000, "day"]],
            "old": [],
        }
    assert series_of(ports, "fan", previous="false", **HOUR) == {"fan": [[NOON_MS, False]]}


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"previous": "maybe"}, 400),
        ({"previous": "true", "every": "1h"}, 400),
        ({"previous": "true", "route": "queued"}, 413),
    ],
)
def test_what_previous_does_not_go_with_is_said(more: dict[str, str], status: int) -> None:
    query = (("site", "hq"), ("point", "fan"), *HOUR.items(), *more.items())
    response = ask(query=query, ports=make_ports(clock=FakeClock(at_ms=NOW_MS), origin=FakeOrigin(CHANGES)))
    assert response.status == status
    assert "previous" in response.body.decode()
