"""Names of points: with commas, misspelt, looked for."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeseries.http.messages import HttpResponse
from edgeseries.planning.point_names import matches, nearest, rejoined
from edgeseries.series.points import Point
from router.ports import Ports
from router.serializers import name_after, point_cursor
from tests.asked_router import START_MS, ask, make_ports, told
from tests.fakes import FakeOrigin

SITE = ["AHU 1, supply", "AHU 1", " supply", "a,b,c", "a", "b", "Zone Temp 7", "Zone Temp 8", "CO2 level"]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("a,b", ["a", "b"]),
        ("a,b,c", ["a,b,c"]),
        ("c,a,b,c,b", ["c", "a,b,c", "b"]),
        ("AHU 1, supply", ["AHU 1", " supply"]),
        ("x,y", ["x", "y"]),
        ("", [""]),
    ],
)
def test_pieces_that_are_a_name_only_together_become_it(text: str, names: list[str]) -> None:
    assert rejoined(text.split(","), SITE) == names


@given(st.lists(st.text("ab", max_size=2), min_size=1, max_size=6), st.sets(st.text("ab,", max_size=6)))
def test_nothing_is_lost_when_pieces_are_joined(pieces: list[str], listed: set[str]) -> None:
    assert ",".join(rejoined(pieces, listed)) == ",".join(pieces)


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("Zone Tmp 7", ("Zone Temp 7", "Zone Temp 8")),
        ("zone temp 7", ("Zone Temp 7", "Zone Temp 8")),
        ("co2-level", ("CO2 level",)),
        ("something else", ()),
        ("", ()),
    ],
)
def test_the_nearest_names_come_first(name: str, near: tuple[str, ...]) -> None:
    assert nearest(name, SITE) == near


def test_words_are_looked_for_in_any_case_and_order() -> None:
    assert matches("AHU 7 Supply Temp", ["temp", "ahu"])
    assert not matches("AHU 7 Supply Temp", ["temp", "vav"])
    assert matches("anything", [])


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
def test_a_cursor_says_the_name_that_it_was_made_of(name: str) -> None:
    assert name_after(point_cursor(name)) == name


class ListedOrigin(FakeOrigin):
    """One that says what it has of units and kinds."""

    async def points(self, site: str, *, deadline_ms: int) -> tuple[Point, ...]:
        names = await super().points(site, deadline_ms=deadline_ms)
        return tuple(
            Point(
                name=one.name,
                unit="degC" if "Temp" in one.name else None,
                kind="analog" if "Temp" in one.name else "enum",
            )
            for one in names
        )


def ports_with(names: list[str] = SITE, **changes: Any) -> Ports:
    deliveries = {"hq": {name: [(START_MS, float(place))] for place, name in enumerate(names)}}
    return make_ports(origin=ListedOrigin(deliveries), **changes)


def looked_for(ports: Ports | None = None, /, **fields: str) -> dict[str, Any]:
    response = ask("/api/sites/hq/points", tuple(fields.items()), ports=ports or ports_with())
    assert response.status == 200, response.body
    return told(response)


def names_of(found: dict[str, Any]) -> list[str]:
    return [one["name"] for one in found["points"]]


@pytest.mark.parametrize(
    ("fields", "names"),
    [
        ({}, sorted(SITE)),
        ({"q": "temp zone"}, ["Zone Temp 7", "Zone Temp 8"]),
        ({"q": "8", "unit": "DEGC"}, ["Zone Temp 8"]),
        ({"kind": "enum", "q": "co2"}, ["CO2 level"]),
        ({"unit": ""}, [name for name in sorted(SITE) if "Temp" not in name]),
        ({"q": "nothing of this"}, []),
    ],
)
def test_points_are_found_by_words_unit_and_kind(fields: dict[str, str], names: list[str]) -> None:
    found = looked_for(**fields)
    assert (names_of(found), found["count"], found["total"]) == (names, len(names), len(names))
    assert found["cursor"] is None


def test_pages_are_all_points_once() -> None:
    ports = ports_with()
    pages: list[list[str]] = []
    cursor = None
    while True:
        fields = {"limit": "2"} if cursor is None else {"limit": "2", "cursor": cursor}
        found = looked_for(ports, **fields)
        assert found["total"] == len(SITE)
        pages.append(names_of(found))
        cursor = found["cursor"]
        if cursor is None:
            break
    assert [len(page) for page in pages] == [2, 2, 2, 2, 1]
    assert [name for page in pages for name in page] == sorted(SITE)
    assert isinstance(ports.origin, FakeOrigin)
    assert len(ports.origin.calls) == 1, "a list that is paged through is read once"


def test_points_with_data_are_those_that_samples_were_stored_of() -> None:
    ports = ports_with()
    day = (("start_time", str(START_MS)), ("end_time", str(START_MS + 86_400_000)), ("route", "cached"))
    assert ask(query=(("site", "hq"), ("point", "a"), ("point", "b"), *day), ports=ports).status == 200
    # What FakeBlocks stores teaches the database nothing: a profile is written as a store writes it.
    profile = "INSERT INTO point_profiles VALUES ('hq', 'a', 12.0, NULL, NULL, 3, 0)"
    ports.profiles._database.connection.execute(profile)  # type: ignore[attr-defined]
    assert names_of(looked_for(ports, has_data="true")) == ["a"]
    assert names_of(looked_for(ports, has_data="false")) == [name for name in sorted(SITE) if name != "a"]


@pytest.mark.parametrize(
    "fields",
    [{"has_data": "yes"}, {"limit": "0"}, {"limit": "x"}, {"cursor": "!"}, {"cursor": "/w"}, {"query": "x"}],
)
def test_what_is_wrong_with_a_search_is_said(fields: dict[str, str]) -> None:
    response = ask("/api/sites/hq/points", tuple(fields.items()), ports=ports_with())
    assert (response.status, [one["parameter"] for one in told(response)["errors"]]) == (400, [*fields])


def series(response: HttpResponse) -> dict[str, Any]:
    assert response.status == 200, response.body
    data: dict[str, Any] = told(response)["data"]
    return data


RANGE = (("start_time", str(START_MS)), ("end_time", str(START_MS + 1000)))


def test_a_misspelt_point_is_told_with_the_nearest_names() -> None:
    data = series(ask(query=(("site", "hq"), ("point", "Zone Tmp 7"), *RANGE), ports=ports_with()))
    error = data["Zone Tmp 7"]["error"]
    assert error == "the site has no point of this name; did you mean 'Zone Temp 7' or 'Zone Temp 8'?"
    latest = told(ask("/api/latest", (("site", "hq"), ("point", "Zone Tmp 7")), ports=ports_with()))
    assert "did you mean 'Zone Temp 7'" in latest["points"]["Zone Tmp 7"]["error"]


def test_names_with_commas_are_recognised_where_they_exist() -> None:
    names = ["AHU 1, supply", "b"]
    data = series(ask(query=(("site", "hq"), ("points", "AHU 1, supply,b"), *RANGE), ports=ports_with(names)))
    assert {name: one["count"] for name, one in data.items()} == {"AHU 1, supply": 1, "b": 1}


def test_names_that_exist_cost_no_list() -> None:
    ports = ports_with()
    series(ask(query=(("site", "hq"), ("points", "a,b"), *RANGE), ports=ports))
    assert isinstance(ports.origin, FakeOrigin)
    assert [verb for verb, _ in ports.origin.calls] == ["fetch"]
