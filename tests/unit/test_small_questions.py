"""Small questions over sealed days: a one-off costs what it asks, and what was asked before costs no call."""

import asyncio
import json
from dataclasses import replace

import pytest

from edgeseries.errors import StoreUnavailable
from edgeseries.http.messages import HttpRequest, HttpResponse
from edgeseries.limits import DAY_MS, DOUBT_MS
from edgeseries.planning.adapters.asked_records import AskedMemory, AskedRecords
from edgeseries.planning.asked_days import (
    MONTH_MAX_POINTS,
    asked_after,
    asked_of_text,
    asked_text,
    is_asked,
    months_of,
)
from edgeseries.planning.routing import RouteSizes
from edgeseries.series.timerange import TimeRange, parse_instant
from router.flow import answer
from router.ports import Ports
from tests.fake_leases import FakeLeases
from tests.fake_stores import SqliteDatabase
from tests.fakes import Afterwards, FakeClock, FakeOrigin
from tests.made_ports import router_ports

SITE = "hq"
HOUR_MS = 3_600_000
JUNE = parse_instant("2023-06-01T00:00:00Z") // DAY_MS
NOW_MS = parse_instant("2023-09-01T00:00:00Z")
ROWS = [(JUNE * DAY_MS + hour * HOUR_MS, float(hour)) for hour in range(40 * 24)]


class Place:
    """An isolate, and others over the same stores."""

    def __init__(self) -> None:
        self.origin = FakeOrigin({SITE: {"a": ROWS, "b": ROWS}})
        self.database = SqliteDatabase()
        self.ports = router_ports(clock=FakeClock(at_ms=NOW_MS), origin=self.origin, database=self.database)

    def another(self) -> Ports:
        asked = AskedRecords(database=self.database, memory=AskedMemory())
        return replace(self.ports, asked_days=asked, background=Afterwards())

    def ask(
        self, first_hour: int, last_hour: int, *, points: str = "a", ports: Ports | None = None, **words: str
    ) -> tuple[str, list[TimeRange]]:
        """What the answer says of the store, and what was fetched for it. The answer must be right."""
        before = len(self.origin.spans)
        query = {
            "site": SITE,
            "points": points,
            "start_time": str(JUNE * DAY_MS + first_hour * HOUR_MS),
            "end_time": str(JUNE * DAY_MS + last_hour * HOUR_MS),
        }
        cache_control = words.pop("cache_control", "")
        request = HttpRequest(
            method="GET",
            path="/api/timeseries",
            query=tuple({**query, **words}.items()),
            request_id="r",
            arrived_ms=NOW_MS,
            headers={"cache-control": cache_control},
        )
        response = asyncio.run(answered(request, ports or self.ports))
        body = response.body if response.stream is None else response.stream
        assert isinstance(body, bytes)
        for one in json.loads(body)["data"].values():
            assert one["samples"] == [[*row] for row in ROWS[max(0, first_hour) : max(0, last_hour)]]
        return response.headers["Cache-Status"].removeprefix("EdgeSeries; "), self.origin.spans[before:]


async def answered(request: HttpRequest, ports: Ports) -> HttpResponse:
    """The answer, when all that comes after it is done."""
    response = await answer(request, ports)
    assert isinstance(ports.background, Afterwards)
    await ports.background.finish()
    return response


@pytest.fixture
def place() -> Place:
    return Place()


def hours(first: int, last: int) -> TimeRange:
    return TimeRange(start_ms=JUNE * DAY_MS + first * HOUR_MS, end_ms=JUNE * DAY_MS + last * HOUR_MS)


def test_a_one_off_question_costs_what_it_asks_and_the_same_again_nothing(place: Place) -> None:
    assert place.ask(6, 9) == ("fwd=miss; stored", [hours(6, 9)])
    assert place.ask(6, 9) == ("hit", [])
    assert place.ask(6, 9, ports=place.another()) == ("hit", [])
    leases = place.ports.leases
    assert isinstance(leases, FakeLeases)
    assert leases.calls == []


def test_the_second_question_over_a_day_fetches_it_whole_and_all_others_are_hits(place: Place) -> None:
    place.ask(6, 9)
    assert place.ask(7, 12, ports=place.another()) == ("fwd=miss; stored", [hours(0, 24)])
    for first, last in ((0, 1), (7, 8), (23, 24), (0, 24)):
        assert place.ask(first, last) == ("hit", [])
    assert place.ask(20, 30) == ("fwd=partial; stored", [hours(24, 30)]), "of the next day nobody asked"


def test_whole_days_in_a_small_question_are_stored(place: Place) -> None:
    """Two whole days between parts of two others."""
    assert place.ask(20, 24 * 3 + 5) == ("fwd=miss; stored", [hours(20, 24 * 3 + 5)])
    assert place.ask(24, 24 * 3) == ("hit", [])
    assert place.ask(30, 40, ports=place.another()) == ("hit", [])
    assert place.ask(20, 30) == ("fwd=partial; stored", [hours(0, 24)]), "the first was asked in part"


def test_a_window_that_slides_costs_two_fetches_of_its_first_day(place: Place) -> None:
    fetched = [span for first in range(6, 20) for span in place.ask(first, first + 24 * 2 - 6)[1]]
    assert len(fetched) <= 5
    assert place.ask(19, 24 * 2)[1] == []


def test_a_day_that_one_point_was_asked_of_is_new_for_another(place: Place) -> None:
    place.ask(6, 9)
    assert place.ask(7, 8, points="a,b")[1] == [hours(7, 8)]
    assert place.ask(9, 10, points="a,b")[1] == [hours(0, 24)]


@pytest.mark.parametrize(("cache_control", "route"), [("no-store", ""), ("", "direct")])
def test_who_goes_past_the_store_or_insists_leaves_nothing(
    place: Place, cache_control: str, route: str
) -> None:
    for _ in range(2):
        assert place.ask(6, 9, cache_control=cache_control, route=route)[1] == [hours(6, 9)]
    assert place.ask(7, 9)[1] == [hours(7, 9)]


def test_days_that_are_too_much_whole_stay_exact(place: Place) -> None:
    """Nothing is known of the points, so they are taken for dense; the database is not asked for nothing."""
    ports = replace(place.ports, route_sizes=RouteSizes(direct_max_samples=1_000, queued_min_samples=1_439))
    for first in (6, 7, 8):
        assert place.ask(first, 12, ports=ports)[1] == [hours(first, 12)]
    assert place.database.rows("SELECT * FROM asked_days") == []


def test_where_it_cannot_be_remembered_questions_are_answered_all_the_same(place: Place) -> None:
    class Down:
        async def were_asked(self, *_: object) -> bool:
            raise StoreUnavailable("down")

        async def remember(self, *_: object) -> None:
            raise StoreUnavailable("down")

    ports = replace(place.ports, asked_days=Down())
    for first in (6, 7):
        assert place.ask(first, 12, ports=ports)[1] == [hours(first, 12)]


def test_what_was_asked_is_kept_by_site_month_point_and_day() -> None:
    memory, database = AskedMemory(max_points=3), SqliteDatabase()

    async def check() -> None:
        asked = AskedRecords(database=database, memory=memory)
        await asked.remember(SITE, {"a": (JUNE - 1, JUNE), "b": (JUNE,)})
        await asked.remember(SITE, {"a": (JUNE + 1,)})
        for one in (asked, AskedRecords(database=database, memory=AskedMemory())):
            assert await one.were_asked(SITE, {"a": (JUNE - 1, JUNE, JUNE + 1), "b": (JUNE,)})
            assert not await one.were_asked(SITE, {"a": (JUNE,), "b": (JUNE + 1,)})
            assert not await one.were_asked(SITE, {"c": (JUNE,)})
            assert not await one.were_asked(SITE + "x", {"a": (JUNE,)})
        reads = database.reads
        assert await asked.were_asked(SITE, {"a": (JUNE + 1,)})
        assert database.reads == reads, "the isolate remembers"

    asyncio.run(check())


def test_rows_of_what_was_asked() -> None:
    (one,) = months_of({"a": (JUNE,), "b": (JUNE, JUNE + 2)}).values()
    assert asked_of_text(asked_text(one)) == one
    assert is_asked(one, asked_after({}, one))
    for text in ("{", "[2]", '[1,["x","AAAAAA=="]]', '[1,[1,"!"]]', "7"):
        assert asked_of_text(text) == {}
    many = dict.fromkeys(range(MONTH_MAX_POINTS), 1)
    assert asked_after(many, {-1: 2}) == {-1: 2}, "a month of too many points begins anew"


def test_an_answer_without_samples_is_not_kept_past_the_next_reading_of_an_empty_day(place: Place) -> None:
    place.ask(-30, -28)
    clock = place.ports.clock
    assert isinstance(clock, FakeClock)
    assert place.ask(-30, -28) == ("hit", [])
    clock.at_ms += DOUBT_MS
    assert len(place.ask(-30, -28)[1]) == 1
