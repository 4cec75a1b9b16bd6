"""Points that are declared texts: what the vendor sends of them stays as it is."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import pytest

from edgeseries.errors import OriginContract
from edgeseries.http.messages import HttpCall, HttpReply
from edgeseries.origins.ace.catalogue import Catalogue
from edgeseries.origins.ace.options import OPTIONS, TEXT_POINTS
from edgeseries.origins.ace.origin import AceOrigin
from edgeseries.origins.declared_text import is_text, patterns_of, texts_of
from edgeseries.series.points import Point
from edgeseries.series.timerange import TimeRange
from edgeseries.series.values import Value
from tests.fakes import FakeClock
from tests.node_pages import node_reader

START_MS = 1_704_067_200_000
SPAN = TimeRange(start_ms=START_MS, end_ms=START_MS + 3_600_000)
SENT = ["0012", "1.10", " true ", "", "NaN", "1e3", "-0", "null", "v2.0"]
TYPED: list[Value] = [12.0, 1.1, True, None, None, 1000.0, -0.0, None, "v2.0"]


class Vendor:
    """A site with two points that have the same values, of which one may be of a kind that is text."""

    def __init__(self, kind: str = "") -> None:
        self.kind = kind

    async def send(self, call: HttpCall) -> HttpReply:
        path = urlsplit(call.url).path.removeprefix("/api")
        return HttpReply(status=200, headers={}, body=json.dumps(self.answer(path)).encode())

    def answer(self, path: str) -> Mapping[str, object]:
        if path.endswith("/points"):
            items = [{"name": "serial", "point_type": self.kind}, {"name": "plain", "point_type": "analog"}]
            return {"items": items, "page": 1, "pages": 1}
        rows = [
            {"name": name, "time": f"2024-01-01T00:{minute:02}:00Z", "value": text}
            for name in ("plain", "serial")
            for minute, text in enumerate(SENT)
        ]
        return {"point_samples": rows}


def fetched(vendor: Vendor, *text_points: str, read: bool = True) -> dict[str, list[Value]]:
    origin = AceOrigin(
        base_url="https://vendor.example/api",
        token="t",  # noqa: S106 - made up
        web=vendor,
        clock=FakeClock(at_ms=START_MS),
        catalogue=Catalogue(),
        page_reader=node_reader() if read else None,
        text_points=text_points,
    )
    deadline_ms = START_MS + 9_000
    series = asyncio.run(origin.fetch("hq", ("plain", "serial"), SPAN, deadline_ms=deadline_ms))
    return {one.point: one.samples.values.to_list() for one in series}


def same(found: list[Value], expected: list[Value]) -> None:
    assert repr(found) == repr(expected)


@pytest.mark.parametrize("read", [True, False])
@pytest.mark.parametrize(
    ("kind", "patterns"), [("Text", ()), ("string", ()), ("analog", ("ser*",)), ("", ("other", "serial"))]
)
def test_texts_of_a_declared_point_are_kept_and_others_are_typed(
    kind: str,
    patterns: tuple[str, ...],
    read: bool,  # noqa: FBT001
) -> None:
    found = fetched(Vendor(kind), *patterns, read=read)
    same(found["serial"], [*SENT])
    same(found["plain"], TYPED)


def test_nothing_is_a_text_that_is_not_declared_so() -> None:
    found = fetched(Vendor("analog"), "*x")
    same(found["serial"], TYPED)


def test_other_json_is_the_text_that_it_is_written_as() -> None:
    raws: list[Any] = ["a", None, 12, 1.5, True]
    assert texts_of(raws) == ["a", None, "12", "1.5", "true"]
    with pytest.raises(OriginContract):
        texts_of([["a"]])


def test_patterns_stand_between_bars_and_names_may_hold_commas() -> None:
    assert patterns_of(" a,b | *Serial* ||") == ("a,b", "*Serial*")
    assert patterns_of("") == ()
    assert is_text(Point(name="AHU/Serial no"), ("*Serial*",))
    assert not is_text(Point(name="AHU/serial no", kind="Texture"), ("*Serial*",))
    assert TEXT_POINTS in OPTIONS
    assert TEXT_POINTS.fault("*Serial*|a,b") is None
