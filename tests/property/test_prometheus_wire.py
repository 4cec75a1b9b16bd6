"""Prometheus' wire format: what is read of any bytes, and selectors that select what they should."""

import json
import re
from collections.abc import Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeseries.errors import EdgeError, OriginContract, OriginGarbled, OriginUnconfirmed
from edgeseries.origins.labels import NAME, Labels, Naming, selections
from edgeseries.origins.prometheus import wire
from edgeseries.series.timerange import TimeRange
from local.vendors.prometheus import is_match

TEXT = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12)
LABELS = st.dictionaries(st.sampled_from(["site", "point", "unit", NAME]), TEXT, min_size=1)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
TIMES = st.lists(st.integers(0, 4_000_000_000_000), unique=True, max_size=20).map(sorted)


def matrix(series: Sequence[tuple[Labels, Sequence[tuple[int, str]]]], **more: Any) -> bytes:
    result = [
        {"metric": labels, "values": [[at_ms / 1_000, text] for at_ms, text in samples]}
        for labels, samples in series
    ]
    return json.dumps(
        {"status": "success", "data": {"resultType": "matrix", "result": result}, **more}
    ).encode()


@given(LABELS, TIMES, st.data())
def test_a_matrix_is_read_as_it_was_written(labels: Labels, times: list[int], data: st.DataObject) -> None:
    values = data.draw(st.lists(FLOATS, min_size=len(times), max_size=len(times)))
    body = matrix([(labels, list(zip(times, map(repr, values), strict=True)))])
    (found,) = wire.series_in(body)
    assert (found.labels, list(found.times_ms)) == (labels, times)
    assert list(map(repr, found.values)) == list(map(repr, values))


@given(LABELS, TIMES, st.data())
def test_an_export_is_read_as_it_was_written(labels: Labels, times: list[int], data: st.DataObject) -> None:
    values = data.draw(st.lists(FLOATS | st.none(), min_size=len(times), max_size=len(times)))
    line = json.dumps({"metric": labels, "values": values, "timestamps": times}).encode() + b"\n"
    assert [len(one.times_ms) for one in wire.exported(line * 2)] == [len(times)] * 2
    (found,) = wire.exported(line)
    assert (found.labels, list(found.times_ms)) == (labels, times)
    assert list(map(repr, found.values)) == list(map(repr, values))


@pytest.mark.parametrize("text", ["NaN", "+Inf", "-Inf"])
def test_numbers_that_are_not_finite_are_null(text: str) -> None:
    (found,) = wire.series_in(matrix([({NAME: "m"}, [(1, text), (2, "1.5")])]))
    assert [None if value != value else value for value in found.values][1] == 1.5  # noqa: PLR0124 - NaN
    (exported,) = wire.exported(b'{"metric":{},"values":["Infinity",null,1],"timestamps":[1,2,3]}')
    assert list(exported.values) == [None, None, 1.0]


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    for read in (wire.series_in, wire.exported, wire.label_sets, wire.label_values, wire.answered):
        with suppress(EdgeError):
            read(body)
    assert wire.message_of(body) is None or isinstance(wire.message_of(body), str)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["status", "data", "result", "resultType", "metric", "values", "timestamps"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(JSON)
def test_any_json_is_read_or_refused(document: Any) -> None:
    body = json.dumps({"status": "success", "data": {"resultType": "matrix", "result": document}}).encode()
    for each in (body, json.dumps(document).encode()):
        for read in (wire.series_in, wire.exported, wire.label_sets, wire.label_values):
            with suppress(EdgeError):
                read(each)


def test_an_answer_that_is_not_whole_is_no_truth() -> None:
    series = [({NAME: "m"}, [(1, "1")])]
    for more in ({"isPartial": True}, {"warnings": ["partial response: store x is down"]}):
        with pytest.raises(OriginUnconfirmed):
            wire.series_in(matrix(series, **more))
    assert wire.series_in(matrix(series, warnings=["something else"]))
    for body in (b"[" * 20_000, b'{"a":' * 20_000):
        with pytest.raises(OriginContract):
            wire.series_in(body)
        with pytest.raises(OriginContract):
            wire.exported(body)
    with pytest.raises(OriginGarbled):
        wire.series_in(matrix(series)[:-3])


@given(
    st.lists(
        st.dictionaries(st.sampled_from(["site", "point", NAME]), TEXT, min_size=3), min_size=1, max_size=6
    )
)
def test_selections_select_all_series_and_no_other_combination(series: list[Labels]) -> None:
    chosen = selections(series)
    selectors = [wire.selector_of(one) for one in chosen]
    for labels in series:
        assert any(is_match(dict(labels), one) for one in selectors)
    values = {key: {one[key] for one in series} for key in series[0]}
    for name in values[NAME]:
        for site in values["site"]:
            for point in values["point"]:
                labels = {NAME: name, "site": site, "point": point}
                assert any(is_match(labels, one) for one in selectors) == (labels in series)


@given(st.integers(0, 4_000_000_000_000), st.integers(1, 10**10))
def test_a_range_ends_a_millisecond_before_its_end(start_ms: int, duration_ms: int) -> None:
    end_ms = min(start_ms + duration_ms, 4_102_444_800_000)
    form = parse_qs(wire.range_query("{}", TimeRange(start_ms=start_ms, end_ms=end_ms)).decode())
    found = re.fullmatch(r"\{\}\[(\d+)ms\]", form["query"][0])
    assert found is not None
    assert int(found[1]) == end_ms - start_ms
    assert round(float(form["time"][0]) * 1_000) == end_ms - 1


def test_points_are_named_by_a_label_or_by_all() -> None:
    labels = {NAME: "temp", "site": "hq", "room": 'a"b', "ahu": "1"}
    assert Naming(site_label="site").point_name(labels) == 'temp{ahu="1",room="a\\"b"}'
    assert Naming(site_label="site", point_label="room").point_name(labels) == 'a"b'
    assert Naming(site_label="site", point_label="none").point_name(labels) is None
    assert Naming(site_label="site").point_name({NAME: "up", "site": "hq"}) == "up"
    with pytest.raises(OriginContract, match="leave pointLabel out"):
        Naming(site_label="site", point_label="room").listed([labels, {**labels, "ahu": "2"}])
