"""Results in parts, and requests of too many blocks: what one invocation cannot read at once."""

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeseries.answers.parts import block_count, part_count, part_of
from edgeseries.errors import TooLarge
from edgeseries.http.messages import HttpResponse
from edgeseries.jobs.limits import RESULT_MAX_BLOCKS
from edgeseries.limits import DAY_MS, INLINE_MAX_BLOCKS
from edgeseries.planning.routing import Route, RouteSizes, choose_route
from edgeseries.series.timerange import TimeRange, parse_instant
from router.ports import Ports
from tests.asked_router import ask, told
from tests.fake_stores import SqliteDatabase
from tests.fakes import FakeOrigin
from tests.made_ports import router_ports

YEARS = TimeRange(
    start_ms=parse_instant("2016-01-15T00:00:00Z"), end_ms=parse_instant("2025-12-02T00:00:00Z")
)
"""120 months."""


def test_blocks_are_points_times_months() -> None:
    assert block_count(3, YEARS) == 3 * 120
    assert block_count(5, TimeRange(start_ms=0, end_ms=1)) == 5
    assert block_count(5, None) == 0, "what is all live lies in no block"


@given(st.integers(1, 10_000), st.integers(0, 40_000), st.integers(1, 3_660))
def test_parts_hold_every_point_once_and_never_too_many_blocks(count: int, first_day: int, days: int) -> None:
    span = TimeRange(start_ms=first_day * DAY_MS, end_ms=(first_day + days) * DAY_MS)
    points = [f"p{number}" for number in range(count)]
    parts = [part_of(points, span, number) for number in range(1, part_count(count, span) + 1)]
    assert [point for part in parts for point in part] == points
    assert all(parts)
    assert max(block_count(len(part), span) for part in parts) <= RESULT_MAX_BLOCKS
    assert part_of(points, span, len(parts) + 1) == ()


@pytest.mark.parametrize(("forced", "route"), [(None, Route.QUEUED), (Route.QUEUED, Route.QUEUED)])
def test_an_answer_of_too_many_blocks_is_queued(forced: Route | None, route: Route) -> None:
    chosen = choose_route(
        missing_samples=0, answer_samples=1, blocks=INLINE_MAX_BLOCKS + 1, forced=forced, sizes=RouteSizes()
    )
    assert chosen is route
    with pytest.raises(TooLarge, match="blocks"):
        choose_route(
            missing_samples=0,
            answer_samples=1,
            blocks=INLINE_MAX_BLOCKS + 1,
            forced=Route.CACHED,
            sizes=RouteSizes(),
        )


def completed_job(names: list[str]) -> tuple[Ports, str]:
    """A completed job of ten years of some points that have one sample each."""
    at_ms = parse_instant("2020-05-05T00:00:00Z")
    database = SqliteDatabase()
    ports = router_ports(
        origin=FakeOrigin({"hq": {name: [(at_ms, 1.5)] for name in names}}), database=database
    )
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
    names = [f"p{number:03d}" for number in range(RESULT_MAX_BLOCKS // 120 + 5)]
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
