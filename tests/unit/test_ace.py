"""ACE's wire format: real vendor bodies as values, and every way they can be wrong."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeseries.errors import OriginContract, OriginGarbled
from edgeseries.origins.ace import wire as ace
from edgeseries.series.samples import Value
from edgeseries.series.timerange import TimeRange

SPAN = TimeRange(start_ms=1_704_067_200_000, end_ms=1_704_153_600_000)


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("45.50", 45.5),
        ("72", 72.0),
        ("-0.0", -0.0),
        ("1e3", 1000.0),
        ("9007199254740993", 9_007_199_254_740_993),
        ("9007199254740992", 9_007_199_254_740_992.0),
        ("NaN", None),
        ("nan", None),
        ("-nan", None),
        ("inf", None),
        ("Infinity", None),
        ("1e999", None),
        ("null", None),
        ("None", None),
        ("", None),
        ("  ", None),
        (" true ", True),
        (" 5 ", 5.0),
        ("1" + "0" * 400, 10**400),
        ("123456789012345678.5", 123456789012345680.0),
        ("true", True),
        ("False", False),
        ("Occupied", "Occupied"),
        (" heating ", " heating "),
        ("1_000", "1_000"),
        ("١٢", "١٢"),
        (12, 12.0),
        (12.5, 12.5),
        (float("nan"), None),
        (2**63 + 1, 2**63 + 1),
        (True, True),
        (None, None),
    ],
)
def test_values_become_what_they_are(raw: object, value: Value) -> None:
    got = ace.value_of(raw)
    assert (got, type(got)) == (value, type(value))
    assert str(got) == str(value)  # tells -0.0 from 0.0


@pytest.mark.parametrize("raw", [[], {}, b"x"])
def test_a_value_of_another_kind_is_refused(raw: object) -> None:
    with pytest.raises(OriginContract, match="value"):
        ace.value_of(raw)


@given(
    st.lists(
        st.one_of(
            st.floats().map(repr),
            st.integers().map(str),
            st.sampled_from(
                ["", "nan", "-inf", "1e400", "1_0", "on", "true", " 5 ", "9007199254740993", "-0.0"]
            ),
            st.text(max_size=3),
            st.none(),
            st.booleans(),
            st.integers(),
        ),
        max_size=8,
    )
)
def test_a_column_is_read_as_its_values_are(raws: list[object]) -> None:
    read, one_by_one = ace.values_of(raws), list(map(ace.value_of, raws))
    assert list(map(repr, read)) == list(map(repr, one_by_one))


@pytest.mark.parametrize("name", [[], {}, None, 5])
def test_a_row_whose_name_is_no_text_is_refused(name: object) -> None:
    collector = ace.RowCollector(["a"])
    with pytest.raises(OriginContract, match="name"):
        collector.add([{"name": name, "time": "2024-01-01T00:00:00Z", "value": "1"}])
    row = {"time": "2024-01-01T00:00:00Z", "value": "1"}
    collector.add([row], point="a")
    with pytest.raises(OriginContract, match="another point"):
        collector.add([{**row, "name": "b"}], point="a")
    assert collector.count == 1


@pytest.mark.parametrize("raw", [None, 5, "yesterday", "2024-01-01T00:00:00"])
def test_a_time_that_is_none_is_refused(raw: object) -> None:
    with pytest.raises(OriginContract, match="time"):
        ace.times_of([raw], {})


def test_names_are_percent_encoded_whole() -> None:
    path = ace.point_path("a/b:c d%é", SPAN)
    assert path.startswith(
        "/points/a%2Fb%3Ac%20d%25%C3%A9/timeseries?start_time=2024-01-01T00%3A00%3A00Z&end_time="
    )


def test_pages_are_read_raw() -> None:
    path = ace.site_page_path("hq", SPAN, "c=1&x")
    assert "raw_data=true" in path
    assert "cursor=c%3D1%26x" in path


def test_both_batch_shapes() -> None:
    assert ace.batch_body(["a", "b"], ace.BatchShape.OBJECTS) == b'{"points":[{"name":"a"},{"name":"b"}]}'
    assert ace.batch_body(["a", "b"], ace.BatchShape.STRINGS) == b'{"points":["a","b"]}'


@pytest.mark.parametrize("body", [b"", b'{"point_samples":[{"na', b"[1]", b"\xff"])
def test_a_cut_answer_is_garbled(body: bytes) -> None:
    with pytest.raises(OriginGarbled):
        ace.document_of(body)


def test_an_empty_page_with_a_cursor_goes_on() -> None:
    assert ace.page_of({"point_samples": [], "next_cursor": "n", "has_more": True}).cursor == "n"
    assert ace.page_of({"point_samples": [], "next_cursor": "n", "has_more": False}).cursor is None
    assert ace.page_of({"point_samples": [], "next_cursor": "n", "has_more": None}).cursor == "n"
    assert ace.page_of({"point_samples": [], "next_cursor": None, "has_more": False}).cursor is None
    assert ace.page_of({"point_samples": []}).cursor is None
    with pytest.raises(OriginContract, match="point_samples"):
        ace.page_of({"next_cursor": "n"})


def test_more_pages_without_a_cursor_are_not_taken_for_the_end() -> None:
    with pytest.raises(OriginContract, match="without a cursor"):
        ace.page_of({"point_samples": [], "next_cursor": None, "has_more": True})


@pytest.mark.parametrize("items", [None, "text", ["x"], [None], [[]]])
def test_a_list_of_something_else_is_refused(items: object) -> None:
    with pytest.raises(OriginContract):
        ace.listed({"items": items, "page": 1, "pages": 1})
    with pytest.raises(OriginContract):
        ace.rows_of({"point_samples": items})


def test_a_row_of_no_name_or_of_another_point_is_refused() -> None:
    row = {"time": "2024-01-01T00:00:00Z", "value": "1"}
    collector = ace.RowCollector(["a"])
    collector.add([{**row, "name": None}], point="a")
    assert list(collector.samples("a", SPAN).values) == [1.0]
    with pytest.raises(OriginContract, match="another point"):
        collector.add([{**row, "name": "b"}], point="a")
    for name in (None, 5):
        with pytest.raises(OriginContract, match="name"):
            collector.add([{**row, "name": name}])


def test_only_wanted_points_in_range_are_gathered_and_the_last_delivered_wins() -> None:
    collector = ace.RowCollector(["a", "b"])
    collector.add(
        [
            {"name": "a", "time": "2024-01-01T00:00:00Z", "value": "1"},
            {"name": "other", "time": "2024-01-01T00:00:00Z", "value": "9"},
            {"name": "a", "time": "2024-01-02T00:00:00Z", "value": "at the end, so outside"},
            {"name": "a", "time": "2023-12-31T23:59:59Z", "value": "before"},
            {"name": "a", "time": "2024-01-01T01:00:00+01:00", "value": "2"},
        ]
    )
    assert list(collector.samples("a", SPAN).values) == [2.0]
    assert len(collector.samples("b", SPAN)) == 0
    assert collector.count == 4


def test_rows_without_a_name_belong_to_the_point_that_was_asked() -> None:
    collector = ace.RowCollector(["a"])
    collector.add([{"time": "2024-01-01T00:00:00Z", "value": "1"}], point="a")
    assert list(collector.samples("a", SPAN).values) == [1.0]


def test_a_row_without_a_time_is_refused() -> None:
    with pytest.raises(OriginContract, match="time"):
        ace.RowCollector(["a"]).add([{"name": "a", "value": "1"}])
