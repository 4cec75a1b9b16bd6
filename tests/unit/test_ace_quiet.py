"""Points without samples at ACE: few calls settle many of them, and no evidence is weaker for it."""

import asyncio
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from edgeseries.errors import EdgeError, OriginUnconfirmed
from edgeseries.http.messages import HttpCall, HttpReply
from edgeseries.limits import HOUR_MS, MINUTE_MS
from edgeseries.origins.ace import limits
from edgeseries.origins.ace.activity import Activity, Heard
from edgeseries.origins.ace.catalogue import Catalogue
from edgeseries.origins.ace.origin import AceOrigin
from edgeseries.planning.fetch_plan import Gap
from edgeseries.planning.sample_bound import SampleBound
from edgeseries.reading.fetching import fetch_for_answer
from edgeseries.series.timerange import TimeRange, iso_instant, parse_instant
from tests.fakes import FakeClock
from tests.unit.test_ace_origin import NO_DATA, reply

text_of = cache(iso_instant)

NOW_MS = 1_704_103_200_000
SPAN = TimeRange(start_ms=NOW_MS - 12 * HOUR_MS, end_ms=NOW_MS)
QUIET = [f"quiet_{number:04d}" for number in range(200)]
LOUD = [f"loud_{number:04d}" for number in range(50)]

KINDS = ("batch", "pages", "singles", "list")


def kind_of(path: str) -> str:
    if path in {"/sites/", "/sites/hq/points"}:
        return "list"
    return "batch" if path == "/points/get_timeseries" else "pages" if "/paginated" in path else "singles"


class Building:
    """A vendor with one site whose `loud` points have a sample every five minutes and whose other points have
    none. `strict`: a batch is answered by 404 as soon as one of its points has no sample. `instead` answers
    calls of a kind in its own way.
    """

    def __init__(
        self,
        points: Iterable[str],
        loud: Iterable[str] = (),
        *,
        strict: bool = False,
        instead: Mapping[str, HttpReply] | None = None,
        step_ms: int = 5 * MINUTE_MS,
    ) -> None:
        self.points, self.loud = list(points), set(loud)
        self.strict, self.instead, self.step_ms = strict, dict(instead or {}), step_ms
        self.calls: Counter[str] = Counter()
        self.rows = 0

    async def send(self, call: HttpCall) -> HttpReply:
        url = urlsplit(call.url)
        path = url.path.removeprefix("/api")
        kind = kind_of(path)
        self.calls[kind] += 1
        if kind in self.instead:
            return self.instead[kind]
        query = {name: some[0] for name, some in parse_qs(url.query).items()}
        answer = self.answer(kind, path, query, call)
        if answer is None:
            return reply(404, NO_DATA)
        self.rows += len(answer.get("point_samples", ()))
        return reply(200, answer)

    def answer(self, kind: str, path: str, query: Mapping[str, str], call: HttpCall) -> Any:
        if kind == "list":
            names = ["hq"] if path == "/sites/" else self.points
            return {"items": [{"name": name} for name in names], "page": 1, "pages": 1}
        span = (parse_instant(query["start_time"]), parse_instant(query["end_time"]))
        if kind == "batch":
            names = [one["name"] for one in json.loads(call.body or b"")["points"]]
            found = self.samples(names, *span)
            quiet = set(names) - {row["name"] for row in found}
            return None if not found or (self.strict and quiet) else {"point_samples": found}
        if kind == "singles":
            return {"point_samples": self.samples([unquote(path.split("/")[2])], *span)}
        found = sorted(self.samples(self.points, *span), key=lambda row: row["time"])
        first, size = int(query.get("cursor", 0)), int(query["page_size"])
        more = first + size < len(found)
        page = {"point_samples": found[first : first + size], "has_more": more}
        return None if not found else {**page, "next_cursor": str(first + size) if more else None}

    def samples(self, names: Iterable[str], start_ms: int, end_ms: int) -> list[dict[str, str]]:
        first_ms = -(-start_ms // self.step_ms) * self.step_ms
        times = [text_of(at_ms) for at_ms in range(first_ms, end_ms, self.step_ms)]
        return [
            {"name": name, "time": at, "value": "1"} for name in names if name in self.loud for at in times
        ]


class Isolate:
    """What one isolate asks of a building. Every fetch is an event of its own."""

    def __init__(self, building: Building) -> None:
        self.building = building
        self.clock = FakeClock(at_ms=NOW_MS)
        self.catalogue = Catalogue()

    def fetch(
        self, points: Sequence[str], span: TimeRange = SPAN, *, origin: AceOrigin | None = None
    ) -> set[str]:
        """The points that have samples. No point may have an error."""
        self.building.calls.clear()
        asked = self.origin() if origin is None else origin
        series = asyncio.run(asked.fetch("hq", points, span, deadline_ms=self.clock.now_ms() + 30_000))
        assert [one.point for one in series] == list(points)
        assert not [one for one in series if one.error is not None]
        return {one.point for one in series if len(one.samples)}

    def origin(self) -> AceOrigin:
        return AceOrigin(
            base_url="https://vendor.example/api",
            token="t",  # noqa: S106 - made up
            web=self.building,
            clock=self.clock,
            catalogue=self.catalogue,
        )


def test_quiet_points_of_a_quiet_site_are_settled_by_its_pages() -> None:
    isolate = Isolate(Building([*QUIET, *LOUD], LOUD))
    assert isolate.fetch(QUIET) == set()
    # A list; four batches; 7,200 rows of the loud ones on one page.
    assert isolate.building.calls == {"list": 1, "batch": 4, "pages": 1}


def test_what_pages_settled_once_is_asked_by_pages_alone() -> None:
    isolate = Isolate(Building([*QUIET, *LOUD], LOUD))
    isolate.fetch(QUIET)
    assert isolate.fetch(QUIET) == set()
    assert isolate.building.calls == {"pages": 1}


def test_pages_settle_all_further_points_of_the_same_event() -> None:
    isolate = Isolate(Building([*QUIET, *LOUD], LOUD))
    origin = isolate.origin()
    isolate.fetch(QUIET[:100], origin=origin)
    shorter = TimeRange(start_ms=SPAN.start_ms + HOUR_MS, end_ms=SPAN.end_ms)
    assert isolate.fetch([*QUIET[100:], *LOUD], shorter, origin=origin) == set(LOUD)
    assert not isolate.building.calls
    isolate.clock.at_ms += limits.SITE_READ_MS + 1
    isolate.fetch(QUIET[100:], origin=origin)
    assert isolate.building.calls, "what was read of a site does not hold for long"


def many() -> Building:
    """More rows than some pages hold."""
    loud = [f"loud_{number:04d}" for number in range(600)]
    return Building([*QUIET, *loud], loud)


def test_quiet_points_of_a_loud_site_are_asked_beside_one_that_has_samples() -> None:
    isolate = Isolate(many())
    assert isolate.fetch(QUIET) == set()
    # The pages are not read to their end; what they bring names companions.
    assert isolate.building.calls == {"list": 1, "batch": 8, "pages": 1}
    assert sum(isolate.building.calls.values()) <= 12
    isolate.clock.at_ms += MINUTE_MS
    assert isolate.fetch(QUIET) == set()
    assert isolate.building.calls == {"batch": 4}, "beside a companion at once"


def test_a_quiet_batch_among_others_takes_one_call_more() -> None:
    building = many()
    loud = sorted(building.loud)[:100]
    isolate = Isolate(building)
    assert isolate.fetch([*loud, *QUIET[:50]]) == set(loud)
    assert building.calls == {"list": 1, "batch": 4}


def test_a_companion_that_fell_silent_is_not_believed_to_speak() -> None:
    building = many()
    isolate = Isolate(building)
    isolate.fetch(QUIET)
    building.loud.clear()
    assert isolate.fetch(QUIET) == set()
    # Two companions are tried; then it is the site that is silent.
    assert isolate.building.calls == {"batch": 8, "pages": 1, "list": 1}


def test_a_point_that_was_quiet_and_has_samples_again_is_seen() -> None:
    building = many()
    isolate = Isolate(building)
    isolate.fetch(QUIET)
    building.loud.add(QUIET[7])
    assert isolate.fetch(QUIET) == {QUIET[7]}
    assert isolate.fetch(QUIET) == {QUIET[7]}


def test_a_batch_that_one_point_spoils_is_halved() -> None:
    """This vendor's pages are not there, and its batches are 404 if one of their points has no sample."""
    building = Building([*QUIET[:1], *LOUD], LOUD, strict=True, instead={"pages": reply(404)})
    isolate = Isolate(building)
    asked = sorted([*LOUD[:49], QUIET[0]])
    assert isolate.fetch(asked) == set(LOUD[:49])
    assert building.calls["batch"] + building.calls["singles"] <= 20


def test_without_pages_and_companions_quiet_points_are_asked_alone_in_the_end() -> None:
    building = Building(QUIET, instead={"pages": reply(404)})
    isolate = Isolate(building)
    assert isolate.fetch(QUIET[:50]) == set()
    assert building.calls["singles"] == 50
    assert building.calls["batch"] <= 7
    isolate.fetch(QUIET[:50])
    assert not building.calls["pages"], "pages that are not there are not asked for at every look"


def test_pages_that_fail_spoil_nothing() -> None:
    for answer in (reply(500), reply(403), reply(200, [])):
        isolate = Isolate(Building([*QUIET, *LOUD], LOUD, instead={"pages": answer}))
        assert isolate.fetch([*QUIET[:10], *LOUD[:1]]) == {LOUD[0]}
        assert isolate.fetch(QUIET[:10]) == set()


def test_a_quiet_site_is_confirmed_by_pages_batches_and_the_list() -> None:
    isolate = Isolate(Building(QUIET))
    assert isolate.fetch(QUIET) == set()
    assert isolate.building.calls == {"list": 2, "batch": 4, "pages": 1}


def test_a_site_that_is_denied_and_has_a_sample_is_no_witness() -> None:
    """One batch brings rows; the other is spoilt by one quiet point, and the pages lie."""
    building = Building([*QUIET[:1], *LOUD], LOUD, strict=True, instead={"pages": LIE})
    asked = [*LOUD, QUIET[0]]
    assert Isolate(building).fetch(asked) == set(LOUD)


LIE = reply(404, NO_DATA)
GATEWAY = reply(404, {"message": "Not Found"})


@given(
    loud=st.sets(st.sampled_from(LOUD[:12]), max_size=12),
    quiet=st.integers(0, 60),
    asked=st.data(),
    strict=st.booleans(),
    lying=st.sampled_from([None, "batch", "pages"]),
    broken=st.sets(st.sampled_from(KINDS), max_size=3),
    step_ms=st.sampled_from([MINUTE_MS, HOUR_MS, 100 * HOUR_MS]),
)
@settings(max_examples=60)
def test_whatever_one_endpoint_says_an_answer_is_the_truth_or_none(  # noqa: PLR0917 - drawn
    loud: set[str],
    quiet: int,
    asked: st.DataObject,
    strict: bool,  # noqa: FBT001 - drawn
    lying: str | None,
    broken: set[str],
    step_ms: int,
) -> None:
    """One kind of call may deny what there is in the vendor's own words, others may be a gateway's 404."""
    points = [*LOUD[:12], *QUIET[:quiet]]
    building = Building(points, loud, strict=strict, step_ms=step_ms)
    isolate = Isolate(building)
    names = asked.draw(st.lists(st.sampled_from(points), min_size=1, unique=True))
    there = {point for point in names if building.samples([point], SPAN.start_ms, SPAN.end_ms)}
    # A batch that is 404 for one of its points and pages that deny the site are two witnesses, alas.
    assume(not (strict and lying == "pages"))
    building.instead = dict.fromkeys(broken, GATEWAY) | ({} if lying is None else {lying: LIE})
    for _ in range(2):
        try:
            assert isolate.fetch(names) == there
        except EdgeError:
            assert broken or lying
        # What an isolate remembers of a bad hour must not spoil a good one.
        building.instead = {}
    assert isolate.fetch(names) == there


def test_a_gateway_everywhere_is_believed_nothing() -> None:
    isolate = Isolate(Building(QUIET, instead=dict.fromkeys(("batch", "pages", "singles"), GATEWAY)))
    with pytest.raises(OriginUnconfirmed):
        isolate.fetch(QUIET)


def test_what_is_remembered_is_bounded() -> None:
    activity = Activity()
    names = [f"p{number}" for number in range(limits.QUIET_MAX_POINTS + 10)]
    activity.learn("hq", SPAN, heard={}, silent=names, now_ms=NOW_MS)
    assert activity.quiet("hq", names, SPAN, now_ms=NOW_MS) == frozenset(names[10:])
    assert not activity.quiet("hq", names, SPAN, now_ms=NOW_MS + limits.QUIET_TTL_MS + 1)
    later = TimeRange(start_ms=SPAN.end_ms, end_ms=SPAN.end_ms + HOUR_MS)
    assert not activity.quiet("hq", names, later, now_ms=NOW_MS)
    heard = {
        name: Heard(last_ms=SPAN.start_ms + place, count=1 + place) for place, name in enumerate(names[:100])
    }
    activity.learn("hq", SPAN, heard=heard, now_ms=NOW_MS)
    known = [name for name in names[:100] if activity.companion("hq", SPAN, among=[name])]
    assert len(known) == limits.LOUD_POINTS
    assert activity.companion("hq", SPAN, among=names) == names[0], "the sparsest of those heard in an hour"


def test_a_dense_point_is_no_companion_for_a_long_range() -> None:
    activity = Activity()
    activity.learn("hq", SPAN, heard={"a": Heard(last_ms=NOW_MS - 1, count=720)}, now_ms=NOW_MS)
    year = TimeRange(start_ms=NOW_MS - 365 * 24 * HOUR_MS, end_ms=NOW_MS)
    assert activity.companion("hq", SPAN, among=["a"]) == "a"
    assert activity.companion("hq", year, among=["a"]) is None


def test_3000_points_of_which_most_are_quiet_take_a_call_each_fifty() -> None:
    """By the reader's pieces: nothing is known of the points before."""
    loud = [f"loud_{number:04d}" for number in range(600)]
    points = sorted([*loud[:100], *(f"quiet_{number:04d}" for number in range(2_900))])
    isolate = Isolate(Building([*points, *loud[100:]], loud))
    origin = isolate.origin()
    gap = Gap(points=tuple(points), span=SPAN)

    async def fetched() -> int:
        deliveries = fetch_for_answer(
            *("hq", [gap]),
            origin=origin,
            density_per_day={},
            deadline_ms=NOW_MS + 30_000,
            bound=SampleBound(150_000),
            probes=False,
        )
        return sum([len(one.samples) async for _, series in deliveries for one in series])

    isolate.building.calls.clear()
    assert asyncio.run(fetched()) == 100 * 144
    assert set(isolate.building.calls) <= {"list", "pages", "batch"}
    assert sum(isolate.building.calls.values()) <= 68
