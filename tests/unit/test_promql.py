"""PromQL: what is read, what is refused, and what hostile text does."""

import contextlib
import json
import re
from array import array
from math import inf, nan
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from edgeseries.promql.answers import number_text
from edgeseries.promql.evaluation import EvaluationError, Row, Series, Steps, evaluate
from edgeseries.promql.parsing import PromqlError, duration_ms, parse
from edgeseries.promql.syntax import Match, Matcher, Selector, selectors_of
from router.handlers.prometheus import StepKind, TimeKind

FOLDER = Path(__file__).parents[2] / "docs" / "grafana"
DASHBOARD = json.loads((FOLDER / "building.json").read_text())
EXPRESSIONS = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("", "an expression is expected"),
        ("0x" + "f" * 400, "larger than a float"),
        ("x[" + "9" * 5_000 + "s]", "is no duration"),
        ("sum(", "expected"),
        ("x[5m", "] is expected"),
        ("x[5]", "a duration is expected"),
        ("1 < 2", "wants bool"),
        ("x offset", "a duration is expected"),
        ("(x + y)[5m]", "subqueries are not supported"),
        ("x @ 5", "@ is not supported"),
        ("x and y", "and is not supported"),
        ("x * on (a) group_left y", "group_left is not supported"),
        ("quantile_over_time(0.5, x[5m])", "quantile_over_time is not supported"),
        ("rate(x)", "wants a range"),
        ("sum(x[5m])", "goes into a function"),
        ("topk(x)", "takes 2 arguments"),
        ('x{a~"b"}', "unexpected"),
        ('x{a=~"("}', "no regular expression"),
        ('x{a=~"(a|b)*c"}', "not supported"),
        ('x{a=~"(?=a)"}', "not supported"),
        ('x{a=~".*a.*b.*c.*"}', "at most 3"),
        ("(" * 100 + "1" + ")" * 100, "nests more than"),
        ("x # comment", "unexpected"),
    ],
)
def test_what_cannot_be_read_says_what_is_wrong(text: str, remedy: str) -> None:
    with pytest.raises(PromqlError, match=re.escape(remedy)):
        parse(text)


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(PromqlError):
        parse(text)


pieces = st.sampled_from(
    [
        "x",
        "1",
        "sum",
        "(",
        ")",
        "[5m]",
        "{",
        "}",
        'a="b"',
        ",",
        "+",
        "-",
        "by",
        "offset 1h",
        "rate",
        " ",
        "bool",
        "=~",
        "^",
    ]
)


@given(st.lists(pieces, max_size=15).map("".join))
def test_any_words_are_read_or_refused(text: str) -> None:
    with contextlib.suppress(PromqlError):
        selectors_of(parse(text))


def test_durations() -> None:
    assert [duration_ms(text) for text in ("1ms", "5m", "1h30m", "1w")] == [
        1,
        300_000,
        5_400_000,
        604_800_000,
    ]
    for text in ("", "5", "5x", "m5", "0s", "30y"):
        with pytest.raises(PromqlError):
            duration_ms(text)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (1.0, "1"),
        (-0.0, "-0"),
        (0.1, "0.1"),
        (1e21, "1000000000000000000000"),
        (1e-7, "0.0000001"),
        (inf, "+Inf"),
        (-inf, "-Inf"),
        (nan, "NaN"),
    ],
)
def test_numbers_are_written_as_prometheus_writes_them(number: float, text: str) -> None:
    assert number_text(number) == text


def series(point: str, *numbers: float) -> Series:
    times = array("q", range(60_000, 60_000 * (len(numbers) + 1), 60_000))
    labels = (("__name__", "edgeseries_value"), ("point", point))
    return Series(labels=labels, times_ms=times, numbers=array("d", numbers))


def evaluated(text: str, *some: Series) -> list[Row]:
    node = parse(text)
    steps = Steps(start_ms=60_000, end_ms=600_000, step_ms=60_000)
    found = evaluate(node, steps, dict.fromkeys(selectors_of(node), some))
    assert all(isinstance(one, Row) for one in found)
    return found  # type: ignore[return-value]  # looked at


def test_a_value_holds_for_five_minutes_and_no_longer_than_a_null() -> None:
    (row,) = evaluated("x", series("a", 1.0))
    assert row.values == [1.0] * 5 + [None] * 5
    (row,) = evaluated("x", series("a", 1.0, nan, 3.0))
    assert row.values[:4] == [1.0, None, 3.0, 3.0]
    (row,) = evaluated("count_over_time(x[3m])", series("a", 1.0, nan, 3.0))
    assert row.values[:4] == [1.0, 1.0, 2.0, 1.0]


SIGNS = ("+", "-", "*", "/", "%", "^", "== bool", "> bool")


@given(st.floats(), st.floats(), st.sampled_from(SIGNS))
def test_any_two_numbers_have_a_value(left: float, right: float, sign: str) -> None:
    """Also where a product or a quotient of finite numbers is infinite."""
    node = parse(f"{number_text(left)} {sign} {number_text(right)}")
    (found,) = evaluate(node, Steps(start_ms=0, end_ms=0, step_ms=1), {})
    assert isinstance(found, float)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1e300 % 1e-300", 0.0),
        ("-7 % 3", -1.0),
        ("(-10) ^ 1001", -inf),
        ("(-10) ^ 1000", inf),
        ("1e300 * 1e300", inf),
    ],
)
def test_numbers_without_end_are_as_prometheus_has_them(text: str, expected: float) -> None:
    (found,) = evaluate(parse(text), Steps(start_ms=0, end_ms=0, step_ms=1), {})
    assert found == pytest.approx(expected, abs=1e-290)


@pytest.mark.parametrize(("most", "kept"), [("Inf", 2), ("NaN", 0), ("-Inf", 0), ("1e300", 2), ("1", 1)])
def test_any_number_of_the_largest_may_be_asked_for(most: str, kept: int) -> None:
    assert len(evaluated(f"topk({most}, x)", series("a", 1.0), series("b", 2.0))) == kept


@pytest.mark.parametrize("text", ["1e306", "-1e306", "1e308", "inf", "nan", "9" * 5_000 + "s", "-1"])
def test_no_time_and_no_step_is_too_large_to_be_refused(text: str) -> None:
    for kind in (TimeKind(), StepKind()):
        with pytest.raises((ValueError, PromqlError)):
            kind.read(text)


def test_series_that_match_several_are_refused() -> None:
    with pytest.raises(EvaluationError, match="match by more labels"):
        evaluated("x + on () x", series("a", 1.0), series("b", 2.0))


def test_a_label_that_is_not_there_is_empty() -> None:
    empty = Matcher(label="unit", match=Match.EQUAL, value="")
    assert empty.fits("")
    assert Matcher(label="unit", match=Match.NOT_REGEX, value="k.*").fits("C")
    assert Selector(matchers=(empty,)) == parse('{unit=""}')


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_the_dashboard_asks_what_is_understood(expression: str) -> None:
    filled = expression.replace("$site", "hq").replace("$point", "a|b").replace("$__interval", "5m")
    (selector,) = selectors_of(parse(filled))
    assert {one.label for one in selector.matchers} == {"__name__", "site", "point"}


def test_the_data_source_is_asked_by_get_with_a_key() -> None:
    (source,) = yaml.safe_load((FOLDER / "datasource.yaml").read_text())["datasources"]
    assert (source["type"], source["uid"], source["jsonData"]["httpMethod"]) == (
        "prometheus",
        "edgeseries",
        "GET",
    )
    assert source["url"].endswith("/prometheus")
    assert source["secureJsonData"]["httpHeaderValue1"].startswith("Bearer ")
    assert {panel["datasource"]["uid"] for panel in DASHBOARD["panels"]} == {source["uid"]}
