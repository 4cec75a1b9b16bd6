"""A hostile upstream on the real stack: nothing false is answered or stored, and no isolate dies."""

import json
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from local.expected import expected_samples
from tests import made_up
from tests.runtime.conftest import Running

pytestmark = pytest.mark.runtime

SITE = made_up.ODD_SITE
POINTS = (made_up.SLASHES, made_up.UNICODE, made_up.EMPTY)
START_MS, END_MS = 1_709_164_800_000, 1_709_337_600_000
"""2024-02-29 to 2024-03-02: all that the site has."""

SINGLES = {"only": ["point_timeseries", "point"], "batch_shape": "none"}

FALSE: dict[str, dict[str, Any]] = {
    "a gateway's page everywhere": {"mood": "gateway_page"},
    "a gateway's JSON everywhere": {"mood": "gateway_json"},
    "a gateway's page for samples": {
        "mood": "gateway_page",
        "only": ["points_get_timeseries", "point_timeseries", "site_timeseries_paginated"],
    },
    "a gateway's page for single points": {"mood": "gateway_page", **SINGLES},
    "more than a batch can have": {"mood": "more"},
    "more than a single point can have": {"mood": "more", **SINGLES},
    "names in another form": {"mood": "other_form"},
    "brackets": {"mood": "brackets"},
    "brackets for samples": {"mood": "brackets", "only": ["points_get_timeseries"]},
    "brackets for single points": {"mood": "brackets", **SINGLES},
}
"""Upstreams that no answer can be made from."""

TRUE: dict[str, dict[str, Any]] = {
    "no data by batches": {"mood": "no_data", "only": ["points_get_timeseries"]},
    "a gateway's page for batches": {"mood": "gateway_page", "only": ["points_get_timeseries"]},
    "rows of another site's point": {"mood": "unasked_rows"},
    "rows outside the range": {"mood": "outside_rows"},
}
"""Upstreams that the truth can be got from."""


@pytest.fixture(autouse=True)
def _calm_afterwards(running: Running) -> Iterator[None]:
    yield
    running.upstream()
    forget(running, SITE)


def forget(running: Running, site: str) -> None:
    running.client.delete("/api/cache", params={"site": site}).raise_for_status()


def ask(running: Running, **fields: Any) -> httpx.Response:
    body = {"site": SITE, "points": list(POINTS), "start_time": START_MS, "end_time": END_MS, **fields}
    return running.client.post("/api/timeseries", json=body)


def truth(running: Running, site: str, point: str) -> list[list[Any]]:
    return expected_samples(running.truth, site, point, START_MS, END_MS)


def tells_the_truth(running: Running, response: httpx.Response) -> None:
    assert response.status_code == 200, response.text[:500]
    told = {point: one["samples"] for point, one in response.json()["data"].items()}
    assert json.dumps(told, sort_keys=True) == json.dumps(
        {point: truth(running, SITE, point) for point in POINTS}, sort_keys=True
    )


@pytest.mark.parametrize("route", ["cached", "direct"])
@pytest.mark.parametrize("name", FALSE)
def test_what_is_false_is_neither_answered_nor_stored(running: Running, name: str, route: str) -> None:
    forget(running, SITE)
    running.upstream(**FALSE[name])
    response = ask(running, route=route)
    assert response.status_code == 502, response.text[:500]
    assert response.json()["type"] == "urn:edgeseries:problem:upstream-contract"
    assert running.client.get("/api/health").json() == {"status": "ok"}, "no isolate has died of it"
    running.upstream()
    tells_the_truth(running, ask(running, route=route))


@pytest.mark.parametrize("name", TRUE)
def test_what_is_true_is_found_in_what_is_false(running: Running, name: str) -> None:
    forget(running, SITE)
    running.upstream(**TRUE[name])
    seen = len(running.logs)
    tells_the_truth(running, ask(running, route="cached"))
    running.upstream()
    stored = ask(running, route="cached")
    tells_the_truth(running, stored)
    assert stored.headers["X-Cache-Hit"] == "true"
    lines = [line.text for line in running.logs[seen:] if '"dropped"' in line.text]
    dropped = [json.loads(line)["dropped"] for line in lines]
    named = {"rows of another site's point": "rows_unasked=", "rows outside the range": "rows_outside="}
    if name in named:
        assert any(named[name] in (one or "") for one in dropped)


def test_integers_of_hundreds_of_digits_are_null_on_every_route(running: Running) -> None:
    forget(running, SITE)
    running.upstream(mood="long_integers")
    expected = [[at_ms, None] for at_ms, _ in truth(running, SITE, made_up.SLASHES)]
    for route in ("direct", "cached", "cached"):
        body = ask(running, route=route, points=[made_up.SLASHES]).raise_for_status().json()
        assert body["data"][made_up.SLASHES]["samples"] == expected


@pytest.mark.parametrize("mood", ["gateway_page", "no_data"])
def test_a_job_outlives_a_spell_and_stores_nothing_false(running: Running, mood: str) -> None:
    """`no_data` for the pages of the site: one witness, whom the batch contradicts."""
    forget(running, SITE)
    spell = {"only": ["site_timeseries_paginated"]} if mood == "no_data" else {}
    running.upstream(mood=mood, **spell)
    points = sorted(point.name for point in running.truth.points(SITE))
    body = {"site": SITE, "points": points, "start_time": START_MS, "end_time": END_MS}
    job = running.client.post("/api/jobs", json=body).raise_for_status().json()
    until = time.monotonic() + 60
    while time.monotonic() < until:
        told = running.client.get(job["statusUrl"]).json()
        if told["status"] not in ("queued", "processing") or (mood == "gateway_page" and told["retries"]):
            break
        time.sleep(0.2)
    running.upstream()
    while time.monotonic() < until and told["status"] != "completed":
        told = running.client.get(job["statusUrl"]).json()
        time.sleep(0.2)
    assert told["status"] == "completed", told
    result = running.client.get(told["resultUrl"]).json()
    for point in points:
        assert json.dumps(result["data"][point]["samples"]) == json.dumps(truth(running, SITE, point))


def test_two_sites_with_a_point_of_one_name_do_not_mix(running: Running) -> None:
    """On the wire, in blocks, in cached answers, in purges."""
    running.upstream(shared_names=True)
    for site in made_up.SAME_SITES:
        forget(running, site)
        listed = running.client.get(f"/api/sites/{site}/points").raise_for_status().json()["points"]
        assert made_up.SAME_NAME in [point["name"] for point in listed]

    def compare(site: str, *, hit: str) -> None:
        response = ask(running, site=site, points=[made_up.SAME_NAME], route="cached")
        samples = response.raise_for_status().json()["data"][made_up.SAME_NAME]["samples"]
        expected = truth(running, site, f"{site}/{made_up.SAME_NAME}")
        assert len(expected) == 144
        assert samples == expected
        assert response.headers["X-Cache-Hit"] == hit

    east, west = made_up.SAME_SITES
    for hit in ("false", "true"):
        compare(east, hit=hit)
        compare(west, hit=hit)
    forget(running, east)
    compare(west, hit="true")
    compare(east, hit="false")
    compare(west, hit="true")
    running.upstream()
    for site in made_up.SAME_SITES:
        forget(running, site)
        # The isolate learns the other names again: it would not look for them within half a minute.
        running.client.get(f"/api/sites/{site}/points").raise_for_status()
