"""A stack for jobs, as its callers and its operator see it: ask, wait, read results, rescue, count calls."""

import json
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any, Final

import httpx

from edgeseries.series.days import days_in_year, days_of_text, iso_day
from local.expected import expected_samples
from local.hosting import Host
from local.logs import LogLine
from local.upstream.truth import Truth
from tests.loopback import NO_CERTIFICATES

DAY_MS: Final = 86_400_000
PATIENCE_S: Final = 90.0
"""Far longer than any job here takes: only one that hangs gets there."""

POLL_S: Final = 0.05

JANITOR_CRON: Final = "0 0 1 1 *"
"""The janitor sweeps when a test says so."""

SETTINGS: Final = {
    "janitorCron": JANITOR_CRON,
    "queueMaxWaitSeconds": "0",
    "rescueAfterSeconds": "1",
    "batchPoints": "4",
    "batchSamples": "250000",
    "queueBatchMessages": "3",
    "recheckCalls": "0",
}
"""Small batches, so that a small job has many; messages that do not wait for company. Sweeps read no stored
day again: these tests count which days are asked for twice.
"""

ENDED: Final = ("completed", "failed", "cancelled")


DATABASE_PATH: Final = "/test-database/"
DATABASE_SCRIPT: Final = """
export default {
  async fetch(request, env) {
    const { verb, commands } = await request.json();
    const bound = commands.map(({ sql, parameters }) => env.DB.prepare(sql).bind(...parameters));
    if (verb === "read") return Response.json([await bound[0].raw()]);
    const results = await env.DB.batch(bound);
    return Response.json(results.map(({ results }) => (results ?? []).map((row) => Object.values(row))));
  },
};
"""
"""D1 over HTTP, so that stores on the host stand on it."""

METERS: Final = (
    "elec_1sensor",
    "water_1a5c",
    "water_2923",
    "water_6616",
    "water_a519",
    "water_a926",
    "water_b285",
)
MARCH_29: Final = 16_523
"""2015-03-29 as a day number; the water meters end on the 31st."""

LEAP_DAY: Final = 19_782
"""2024-02-29, when the made-up site has its samples."""


def iso(at_ms: int) -> str:
    """An instant as callers write it."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at_ms // 1_000))


_requests = count(1)


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What a job is to fetch: points of a site, some days. It begins some seconds into the first day, so
    that no two are one request: an equal one would join the job of the test before.
    """

    site: str
    points: tuple[str, ...]
    first_day: int
    days: int
    offset_s: int = field(default_factory=lambda: next(_requests))

    @property
    def start_ms(self) -> int:
        return self.first_day * DAY_MS + self.offset_s * 1_000

    @property
    def end_ms(self) -> int:
        return (self.first_day + self.days) * DAY_MS

    def body(self, **more: Any) -> dict[str, Any]:
        times = {"start_time": iso(self.start_ms), "end_time": iso(self.end_ms)}
        return {"site": self.site, "points": list(self.points), **times, **more}

    def days_held(self, truth: Truth) -> Counter[tuple[str, str]]:
        """Samples of whole days, as the upstream counts them when it is asked for each day once."""
        counts: Counter[tuple[str, str]] = Counter()
        first_ms = self.first_day * DAY_MS
        for point in self.points:
            for at_ms, _ in truth.rows(self.site, point, first_ms, self.end_ms):
                counts[point, iso(at_ms)[:10]] += 1
        return counts

    def expected(self, truth: Truth) -> dict[str, list[list[Any]]]:
        return {
            point: expected_samples(truth, self.site, point, self.start_ms, self.end_ms)
            for point in self.points
        }


@dataclass(kw_only=True)
class Jobs:
    """One running host and its upstream. `expected_fault` is what a test makes the Workers fail with: a
    text of some line of the log, and of every one that says of a fault that it was unexpected.
    """

    host: Host
    upstream_url: str
    truth: Truth
    client: httpx.Client
    logs: list[LogLine] = field(default_factory=list)
    asked: dict[str, Wanted] = field(default_factory=dict)
    expected_fault: str | None = None

    # --- the upstream ---------------------------------------------------------------
    def upstream(self, **knobs: Any) -> None:
        """Put the simulator's faults and counters back, then set some."""
        httpx.post(
            f"{self.upstream_url}/_control",
            json={"reset": True, "reset_stats": True, **knobs},
            trust_env=False,
            verify=NO_CERTIFICATES,
        ).raise_for_status()

    def turn(self, **knobs: Any) -> None:
        """Set some faults, and let counters be."""
        httpx.post(
            f"{self.upstream_url}/_control", json=knobs, trust_env=False, verify=NO_CERTIFICATES
        ).raise_for_status()

    def stats(self) -> dict[str, Any]:
        told: dict[str, Any] = httpx.get(
            f"{self.upstream_url}/_stats", trust_env=False, verify=NO_CERTIFICATES
        ).json()
        return told

    def delivered(self) -> Counter[tuple[str, str]]:
        """Samples that the upstream delivered because their points were named, by point and day."""
        counts: Counter[tuple[str, str]] = Counter()
        for key, samples in self.stats()["named_by_point_day"].items():
            point, _, day = key.rpartition("|")
            counts[point, day] = samples
        return counts

    # --- jobs -----------------------------------------------------------------------
    def post(self, wanted: Wanted, **more: Any) -> dict[str, Any]:
        response = self.client.post("/api/jobs", json=wanted.body(**more))
        assert response.status_code == 202, response.text
        told: dict[str, Any] = response.json()
        self.asked[told["jobId"]] = wanted
        return told

    def job(self, job_id: str) -> dict[str, Any]:
        response = self.client.get(f"/api/jobs/{job_id}")
        assert response.status_code == 200, response.text
        told: dict[str, Any] = response.json()
        return told

    def until(
        self, job_id: str, *statuses: str, patience_s: float = PATIENCE_S, sweeps: bool = False
    ) -> dict[str, Any]:
        """The job once it has one of the statuses (default: any that is an end)."""
        end = time.monotonic() + patience_s
        while (told := self.job(job_id))["status"] not in (statuses or ENDED):
            assert time.monotonic() < end, f"it hangs: {told}\n{self.batches(job_id)}"
            if sweeps:
                self.sweep()
            time.sleep(POLL_S)
        return told

    def completed(self, job_id: str, **more: Any) -> dict[str, Any]:
        told = self.until(job_id, **more)
        assert (told["status"], told["error"], told["progress"]) == ("completed", None, 100), told
        assert told["batches"]["done"] == told["batches"]["total"] == len(self.batches(job_id))
        assert {batch["status"] for batch in self.batches(job_id)} <= {"done"}
        return told

    def batches(self, job_id: str) -> list[dict[str, Any]]:
        return self.host.query("SELECT * FROM job_batches WHERE job_id = ? ORDER BY batch_index", job_id)

    def points_of(self, job_id: str, batch: Mapping[str, Any]) -> tuple[str, ...]:
        first = int(batch["first_point"])
        return tuple(sorted(self.asked[job_id].points))[first : first + int(batch["point_count"])]

    def letters(self, job_id: str) -> list[dict[str, Any]]:
        letters = self.client.get("/api/queue/dlq", params={"limit": 500}).json()["letters"]
        return [letter for letter in letters if letter["jobId"] == job_id]

    def result(self, job_id: str, **params: str) -> httpx.Response:
        response = self.client.get(f"/api/jobs/{job_id}/result", params=params)
        assert response.status_code == 200, response.text[:500]
        return response

    def right(self, job_id: str) -> int:
        """The result equals the truth, sample for sample and type for type; how many samples."""
        wanted = self.asked[job_id]
        data = self.result(job_id).json()["data"]
        return same_data(data, wanted.expected(self.truth))

    def cancel_all(self) -> None:
        """End what a test has left under way."""
        for row in self.host.query("SELECT job_id FROM v_active_jobs"):
            self.client.delete(f"/api/jobs/{row['job_id']}")

    # --- the operator -----------------------------------------------------------------
    def queue(self, ending: str) -> str:
        (name,) = [name for name in self.host.plan.queues if name.endswith(ending)]
        return name

    def sweep(self) -> None:
        janitor = next(worker for worker in self.host.plan.workers if worker.function == "janitor")
        self.host.fire_schedule(janitor.name, JANITOR_CRON)

    def leases_run_out(self, job_id: str) -> None:
        """Three minutes pass, as far as leases go. Only where no consumer is alive that holds one."""
        self.host.query(
            "UPDATE job_batches SET lease_until_ms = 1 WHERE job_id = ? AND status = 'claimed'", job_id
        )

    def forget(self, site: str, *points: str) -> None:
        """Nothing of a site, or of some of its points, is stored any more."""
        asked = {"site": site, **({"points": ",".join(points)} if points else {})}
        response = self.client.delete("/api/cache", params=asked)
        assert response.status_code == 200, response.text


def same_data(data: Mapping[str, Any], expected: Mapping[str, Sequence[Any]]) -> int:
    """Equal as JSON texts, in which true is not 1 and -0.0 is not 0.0; how many samples."""
    assert list(data) == sorted(expected)
    for point, rows in expected.items():
        told = data[point]
        assert (told["count"], told["error"]) == (len(rows), None), point
        assert json.dumps(told["samples"]) == json.dumps(rows), point
    return sum(map(len, expected.values()))


def minute_job(days: int = 4, **more: Any) -> Wanted:
    """Seven one-minute meters over the end of a month: at four points a batch, POST calls, four batches."""
    return Wanted(site="opengrid_minute", points=METERS, first_day=MARCH_29 + 4 - days, days=days, **more)


def plain_job() -> Wanted:
    """A whole small site, so that its pages are read: four batches."""
    points = tuple(f"made_up_{n}" for n in range(1, 9))
    return Wanted(site="made_up_plain", points=points, first_day=LEAP_DAY - 1, days=4)


def leap_day_job() -> Wanted:
    """The one day of it that has samples, so that all of it is stored: a silent one is read again first."""
    return replace(plain_job(), first_day=LEAP_DAY, days=1)


def stored_days(jobs: Jobs, site: str) -> Counter[tuple[str, str]]:
    """Point and day of all that is stored."""
    found: Counter[tuple[str, str]] = Counter()
    rows = jobs.host.query(
        "SELECT point, month, year_days, purged_days FROM cache_metadata WHERE kind = 'block' AND site = ?",
        site,
    )
    for row in rows:
        held = days_of_text(row["year_days"]) & ~days_of_text(row["purged_days"])
        for day in days_in_year(row["month"], held):
            found[row["point"], iso_day(day)] += 1
    return found


def ndjson_rows(text: str) -> Iterator[tuple[str, str, Any]]:
    for line in text.splitlines():
        row = json.loads(line)
        yield row["point_name"], row["timestamp"], row["value"]
