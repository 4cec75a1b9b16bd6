"""The ACE adapter against a vendor in every bad mood that the simulator does not have."""

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from edgeseries.errors import (
    OriginContract,
    OriginOversize,
    OriginRefused,
    OriginThrottled,
    OriginUnconfirmed,
    OriginUnreachable,
)
from edgeseries.http.messages import HttpCall, HttpReply
from edgeseries.limits import CATALOGUE_FRESH_MS, CATALOGUE_TTL_MS
from edgeseries.origins.ace.catalogue import Catalogue
from edgeseries.origins.ace.origin import AceOrigin
from edgeseries.origins.ports.origin import NO_SUCH_POINT, Bulk
from edgeseries.series.timerange import TimeRange
from tests.fakes import FakeClock

START_MS = 1_704_067_200_000
SPAN = TimeRange(start_ms=START_MS, end_ms=START_MS + 3_600_000)
Script = Callable[[HttpCall, str], Any]


class Vendor:
    """Points of one site, each with one sample; `script` may answer a call in its own way."""

    def __init__(self, *points: str, script: Script | None = None) -> None:
        self.listed = list(points)
        self.script = script
        self.calls: list[str] = []

    async def send(self, call: HttpCall) -> HttpReply:
        path = urlsplit(call.url).path.removeprefix("/api")
        self.calls.append(f"{call.method} {path}")
        answer = self.script(call, path) if self.script else None
        if answer is None:
            answer = self.plain(call, path)
        return answer if isinstance(answer, HttpReply) else reply(200, answer)

    def plain(self, call: HttpCall, path: str) -> HttpReply | Mapping[str, object]:
        if path.endswith("/points"):
            return {"items": [{"name": name} for name in self.listed], "page": 1, "pages": 1}
        if path == "/points/get_timeseries":
            names = [point["name"] for point in json.loads(call.body or b"")["points"]]
            # This vendor answers 404 to a batch that names a point it does not have.
            return reply(404, NO_DATA) if set(names) - set(self.listed) else rows(*names)
        if path.endswith("/paginated"):
            return rows(*self.listed)
        name = unquote(path.split("/")[2])
        return rows(name) if name in self.listed else reply(404, {"message": f"Point {name} not found"})


NO_DATA = {"message": "No data for time period"}


def reply(status: int, document: object = None, **headers: str) -> HttpReply:
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return HttpReply(status=status, headers=named, body=json.dumps(document).encode())


def rows(*names: str) -> Mapping[str, object]:
    return {"point_samples": [{"name": name, "time": "2024-01-01T00:00:00Z", "value": "1"} for name in names]}


class Session:
    """One isolate's origin, with a clock of its own."""

    def __init__(self, vendor: Vendor) -> None:
        self.vendor = vendor
        self.clock = FakeClock(at_ms=START_MS)
        self.catalogue = Catalogue()
        self.dropped: Counter[str] = Counter()

    def origin(self) -> AceOrigin:
        return AceOrigin(
            base_url="https://vendor.example/api",
            token="t",  # noqa: S106 - made up
            web=self.vendor,
            clock=self.clock,
            catalogue=self.catalogue,
            dropped=self.dropped,
        )

    def fetch(self, *points: str, bulk: Bulk | None = None) -> dict[str, tuple[int, str | None]]:
        deadline_ms = self.clock.now_ms() + 9_000
        series = asyncio.run(self.origin().fetch("hq", points, SPAN, deadline_ms=deadline_ms, bulk=bulk))
        return {one.point: (len(one.samples), one.error) for one in series}

    def fetch_in_bulk(self, *points: str) -> dict[str, tuple[int, str | None]]:
        async def before_call() -> None:
            pass

        return self.fetch(*points, bulk=Bulk(before_call=before_call, max_samples=1_000))


def test_a_point_that_is_gone_does_not_empty_the_others_of_its_batch() -> None:
    session = Session(Vendor("a", "b"))
    assert session.fetch("a", "b") == {"a": (1, None), "b": (1, None)}
    session.vendor.listed.remove("b")
    session.clock.at_ms += CATALOGUE_FRESH_MS + 1
    assert session.fetch("a", "b") == {"a": (1, None), "b": (0, NO_SUCH_POINT)}


def test_a_point_that_is_new_is_found_once_the_list_is_not_fresh() -> None:
    session = Session(Vendor("a"))
    assert session.fetch("a", "b") == {"a": (1, None), "b": (0, NO_SUCH_POINT)}
    session.vendor.listed.append("b")
    session.clock.at_ms += CATALOGUE_FRESH_MS + 1
    assert session.fetch("a", "b") == {"a": (1, None), "b": (1, None)}


def test_a_typing_error_does_not_read_the_list_at_every_refresh() -> None:
    session = Session(Vendor("a"))
    for _ in range(5):
        session.fetch("a", "typo")
    assert session.vendor.calls.count("GET /sites/hq/points") == 1


def test_a_404_for_a_batch_is_never_taken_for_no_data() -> None:
    vendor = Vendor("a", "b")
    session = Session(vendor)
    assert session.fetch("a", "b") == {"a": (1, None), "b": (1, None)}
    vendor.script = lambda _, path: reply(404) if path == "/points/get_timeseries" else None
    assert session.fetch("a", "b") == {"a": (1, None), "b": (1, None)}


def test_a_stray_refusal_does_not_end_batches_for_good() -> None:
    vendor = Vendor("a")
    session = Session(vendor)
    vendor.script = lambda _, path: reply(400) if path == "/points/get_timeseries" else None
    assert session.fetch("a") == {"a": (1, None)}
    vendor.script = None
    session.fetch("a")
    assert vendor.calls[-1] == "GET /points/a/timeseries"
    session.clock.at_ms += CATALOGUE_TTL_MS + 1
    session.fetch("a")
    assert vendor.calls[-1] == "POST /points/get_timeseries"


def test_a_batch_that_is_too_large_is_asked_with_fewer_points_first() -> None:
    vendor = Vendor("a", "b", "c", "d")

    def too_many(call: HttpCall, path: str) -> Any:
        many = path == "/points/get_timeseries" and len(json.loads(call.body or b"")["points"]) > 1
        return reply(413) if many else None

    vendor.script = too_many
    assert Session(vendor).fetch("a", "b", "c", "d") == dict.fromkeys("abcd", (1, None))
    assert vendor.calls.count("POST /points/get_timeseries") == 7


def test_a_range_that_is_never_small_enough_is_an_error() -> None:
    vendor = Vendor("a", script=lambda _, path: None if path.endswith("/points") else reply(413))
    with pytest.raises(OriginOversize):
        Session(vendor).fetch("a")


def test_a_404_in_the_middle_of_pages_is_not_their_end() -> None:
    first = {**rows("a"), "next_cursor": "2", "has_more": True}

    def cut(call: HttpCall, path: str) -> Any:
        if not path.endswith("/paginated"):
            return None
        return reply(404) if "cursor=2" in call.url else first

    with pytest.raises(OriginUnconfirmed, match="404"):
        Session(Vendor("a", "b", script=cut)).fetch_in_bulk("a", "b")


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (reply(408), OriginUnreachable),
        (reply(503), OriginUnreachable),
        (reply(429, retry_after="9" * 5_000), OriginThrottled),
        (reply(302), OriginContract),
        (reply(403), OriginRefused),
        (reply(404), OriginUnconfirmed),
        (reply(200, {"items": ["x"], "page": 1, "pages": 1}), OriginContract),
    ],
    ids=["408", "503", "429", "302", "403", "404", "items"],
)
def test_statuses_of_the_list_of_sites(answer: HttpReply, error: type[Exception]) -> None:
    session = Session(Vendor("a", script=lambda *_: answer))
    with pytest.raises(error):
        asyncio.run(session.origin().sites(deadline_ms=START_MS + 9_000))


def test_a_pause_that_the_upstream_asks_for_is_not_cut_short() -> None:
    vendor = Vendor("a", script=lambda *_: reply(503, retry_after="5"))
    with pytest.raises(OriginUnreachable) as raised:
        Session(vendor).fetch("a")
    assert raised.value.retry_after_s == 5
    assert len(vendor.calls) == 1


HALF_MS = START_MS + 1_800_000


SHAPES = [
    # How objects and strings are answered in a batch, and what that says.
    (200, 200, "objects"),
    (422, 200, "strings"),
    (405, 405, "none: points are asked one by one"),
    (404, 404, "none: batches are answered by 404"),
]


@pytest.mark.parametrize(("objects", "strings", "shape"), SHAPES)
@pytest.mark.parametrize("end", ["held", "not held"])
def test_what_an_installation_takes_is_found_out(objects: int, strings: int, shape: str, end: str) -> None:
    def script(call: HttpCall, path: str) -> Any:
        if path == "/points/get_timeseries":
            named = json.loads(call.body or b"")["points"]
            status = strings if isinstance(named[0], str) else objects
            return rows("a") if status == 200 else reply(status, NO_DATA)
        if path == "/points/a/timeseries":
            times = ["2024-01-01T00:00:00Z", "2024-01-01T00:30:00Z"][: 2 if end == "held" else 1]
            return {"point_samples": [{"name": "a", "time": time, "value": "1"} for time in times]}
        if path.endswith("/paginated"):
            return {**rows("a", "b"), "next_cursor": "c", "has_more": True}
        return None

    session = Session(Vendor("a", "b", script=script))
    span = TimeRange(start_ms=START_MS, end_ms=HALF_MS + 1)
    looking = session.origin().probe("hq", "a", span, deadline_ms=START_MS + 9_000)
    assert asyncio.run(looking) == {
        "batch shape": shape,
        "rows on a page of a site": "2 of 1000 asked for, more follow",
        "the end of a range": end,
    }
    assert len(session.vendor.calls) <= 5, "the list of points, two shapes, a page, a range"
