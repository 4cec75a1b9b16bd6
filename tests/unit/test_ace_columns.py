"""ACE's pages read against a schema, and by JavaScript (under Node), held against the same pages read as
documents: no difference, ever.
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeseries.errors import OriginContract, OriginGarbled
from edgeseries.origins.ace import wire as ace
from edgeseries.origins.ace.row_columns import RowColumns, page_columns
from edgeseries.origins.ace.rows import Asked, RowCollector
from edgeseries.origins.instants import times_of
from edgeseries.origins.text_values import EXACT_INTEGERS, value_of
from edgeseries.series.timerange import TimeRange, instant_ms, iso_instant
from edgeseries.series.values import Value, column_of
from tests.node_pages import node_reader

SPAN = TimeRange(start_ms=1_704_067_200_000, end_ms=1_704_153_600_000)
ASKED = Asked(points=("a", "b"), span=SPAN, along=frozenset({"along"}))


def row(**changed: Any) -> dict[str, Any]:
    return {"name": "a", "value": "1.5", "time": "2024-01-01T00:00:00Z"} | changed


def body_of(*rows: Any, **more: Any) -> bytes:
    return json.dumps({"point_samples": [*rows], **more}).encode()


def collected(read: Callable[[bytes], ace.Page], body: bytes, asked: Asked, point: str | None) -> Any:
    """Everything that becomes of a body: what is taken, what is not, or the refusal."""
    collector = RowCollector(asked.points)
    try:
        page = read(body)
        settled = collector.add(page.rows, asked, point=point)
    except (OriginContract, OriginGarbled) as fault:
        return type(fault), str(fault)
    found = {name: collector.samples(name) for name in asked.points}
    columns = {name: (list(one.times_ms), one.values._bits()) for name, one in found.items()}
    return page.cursor, columns, settled, collector.count, collector.dropped


def by_document(body: bytes) -> ace.Page:
    return ace.page_of(ace.document_of(body))


def by_javascript(body: bytes) -> ace.Page:
    return ace.page_in(body, node_reader())


def assert_no_difference(body: bytes, asked: Asked = ASKED, point: str | None = None) -> None:
    expected = collected(by_document, body, asked, point)
    assert collected(ace.page_in, body, asked, point) == expected
    assert collected(by_javascript, body, asked, point) == expected


NUMBERS = ["1", "-0.0", "0", "72", "45.50", "1e3", "1E-7", "5e-324", "0.1e-400", "2.2250738585072011e-308"]
ODD_NUMBERS = [
    *(
        "-0",
        "-0e1",
        "+5",
        "5.",
        ".5",
        "007",
        "1_0",
        " 5 ",
        "\t1",
        "nan",
        "-nan",
        "NaN",
        "inf",
        "Infinity",
        "-inf",
    ),
    *(
        "1e400",
        "9007199254740992",
        "9007199254740993",
        "-9007199254740993",
        "123456789012345678.5",
        "9" * 400,
    ),
    *(
        "1e",
        "0x10",
        "\u0661",
        "1\u00a0",
        "",
        "null",
        "None",
        "true",
        "False",
        " true ",
        "on",
        "\u00e9",
        "1\u0000",
    ),
]
RAW: list[Any] = [
    *(None, True, False, 0, 1, -1, 1.5, 0.0, -0.0, 2**53, 2**53 + 1, -(2**53), 2**63, 10**30, 10**400),
    *(float("nan"), float("inf"), 1e300, [], {}, [1], {"a": 1}),
]
TIMES: list[Any] = [
    *(
        "2024-01-01T00:00:00Z",
        "2024-01-01T00:00:59.999999Z",
        "2024-01-01T23:59:59.1Z",
        "2024-01-01T12:00:00+01:00",
    ),
    *(
        "2024-01-01T12:00:00",
        "2024-01-01",
        "20240101T000000Z",
        "2024-01-01T24:00:00Z",
        "2024-01-01T24:30:00Z",
    ),
    *("2024-01-01T00:00:60Z", "2024-02-30T00:00:00Z", "2024-01-01 00:00:00Z", "2024-01-01T00:00:00.1234567Z"),
    *(
        "2024-01-01T00:00:00z",
        "2024-01-01T00:00:00,5Z",
        "yesterday",
        "",
        "null",
        None,
        5,
        1_704_067_200_000,
        [],
    ),
    *(
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59.999Z",
        "1969-12-31T23:59:59.9999Z",
        "\u0662024-01-01T00:00:00Z",
    ),
]
NAMES: list[Any] = ["a", "b", "along", "other", "\u00e9", "e\u0301", "null", "", None, 5, [], True]
NO: list[Any] = [False, None, 0, 0.0, "false", "", "null", "0", []]
YES: list[Any] = [True, 1, "true", "false", "0", [0], 0.5]
CURSORS: list[Any] = [12, 1.5, True, "12", "null", "true", [], {"a": 1}, "\u00e9"]
MORE: list[dict[str, Any]] = [
    *(
        {},
        {"next_cursor": "n", "has_more": True},
        {"next_cursor": "n"},
        {"next_cursor": "", "has_more": False},
    ),
    *({"next_cursor": "n", "has_more": no} for no in NO),
    *({"next_cursor": None, "has_more": yes} for yes in YES),
    *({"next_cursor": cursor} for cursor in CURSORS),
    *({"total": 5}, {"point_samples": None}, {"point_samples": {}}, {"point_samples": "[]"}),
]
ROWS: list[Any] = [
    *(row(value=value) for value in [*NUMBERS, *ODD_NUMBERS, *RAW]),
    *(row(time=time) for time in TIMES),
    *(row(name=name) for name in NAMES),
    *({key: text for key, text in row().items() if key != missing} for missing in row()),
    *(row(more="x"), row(more={"deep": [[]]}), None, [], "row", 5, {}),
]


@pytest.mark.parametrize("odd", ROWS, ids=lambda one: json.dumps(one)[:80])
@pytest.mark.parametrize("point", [None, "a"])
def test_a_row_that_is_odd_means_the_same_in_any_company(odd: Any, point: str | None) -> None:
    asked = ASKED if point is None else Asked(points=(point,), span=SPAN)
    for company in ([], [row(value="2")], [row(value="on")], [row(value=None)]):
        assert_no_difference(body_of(*company, odd, row(time="2024-01-01T06:00:00Z")), asked, point)


@pytest.mark.parametrize("more", MORE, ids=json.dumps)
def test_what_a_page_says_of_the_next_one_means_the_same(more: dict[str, Any]) -> None:
    assert_no_difference(body_of(row(), **more))


def text_of(value: bytes, before: bytes = b'"name":"a","time":"2024-01-01T00:00:00Z"') -> bytes:
    """A page of one row whose value is written just so."""
    return b'{"point_samples":[{' + before + b',"value":' + value + b"}]}"


AS_TEXT: dict[str, bytes] = {
    "rows twice": b'{"point_samples":[{"name":"a"}],"point_samples":[]}',
    "a name twice": text_of(b"1", b'"name":"b","time":"2024-01-01T00:00:00Z","name":"a"'),
    "a value twice, the first deep": text_of(b'[[]],"value":1'),
    "blanks": b' \n{ "point_samples" :\t[ ' + text_of(b"1 ")[18:-2] + b" ] } \r\n",
    "a mark at its head": b'\xef\xbb\xbf{"point_samples":[]}',
    "an escaped zero": text_of(b'"\\u002d0"'),
    "an escaped number": text_of(b'"\\u0031"'),
    "an escaped name": text_of(b'"1"', b'"n\\u0061me":"\\u0061","time":"2024-01-01T00:00:00Z"'),
    "half of a pair": text_of(b'"\\ud800"'),
    "half of a pair, as bytes": text_of(b'"\xed\xa0\x80"'),
    "no UTF-8": text_of(b'"\xff"'),
    "a number of thousands of digits": text_of(b"9" * 5_000),
    "a zero with a sign": text_of(b"-0"),
    "cut": text_of(b"1")[:-5],
    "more behind": b'{"point_samples":[]} {}',
    "no object": b"[]",
    "nothing": b"",
    "brackets without end": text_of(b"[" * 20_000),
    "brackets where nobody looks": b'{"point_samples":[],"other":' + b"[" * 20_000,
    "brackets in a row": b'{"point_samples":[{"other":' + b'{"a":' * 20_000,
    "brackets in the cursor": b'{"next_cursor":' + b"[" * 20_000,
}


@pytest.mark.parametrize("text", AS_TEXT.values(), ids=AS_TEXT)
def test_a_body_that_no_encoder_writes_means_the_same(text: bytes) -> None:
    assert_no_difference(text)


MADE_ROWS = st.fixed_dictionaries(
    {
        "name": st.sampled_from(["a", "a", "b", "along", "other"]),
        "time": st.integers(SPAN.start_ms - 3, SPAN.start_ms + 3).map(iso_instant)
        | st.integers(SPAN.end_ms - 3, SPAN.end_ms + 3).map(iso_instant)
        | st.sampled_from([one for one in TIMES if isinstance(one, str)]),
        "value": st.floats(allow_nan=False).map(repr)
        | st.sampled_from(NUMBERS)
        | st.sampled_from(ODD_NUMBERS),
    }
)


@given(st.lists(MADE_ROWS, max_size=20))
def test_pages_mean_the_same(rows: list[dict[str, Any]]) -> None:
    assert_no_difference(body_of(*rows))


@given(st.lists(st.floats(allow_nan=False, width=64) | st.integers(-(2**60), 2**60), min_size=1, max_size=20))
def test_numbers_keep_every_bit(numbers: list[float | int]) -> None:
    rows = [row(time=iso_instant(SPAN.start_ms + at), value=repr(one)) for at, one in enumerate(numbers)]
    assert_no_difference(body_of(*rows))


def test_the_pages_of_the_vendor_need_no_document() -> None:
    """And their numbers no text: that is what the speed is of."""
    for value, numbers in (("1.5", True), ("on", False), (str(EXACT_INTEGERS), False), (None, False)):
        found = page_columns(body_of(row(value=value), next_cursor=None, has_more=False))
        assert found is not None
        assert found.rows.numbers is numbers
    assert page_columns(body_of(row(more=1))) is None


def test_javascript_reads_what_is_usual_and_nothing_else() -> None:
    """And asks once for each value that is no plain number."""
    asked: list[object] = []

    def typed(raw: object) -> Value:
        asked.append(raw)
        return value_of(raw)

    values = ["1.5", "on", 7, None, "on", "off", True, str(EXACT_INTEGERS), "-0", None, "9" * 30]
    rows = [row(time=iso_instant(SPAN.start_ms + at), value=value) for at, value in enumerate(values)]
    page = node_reader().read(body_of(*rows, has_more=False), typed)
    assert page is not None
    assert asked == ["on", None, "off", True, str(EXACT_INTEGERS), "9" * 30]
    assert page.by_name["a"].values == column_of([value_of(value) for value in values])
    assert page.by_name["a"].ascends
    for unusual in ({"more": 1}, {"value": -0.0}, {"value": EXACT_INTEGERS}, {"time": "2024-01-01"}):
        assert node_reader().read(body_of(row(**unusual)), value_of) is None
    assert node_reader().read(text_of(b"[" * 1_000_000), value_of) is None
    assert node_reader().read(b'{"point_samples":[' + b"{}," * 1_000_000 + b"{}]}", value_of) is None


@given(st.lists(st.datetimes(timezones=st.just(UTC)), max_size=10))
def test_instants_are_those_of_the_calendar(moments: list[datetime]) -> None:
    for form in ("%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S.%fZ", "%Y-%m-%dT%H:%M:%S+00:00"):
        texts = [
            moment.strftime(form).zfill(len(f"{datetime.max.replace(tzinfo=UTC):{form}}"))
            for moment in moments
        ]
        expected = [instant_ms(datetime.fromisoformat(text)) for text in texts]
        assert times_of(texts) == times_of(texts, {}) == expected


def test_rows_are_taken_wherever_they_stand() -> None:
    """Of several points, in any order, over several answers."""
    collector = RowCollector(["a", "b"])
    for first in (4, 0, 2):
        collector.add(
            RowColumns(
                by_name={
                    "a": (
                        [iso_instant(SPAN.start_ms + first + step) for step in (1, 0)],
                        [first + 0.5, float(first)],
                    ),
                    "b": ([iso_instant(SPAN.start_ms + first)], [7.0]),
                    "along": ([iso_instant(SPAN.start_ms)], [9.0]),
                },
                numbers=True,
            ),
            ASKED,
        )
    assert list(collector.samples("a").times_ms) == [SPAN.start_ms + step for step in range(6)]
    assert list(collector.samples("a").values) == [0.0, 0.5, 2.0, 2.5, 4.0, 4.5]
    assert list(collector.samples("b").values) == [7.0, 7.0, 7.0]
    assert collector.count == 9
