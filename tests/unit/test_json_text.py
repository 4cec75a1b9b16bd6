"""JSON from outside: its depth is known before it is parsed."""

import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeseries.limits import MAX_JSON_DEPTH
from edgeseries.series.json_text import (
    RepeatedField,
    TooDeep,
    _depths,
    _once_each,
    _shape_of,
    parsed,
    parsed_rows,
)
from tests.asked_router import ask, told
from tests.hostile import HOSTILE_BODIES

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(alphabet='[]{}"\\aé'),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text('[{"\\a', max_size=4), inner, max_size=3)
    ),
    max_leaves=30,
)


def depth_of(text: bytes) -> int:
    """What the bound is held against."""
    return max(_depths(_shape_of(text)), default=0)


def true_depth(value: object) -> int:
    if isinstance(value, dict):
        return 1 + max(map(true_depth, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(true_depth, value), default=0)
    return 0


@given(VALUES)
def test_depth_is_that_of_the_value(value: object) -> None:
    for ascii_only in (True, False):
        text = json.dumps(value, ensure_ascii=ascii_only).encode()
        assert depth_of(text) == true_depth(value)


def test_the_bound_is_sharp() -> None:
    deepest = b"[" * MAX_JSON_DEPTH + b"]" * MAX_JSON_DEPTH
    assert true_depth(parsed(deepest)) == MAX_JSON_DEPTH
    with pytest.raises(TooDeep):
        parsed(b"[" + deepest + b"]")
    with pytest.raises(RepeatedField):
        parsed(b'{"a": 1, "a": 2}')
    # Brackets in texts are no brackets, however many.
    assert len(parsed(json.dumps(["[{" * 1000] * 10).encode())) == 10


TEXTS: st.SearchStrategy[bytes] = st.lists(
    st.sampled_from(
        [
            *(
                '"',
                "\\",
                "{",
                "}",
                "[",
                "]",
                ":",
                ",",
                " ",
                "\n",
                "\t",
                "\x01",
                "\x00",
                "\ufeff",
                "é",
                "\u2200",
                "😀",
            ),
            *(
                "0",
                "1",
                "-",
                ".",
                "e9",
                "E+",
                "e400",
                "9" * 25,
                "9" * 400,
                "9" * 4_400,
                "-0",
                "01",
                "1_0",
                "+",
            ),
            *("true", "false", "null", "NaN", "Infinity", "-Infinity", "nan", "tru", "'"),
            *(
                '"a"',
                '"a":',
                '{"a":',
                '{"a":1}',
                '"\\ud800"',
                '"\\ud83d\\ude00"',
                '"\\u0061"',
                '"\\/"',
                '"\\x"',
                '"\\',
            ),
        ]
    ),
    max_size=12,
).map(lambda parts: "".join(parts).encode())


def plain(text: bytes) -> object:
    """What the standard library makes of a text, refusing what stands twice."""
    return json.loads(text.decode("utf-8-sig", "surrogatepass"), object_pairs_hook=_once_each)


def outcome(read: Callable[[bytes], object], text: bytes) -> object:
    """What is read, or why it is not."""
    try:
        return typed(read(text))
    except RepeatedField:
        return RepeatedField
    except ValueError:
        return ValueError


def typed(value: object) -> object:
    """Unlike its neighbours in Python's sense of equal: 1, 1.0, -0.0 and true are four values, NaN is one."""
    if isinstance(value, dict):
        return {name: typed(one) for name, one in value.items()}
    return [*map(typed, value)] if isinstance(value, list) else (type(value), repr(value))


@given(TEXTS | VALUES.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=12))
def test_a_text_means_what_it_means_to_the_standard_library(text: bytes) -> None:
    assert outcome(parsed, text) == outcome(plain, text)


@given(VALUES)
def test_rows_are_read_as_json_is(value: object) -> None:
    assert parsed_rows(json.dumps([value]).encode()) == [value]


@given(st.binary(max_size=60) | st.text('[]{}"\\,:1 \u2200', max_size=40).map(str.encode))
def test_what_is_parsed_is_never_deeper_than_was_counted(text: bytes) -> None:
    try:
        value = parsed_rows(text)
    except ValueError:
        return
    assert true_depth(value) == depth_of(text)


def test_another_encoding_hides_no_brackets() -> None:
    """In UTF-16 a sign may have a byte that looks like a quote."""
    hidden = '["\u2200",' + "[" * 50_000
    for encoding in ("utf-16-le", "utf-16-be", "utf-16", "utf-32-le"):
        with pytest.raises(ValueError, match=r"."):
            parsed(hidden.encode(encoding))
    assert parsed_rows(b'\xef\xbb\xbf{"a": 1}') == {"a": 1}


@pytest.mark.parametrize("body", HOSTILE_BODIES.values(), ids=HOSTILE_BODIES)
@pytest.mark.parametrize("path", ["/api/timeseries", "/api/jobs", "/api/coverage"])
def test_hostile_bodies_get_a_short_400(path: str, body: bytes) -> None:
    response = ask(path, (), method="POST", body=body)
    assert response.status == 400
    assert told(response)["type"] == "urn:edgeseries:problem:invalid-request"
    assert len(response.body) < 8_000
