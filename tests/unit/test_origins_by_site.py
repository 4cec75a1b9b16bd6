"""Several upstreams as one: which serves a site, what they are asked, and what is refused."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import pytest

from edgeseries.errors import NotFound, OriginUnreachable
from edgeseries.limits import MINUTE_MS, SECOND_MS, UPSTREAM_ISOLATE_CALLS, UPSTREAM_SHARED_CALLS
from edgeseries.origins.adapters.isolate_origins import IsolateOrigins
from edgeseries.origins.adapters.upstream_load import Leave, UpstreamLoad
from edgeseries.origins.by_site import OriginsBySite, PlacedOrigin
from edgeseries.origins.call_pace import Pace
from edgeseries.origins.record import OriginRecord, record_for
from edgeseries.origins.registry import VENDORS
from edgeseries.series.days import SettleLags
from edgeseries.series.timerange import TimeRange
from edgeseries.settings.origins import (
    MAX_ORIGINS,
    VENDOR_OPTIONS,
    OriginsFault,
    credentials_of,
    origin_records,
)
from stack.readers import Refusal, origin_map
from tests.fakes import FakeOrigin

SPAN = TimeRange(start_ms=0, end_ms=1_000)
RECORD = {"name": "meters", "prefix": "meters/", "vendor": "ace", "url": "https://meters.example.com"}


def record(name: str, prefix: str) -> OriginRecord:
    return OriginRecord(
        name=name, prefix=prefix, vendor="ace", url="https://x", settle_lag_ms=1, circuit_pause_ms=1
    )


def several() -> tuple[OriginsBySite, Mapping[str, FakeOrigin]]:
    fakes = {
        "": FakeOrigin({"hq": {"a": [(1, 1.0)]}, "meters/hq": {"hidden": []}}),
        "meters/": FakeOrigin({"hq": {"a": [(1, 2.0)]}}),
        "meters/old/": FakeOrigin({"hq": {"a": [(1, 3.0)]}}),
    }
    placed = [
        PlacedOrigin(record=record(f"o{place}", prefix), origin=origin)
        for place, (prefix, origin) in enumerate(fakes.items())
    ]
    return OriginsBySite(placed), fakes


def test_each_site_is_asked_of_the_upstream_with_the_longest_prefix() -> None:
    origins, _ = several()
    for site, value in (("hq", 1.0), ("meters/hq", 2.0), ("meters/old/hq", 3.0)):
        series = asyncio.run(origins.fetch(site, ["a"], SPAN, deadline_ms=1))
        assert [list(one.samples.values) for one in series] == [[value]]
        assert [point.name for point in asyncio.run(origins.points(site, deadline_ms=1))] == ["a"]
        assert origins.capabilities(site).batch_points == 50


def test_sites_are_listed_by_the_name_that_callers_use_and_once() -> None:
    origins, _ = several()
    names = [site.name for site in asyncio.run(origins.sites(deadline_ms=1)).complete()]
    assert names == ["hq", "meters/hq", "meters/old/hq"]


def test_the_list_has_the_sites_of_those_that_answer_and_names_the_others() -> None:
    origins, fakes = several()
    fakes["meters/"].failure = OriginUnreachable("down")
    listing = asyncio.run(origins.sites(deadline_ms=1))
    assert [site.name for site in listing.sites] == ["hq", "meters/old/hq"]
    assert [(one.part, one.prefix, one.error.detail) for one in listing.unanswered] == [
        ("upstream:o1", "meters/", "down")
    ]
    with pytest.raises(OriginUnreachable, match="down"):
        listing.complete()
    with pytest.raises(OriginUnreachable):
        asyncio.run(origins.ping(deadline_ms=1))
    assert asyncio.run(origins.points("hq", deadline_ms=1))


def test_a_site_of_an_upstream_that_does_not_answer_is_not_said_to_be_absent() -> None:
    origins, fakes = several()
    fakes["meters/"].failure = OriginUnreachable("down")
    for ask in (
        lambda: origins.points("meters/hq", deadline_ms=1),
        lambda: origins.fetch("meters/nowhere", ["a"], SPAN, deadline_ms=1),
    ):
        with pytest.raises(OriginUnreachable, match="down"):
            asyncio.run(ask())


def test_a_list_that_no_upstream_answers_fails_as_the_first_does() -> None:
    origins, fakes = several()
    for prefix, fake in fakes.items():
        fake.failure = OriginUnreachable(f"{prefix} is down")
    with pytest.raises(OriginUnreachable, match=r"^ is down"):
        asyncio.run(origins.sites(deadline_ms=1))


@pytest.mark.parametrize(
    ("names", "sites", "unanswered"),
    [
        (None, ["hq", "meters/old/hq"], 1),
        ({"hq"}, ["hq"], 0),
        ({"hq", "meters/hq"}, ["hq"], 1),
        ({"meters/old/hq"}, ["meters/old/hq"], 0),
        ({"nowhere"}, [], 0),
    ],
)
def test_who_may_see_some_sites_is_told_of_upstreams_that_may_have_them(
    names: set[str] | None, sites: list[str], unanswered: int
) -> None:
    origins, fakes = several()
    fakes["meters/"].failure = OriginUnreachable("down")
    seen = asyncio.run(origins.sites(deadline_ms=1)).seen_by(names)
    assert ([site.name for site in seen.sites], len(seen.unanswered)) == (sites, unanswered)


def test_a_site_that_is_not_there_is_named_as_the_caller_named_it() -> None:
    origins, _ = several()
    with pytest.raises(NotFound, match="'meters/nowhere'"):
        asyncio.run(origins.points("meters/nowhere", deadline_ms=1))
    with pytest.raises(NotFound, match="'meters/old/nowhere'"):
        asyncio.run(origins.fetch("meters/old/nowhere", ["a"], SPAN, deadline_ms=1))


def test_a_site_without_a_fitting_prefix_is_told_which_there_are() -> None:
    only = OriginsBySite([PlacedOrigin(record=record("m", "meters/"), origin=FakeOrigin({}))])
    for ask in (
        lambda: asyncio.run(only.points("hq", deadline_ms=1)),
        lambda: asyncio.run(only.fetch("hq", ["a"], SPAN, deadline_ms=1)),
        lambda: only.capabilities("hq"),
        lambda: only.capabilities("meters/"),
    ):
        with pytest.raises(NotFound, match=r"begin with one of 'meters/'"):
            ask()


def test_settle_lags_are_those_of_the_longest_prefix() -> None:
    lags = SettleLags(by_prefix={"": 1, "meters/": 2, "meters/old/": 3})
    assert [lags.of(site, 9) for site in ("hq", "meters/hq", "meters/old/hq")] == [1, 2, 3]
    assert SettleLags(by_prefix={"meters/": 2}).of("hq", 9) == 9


def read(*records: Mapping[str, Any]) -> tuple[OriginRecord, ...]:
    return origin_records(json.dumps(records), settle_lag_ms=7, circuit_pause_ms=8)


def test_a_record_takes_the_stacks_settings_unless_it_has_its_own() -> None:
    plain, own = read(
        RECORD,
        {
            **RECORD,
            "name": "own",
            "prefix": "own:",
            "settleLagMinutes": 3,
            "circuitPauseSeconds": 4,
            "maxCalls": 2,
            "callsPerMinute": 60,
            "zone": "+05:30",
        },
    )
    assert (plain.settle_lag_ms, plain.circuit_pause_ms, plain.max_calls, plain.zone) == (7, 8, 12, "UTC")
    assert (own.settle_lag_ms, own.circuit_pause_ms) == (3 * MINUTE_MS, 4 * SECOND_MS)
    assert (own.max_calls, own.calls_per_minute, own.zone) == (2, 60, "+05:30")
    assert record_for((plain, own), "own:hq") is own
    assert (plain.part, own.part) == ("upstream:meters", "upstream:own")
    assert origin_records("", settle_lag_ms=1, circuit_pause_ms=1) == ()


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("{", "is no JSON; set a list such as"),
        ("{}", "is no list of objects"),
        ("[1]", "is no list of objects"),
        ('[{"name":"a","name":"b"}]', "names a field twice"),
        ("[" * 1_000, "is no JSON"),
        (json.dumps([RECORD] * (MAX_ORIGINS + 1)), f"at most {MAX_ORIGINS}"),
        (json.dumps([{**RECORD, "url": "https://" + "x" * 5_000}]), "is longer than the 5000 bytes"),
        (json.dumps([{**RECORD, "name": "upstream"}]), "has name 'upstream'; set lower-case letters"),
        (json.dumps([{**RECORD, "name": "Meters"}]), "set lower-case letters"),
        (json.dumps([{**RECORD, "prefix": "m"}]), "that end with / or :"),
        (json.dumps([{**RECORD, "vendor": "pi"}]), "has vendor 'pi'; set one of ace"),
        (json.dumps([{**RECORD, "zone": "Europe/Berlin"}]), "set UTC or a fixed offset"),
        (json.dumps([{**RECORD, "settleLagMinutes": 0}]), "a whole number from 1 to 10080"),
        (json.dumps([{**RECORD, "maxCalls": True}]), "a whole number from 1 to 12"),
        (json.dumps([{**RECORD, "token": "x"}]), "has token, which is none of"),
        (json.dumps([{**RECORD, "options": {"colour": "red"}}]), "has option colour; its vendor takes"),
        (json.dumps([{**RECORD, "options": 1}]), "has options that are no object of texts"),
        (json.dumps([{}]), "lacks url; set a text"),
        (json.dumps([RECORD, {**RECORD, "prefix": "b/"}]), "has the name 'meters' 2 times"),
        (json.dumps([RECORD, {**RECORD, "name": "b"}]), "has the prefix 'meters/' 2 times"),
        (json.dumps([{**RECORD, "url": "http://meters.example.com"}]), "use https://"),
        (json.dumps([{**RECORD, "url": "https://u:p@meters.example.com"}]), "take the user and password"),
    ],
)
def test_a_bad_map_is_refused_with_the_remedy(text: str, remedy: str) -> None:
    with pytest.raises(Refusal, match=r"^it ") as refused:
        origin_map(text)
    assert remedy in str(refused.value)


def test_all_faults_of_a_map_are_told_at_once() -> None:
    with pytest.raises(OriginsFault) as refused:
        read({**RECORD, "vendor": "pi", "zone": "x", "prefix": "m"}, {})
    assert len(refused.value.faults) >= 7


def test_credentials_are_texts_by_name_and_stay_untold() -> None:
    assert credentials_of("") == {}
    assert credentials_of('{"meters": "hunter2"}') == {"meters": "hunter2"}
    for text in ('["hunter2"]', '{"a": 1, "b": "hunter2"}', "hunter2"):
        with pytest.raises(OriginsFault) as refused:
            credentials_of(text)
        assert "hunter2" not in str(refused.value)


def test_vendors_of_the_settings_are_those_of_the_registry() -> None:
    assert list(VENDOR_OPTIONS) == list(VENDORS)


def test_upstreams_share_the_calls_of_an_isolate_and_none_takes_all() -> None:
    isolate = IsolateOrigins()
    records = [record("a", "a/"), record("b", "b/")]

    def enter(one: OriginRecord, now_ms: int) -> bool:
        load = isolate.load(one, alone=False)
        load.pace = Pace(limit=UPSTREAM_ISOLATE_CALLS)
        return isinstance(load.enter(load.ticket(now_ms), now_ms, until_ms=now_ms + 10), Leave)

    assert [enter(records[0], 0) for _ in range(UPSTREAM_SHARED_CALLS + 1)].count(
        True
    ) == UPSTREAM_SHARED_CALLS
    left = UPSTREAM_ISOLATE_CALLS - UPSTREAM_SHARED_CALLS
    assert [enter(records[1], 0) for _ in range(left + 1)] == [True] * left + [False]
    assert enter(records[1], 5_000), "calls that nobody ended are over with their deadline"


def test_no_more_calls_a_minute_leave_than_a_record_allows() -> None:
    load = UpstreamLoad(max_calls=5, calls_per_minute=2)

    def enter(now_ms: int) -> bool:
        ticket = load.ticket(now_ms)
        let_in = isinstance(load.enter(ticket, now_ms, until_ms=now_ms + 1), Leave)
        load.leave(ticket)
        return let_in

    assert [enter(1_000), enter(2_000), enter(3_000), enter(60_999)] == [True, True, False, False]
    assert [enter(61_000), enter(61_001), enter(62_000)] == [True, False, True]
