"""ACE's wire format: real vendor bodies as values, and every way they can be wrong."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeseries.errors import OriginContract, OriginGarbled
from edgeseries.origins.ace import wire as ace
from edgeseries.origins.ace.rows import Asked, RowCollector
from edgeseries.origins.instants import times_of
from edgeseries.origins.text_values import value_of, values_of
from edgeseries.series.timerange import TimeRange, iso_instant
from edgeseries.series.values import Value

SPAN = TimeRange(start_ms=1_704_067_200_000, end_ms=1_704_153_600_000)
ASKED = Asked(points=("a",), span=SPAN)


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
        ("1" + "0" * 400, None),
        ("-" + "9" * 400, None),
        ("9" * 5_000, None),
        ("1" + "0" * 300 + "1", 10**301 + 1),
        (10**400, None),
        (-(10**309), None),
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
    got = value_of(raw)
    assert (got, type(got)) == (value, type(value))
    assert str(got) == str(value)  # tells -0.0 from 0.0


@pytest.mark.parametrize("raw", [[], {}, b"x"])
def test_a_value_of_another_kind_is_refused(raw: object) -> None:
    with pytest.raises(OriginContract, match="value"):
        value_of(raw)


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
    read, one_by_one = values_of(raws), list(map(value_of, raws))
    assert list(map(repr, read)) == list(map(repr, one_by_one))


@pytest.mark.parametrize("name", [[], {}, None, 5])
def test_a_row_whose_name_is_no_text_is_refused(name: object) -> None:
    collector = RowCollector(["a"])
    with pytest.raises(OriginContract, match="name"):
        collector.add([{"name": name, "time": "2024-01-01T00:00:00Z", "value": "1"}], ASKED)
    row = {"time": "2024-01-01T00:00:00Z", "value": "1"}
    collector.add([row], ASKED, point="a")
    assert collector.count == 1


@pytest.mark.parametrize("raw", [None, 5, "yesterday", "2024-01-01T00:00:00"])
def test_a_time_that_is_none_is_refused(raw: object) -> None:
    with pytest.raises(OriginContract, match="time"):
        times_of([raw], {})


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


@pytest.mark.parametrize(
    "body", [b"[" * 20_000, b'{"point_samples":' * 4_000, b'{"a":' + b"[" * 50 + b"]" * 50 + b"}"]
)
def test_brackets_without_end_are_refused_before_they_are_parsed(body: bytes) -> None:
    with pytest.raises(OriginContract, match="brackets"):
        ace.document_of(body)
    assert ace.message_of(body) is None


def test_an_integer_of_any_length_is_read() -> None:
    digits = b"9" * 5_000
    document = ace.document_of(b'{"a":%s,"b":-%s,"c":7}' % (digits, digits))
    assert list(map(value_of, document.values())) == [None, None, 7.0]
    with pytest.raises(OriginGarbled):
        ace.document_of(b'{"a":' + digits)


@pytest.mark.parametrize(
    ("body", "denies"),
    [
        (b'{"message": "No data for time period"}', True),
        (b'{"message": "No data"}', True),
        (b'{"message": "Point hq/AHU 1 not found"}', True),
        (b'{"message": "Point not found. You have requested this URI [/points/x] but did you mean"}', True),
        (b'{"message": "Points not found"}', True),
        (b'{"message": "The requested URL was not found on the server. Did you mean /points/x ?"}', False),
        (b'{"message": "Not Found"}', False),
        (b'{"message": "no Route matched with those values"}', False),
        (b'{"message": ["No data"]}', False),
        (b'{"error": "No data for time period"}', False),
        (b'["No data for time period"]', False),
        (b"<html><body><h1>404 No data</h1></body></html>", False),
        (b"No data for time period", False),
        (b"", False),
        (b'{"message": "No data for time peri', False),
        (b'{"message": ' + b"[" * 20_000, False),
    ],
)
def test_no_data_is_what_the_vendor_says_in_its_own_words(body: bytes, denies: bool) -> None:  # noqa: FBT001 - a column of the table
    assert ace.denies_data(ace.message_of(body)) is denies


def test_no_site_is_what_the_vendor_says_in_its_own_words() -> None:
    assert ace.denies_site(ace.message_of(b'{"message": "Site hq not found"}'))
    for other in (b'{"message": "Not Found"}', b'{"message": "No data"}', b"<html>Site not found</html>"):
        assert not ace.denies_site(ace.message_of(other))


@pytest.mark.parametrize(
    "more", [{"has_more": True, "next_cursor": "n"}, {"next_cursor": "n"}, {"has_more": True}]
)
def test_an_answer_without_pages_that_announces_more_is_refused(more: dict[str, object]) -> None:
    with pytest.raises(OriginContract):
        ace.rows_of(ace.page_of({"point_samples": [], **more}))
    assert ace.rows_of(ace.page_of({"point_samples": [], "has_more": False, "next_cursor": None})) == []


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
        ace.page_of({"point_samples": items})


def test_a_row_of_no_name_is_refused_where_it_could_be_of_any_point() -> None:
    row = {"time": "2024-01-01T00:00:00Z", "value": "1"}
    collector = RowCollector(["a"])
    collector.add([{**row, "name": None}], ASKED, point="a")
    assert list(collector.samples("a").values) == [1.0]
    for name in (None, 5):
        with pytest.raises(OriginContract, match="name"):
            collector.add([{**row, "name": name}], ASKED)


def test_only_wanted_points_in_range_are_gathered_and_the_last_delivered_wins() -> None:
    collector = RowCollector(["a", "b"])
    settled = collector.add(
        [
            {"name": "a", "time": "2024-01-01T00:00:00Z", "value": "1"},
            {"name": "other", "time": "2024-01-01T00:00:00Z", "value": "9"},
            {"name": "along", "time": "2024-01-01T00:00:00Z", "value": "9"},
            {"name": "a", "time": "2024-01-02T00:00:00Z", "value": "at the end, so outside, by right"},
            {"name": "a", "time": "2024-01-02T00:00:00.001Z", "value": "after"},
            {"name": "a", "time": "2023-12-31T23:59:59Z", "value": "before"},
            {"name": "a", "time": "2024-01-01T01:00:00+01:00", "value": "2"},
        ],
        Asked(points=("a", "b"), span=SPAN, along=frozenset({"along"})),
    )
    assert list(collector.samples("a").values) == [2.0]
    assert len(collector.samples("b")) == 0
    assert collector.count == 2
    assert collector.dropped == {"rows_unasked": 1, "rows_outside": 2}
    # Of b it says nothing: its rows may be those of the other name.
    assert settled == {"a"}


def test_an_answer_of_what_was_asked_settles_points_without_rows() -> None:
    collector = RowCollector(["a", "b", "c"])
    rows = [{"name": "a", "time": "2024-01-01T00:00:00Z", "value": "1"}]
    assert collector.add(rows, Asked(points=("a", "b"), span=SPAN)) == {"a", "b"}
    assert collector.add([], Asked(points=("c",), span=SPAN)) == {"c"}
    assert collector.dropped == {}


def test_rows_of_a_point_that_this_call_did_not_ask_for_are_dropped_though_another_did() -> None:
    collector = RowCollector(["a", "b"])
    rows = [{"name": name, "time": "2024-01-01T00:00:00Z", "value": "1"} for name in "ab"]
    collector.add(rows, Asked(points=("a",), span=SPAN))
    assert (len(collector.samples("a")), len(collector.samples("b"))) == (1, 0)


@pytest.mark.parametrize(
    ("asked", "sent"),
    [
        ("caf\u00e9", "cafe\u0301"),
        ("cafe\u0301", "caf\u00e9"),
        ("file", "\ufb01le"),
        ("\u212bngstrom", "\u00c5ngstrom"),
    ],
)
def test_a_name_in_another_form_of_unicode_is_refused(asked: str, sent: str) -> None:
    row = {"name": sent, "time": "2024-01-01T00:00:00Z", "value": "1"}
    with pytest.raises(OriginContract, match="another form"):
        RowCollector([asked]).add([row], Asked(points=(asked,), span=SPAN))
    both = RowCollector([asked, sent])
    both.add([row], Asked(points=(asked, sent), span=SPAN))
    assert (len(both.samples(asked)), len(both.samples(sent))) == (0, 1)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["a", "b", "c", "other"]),
            st.integers(SPAN.start_ms - 3, SPAN.start_ms + 3) | st.integers(SPAN.end_ms - 3, SPAN.end_ms + 3),
        ),
        max_size=30,
    )
)
def test_whatever_is_sent_samples_are_of_what_was_asked(sent: list[tuple[str, int]]) -> None:
    rows = [
        {"name": name, "time": iso_instant(at_ms), "value": f"{place} of {name}"}
        for place, (name, at_ms) in enumerate(sent)
    ]
    collector = RowCollector(["a", "b"])
    settled = collector.add(rows, Asked(points=("a", "b"), span=SPAN, along=frozenset("c")))
    for point in "ab":
        samples = collector.samples(point)
        assert all(SPAN.start_ms <= at_ms < SPAN.end_ms for at_ms in samples.times_ms)
        assert all(str(value).endswith(f"of {point}") for value in samples.values)
        inside = {at_ms for name, at_ms in sent if name == point and SPAN.start_ms <= at_ms < SPAN.end_ms}
        assert set(samples.times_ms) == inside
    names = [name for name, _ in sent]
    outside = [at for name, at in sent if name in "ab" and not SPAN.start_ms <= at <= SPAN.end_ms]
    assert collector.dropped["rows_unasked"] == names.count("other")
    assert collector.dropped["rows_outside"] == len(outside)
    assert settled == ({"a", "b"} if "other" not in names else {"a", "b"} & {*names})


def test_rows_without_a_name_belong_to_the_point_that_was_asked() -> None:
    collector = RowCollector(["a"])
    collector.add([{"time": "2024-01-01T00:00:00Z", "value": "1"}], ASKED, point="a")
    assert list(collector.samples("a").values) == [1.0]


def test_a_row_without_a_time_is_refused() -> None:
    with pytest.raises(OriginContract, match="time"):
        RowCollector(["a"]).add([{"name": "a", "value": "1"}], ASKED)
