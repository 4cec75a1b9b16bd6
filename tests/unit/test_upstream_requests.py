"""Paths, arguments, masks and batch bodies: what is understood and what is refused."""

import json
from http import HTTPStatus

import pytest

from local.upstream.mask import parse_mask
from local.upstream.pages import PAGE_SIZE_CHOICES, PER_PAGE_CHOICES, Cursor
from local.upstream.paths import Endpoint, resolve
from local.upstream.queries import Arguments, BatchShape, Refused, batch_names


@pytest.mark.parametrize(
    ("method", "path", "endpoint", "name"),
    [
        ("GET", "/api/sites/", Endpoint.SITES, ""),
        ("GET", "/api/sites/?page=2", Endpoint.SITES, ""),
        ("GET", "/api/sites/a%2Fb", Endpoint.SITE, "a/b"),
        ("GET", "/api/sites/a/points", Endpoint.SITE_POINTS, "a"),
        ("GET", "/api/sites/a/configured_points", Endpoint.SITE_CONFIGURED_POINTS, "a"),
        ("GET", "/api/sites/a/timeseries?x=/y", Endpoint.SITE_TIMESERIES, "a"),
        ("GET", "/api/sites/a/timeseries/paginated", Endpoint.SITE_TIMESERIES_PAGINATED, "a"),
        ("GET", "/api/points/", Endpoint.POINTS, ""),
        ("GET", "/api/points/a%20b%3A%25%2F%C3%BC", Endpoint.POINT, "a b:%/ü"),
        ("GET", "/api/points/x%2Ftimeseries", Endpoint.POINT, "x/timeseries"),
        ("GET", "/api/points/x%2Fy/timeseries", Endpoint.POINT_TIMESERIES, "x/y"),
        ("GET", "/api/points/a%252Fb", Endpoint.POINT, "a%2Fb"),
        ("GET", "/api/points/a+b", Endpoint.POINT, "a+b"),
        ("POST", "/api/points/get_timeseries", Endpoint.POINTS_GET_TIMESERIES, ""),
        ("GET", "/api/sites", Endpoint.UNKNOWN, ""),
        ("GET", "/api/sites/a/", Endpoint.UNKNOWN, ""),
        ("GET", "/api/points//timeseries", Endpoint.UNKNOWN, ""),
        ("GET", "/api/points/a/b/timeseries", Endpoint.UNKNOWN, ""),
        ("GET", "/elsewhere", Endpoint.UNKNOWN, ""),
    ],
)
def test_paths(method: str, path: str, endpoint: Endpoint, name: str) -> None:
    match = resolve(method, path)
    assert (match.endpoint, match.name, match.wrong_method) == (endpoint, name, False)


def test_a_known_path_with_another_method_is_told_apart() -> None:
    assert resolve("DELETE", "/api/sites/").wrong_method
    assert resolve("POST", "/api/points/x/timeseries").wrong_method


def test_the_vendor_s_sizes() -> None:
    assert PER_PAGE_CHOICES == (2, 10, 20, 30, 40, 50, 100, 500, 1000, 5000, 10000, 100000)
    assert PAGE_SIZE_CHOICES == (3, 10, 50, 100, 500, 1000, 5000, 10000, 50000, 100000, 300000, 500000)


def test_defaults() -> None:
    arguments = Arguments({})
    read = (arguments.page(), arguments.per_page(), arguments.page_size(), arguments.raw_data())
    assert read == (1, 10, 10_000, False)
    assert arguments.cursor() is None
    arguments.check()


@pytest.mark.parametrize(
    ("key", "good", "bad"),
    [
        ("per_page", ["2", "100000"], ["1", "3", "200", "0", "-10", "ten", "", "10.0", "\u0661\u0660"]),
        ("page_size", ["3", "500000"], ["2", "20", "1000000", "-3", "x"]),
        ("page", ["1", "77"], ["0", "-1", "x"]),
        ("raw_data", ["true", "false", "True", "1", "0"], ["yes", "", "2"]),
        ("cursor", ["", Cursor(instant_us=1, skip_count=2).to_text()], ["x", "1"]),
    ],
)
def test_arguments_are_taken_or_refused_by_name(key: str, good: list[str], bad: list[str]) -> None:
    for text in good:
        arguments = Arguments({key: text})
        getattr(arguments, key)()
        arguments.check()
    for text in bad:
        arguments = Arguments({key: text})
        getattr(arguments, key)()
        with pytest.raises(Refused) as refused:
            arguments.check()
        assert refused.value.status == HTTPStatus.BAD_REQUEST
        assert list(refused.value.payload["errors"]) == [key]


def test_all_bad_arguments_are_refused_together() -> None:
    arguments = Arguments({"start_time": "soon", "per_page": "7"})
    arguments.limits(end_included=False)
    arguments.per_page()
    with pytest.raises(Refused) as refused:
        arguments.check()
    assert set(refused.value.payload["errors"]) == {"start_time", "end_time", "per_page"}


OBJECTS = {"points": [{"name": "b"}, {"name": "a", "site": "x"}, {"name": "b"}]}
STRINGS = {"points": ["b", "a", "b"]}
BOTH = {"points": ["b", {"name": "a"}]}


@pytest.mark.parametrize(
    ("shape", "taken", "refused"),
    [
        (BatchShape.OBJECTS, [OBJECTS], [STRINGS, BOTH]),
        (BatchShape.STRINGS, [STRINGS], [OBJECTS, BOTH]),
        (BatchShape.BOTH, [OBJECTS, STRINGS, BOTH], []),
    ],
)
def test_batch_shapes(shape: BatchShape, taken: list[object], refused: list[object]) -> None:
    for body in taken:
        assert batch_names(json.dumps(body).encode(), shape) == ("b", "a")
    for body in refused:
        with pytest.raises(Refused) as refusal:
            batch_names(json.dumps(body).encode(), shape)
        assert refusal.value.status == HTTPStatus.BAD_REQUEST


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b'{"points": "a"}', b'{"points": [1]}', b'{"points": [{}]}']
)
def test_bodies_that_are_no_batch_are_refused(body: bytes) -> None:
    with pytest.raises(Refused):
        batch_names(body, BatchShape.BOTH)


def test_masks() -> None:
    inner = parse_mask("point_samples{value,time}").inner("point_samples")
    assert inner is not None
    assert inner.selected({"name": "n", "value": "v", "time": "t"}) == {"value": "v", "time": "t"}
    mask = parse_mask("{ point_samples{value} , has_more }")
    assert mask.selected({"next_cursor": "c", "has_more": True}) == {"has_more": True}
    assert mask.inner("has_more") is None
    assert parse_mask("point_samples{value},*").selected({"next_cursor": "c"}) == {"next_cursor": "c"}


@pytest.mark.parametrize(
    "text", ["", "a{", "a}", "a{}", "a,,b", ",a", "a b", "a;b", "a{b}c", "{a", "a{" * 20]
)
def test_masks_that_cannot_be_read(text: str) -> None:
    with pytest.raises(ValueError, match="mask"):
        parse_mask(text)
