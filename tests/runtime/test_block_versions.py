"""Blocks of months (version 1) on workerd: read as they are, moved by the janitor, purged like all others.

They are laid as a Worker of before wrote them; sweeps are those of `local/sweep.py`.
"""

from typing import Any

import httpx
import pytest

from edgeseries.limits import DAY_MS
from edgeseries.series.days import month_days
from edgeseries.storage.object_keys import block_key, content_digest, version_of
from local.expected import expected_samples
from local.sweep import sweep
from tests.runtime.conftest import Running
from tests.sensor_columns import real_month

pytestmark = pytest.mark.runtime

SITE, POINT = "opengrid_minute", "water_2923"
MONTHS = ("2015-03", "2015-04")
FIRST_DAY = month_days(MONTHS[0]).start
LONG_AGO_MS = 1_600_000_000_000


@pytest.fixture
def _laid(whole_stack: Running) -> None:
    """Two months as a Worker of before has stored them, and nothing else of the site."""
    host = whole_stack.stack.host
    whole_stack.client.delete("/api/cache", params={"site": SITE}).raise_for_status()
    for month in MONTHS:
        _, block, samples = real_month(SITE, POINT, month)
        digest = content_digest(block)
        key = block_key(SITE, POINT, month, digest)
        host.put_object(key, block)
        every = (1 << len(month_days(month))) - 1
        host.query(
            "INSERT INTO cache_metadata (object_key, kind, site, point, month, covered_days, object_days, "
            "sample_count, raw_bytes, stored_bytes, codec, version, created_ms, used_ms) "
            "VALUES (?, 'block', ?, ?, ?, ?, ?, ?, ?, ?, 'br', ?, ?, ?)",
            *(key, SITE, POINT, month, every, every, len(samples), 16 * len(samples), len(block)),
            *(version_of(digest), LONG_AGO_MS, LONG_AGO_MS),
        )


def ask(running: Running, first: int, last: int) -> httpx.Response:
    """Days of March, counted from the first of it; right whatever they come from."""
    start_ms, end_ms = (FIRST_DAY + first) * DAY_MS, (FIRST_DAY + last + 1) * DAY_MS
    fields: dict[str, Any] = {"site": SITE, "point": POINT, "start_time": start_ms, "end_time": end_ms}
    response = running.client.get("/api/timeseries", params={**fields, "route": "cached"})
    assert response.status_code == 200, response.text
    samples = response.json()["data"][POINT]["samples"]
    assert samples == expected_samples(running.truth, SITE, POINT, start_ms, end_ms)
    assert samples
    return response


def periods(running: Running) -> list[tuple[str, str]]:
    rows = running.stack.host.query(
        "SELECT month, object_key FROM cache_metadata WHERE site = ? AND point = ? ORDER BY month",
        SITE,
        POINT,
    )
    return [(row["month"], row["object_key"]) for row in rows]


@pytest.mark.usefixtures("_laid")
def test_months_are_read_and_moved_and_read_again(running: Running) -> None:
    assert ask(running, 2, 9).headers["x-cache-hit"] == "true"
    assert ask(running, 25, 40).headers["x-cache-hit"] == "true", "over the end of a month"
    before = periods(running)
    assert [month for month, _ in before] == list(MONTHS)
    sweep(running.stack.host)
    ((year, key),) = periods(running)
    assert year == "2015"
    assert running.stack.host.get_object(key)
    noted = running.stack.host.query("SELECT object_key FROM superseded_objects")
    assert {old for _, old in before} <= {row["object_key"] for row in noted}
    for first, last in ((3, 3), (10, 20), (28, 50)):
        assert ask(running, first, last).headers["x-cache-hit"] == "true"
    fetched = [key for key in running.upstream_stats()["by_point_day"] if key.startswith(f"{POINT}|")]
    assert fetched == [], "nothing of it was fetched; the sweep may ask once more for days of other sites"


@pytest.mark.usefixtures("_laid")
def test_a_day_that_is_stored_takes_months_in_and_a_purge_is_a_purge(running: Running) -> None:
    span = {"start_time": (FIRST_DAY + 5) * DAY_MS, "end_time": (FIRST_DAY + 7) * DAY_MS}
    fields: dict[str, Any] = {"site": SITE, "point": POINT, **span}
    running.client.delete("/api/cache", params=fields).raise_for_status()
    assert ask(running, 5, 6).headers["x-cache-hit"] == "false"
    refreshed = running.client.get(
        "/api/timeseries", params={**fields, "route": "cached"}, headers={"Cache-Control": "no-cache"}
    )
    assert refreshed.status_code == 200
    assert [period for period, _ in periods(running)] == ["2015"]
    assert ask(running, 2, 30).headers["x-cache-hit"] == "true"
