"""The janitor and the counts on workerd: the budget holds while requests are right, hits are cheap to count,
and what the statistics say adds up.

A stack of its own: its cache budget is a few thousand bytes, which other tests would not bear.
"""

import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from local.expected import expected_samples
from local.remote import Remote
from local.stack import Stack, StackOptions
from local.sweep import COMMAND, sweep
from local.upstream.truth import Truth

pytestmark = pytest.mark.runtime

ROOT = Path(__file__).resolve().parents[2]
SITE = "opengrid_minute"
POINTS = ["water_2923", "water_1a5c", "water_6616"]
DAY_MS = 86_400_000
FIRST_DAY_MS = 1_425_340_800_000
"""2015-03-03T00:00:00Z: all three meters run."""

BUDGET_BYTES = 6_000
HITS = 2_000
COUNTED_WITHIN_S = 30


@dataclass
class Upkeep:
    stack: Stack
    state: Path
    client: httpx.Client
    truth: Truth

    def ask(self, day: int, point: str) -> httpx.Response:
        response = self.client.get(
            "/api/timeseries",
            params={
                "site": SITE,
                "point": point,
                "start_time": FIRST_DAY_MS + day * DAY_MS,
                "end_time": FIRST_DAY_MS + (day + 1) * DAY_MS,
                "route": "cached",
            },
        )
        assert response.status_code == 200, response.text
        assert response.json()["data"][point]["samples"] == expected_samples(
            self.truth, SITE, point, FIRST_DAY_MS + day * DAY_MS, FIRST_DAY_MS + (day + 1) * DAY_MS
        )
        return response

    def rows(self, sql: str, *params: Any) -> list[dict[str, Any]]:
        return self.stack.host.query(sql, *params)

    def number(self, sql: str) -> int:
        (row,) = self.rows(sql)
        return int(next(iter(row.values())) or 0)

    def until(self, what: str, sql: str, wanted: int) -> None:
        """Counts are written some seconds after their responses."""
        end = time.monotonic() + COUNTED_WITHIN_S
        while (found := self.number(sql)) < wanted:
            assert time.monotonic() < end, f"{what}: {found} of {wanted}"
            time.sleep(0.2)

    def agree(self) -> None:
        """Bucket and index name the same objects, with the same sizes."""
        rows = {row["object_key"]: row["stored_bytes"] for row in self.rows("SELECT * FROM cache_metadata")}
        keys = self.stack.host.list_objects()
        assert sorted(rows) == keys
        assert {key: len(self.stack.host.get_object(key) or b"") for key in keys} == rows


@pytest.fixture(scope="module")
def upkeep(data_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Upkeep]:
    state = tmp_path_factory.mktemp("upkeep")
    options = StackOptions(
        state=state,
        data=data_folder,
        settings={"cacheBudgetGb": f"{BUDGET_BYTES / 1e9:.9f}", "janitorCron": "0 0 1 1 *"},
    )
    with (
        Stack(options) as stack,
        Remote(state, {COMMAND: lambda: sweep(stack.host)}),
        httpx.Client(base_url=stack.url, timeout=60.0, trust_env=False) as client,
    ):
        yield Upkeep(stack=stack, state=state, client=client, truth=Truth(data_folder))


def test_thousands_of_hits_are_a_few_writes(upkeep: Upkeep) -> None:
    upkeep.ask(0, POINTS[0])
    upkeep.until("stored", "SELECT count(*) FROM cache_metadata WHERE kind = 'answer'", 1)
    upkeep.until("written", "SELECT sum(request_count) FROM request_analytics", 1)
    transactions = "SELECT sum(d1_transactions) FROM platform_usage"
    written = "SELECT sum(d1_rows_written) FROM platform_usage"
    before = (upkeep.number(transactions), upkeep.number(written))
    params = {"site": SITE, "point": POINTS[0], "route": "cached"} | {
        "start_time": str(FIRST_DAY_MS),
        "end_time": str(FIRST_DAY_MS + DAY_MS),
    }

    def hit(_: int) -> str:
        return upkeep.client.get("/api/timeseries", params=params).headers["x-cache-hit"]

    started = time.monotonic()
    with ThreadPoolExecutor(max_workers=4) as callers:
        assert set(callers.map(hit, range(HITS))) == {"true"}
    seconds = time.monotonic() - started
    upkeep.until("counted", "SELECT sum(request_count) FROM request_analytics", HITS + 1)
    counted = upkeep.number("SELECT sum(request_count) FROM request_analytics WHERE cache_verdict = 'hit'")
    # Asked once more, so that the last write of counts is itself counted.
    upkeep.client.get("/api/health")
    upkeep.until("told", "SELECT sum(requests) FROM platform_usage", HITS + 2)
    made = upkeep.number(transactions) - before[0]
    rows = upkeep.number(written) - before[1]
    print(f"{HITS} hits in {seconds:.1f} s: {made} transactions, {rows} billed rows written")
    assert counted == HITS
    assert made <= seconds / 5 + HITS / 2_000 + 4
    assert rows <= made * 10
    assert upkeep.number("SELECT hit_count FROM cache_metadata WHERE kind = 'answer'") >= 1


def test_the_cache_is_held_to_its_budget_and_requests_stay_right(upkeep: Upkeep) -> None:
    for day in range(3):
        for point in POINTS:
            upkeep.ask(day, point)
    stored = "SELECT sum(stored_bytes) FROM cache_metadata"
    upkeep.until("stored", "SELECT count(*) FROM cache_metadata WHERE kind = 'answer'", 9)
    assert upkeep.number(stored) > BUDGET_BYTES, "the budget is too large for this test"
    # Made unequal and known, whatever the machine's pace was: the higher the key, the longer unused.
    upkeep.rows(
        "UPDATE cache_metadata SET used_ms = 1e12 - (SELECT count(*) FROM cache_metadata AS other "
        "WHERE other.object_key < cache_metadata.object_key)"
    )
    before = upkeep.rows("SELECT object_key, stored_bytes FROM cache_metadata ORDER BY used_ms")
    with ThreadPoolExecutor(max_workers=1) as callers:
        asked = callers.submit(lambda: [upkeep.ask(1, point) for point in POINTS for _ in range(10)])
        told = {row["duty"]: row["outcome"] for row in sweep(upkeep.stack.host)}
        assert len(asked.result()) == 30
    assert "objects went" in told["hold-budget"]
    sweep(upkeep.stack.host)
    assert upkeep.number(stored) <= BUDGET_BYTES
    left = {row["object_key"] for row in upkeep.rows("SELECT object_key FROM cache_metadata")}
    gone = [row["object_key"] for row in before if row["object_key"] not in left]
    assert gone
    assert before[0]["object_key"] in gone, "the least recently used stayed"
    upkeep.agree()
    for day in range(3):
        for point in POINTS:
            upkeep.ask(day, point)


def test_rows_of_objects_that_the_lifecycle_removed_go(upkeep: Upkeep) -> None:
    """Lifecycle rules tell nobody; so does this."""
    upkeep.ask(2, POINTS[0])
    upkeep.until("stored", "SELECT count(*) FROM cache_metadata", 1)
    key = upkeep.stack.host.list_objects()[0]
    upkeep.stack.host.delete_object(key)
    upkeep.rows("UPDATE cache_metadata SET used_ms = 5, created_ms = 5 WHERE object_key = ?", key)
    sweep(upkeep.stack.host)
    upkeep.agree()


def test_make_sweep_tells_every_duty(upkeep: Upkeep) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "local.sweep"],
        cwd=ROOT,
        env={"STATE": str(upkeep.state), "PYTHONPATH": "functions:infra:."},
        capture_output=True,
        text=True,
        check=True,
    )
    assert {line.split()[0] for line in done.stdout.splitlines()} >= {"sweep", "hold-budget", "compare-index"}
