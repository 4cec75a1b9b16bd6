"""Moods of the simulator: each makes of a right answer the wrong one that it is named for."""

import json
from http import HTTPStatus
from typing import Any

import pytest

from local.upstream.catalogue import PointInfo
from local.upstream.faults import mood_befalls
from local.upstream.knobs import Knobs, Mood
from local.upstream.moods import BRACKETS, content_type_of, in_mood
from local.upstream.paths import Endpoint
from local.upstream.reply import Reply
from local.upstream.wire import json_bytes

POINTS = [
    PointInfo(site=site, name=name, unit="", kind="", file=f"{name}.csv.gz")
    for site, name in (("hq", "caf\u00e9"), ("hq", "b"), ("lab", "z"))
]
ROWS = [
    {"name": "caf\u00e9", "value": "1", "time": "2024-03-01T00:00:00Z"},
    {"name": "b", "value": "2", "time": "2024-03-01T00:00:00Z"},
]
RIGHT = Reply(status=HTTPStatus.OK, body=json_bytes({"point_samples": ROWS}))
LIST = Reply(status=HTTPStatus.OK, body=json_bytes({"items": [], "page": 1, "pages": 1}))

DENYING = (Mood.GATEWAY_PAGE, Mood.GATEWAY_JSON, Mood.NO_ROUTE, Mood.NO_DATA)


def rows(mood: Mood) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(in_mood(mood, RIGHT, POINTS).body)["point_samples"]
    return found


@pytest.mark.parametrize("mood", DENYING)
def test_a_denial_is_404_whatever_was_asked(mood: Mood) -> None:
    for reply in (RIGHT, LIST):
        assert in_mood(mood, reply, POINTS).status is HTTPStatus.NOT_FOUND
    assert content_type_of(mood) == ("text/html" if mood is Mood.GATEWAY_PAGE else "application/json")


def test_each_mood_of_rows_does_what_its_name_says() -> None:
    assert rows(Mood.NO_ROWS) == []
    assert rows(Mood.MORE) == ROWS
    assert json.loads(in_mood(Mood.MORE, RIGHT, POINTS).body)["has_more"] is True
    assert [row["name"] for row in rows(Mood.UNASKED_ROWS)] == ["caf\u00e9", "z", "b", "z"]
    assert [row["name"] for row in rows(Mood.OTHER_FORM)] == ["cafe\u0301", "b"]
    assert [row["time"] for row in rows(Mood.OUTSIDE_ROWS)[:3]] == [
        "2013-03-19T00:00:00Z",
        "2024-03-01T00:00:00Z",
        "2035-02-12T00:00:00Z",
    ]
    assert [len(str(row["value"])) for row in rows(Mood.LONG_INTEGERS)] == [400, 400]
    assert in_mood(Mood.BRACKETS, RIGHT, POINTS).body == b"[" * BRACKETS


@pytest.mark.parametrize("mood", [mood for mood in Mood if mood not in (*DENYING, Mood.BRACKETS)])
def test_a_mood_of_rows_leaves_lists_and_errors_as_they_are(mood: Mood) -> None:
    missing = Reply(status=HTTPStatus.NOT_FOUND, body=json_bytes({"message": "x"}))
    for reply in (LIST, missing):
        assert in_mood(mood, reply, POINTS) == reply


def test_a_mood_shows_where_and_as_often_as_it_is_set() -> None:
    knobs = Knobs(mood=Mood.MORE, rate_mood=0.5, only=(Endpoint.POINT_TIMESERIES,))
    drawn = [mood_befalls(knobs, Endpoint.POINT_TIMESERIES, index) for index in range(400)]
    assert 150 < sum(drawn) < 250
    assert not any(mood_befalls(knobs, Endpoint.SITES, index) for index in range(400))
    assert not mood_befalls(Knobs(), Endpoint.SITES, 0)
