"""The oracle over fakes: whatever is stored, whatever fails, an answer is what a direct fetch gives."""

import asyncio
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from edgeseries.errors import StoreUnavailable
from edgeseries.http.messages import HttpRequest, HttpResponse
from edgeseries.limits import DAY_MS
from edgeseries.planning.routing import RouteSizes
from edgeseries.series.values import Value
from router.flow import answer
from tests.fake_stores import FakeAnswers, FakeBlocks
from tests.fakes import (
    Afterwards,
    FakeClock,
    FakeOrigin,
    ListJournal,
)
from tests.made_ports import router_ports

DAY = 19_750
NOW_MS = (DAY + 6) * DAY_MS + DAY_MS // 2
NAMES = ["a", "b", "c/d"]
SITE = "hq"


def deliveries() -> dict[str, list[tuple[int, Value]]]:
    """Samples every three hours, a gap of a day, several at one instant, every type."""
    kinds: list[Value] = [1.5, -0.0, True, "text", None, 2**60 + 1]
    rows: dict[str, list[tuple[int, Value]]] = {}
    for offset, name in enumerate(NAMES):
        times = [DAY * DAY_MS + hour * 3_600_000 + offset for hour in range(0, 24 * 7, 3)]
        kept = [at for at in times if at // DAY_MS != DAY + 2 + offset]
        rows[name] = [(at, kinds[(place + offset) % len(kinds)]) for place, at in enumerate(kept)]
        rows[name] += [(kept[3], "the last delivered"), (kept[3] + 1, 7.0)]
    return rows


ROWS = deliveries()
requests = st.fixed_dictionaries(
    {
        "points": st.lists(st.sampled_from([*NAMES, "unknown"]), min_size=1, max_size=4, unique=True),
        "start": st.integers(0, 7 * DAY_MS - 1),
        "length": st.one_of(st.integers(1, 3 * DAY_MS), st.sampled_from([DAY_MS, 2 * DAY_MS])),
        "aligned": st.booleans(),
        "route": st.sampled_from([None, None, "direct", "cached", "cached"]),
        "cache_control": st.sampled_from(["", "", "", "no-cache", "no-store"]),
        "blocks_down": st.sampled_from([False, False, False, True]),
        "answers_down": st.sampled_from([False, False, False, True]),
        "accept": st.sampled_from(["", "br", "gzip, br;q=0"]),
        "wait": st.sampled_from([0, 0, 1_000, 60_000, 3_600_000, 7_200_000, DAY_MS // 2]),
    }
)


DOWN = StoreUnavailable("the store is down")


class System:
    """A router with a store that stays between requests."""

    def __init__(self, sizes: RouteSizes, now_ms: int = NOW_MS) -> None:
        self.origin = FakeOrigin({SITE: ROWS})
        self.clock = FakeClock(at_ms=now_ms)
        self.answers = FakeAnswers(self.clock)
        self.blocks, self.background = FakeBlocks(clock=self.clock), Afterwards()
        self.journal = ListJournal()
        self.ports = router_ports(
            origin=self.origin,
            blocks=self.blocks,
            answers=self.answers,
            background=self.background,
            clock=self.clock,
            journal=self.journal,
            route_sizes=sizes,
        )

    def ask(self, fields: dict[str, Any], **headers: str) -> HttpResponse:
        request = HttpRequest(
            method="POST",
            path="/api/timeseries",
            body=json.dumps(fields).encode(),
            headers=headers,
            request_id="r",
            arrived_ms=self.clock.at_ms,
        )

        async def whole() -> HttpResponse:
            response = await answer(request, self.ports)
            await self.background.finish()
            return response

        return asyncio.run(whole())


def body_of(response: HttpResponse) -> bytes:
    stream = response.stream if response.stream is not None else response.body
    assert isinstance(stream, bytes)
    return stream


def fields_of(drawn: dict[str, Any]) -> dict[str, Any]:
    start_ms, length_ms = DAY * DAY_MS + drawn["start"], drawn["length"]
    if drawn["aligned"]:
        start_ms -= start_ms % DAY_MS
    fields = {
        "site": SITE,
        "points": drawn["points"],
        "start_time": start_ms,
        "end_time": start_ms + length_ms,
    }
    return fields if drawn["route"] is None else {**fields, "route": drawn["route"]}


@given(st.lists(requests, min_size=1, max_size=12))
def test_any_answer_equals_a_direct_fetch_whatever_is_stored(drawn: list[dict[str, Any]]) -> None:
    system = System(RouteSizes(direct_max_samples=150, queued_min_samples=10_000))
    for one in drawn:
        fields = fields_of(one)
        system.clock.at_ms += one["wait"]
        system.blocks.failure = DOWN if one["blocks_down"] else None
        system.answers.failure = DOWN if one["answers_down"] else None
        headers = {"cache-control": one["cache_control"], "accept-encoding": one["accept"]}
        response = system.ask(fields, **headers)
        fresh = System(RouteSizes(), system.clock.at_ms).ask({**fields, "route": "direct"})
        assert response.status == fresh.status == 200
        assert body_of(response) == body_of(fresh)
        assert response.headers["ETag"] == fresh.headers["ETag"]


@given(requests, requests)
def test_a_sealed_request_that_was_stored_is_never_asked_upstream_again(
    first: dict[str, Any], second: dict[str, Any]
) -> None:
    system = System(RouteSizes())
    known = [point for point in first["points"] if point in NAMES] or NAMES
    fields = {**fields_of(first), "points": known, "route": "cached"}
    fields["end_time"] = min(fields["end_time"], (DAY + 6) * DAY_MS)
    fields["start_time"] = min(fields["start_time"], fields["end_time"] - 1)
    once = system.ask(fields)
    assert once.headers["X-Cache-Hit"] == "false"
    asked = len(system.origin.calls)
    again = system.ask({**fields, "points": list(reversed(known))})
    assert (again.headers["X-Cache-Hit"], again.headers["Cache-Status"]) == ("true", "EdgeSeries; hit")
    assert body_of(again) == body_of(once)
    # A part of the range, and some of the points, are served from blocks.
    narrower = {**fields, "points": known[:1], "start_time": fields["end_time"] - 1}
    assert system.ask(narrower).headers["X-Cache-Hit"] == "true"
    assert len(system.origin.calls) == asked
    # A caller may have it fetched anew.
    refreshed = system.ask(fields, **{"cache-control": second["cache_control"] or "no-cache"})
    assert refreshed.headers["X-Cache-Hit"] == "false"
    assert len(system.origin.calls) > asked


def test_what_a_purge_or_another_range_lacks_is_fetched_alone() -> None:
    system = System(RouteSizes())
    base = {"site": SITE, "points": NAMES, "route": "cached"}
    system.ask({**base, "start_time": DAY * DAY_MS, "end_time": (DAY + 2) * DAY_MS})
    spans = [(gap.start_ms // DAY_MS - DAY, gap.end_ms // DAY_MS - DAY) for gap in system.origin.spans]
    assert spans == [(0, 2)]
    system.ask({**base, "start_time": (DAY + 1) * DAY_MS, "end_time": (DAY + 4) * DAY_MS})
    spans = [(gap.start_ms // DAY_MS - DAY, gap.end_ms // DAY_MS - DAY) for gap in system.origin.spans]
    assert spans == [(0, 2), (2, 4)]


def test_the_live_edge_is_never_stored() -> None:
    system = System(RouteSizes())
    fields = {
        "site": SITE,
        "points": NAMES,
        "route": "cached",
        "start_time": (DAY + 5) * DAY_MS,
        "end_time": NOW_MS,
    }
    assert system.ask(fields).headers["X-Cache-Hit"] == "false"
    again = system.ask(fields)
    assert (again.headers["X-Cache-Hit"], again.headers["Cache-Status"]) == ("true", "EdgeSeries; hit")
    assert not system.answers.kept
    assert {day for days in system.blocks.held.values() for day in days} == {DAY + 5}


def test_the_live_edge_is_asked_from_the_last_sample_on_every_route() -> None:
    for route in ("direct", "cached"):
        system = System(RouteSizes())
        fields = {"site": SITE, "points": NAMES, "route": route, "start_time": (DAY + 6) * DAY_MS}
        first = system.ask({**fields, "end_time": NOW_MS})
        # Within the ttl nothing is asked, also for an end that has moved on.
        system.clock.at_ms += 9_999
        again = system.ask({**fields, "end_time": NOW_MS + 9_999})
        assert (again.headers["X-Cache-Hit"], len(system.origin.spans)) == ("true", 1)
        assert json.loads(first.body)["_meta"]["sampleCount"] == 12
        assert json.loads(again.body)["_meta"]["sampleCount"] == 15
        # After it, from just behind the last sample that was not in the future when it was read.
        system.clock.at_ms += 60_000
        part = system.ask({**fields, "end_time": system.clock.at_ms})
        assert part.headers["X-Cache-Hit"] == "false"
        assert "fwd=partial" in part.headers["Cache-Status"]
        assert min(span.start_ms for span in system.origin.spans[1:]) > NOW_MS - 4 * 3_600_000
        # Who says so goes past it, or has it read anew.
        for cache_control in ("no-store", "no-cache"):
            system.origin.spans.clear()
            system.ask({**fields, "end_time": NOW_MS}, **{"cache-control": cache_control})
            assert [span.start_ms for span in system.origin.spans] == [(DAY + 6) * DAY_MS]


def test_a_point_that_the_site_lacks_is_told_every_time() -> None:
    system = System(RouteSizes())
    fields = {"site": SITE, "points": ["unknown"], "start_time": (DAY + 6) * DAY_MS, "end_time": NOW_MS}
    for _ in range(2):
        assert json.loads(system.ask(fields).body)["data"]["unknown"]["error"] is not None
