"""Times relative to now become instants; what is none is told what there is."""

import pytest

from edgeseries.limits import DAY_MS, HOUR_MS, MINUTE_MS
from edgeseries.planning.relative_times import instant_of, with_instants
from edgeseries.series.timerange import iso_instant
from tests.asked_router import ask, make_ports, told
from tests.fakes import FakeClock, FakeOrigin

NOW_MS = 1_711_843_234_567
"""2024-03-31T00:00:34.567Z: in Berlin half past one of the night in which the clock goes forward."""


@pytest.mark.parametrize(
    ("text", "zone", "ends", "instant"),
    [
        ("now", "UTC", False, "2024-03-31T00:00:00Z"),
        ("now", "UTC", True, "2024-03-31T00:01:00Z"),
        ("now-7d", "UTC", False, "2024-03-24T00:00:00Z"),
        ("now-90m", "UTC", False, "2024-03-30T22:30:00Z"),
        ("now-1d-12h", "UTC", False, "2024-03-29T12:00:00Z"),
        ("now+1h", "UTC", True, "2024-03-31T01:01:00Z"),
        ("now 1h", "UTC", True, "2024-03-31T01:01:00Z"),
        ("now-2w", "UTC", False, "2024-03-17T00:00:00Z"),
        ("now-30s", "UTC", False, "2024-03-30T23:59:30Z"),
        ("today", "UTC", False, "2024-03-31T00:00:00Z"),
        ("today", "UTC", True, "2024-03-31T00:00:00Z"),
        ("yesterday", "UTC", False, "2024-03-30T00:00:00Z"),
        ("today-1w", "UTC", False, "2024-03-24T00:00:00Z"),
        ("yesterday+6h", "UTC", False, "2024-03-30T06:00:00Z"),
        ("today", "Europe/Berlin", False, "2024-03-30T23:00:00Z"),
        ("today+1d", "Europe/Berlin", False, "2024-03-31T22:00:00Z"),
        ("yesterday", "Europe/Berlin", False, "2024-03-29T23:00:00Z"),
        ("today", "America/New_York", False, "2024-03-30T04:00:00Z"),
        ("yesterday", "Asia/Kolkata", False, "2024-03-29T18:30:00Z"),
    ],
)
def test_a_relative_time_is_an_instant(text: str, zone: str, ends: bool, instant: str) -> None:  # noqa: FBT001
    found = instant_of(text, now_ms=NOW_MS, zone=zone, ends=ends)
    assert found is not None
    assert iso_instant(found) == instant


@pytest.mark.parametrize(
    "text",
    ["", "NOW", "now-", "now-7", "now-7y", "now7d", "tomorrow", "now-99999w", "2024-01-01T00:00:00Z", "0"],
)
def test_what_is_none_stays_as_it_is(text: str) -> None:
    assert instant_of(text, now_ms=NOW_MS, zone="UTC", ends=False) is None
    assert with_instants({"start_time": text}, now_ms=NOW_MS) == {"start_time": text}


def test_a_whole_minute_is_not_rounded() -> None:
    at_ms = NOW_MS // MINUTE_MS * MINUTE_MS
    assert {instant_of("now", now_ms=at_ms, zone="UTC", ends=ends) for ends in (True, False)} == {at_ms}


def test_a_zone_that_is_none_counts_as_utc_and_is_its_own_fault() -> None:
    assert with_instants({"start_time": "today", "tz": "Mars"}, now_ms=NOW_MS) == {
        "start_time": str(NOW_MS // DAY_MS * DAY_MS),
        "tz": "Mars",
    }


def answered(start: str, end: str, at_ms: int = NOW_MS, **more: str) -> dict[str, str]:
    rows = [(NOW_MS - place * HOUR_MS, float(place)) for place in range(48, 0, -1)]
    ports = make_ports(clock=FakeClock(at_ms=at_ms), origin=FakeOrigin({"hq": {"b": rows}}))
    query = (("site", "hq"), ("points", "b"), ("start_time", start), ("end_time", end), *more.items())
    response = ask(query=query, ports=ports)
    assert response.status == 200, response.body
    meta: dict[str, str] = told(response)["_meta"]
    return meta


def test_a_request_is_answered_with_the_instants_that_were_meant() -> None:
    meta = answered("now-7d", "now")
    assert (meta["startTime"], meta["endTime"]) == ("2024-03-24T00:00:00Z", "2024-03-31T00:01:00Z")
    assert meta == answered("now-7d", "now", NOW_MS + 20_000)
    berlin = answered("yesterday", "today", tz="Europe/Berlin")
    assert (berlin["startTime"], berlin["endTime"]) == ("2024-03-29T23:00:00Z", "2024-03-30T23:00:00Z")


def test_a_text_that_is_no_time_is_told_what_there_is() -> None:
    query = (("site", "hq"), ("points", "b"), ("start_time", "now-7"), ("end_time", "now"))
    (fault,) = told(ask(query=query))["errors"]
    assert fault["parameter"] == "start_time"
    assert "now-7d, today, yesterday" in fault["detail"]
