"""`/api/latest` on workerd: the last samples of a site whose telemetry happens now."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from local.expected import expected_samples
from tests import made_up
from tests.runtime.conftest import Running

pytestmark = pytest.mark.runtime

TTL_S = 10.1
MOST_CALLS_OF_A_READING = 2 + len(made_up.LIVE_POINTS) + 1


def latest(running: Running, **params: Any) -> dict[str, Any]:
    response = running.client.get("/api/latest", params={"site": made_up.LIVE_SITE, **params})
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


def test_the_last_sample_of_each_point_is_what_the_files_hold(running: Running) -> None:
    before_ms = time.time_ns() // 1_000_000
    found = latest(running)
    after_ms = time.time_ns() // 1_000_000
    assert sorted(found["points"]) == sorted((*made_up.LIVE_POINTS, made_up.STOPPED))
    for name, one in found["points"].items():
        held = expected_samples(running.truth, made_up.LIVE_SITE, name, 0, after_ms)
        assert [one["time"], one["value"]] in held[-2:]
        assert one["time"] == held[-1][0] or held[-1][0] > before_ms - 11_000
        assert abs(after_ms - one["time"] - 1000 * one["ageSeconds"]) < 12_000
    assert found["points"][made_up.STOPPED]["ageSeconds"] > 3 * 3600 - 60


def test_sixty_callers_at_once_are_one_read_of_the_upstream(running: Running) -> None:
    time.sleep(TTL_S)  # What was read before is older than a live TTL.
    running.upstream()
    with ThreadPoolExecutor(20) as pool:
        answers = [*pool.map(lambda _: latest(running), range(60))]
    times = {tuple(one["time"] for one in answer["points"].values()) for answer in answers}
    assert len(times) <= 2
    # One reading takes up to eleven calls: where nothing new came, each point's silence is confirmed by
    # itself. Sixty would take 180 at least; answers may take longer than a live TTL, so two are allowed.
    assert 0 < running.upstream_stats()["calls"] <= 2 * MOST_CALLS_OF_A_READING


def test_names_of_other_sites_and_of_nothing_are_errors_of_their_points(running: Running) -> None:
    found = latest(running, points=f"{made_up.LIVE_POINTS[0]},nothing")
    assert found["points"]["nothing"]["error"]
    assert found["count"] == 1
    refused = running.client.get("/api/latest", params={"site": "no such site"})
    assert refused.status_code == 404
