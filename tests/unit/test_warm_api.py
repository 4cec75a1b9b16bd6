"""`/api/warm` over fakes: what is fetched, what is saved, who sees what, and which faults are told."""

import json
from typing import Any

import pytest

from edgeseries.access.grants import Right
from edgeseries.limits import DAY_MS, HOUR_MS
from edgeseries.warming.limits import SAVED_SETS_MAX
from tests.asked_router import ask, told
from tests.keyed_router import OTHER_SITE, SITE, House

DAY = {"start_time": "2023-11-01T00:00:00Z", "end_time": "2023-11-02T00:00:00Z"}
LOBBY = {"site": SITE, "points": ["b", "a"], "days": 3, "hours": [7, 6], "weekdays": ["fri", "mon"]}


@pytest.fixture
def house() -> House:
    return House()


def send(house: House, key: str, method: str, path: str, body: object = None, **query: str) -> Any:
    return ask(
        path,
        tuple(query.items()),
        method=method,
        body=b"" if body is None else json.dumps(body).encode(),
        ports=house.ports,
        headers={"authorization": f"Bearer {key}"},
    )


def faults(response: Any) -> set[str]:
    assert response.status == 400, response.body
    return {one["parameter"] for one in told(response)["errors"]}


def test_points_of_some_days_become_a_job_of_the_caller(house: House) -> None:
    key = house.key(Right.JOBS)
    response = send(house, key, "POST", "/api/warm", {"site": SITE, "points": ["b"], "days": 2})
    assert response.status == 202
    job = told(response)
    today_ms = house.clock.at_ms // DAY_MS * DAY_MS
    assert (job["priority"], job["site"], job["pointCount"]) == ("low", SITE, 1)
    assert job["startTime"] == "2023-11-12T00:00:00Z"
    assert job["endTime"] == "2023-11-14T00:00:00Z"
    assert today_ms == 1_699_920_000_000
    again = send(house, key, "POST", "/api/warm", {"site": SITE, "points": ["b"], "days": 2})
    assert told(again)["jobId"] == job["jobId"]
    assert [one["jobId"] for one in told(send(house, key, "GET", "/api/jobs"))["jobs"]] == [job["jobId"]]
    rows = house.database.rows("SELECT job_id, reason, point_days, owner FROM warm_runs")
    assert rows == [(job["jobId"], "request", 2, key.split("_")[1])]


def test_a_range_relative_to_now(house: House) -> None:
    body = {"site": SITE, "points": ["b"], "start_time": "today-30d", "end_time": "today"}
    job = told(send(house, house.key(Right.JOBS), "POST", "/api/warm", body))
    assert (job["startTime"], job["endTime"]) == ("2023-10-15T00:00:00Z", "2023-11-14T00:00:00Z")


def test_a_saved_set_is_told_fetched_changed_and_removed(house: House) -> None:
    key = house.key(Right.JOBS)
    saved = told(send(house, key, "PUT", "/api/warm/lobby", LOBBY))
    assert (saved["points"], saved["hours"], saved["weekdays"]) == (["a", "b"], [6, 7], ["mon", "fri"])
    assert (saved["owner"], saved["lastRun"]) == (key.split("_")[1], None)
    job = told(send(house, key, "POST", "/api/warm", {"set": "lobby"}))
    assert (job["pointCount"], job["startTime"]) == (2, "2023-11-11T00:00:00Z")
    longer = told(send(house, key, "POST", "/api/warm", {"set": "lobby", "days": 5}))
    assert longer["startTime"] == "2023-11-09T00:00:00Z"
    (listed,) = told(send(house, key, "GET", "/api/warm"))["sets"]
    assert listed["lastRun"]["reason"] == "request"
    assert listed["lastRun"]["status"] == "queued"
    changed = told(send(house, key, "PUT", "/api/warm/lobby", {"site": SITE, "points": ["b"]}))
    assert (changed["days"], changed["hours"], changed["pointCount"]) == (7, [], 1)
    assert send(house, key, "DELETE", "/api/warm/lobby").status == 200
    assert send(house, key, "DELETE", "/api/warm/lobby").status == 404
    assert send(house, key, "POST", "/api/warm", {"set": "lobby"}).status == 404


def test_sets_of_others_are_not_there_but_for_an_admin(house: House) -> None:
    key, other, admin = house.key(Right.JOBS), house.key(Right.JOBS), house.key(*Right, sites=None)
    owner = key.split("_")[1]
    assert send(house, key, "PUT", "/api/warm/lobby", LOBBY).status == 200
    theirs = told(send(house, other, "GET", "/api/warm"))
    assert theirs == {"sets": [], "patterns": [], "budget": None}
    assert send(house, other, "POST", "/api/warm", {"set": "lobby"}).status == 404
    assert send(house, other, "DELETE", "/api/warm/lobby").status == 404
    assert send(house, other, "DELETE", "/api/warm/lobby", owner=owner).status == 404
    seen = told(send(house, admin, "GET", "/api/warm"))
    assert [one["owner"] for one in seen["sets"]] == [owner]
    assert seen["budget"]["on"] is False
    assert send(house, admin, "DELETE", "/api/warm/lobby", owner=owner).status == 200
    assert told(send(house, key, "GET", "/api/warm"))["sets"] == []


def test_a_site_of_others_is_not_there(house: House) -> None:
    key = house.key(Right.JOBS)
    foreign = {"site": OTHER_SITE, "points": ["b"]}
    assert send(house, key, "POST", "/api/warm", foreign).status == 404
    assert send(house, key, "PUT", "/api/warm/x", foreign).status == 404


def test_patterns_are_for_admins(house: House) -> None:
    hour = house.clock.at_ms // HOUR_MS
    house.database.rows(f"INSERT INTO asked_sets VALUES ('d', '{SITE}', '[\"a\",\"b\"]', 2, 0)")
    for days in (7, 14):
        house.database.rows(
            f"INSERT INTO asked_hours VALUES ({hour - days * 24}, 'd', 3, 1, 5, 30, 2, 900, 1)"
        )
    assert told(send(house, house.key(Right.JOBS), "GET", "/api/warm"))["patterns"] == []
    (pattern,) = told(send(house, house.key(*Right, sites=None), "GET", "/api/warm"))["patterns"]
    assert pattern == {
        "site": SITE,
        "pointCount": 2,
        "points": ["a", "b"],
        "firstBack": 3,
        "lastBack": 1,
        "hour": hour % 24,
        "days": 2,
        "asks": 10,
        "comesToday": True,
        "lastRun": None,
    }


def test_a_key_saves_so_many_sets(house: House) -> None:
    key = house.key(Right.JOBS)
    owner = key.split("_")[1]
    for number in range(SAVED_SETS_MAX):
        house.database.rows(
            f"INSERT INTO warm_sets VALUES ('{owner}', 's{number}', 'hq', 'd', '[\"a\"]', 1, '[]', '[0]', 0)"
        )
    assert send(house, key, "PUT", "/api/warm/more", LOBBY).status == 409
    assert send(house, key, "PUT", "/api/warm/s1", LOBBY).status == 200


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ([], {"body"}),
        ({}, {"site", "points"}),
        ({"site": SITE, "points": ["b"], "days": 0}, {"days"}),
        ({"site": SITE, "points": ["b"], "days": True, "colour": 1}, {"days", "colour"}),
        ({"site": SITE, "points": ["b"], "days": 2, **DAY}, {"days"}),
        ({"site": SITE, "points": ["b"], "hours": [7]}, {"hours"}),
        ({"set": "lobby", "site": SITE}, {"set"}),
        ({"set": 5}, {"set"}),
        ({"site": SITE, "points": ["b"], "end_time": DAY["end_time"]}, {"start_time"}),
        ({"site": SITE, "points": "b"}, {"points"}),
    ],
)
def test_faults_of_a_request_are_told_together(house: House, body: object, wrong: set[str]) -> None:
    assert faults(send(house, house.key(Right.JOBS), "POST", "/api/warm", body)) == wrong


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"hours": [24]}, {"hours"}),
        ({"hours": "7"}, {"hours"}),
        ({"weekdays": ["monday"], "days": 401}, {"weekdays", "days"}),
        ({"hours": [], "weekdays": ["mon"]}, {"weekdays"}),
        ({"points": [], "site": ""}, {"points", "site"}),
        ({"points": [f"p{number}" for number in range(1_001)]}, {"points"}),
        ({"name": "x"}, {"name"}),
        ({"points": [5]}, {"points"}),
    ],
)
def test_faults_of_a_set_are_told_together(house: House, changes: dict[str, Any], wrong: set[str]) -> None:
    assert faults(send(house, house.key(Right.JOBS), "PUT", "/api/warm/x", {**LOBBY, **changes})) == wrong


def test_a_name_is_printable(house: House) -> None:
    assert faults(send(house, house.key(Right.JOBS), "PUT", "/api/warm/%20", LOBBY)) == {"set"}
