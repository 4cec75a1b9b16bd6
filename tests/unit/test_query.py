import pytest

from edgeseries.errors import InvalidRequest
from edgeseries.limits import MAX_NAME_BYTES, MAX_POINTS
from edgeseries.planning.query import query_from_json, query_from_pairs
from edgeseries.planning.routing import Route

GOOD = {
    "site": "hq",
    "points": "b,a",
    "start_time": "2024-01-01T00:00:00Z",
    "end_time": "2024-01-02T00:00:00Z",
}


def faults_of(**changes: str | None) -> dict[str, str]:
    fields = {**GOOD, **changes}
    with pytest.raises(InvalidRequest) as fault:
        query_from_pairs([(name, text) for name, text in fields.items() if text is not None])
    return {one.parameter: one.detail for one in fault.value.faults}


def test_a_good_request_comes_to_normal_form() -> None:
    query = query_from_pairs(list(GOOD.items()))
    assert (query.site, query.points, query.forced) == ("hq", ("a", "b"), None)
    assert (query.span.start_ms, query.span.end_ms) == (1_704_067_200_000, 1_704_153_600_000)


def test_a_name_with_a_comma_is_sent_as_point() -> None:
    pairs = [(name, text) for name, text in GOOD.items() if name != "points"]
    query = query_from_pairs([*pairs, ("point", "a,b"), ("point", " c/d:e ")])
    assert query.points == (" c/d:e ", "a,b")


@pytest.mark.parametrize(
    ("changes", "parameter", "remedy"),
    [
        ({"site": None}, "site", "GET /api/sites"),
        ({"site": ""}, "site", "GET /api/sites"),
        ({"site": "a\x00b"}, "site", "control character"),
        ({"site": ".."}, "site", "a URL cannot hold it"),
        ({"points": "a,."}, "points", "a URL cannot hold it"),
        ({"points": None}, "points", "at least one point"),
        ({"points": "a,,b"}, "points", "name 2: is empty"),
        ({"points": "x" * (MAX_NAME_BYTES + 1)}, "points", f"{MAX_NAME_BYTES} bytes"),
        ({"points": ",".join(["p"] * (MAX_POINTS + 1))}, "points", f"at most {MAX_POINTS}"),
        ({"start_time": None}, "start_time", "is missing"),
        ({"start_time": "2024-01-01"}, "start_time", "zone is missing"),
        ({"end_time": "2024-01-01T00:00:00Z"}, "end_time", "later than start_time"),
        ({"end_time": "2044-01-01T00:00:00Z"}, "end_time", "ask in parts"),
        ({"route": "fast"}, "route", "direct, cached, queued"),
        ({"endtime": "x"}, "endtime", "did you mean end_time?"),
        ({"zzz": "x"}, "zzz", "known are site"),
        ({"point": "x"}, "points", "not both"),
    ],
)
def test_says_what_to_do_about_each_fault(
    changes: dict[str, str | None], parameter: str, remedy: str
) -> None:
    faults = faults_of(**changes)
    assert list(faults) == [parameter]
    assert remedy in faults[parameter]


def test_every_fault_is_listed_at_once() -> None:
    faults = faults_of(site=None, points=",", start_time="x", end_time=None, route="fast", sites="hq")
    assert set(faults) == {"site", "points", "start_time", "end_time", "route", "sites"}


def test_a_parameter_given_twice_is_a_fault() -> None:
    with pytest.raises(InvalidRequest, match="more than once"):
        query_from_pairs([*GOOD.items(), ("site", "other")])


def test_what_the_earlier_front_end_sends_is_accepted() -> None:
    assert query_from_pairs([*GOOD.items(), ("user_id", "7")]).site == "hq"


def test_a_body_may_give_milliseconds_as_numbers() -> None:
    body = {
        "site": "hq",
        "points": ["a"],
        "start_time": 1_704_067_200_000,
        "end_time": "2024-01-02T00:00:00Z",
    }
    assert query_from_json({**body, "start_time": 1_704_067_200_000.0}) == query_from_json(body)
    assert query_from_json({**body, "route": "direct"}).forced is Route.DIRECT
    assert query_from_json({**body, "route": None}).forced is None


@pytest.mark.parametrize(
    ("body", "parameters"),
    [
        ([], {"body"}),
        ({}, {"site", "points", "start_time", "end_time"}),
        (
            {"site": 5, "points": [1], "start_time": True, "end_time": []},
            {"site", "points", "start_time", "end_time"},
        ),
        ({"site": "s", "points": {"a": 1}, "start_time": 10**12, "end_time": 10**12 + 1}, {"points"}),
    ],
)
def test_a_body_of_wrong_types_is_told_field_by_field(body: object, parameters: set[str]) -> None:
    with pytest.raises(InvalidRequest) as fault:
        query_from_json(body)
    assert {one.parameter for one in fault.value.faults} == parameters
    assert len(fault.value.faults) == len(parameters)
