"""Sizes of ACE's calls: they grow where the vendor serves them well, and no answer is wrong where not."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from edgeseries.errors import DeadlineExceeded
from edgeseries.http.messages import HttpCall, HttpReply
from edgeseries.origins.ace.catalogue import Catalogue
from edgeseries.origins.ace.limits import BATCH_POINTS, CALL_SAMPLES, PAGE_ROWS, PAGE_SIZES
from edgeseries.origins.ace.origin import AceOrigin
from edgeseries.origins.ports.origin import Bulk
from edgeseries.series.timerange import TimeRange, iso_instant
from tests.fakes import FakeClock

START_MS = 1_704_067_200_000
MINUTES = 60
SPAN = TimeRange(start_ms=START_MS, end_ms=START_MS + MINUTES * 60_000)
POINTS = [f"point_{number:03d}" for number in range(600)]


@dataclass
class Vendor:
    """A site of POINTS with a sample of each a minute. It takes `most_points` names or `most_rows` rows in a
    call, else it answers `too_many`; the clock moves with each call.
    """

    clock: FakeClock
    most_points: int = 500
    most_rows: int = 500_000
    too_many: int = 400
    took_ms: int = 200
    batches: list[int] = field(default_factory=list)
    pages: list[int] = field(default_factory=list)
    singles: int = 0

    async def send(self, call: HttpCall) -> HttpReply:
        self.clock.at_ms += self.took_ms
        if self.took_ms > call.timeout_ms:
            raise DeadlineExceeded("too slow")
        url = urlsplit(call.url)
        path, query = url.path.removeprefix("/api"), parse_qs(url.query)
        if path.endswith("/points"):
            return reply(200, {"items": [{"name": name} for name in POINTS], "page": 1, "pages": 1})
        if path == "/points/get_timeseries":
            names = [point["name"] for point in json.loads(call.body or b"")["points"]]
            self.batches.append(len(names))
            if len(names) > self.most_points:
                return reply(self.too_many, {"message": "too many"})
            return reply(200, {"point_samples": rows(names, range(MINUTES))})
        if path.endswith("/paginated"):
            size, cursor = int(query["page_size"][0]), int(query.get("cursor", ["0"])[0])
            assert size in PAGE_SIZES
            self.pages.append(size)
            if size > self.most_rows:
                return reply(413, {"message": "too large"})
            all_rows = rows_of_the_site()
            more = cursor + size < len(all_rows)
            return reply(
                200,
                {
                    "point_samples": all_rows[cursor : cursor + size],
                    "has_more": more,
                    "next_cursor": str(cursor + size) if more else None,
                },
            )
        self.singles += 1
        return reply(404, {"message": "Not Found"})


def rows(names: Sequence[str], minutes: range) -> list[dict[str, Any]]:
    times = [iso_instant(START_MS + minute * 60_000) for minute in minutes]
    return [{"name": name, "time": time, "value": "1"} for time in times for name in names]


@cache
def rows_of_the_site() -> Sequence[dict[str, Any]]:
    return rows(POINTS, range(MINUTES))


def reply(status: int, document: object) -> HttpReply:
    return HttpReply(status=status, headers={}, body=json.dumps(document).encode())


@dataclass
class Isolate:
    """What an isolate's events share."""

    clock: FakeClock = field(default_factory=lambda: FakeClock(at_ms=START_MS))
    catalogue: Catalogue = field(default_factory=Catalogue)

    def fetch(self, vendor: Vendor, points: Sequence[str], *, pages: bool = False) -> None:
        """Ask, and hold what comes against what is there."""

        async def before() -> None:
            pass

        origin = AceOrigin(
            base_url="https://vendor.example/api",
            token="t",  # noqa: S106 - made up
            web=vendor,
            clock=self.clock,
            catalogue=self.catalogue,
        )
        series = asyncio.run(
            origin.fetch(
                *("hq", points, SPAN),
                deadline_ms=self.clock.at_ms + 120_000,
                bulk=Bulk(before_call=before, max_samples=100_000) if pages else None,
            )
        )
        assert [(one.point, len(one.samples)) for one in series] == [(name, MINUTES) for name in points]


def test_batches_grow_where_they_are_served_well() -> None:
    isolate = Isolate()
    vendor = Vendor(isolate.clock)
    for _ in range(4):
        isolate.fetch(vendor, POINTS)
    assert vendor.batches[:12] == [BATCH_POINTS] * 12
    assert vendor.batches[-3:] == [200, 200, 200]
    assert isolate.catalogue.sizes.capabilities.batch_points == 200


@pytest.mark.parametrize("too_many", [400, 413, 414, 422])
def test_a_vendor_that_takes_no_more_names_is_asked_for_fewer_and_is_still_known_to_take_batches(
    too_many: int,
) -> None:
    isolate = Isolate()
    vendor = Vendor(isolate.clock, most_points=60, too_many=too_many)
    for _ in range(5):
        isolate.fetch(vendor, POINTS)
    assert vendor.batches.count(100) <= 6, "the batches that were under way as one was refused"
    assert set(vendor.batches[-12:]) == {BATCH_POINTS}
    assert not vendor.singles


def test_a_vendor_that_is_slow_is_planned_for_with_fewer_samples_in_a_call() -> None:
    isolate = Isolate()
    vendor = Vendor(isolate.clock, took_ms=1)
    isolate.fetch(vendor, POINTS[:10])
    vendor.took_ms = 200_000
    with pytest.raises(DeadlineExceeded):
        isolate.fetch(vendor, POINTS[:BATCH_POINTS])
    capabilities = isolate.catalogue.sizes.capabilities
    assert capabilities.batch_points < BATCH_POINTS
    assert capabilities.call_samples < CALL_SAMPLES


def test_pages_that_are_too_large_are_asked_smaller_at_once_and_later_ones_begin_so() -> None:
    isolate = Isolate()
    vendor = Vendor(isolate.clock, most_rows=5_000)
    isolate.fetch(vendor, POINTS, pages=True)
    assert vendor.pages == [PAGE_ROWS, *[5_000] * 8]
    isolate.fetch(vendor, POINTS, pages=True)
    assert vendor.pages[9:] == [5_000] * 8
    assert not vendor.batches
