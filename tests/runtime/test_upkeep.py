"""The janitor and the counts on workerd: the budget holds while requests are right, hits are cheap to count,
and what the statistics say adds up.

A stack of its own: its cache budget is a few thousand bytes, which other tests would not bear.
"""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from local.expected import expected_samples
from local.remote import Remote
from local.stack import Stack, StackOptions
from local.sweep import COMMAND, sweep
from local.upstream.truth import Truth
from tests.loopback import NO_CERTIFICATES
from tests.processes import descendants_of

pytestmark = pytest.mark.runtime

ROOT = Path(__file__).resolve().parents[2]
SITE = "opengrid_minute"
POINTS = ["water_2923", "water_1a5c", "water_6616"]
DAY_MS = 86_400_000
FIRST_DAY_MS = 1_425_340_800_000
"""2015-03-03T00:00:00Z: all three meters run."""

BUDGET_BYTES = 12_000
HITS = 2_000
COUNTED_WITHIN_S = 30
COUNTS_WAIT_S = 6
"""A little more than an isolate waits before it writes what it counted."""


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
        """Bucket and index name the same objects, with the same sizes; but for those that are noted to go."""
        rows = {row["object_key"]: row["stored_bytes"] for row in self.rows("SELECT * FROM cache_metadata")}
        noted = {row["object_key"] for row in self.rows("SELECT object_key FROM superseded_objects")}
        keys = [key for key in self.stack.host.list_objects() if key in rows or key not in noted]
        assert sorted(rows) == keys
        assert {key: len(self.stack.host.get_object(key) or b"") for key in keys} == rows


def cpu_seconds(stack: Stack) -> float:
    """CPU that workerd has used: the router, and the runtime around it."""
    total = 0.0
    for pid in descendants_of(stack.pids[-1]):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        total += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return total


class Receiver(ThreadingHTTPServer):
    """A webhook's other end on loopback: keeps the texts that it is sent."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Messages)
        self.texts: list[str] = []
        self.refuses = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/hook"


class _Messages(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if not self.server.refuses:
            self.server.texts.append(body["text"])
        self.send_response(500 if self.server.refuses else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def upkeep(
    data_folder: Path, tmp_path_factory: pytest.TempPathFactory, receiver: Receiver
) -> Iterator[Upkeep]:
    state = tmp_path_factory.mktemp("upkeep")
    options = StackOptions(
        wake_all=False,
        state=state,
        data=data_folder,
        settings={"cacheBudgetGb": f"{BUDGET_BYTES / 1e9:.9f}", "janitorCron": "0 0 1 1 *"},
        secrets={"alertWebhookUrl": receiver.url},
    )
    with (
        Stack(options) as stack,
        Remote(state, {COMMAND: lambda: sweep(stack.host)}),
        httpx.Client(base_url=stack.url, timeout=60.0, trust_env=False, verify=NO_CERTIFICATES) as client,
    ):
        yield Upkeep(stack=stack, state=state, client=client, truth=Truth(data_folder))


def test_statistics_add_up(upkeep: Upkeep) -> None:
    """Against the simulator's counters, and against bucket and database as they are."""
    ask = upkeep.client.get
    fields = {"site": SITE, "start_time": str(FIRST_DAY_MS)}
    until = {"end_time": str(FIRST_DAY_MS + 2 * DAY_MS)}
    asked = 0
    for point in POINTS:
        for route in ("direct", "cached", "cached"):
            ask(
                "/api/timeseries", params={**fields, **until, "point": point, "route": route}
            ).raise_for_status()
            asked += 1
    job = upkeep.client.post(
        "/api/jobs",
        json={
            "site": SITE,
            "points": POINTS,
            "start_time": FIRST_DAY_MS,
            "end_time": FIRST_DAY_MS + 10 * DAY_MS,
        },
    )
    asked += 1
    assert job.status_code == 202, job.text
    end = time.monotonic() + 60
    while ask(job.headers["location"]).json()["status"] != "completed":
        asked += 1
        assert time.monotonic() < end
        time.sleep(0.5)
    asked += 1
    upkeep.until("requests", "SELECT sum(request_count) FROM request_analytics", asked)
    upkeep.until("batches", "SELECT count(*) FROM platform_usage WHERE function = 'consumer'", 1)
    # The consumer may still be at a message that came twice; its counts follow.
    told, simulator = (
        ask("/api/stats").json(),
        httpx.get(f"{upkeep.stack.upstream_url}/_stats", verify=NO_CERTIFICATES).json(),
    )
    end = time.monotonic() + COUNTED_WITHIN_S
    while told["upstream"]["calls"] < simulator["calls"] and time.monotonic() < end:
        time.sleep(1)
        told = ask("/api/stats").json()
    assert (told["upstream"]["calls"], told["upstream"]["samples"]) == (
        simulator["calls"],
        simulator["samples"],
    )
    noted = {row["object_key"] for row in upkeep.rows("SELECT object_key FROM superseded_objects")}
    keys = [key for key in upkeep.stack.host.list_objects() if key not in noted]
    assert told["cache"]["objects"] == len(keys)
    assert told["cache"]["storedBytes"] == sum(len(upkeep.stack.host.get_object(key) or b"") for key in keys)
    assert told["cache"]["blocks"]["objects"] == len([key for key in keys if key.startswith("blocks/")])
    assert told["cache"]["blocks"]["samples"] == sum(
        row["sample_count"] for row in upkeep.rows("SELECT * FROM cache_metadata WHERE kind = 'block'")
    )
    assert (told["jobs"]["completed"], told["jobs"]["failed"], told["jobs"]["active"]) == (1, 0, {})
    routes = {
        (one["endpoint"], one["route"]): one
        for one in told["requests"]["byRoute"]
        if one["endpoint"] == "/api/timeseries"
    }
    assert routes["/api/timeseries", "direct"]["count"] == 3
    assert routes["/api/timeseries", "cached"]["count"] == 6
    assert told["cost"]["soFar"] >= 5


def test_thousands_of_hits_are_a_few_writes(upkeep: Upkeep) -> None:
    upkeep.ask(0, POINTS[0])
    upkeep.until("stored", "SELECT count(*) FROM cache_metadata WHERE kind = 'answer'", 1)
    time.sleep(COUNTS_WAIT_S)
    upkeep.until("written", "SELECT sum(request_count) FROM request_analytics", 1)
    transactions = "SELECT sum(d1_transactions) FROM platform_usage"
    written = "SELECT sum(d1_rows_written) FROM platform_usage"
    before = (upkeep.number(transactions), upkeep.number(written))
    known = upkeep.number("SELECT sum(request_count) FROM request_analytics WHERE cache_verdict = 'hit'")
    requests = upkeep.number("SELECT sum(requests) FROM platform_usage")
    params = {"site": SITE, "point": POINTS[0], "route": "cached"} | {
        "start_time": str(FIRST_DAY_MS),
        "end_time": str(FIRST_DAY_MS + DAY_MS),
    }

    def hit(_: int) -> str:
        return upkeep.client.get("/api/timeseries", params=params).headers["x-cache-hit"]

    cpu_s = cpu_seconds(upkeep.stack)
    started = time.monotonic()
    with ThreadPoolExecutor(max_workers=4) as callers:
        assert set(callers.map(hit, range(HITS))) == {"true"}
    seconds = time.monotonic() - started
    cpu_s = cpu_seconds(upkeep.stack) - cpu_s
    hits = "SELECT sum(request_count) FROM request_analytics WHERE cache_verdict = 'hit'"
    upkeep.until("counted", hits, known + HITS)
    counted = upkeep.number(hits) - known
    # Asked once more, so that the last write of counts is itself counted.
    upkeep.client.get("/api/health")
    upkeep.until("told", "SELECT sum(requests) FROM platform_usage", requests + HITS + 1)
    made = upkeep.number(transactions) - before[0]
    rows = upkeep.number(written) - before[1]
    print(
        f"{HITS} hits in {seconds:.1f} s: {made} transactions, {rows} billed rows, "
        f"{1_000 * cpu_s / HITS:.2f} ms CPU each"
    )
    assert counted == HITS
    assert made <= seconds / 5 + HITS / 2_000 + 4
    assert rows <= made * 10
    assert upkeep.number("SELECT max(hit_count) FROM cache_metadata") >= 1


def test_the_cache_is_held_to_its_budget_and_requests_stay_right(upkeep: Upkeep) -> None:
    for day in range(3):
        for point in POINTS:
            upkeep.ask(day, point)
    stored = "SELECT sum(stored_bytes) FROM cache_metadata"
    upkeep.until("stored", "SELECT count(*) FROM cache_metadata WHERE kind = 'answer'", 9)
    print(upkeep.number(stored), "bytes stored")
    assert upkeep.number(stored) > BUDGET_BYTES, "the budget is too large for this test"
    # Made unequal and known, whatever the machine's pace was: the higher the key, the longer unused.
    upkeep.rows(
        "UPDATE cache_metadata SET used_ms = 1e12 - (SELECT count(*) FROM cache_metadata AS other "
        "WHERE other.object_key < cache_metadata.object_key)"
    )
    before = [row["object_key"] for row in upkeep.rows("SELECT * FROM cache_metadata ORDER BY used_ms")]
    told = {row["duty"]: row["outcome"] for row in sweep(upkeep.stack.host)}
    assert "objects went" in told["hold-budget"]
    assert upkeep.number(stored) <= BUDGET_BYTES
    left = {row["object_key"] for row in upkeep.rows("SELECT object_key FROM cache_metadata")}
    assert 0 < len(left) < len(before)
    assert left == set(before[-len(left) :]), "the least recently used went first"
    upkeep.agree()

    # Now with requests that fetch and store what goes, while it goes.
    days = [(day, point) for day in range(3) for point in POINTS]
    with ThreadPoolExecutor(max_workers=1) as callers:
        asked = callers.submit(lambda: [upkeep.ask(*one) for one in days])
        for _ in range(3):
            sweep(upkeep.stack.host)
        assert len(asked.result()) == len(days)
    settled = "UPDATE cache_metadata SET used_ms = 5, created_ms = 5"
    upkeep.rows(settled)
    sweep(upkeep.stack.host)
    assert upkeep.number(stored) <= BUDGET_BYTES
    upkeep.agree()
    for one in days:
        upkeep.ask(*one)


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


def test_an_alert_is_told_once_and_when_it_is_over(upkeep: Upkeep, receiver: Receiver) -> None:
    def swept() -> list[str]:
        """What the webhook heard of dead letters in one sweep."""
        before = len(receiver.texts)
        sweep(upkeep.stack.host)
        lines = "\n".join(receiver.texts[before:]).splitlines()
        return [line for line in lines if "*dead-letters*" in line]

    assert swept() == []
    upkeep.rows(
        "INSERT INTO dead_letters (letter_id, queue, message_json, cause, attempts, buried_ms) "
        "VALUES ('l', 'q', '{}', 'c', 4, 1)"
    )
    # Buried in 1970, so that the janitor would forget it at once.
    upkeep.rows("UPDATE dead_letters SET buried_ms = unixepoch() * 1000")
    receiver.refuses = True
    assert swept() == []
    receiver.refuses = False
    (told,) = swept()
    assert told.startswith("*EdgeSeries dev* FIRING *dead-letters*: 1 dead letters wait (since ")
    assert swept() == []
    upkeep.rows("DELETE FROM dead_letters")
    (told,) = swept()
    assert told.startswith("*EdgeSeries dev* RESOLVED *dead-letters*: 0 dead letters wait")
    assert swept() == []


def test_what_the_vendor_corrects_is_found_and_repaired_by_sweeps(upkeep: Upkeep) -> None:
    """A meter is mended at the vendor, after its day was stored: a sample more, and another value."""
    point, from_ms = POINTS[0], FIRST_DAY_MS
    upkeep.client.delete("/api/cache", params={"site": SITE}).raise_for_status()
    upkeep.ask(0, point)
    upkeep.until("stored", "SELECT count(*) FROM cache_metadata WHERE kind = 'answer'", 1)
    fields: dict[str, str | int] = {"site": SITE, "point": point, "start_time": from_ms}
    fields["end_time"] = from_ms + DAY_MS
    before = upkeep.client.get("/api/timeseries", params=fields).json()["data"][point]["samples"]
    corrected = [(from_ms + 5, "0.25"), (before[10][0], "0.75")]
    upkeep.truth.add_late(SITE, point, corrected)
    late = [[datetime.fromtimestamp(at / 1_000, UTC).isoformat(), value] for at, value in corrected]
    httpx.post(
        f"{upkeep.stack.upstream_url}/_control",
        json={"late": [{"site": SITE, "point": point, "samples": late}]},
        verify=NO_CERTIFICATES,
    ).raise_for_status()
    kept = upkeep.client.get("/api/timeseries", params=fields).json()["data"][point]["samples"]
    assert kept == before, "sealed days are as they were when they were read"
    # As if the last walk had begun long ago: the next one begins now, and this day is all that it meets.
    upkeep.rows("UPDATE janitor_state SET cursor = '' WHERE duty = 'recheck-days'")
    told = {row["duty"]: row["outcome"] for row in sweep(upkeep.stack.host)}
    assert told["recheck-days"].startswith("1 days of points read again, 1 repaired"), told
    upkeep.ask(0, point)
    (told_late,) = upkeep.client.get("/api/stats").json()["lateData"]
    reread = told_late["reread"]
    assert (reread["correctedDays"], reread["addedSamples"], reread["changedSamples"]) == (1, 1, 1)
    assert told_late["lateness"]["advisedSettleLagSeconds"] is None, "an old day was mended: that is not late"
