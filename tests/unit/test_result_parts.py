"""Results in parts, and requests of too many blocks: what one invocation cannot read at once."""

import asyncio
import json
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeseries.answers.parts import block_count, parts_of
from edgeseries.errors import TooLarge
from edgeseries.http.messages import HttpResponse
from edgeseries.jobs.adapters.job_rows import parts_of as parts_of_row
from edgeseries.jobs.adapters.job_rows import parts_text
from edgeseries.jobs.adapters.result_part_records import ResultPartRecords
from edgeseries.jobs.job import ResultPart
from edgeseries.jobs.limits import RESULT_MAX_BLOCKS, RESULT_MAX_SAMPLES
from edgeseries.limits import DAY_MS, INLINE_MAX_BLOCKS, INLINE_MAX_SAMPLES
from edgeseries.planning.fetch_plan import FetchPlan
from edgeseries.planning.routing import Route, RouteSizes, choose_route
from edgeseries.series.days import days_touched, month_of
from edgeseries.series.timerange import TimeRange, parse_instant
from router.ports import Ports
from tests.asked_router import ask, told
from tests.fake_stores import FakeBlocks, SqliteDatabase
from tests.fakes import FakeOrigin
from tests.made_ports import router_ports

YEARS = TimeRange(
    start_ms=parse_instant("2016-01-15T00:00:00Z"), end_ms=parse_instant("2025-12-02T00:00:00Z")
)
"""Ten years."""


def test_blocks_are_points_times_years() -> None:
    assert block_count(3, YEARS) == 3 * 10
    assert block_count(5, TimeRange(start_ms=0, end_ms=1)) == 5
    assert block_count(5, None) == 0, "what is all live lies in no block"


@given(
    st.integers(1, 2_000),
    st.integers(0, 40_000),
    st.integers(1, 3_660),
    st.dictionaries(st.integers(0, 1_999), st.floats(0, 4 * RESULT_MAX_SAMPLES), max_size=5),
    st.integers(0, 100),
)
def test_parts_hold_every_point_once_and_never_too_many_blocks_or_samples(
    count: int, first_day: int, days: int, sizes: dict[int, float], many: int
) -> None:
    span = TimeRange(start_ms=first_day * DAY_MS, end_ms=(first_day + days) * DAY_MS)
    points = [f"p{number}" for number in range(count)]
    expected = {point: sizes.get(place, 3_000.0) for place, point in enumerate(points)}

    def months(point: str) -> dict[str, float]:
        per_day = expected[point] / days
        found: dict[str, float] = {}
        for day in days_touched(span):
            found[month_of(day)] = found.get(month_of(day), 0.0) + per_day
        return found

    objects = dict.fromkeys(points[:many], 120)
    parts = list(parts_of(points, span, expected, months, objects))
    told: dict[str, list[TimeRange]] = {}
    for part in parts:
        assert part.point_count >= 1
        names = points[part.first_point : part.first_point + part.point_count]
        assert (
            sum(max(block_count(1, part.span), objects.get(name, 0)) for name in names) <= RESULT_MAX_BLOCKS
        )
        held = sum(expected[name] for name in names) * part.span.duration_ms / span.duration_ms
        assert held <= RESULT_MAX_SAMPLES * 1.001 or part.span.duration_ms <= DAY_MS
        for name in names:
            told.setdefault(name, []).append(part.span)
    assert list(told) == points
    for spans in told.values():
        assert (spans[0].start_ms, spans[-1].end_ms) == (span.start_ms, span.end_ms)
        assert all(one.end_ms == after.start_ms for one, after in pairwise(spans))
    assert parts_of_row((parts_text(parts),)) == tuple(parts)


def plan_of(*, missing: int = 0, least: int = 0) -> FetchPlan:
    return FetchPlan(
        span=YEARS,
        missing_days={},
        covered_points=(),
        live=None,
        missing_samples=missing,
        answer_samples=missing + least,
        least_samples=least,
    )


@pytest.mark.parametrize(("forced", "route"), [(None, Route.QUEUED), (Route.QUEUED, Route.QUEUED)])
def test_an_answer_of_too_many_blocks_is_queued(forced: Route | None, route: Route) -> None:
    many = INLINE_MAX_BLOCKS + 1
    assert choose_route(plan_of(), blocks=many, forced=forced, sizes=RouteSizes()) is route
    with pytest.raises(TooLarge, match="blocks"):
        choose_route(plan_of(), blocks=many, forced=Route.CACHED, sizes=RouteSizes())


@pytest.mark.parametrize(
    ("missing", "least", "told"),
    [
        (0, INLINE_MAX_SAMPLES + 1, f"at least {INLINE_MAX_SAMPLES + 1} samples"),
        (INLINE_MAX_SAMPLES, 1, f"about {INLINE_MAX_SAMPLES + 1} samples, 1 of them stored"),
        (INLINE_MAX_SAMPLES + 1, 0, f"about {INLINE_MAX_SAMPLES + 1} samples;"),
    ],
)
def test_an_answer_of_too_many_samples_is_queued_or_refused_with_what_is_known(
    missing: int, least: int, told: str
) -> None:
    plan = plan_of(missing=missing, least=least)
    assert choose_route(plan, blocks=1, forced=None, sizes=RouteSizes()) is Route.QUEUED
    with pytest.raises(TooLarge, match=told):
        choose_route(plan, blocks=1, forced=Route.DIRECT, sizes=RouteSizes())


def completed_job(names: list[str]) -> tuple[Ports, str]:
    """A completed job of ten years of some points that have one sample each."""
    at_ms = parse_instant("2020-05-05T00:00:00Z")
    database = SqliteDatabase()
    ports = router_ports(
        origin=FakeOrigin({"hq": {name: [(at_ms, 1.5)] for name in names}}), database=database
    )
    assert isinstance(ports.blocks, FakeBlocks)
    ports.blocks.learned = {("hq", name): (0.001, 30) for name in names}
    body = {"site": "hq", "points": names, "start_time": YEARS.start_ms, "end_time": YEARS.end_ms}
    response = ask("/api/jobs", (), method="POST", ports=ports, body=json.dumps(body).encode())
    job_id = str(told(response)["jobId"])
    database.connection.execute("UPDATE queue_jobs SET status = 'completed', ended_ms = 1")
    return ports, job_id


def body_of(response: HttpResponse) -> dict[str, Any]:
    async def read() -> bytes:
        return b"".join([piece async for piece in response.stream])  # type: ignore[union-attr]

    found: dict[str, Any] = json.loads(asyncio.run(read()))
    return found


def test_a_result_of_many_blocks_is_asked_part_by_part() -> None:
    names = [f"p{number:03d}" for number in range(RESULT_MAX_BLOCKS // 10 + 5)]
    ports, job_id = completed_job(names)
    path = f"/api/jobs/{job_id}/result"
    assert told(ask(f"/api/jobs/{job_id}", (), ports=ports))["resultParts"] == 2
    refused = ask(path, (), ports=ports)
    assert (refused.status, "part=1 to part=2" in told(refused)["detail"]) == (413, True)
    assert ask(path, (("part", "3"),), ports=ports).status == 400
    first, second = (ask(path, (("part", number),), ports=ports) for number in "12")
    assert first.headers["Link"] == f'<{path}?format=json&part=2>; rel="next"'
    assert "Link" not in second.headers
    data = body_of(second)["data"]
    assert list(data) == names[-len(data) :], "which points make a part, the property above says"
    assert len(data) < len(names)
    assert all(one["count"] == 1 for one in data.values())


def test_a_result_of_one_part_needs_no_part() -> None:
    ports, job_id = completed_job(["a", "b"])
    response = ask(f"/api/jobs/{job_id}/result", (), ports=replace(ports))
    assert (response.status, "Link" in response.headers) == (200, False)
    assert list(body_of(response)["data"]) == ["a", "b"]


def test_a_result_is_cut_by_its_samples_and_the_cut_stays() -> None:
    names = ["a", "b", "c"]
    ports, job_id = completed_job(names)
    assert isinstance(ports.blocks, FakeBlocks)
    days = YEARS.duration_ms / DAY_MS
    # b alone is two and a half parts, a and c are small.
    ports.blocks.learned["hq", "b"] = (2.5 * RESULT_MAX_SAMPLES / days, 30)
    path = f"/api/jobs/{job_id}"
    count = told(ask(path, (), ports=ports))["resultParts"]
    assert count >= 4
    bodies = [
        body_of(ask(f"{path}/result", (("part", str(number)),), ports=ports))
        for number in range(1, count + 1)
    ]
    assert [list(body["data"]) for body in bodies] == [["a"], *[["b"]] * (count - 2), ["c"]]
    spans = [(body["_meta"]["startTime"], body["_meta"]["endTime"]) for body in bodies[1:-1]]
    assert all(one[1] == after[0] for one, after in pairwise(spans))
    assert sum(body["data"].get("b", {"count": 0})["count"] for body in bodies) == 1
    # Whatever is learned or stored later, part 2 goes on where part 1 ended.
    ports.blocks.learned["hq", "b"] = (0.001, 60)
    assert told(ask(path, (), ports=ports))["resultParts"] == count
    assert body_of(ask(f"{path}/result", (("part", "2"),), ports=ports)) == bodies[1]


def test_a_result_that_cannot_be_cut_now_is_cut_later() -> None:
    ports, job_id = completed_job(["a"])
    assert isinstance(ports.blocks, FakeBlocks)
    running = told(ask(f"/api/jobs/{job_id}", (), ports=ports))
    assert running["resultParts"] == 1
    unfinished, other_id = completed_job(["a"])
    assert isinstance(unfinished.result_parts, ResultPartRecords)
    part = ResultPart(first_point=0, point_count=1, span=YEARS)

    async def cuts() -> list[object]:
        records = unfinished.result_parts
        first = await records.cut(other_id, [part])
        second = await records.cut(other_id, [part, part])
        return [first, second, await records.parts(other_id), await records.cut("nobody", [part])]

    assert asyncio.run(cuts()) == [(part,), (part,), (part,), None]


def test_an_unfinished_job_has_no_parts() -> None:
    database = SqliteDatabase()
    ports = router_ports(origin=FakeOrigin({"hq": {"a": []}}), database=database)
    body = {"site": "hq", "points": ["a"], "start_time": YEARS.start_ms, "end_time": YEARS.end_ms}
    job = told(ask("/api/jobs", (), method="POST", ports=ports, body=json.dumps(body).encode()))
    assert job["resultParts"] is None
    part = ResultPart(first_point=0, point_count=1, span=YEARS)
    assert asyncio.run(ports.result_parts.cut(job["jobId"], [part])) is None
