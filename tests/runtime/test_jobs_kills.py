"""kill -9 of the whole local host in the middle of a job, several times: nothing is lost, nothing doubled,
and what was finished is not asked for again.

Miniflare's queues die with the host, so every message is lost each time; the janitor finds the work.
"""

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest

from local.host_plan import HostPlan
from local.hosting import Host
from local.stack import Stack, StackOptions
from local.upstream.truth import Truth
from tests.loopback import NO_CERTIFICATES
from tests.runtime.conftest import TIMEOUT_S
from tests.runtime.jobs_stack import METERS, PATIENCE_S, SETTINGS, Jobs, Wanted, stored_days

pytestmark = pytest.mark.runtime

SEED = 20_261_124
KILLS = 3
LATENCY_MS = 40
"""So that a job has many moments to be killed at."""

FIRST_DAY, DAYS = 16_494, 35


@dataclass
class Mortal:
    """A host on one state that is killed and started again, while the upstream lives on."""

    jobs: Jobs
    plan: HostPlan
    state: Path

    def kill(self) -> None:
        os.killpg(self.jobs.host.child.pid, signal.SIGKILL)
        self.stop()

    def stop(self) -> None:
        self.jobs.host.stop()
        self.jobs.client.close()

    def start(self, plan: HostPlan | None = None) -> None:
        self.jobs.host = Host(plan or self.plan, state=self.state).__enter__()
        self.jobs.client = httpx.Client(
            base_url=self.jobs.host.url, timeout=TIMEOUT_S, trust_env=False, verify=NO_CERTIFICATES
        )


@pytest.fixture(scope="module")
def mortal(data_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mortal]:
    state = tmp_path_factory.mktemp("mortal")
    settings = {**SETTINGS, "batchPoints": "2"}
    with Stack(StackOptions(wake_all=False, state=state, data=data_folder, settings=settings)) as stack:
        jobs = Jobs(
            host=stack.host,
            upstream_url=stack.upstream_url,
            truth=Truth(data_folder),
            client=httpx.Client(
                base_url=stack.url, timeout=TIMEOUT_S, trust_env=False, verify=NO_CERTIFICATES
            ),
        )
        mortal = Mortal(jobs=jobs, plan=stack.host.plan, state=state)
        try:
            yield mortal
        finally:
            mortal.stop()


def done_days(jobs: Jobs, job_id: str) -> set[tuple[str, str]]:
    """Point and day of every finished batch."""
    wanted = jobs.asked[job_id].days_held(jobs.truth)
    found: set[tuple[str, str]] = set()
    for batch in jobs.batches(job_id):
        if batch["status"] == "done":
            first, last = (
                time.strftime("%Y-%m-%d", time.gmtime(batch[key] // 1_000 - less))
                for key, less in (("start_ms", 0), ("end_ms", 1))
            )
            points = jobs.points_of(job_id, batch)
            found |= {(point, day) for point, day in wanted if point in points and first <= day <= last}
    return found


PointDay = tuple[str, str]


def done_batches(jobs: Jobs, job_id: str) -> dict[int, tuple[int, int]]:
    """How often each finished batch was begun, and when its row changed last."""
    return {
        batch["batch_index"]: (batch["claims"], batch["updated_ms"])
        for batch in jobs.batches(job_id)
        if batch["status"] == "done"
    }


def asked_again(jobs: Jobs, before: Counter[PointDay], kept: set[PointDay]) -> set[PointDay]:
    """What was kept, and has been asked for by name since."""
    return (jobs.delivered() - before).keys() & kept


def test_a_job_outlives_kills_of_everything(mortal: Mortal) -> None:
    jobs, moments = mortal.jobs, random.Random(SEED)  # noqa: S311 - a seeded draw
    jobs.upstream(latency_ms=LATENCY_MS)
    wanted = Wanted(site="opengrid_minute", points=METERS, first_day=FIRST_DAY, days=DAYS)
    job_id = jobs.post(wanted)["jobId"]
    kept: set[tuple[str, str]] = set()
    kept_at_kills: list[int] = []
    done: dict[int, tuple[int, int]] = {}
    before: Counter[tuple[str, str]] = Counter()
    for kill in range(KILLS):
        wait_for_calls(jobs, jobs.stats()["calls"] + moments.randint(2, 9))
        time.sleep(moments.uniform(0, LATENCY_MS / 1_000))
        mortal.kill()
        assert not asked_again(jobs, before, kept), f"asked again before kill {kill}"
        mortal.start()
        assert jobs.job(job_id)["status"] in ("queued", "processing", "retrying"), "it ended: kill earlier"
        still = done_batches(jobs, job_id)
        assert done.items() <= still.items(), "a finished batch was begun again"
        done = still
        kept = done_days(jobs, job_id) | set(stored_days(jobs, wanted.site))
        # After it: the consumer is at work again, and what it has just asked for may be stored by now.
        before = jobs.delivered()
        kept_at_kills.append(len(kept))
        jobs.leases_run_out(job_id)
        time.sleep(1)  # rescueAfterSeconds
        jobs.sweep()
    told = jobs.completed(job_id)
    assert not asked_again(jobs, before, kept), "finished work was asked for again"
    assert done.items() <= done_batches(jobs, job_id).items(), "a finished batch was begun again"
    samples = jobs.right(job_id)
    stats = jobs.stats()
    expected = wanted.days_held(jobs.truth)
    print(
        f"{KILLS} kills, seed {SEED}: {samples} samples right; {stats['samples']} delivered for "
        f"{expected.total()}, {kept_at_kills} of {len(expected)} point-days were kept at the kills; "
        f"batches begun {[batch['claims'] for batch in jobs.batches(job_id)]}, counted {told['samplesCount']}"
    )
    assert kept_at_kills[-1] > 0, "nothing was ever kept: kill later"
    assert set(stored_days(jobs, wanted.site)) >= set(expected)
    assert told["samplesCount"] <= expected.total()
    assert [
        (row["n"], row["done"])
        for row in jobs.host.query(
            "SELECT count(*) AS n, sum(status = 'completed') AS done FROM queue_jobs WHERE job_id = ?", job_id
        )
    ] == [(1, 1)]


def wait_for_calls(jobs: Jobs, count: int) -> None:
    end = time.monotonic() + PATIENCE_S
    while jobs.stats()["calls"] < count:
        assert time.monotonic() < end, "the upstream is not asked"
        time.sleep(0.005)


def test_a_credential_that_is_refused_ends_in_the_dead_letters(mortal: Mortal) -> None:
    jobs = mortal.jobs
    jobs.upstream()
    mortal.kill()
    workers = tuple(
        replace(worker, env={**worker.env, "UPSTREAM_TOKEN": {"type": "text", "value": "wrong"}})
        for worker in mortal.plan.workers
    )
    mortal.start(replace(mortal.plan, workers=workers))
    job_id = jobs.post(Wanted(site="made_up_plain", points=("made_up_1",), first_day=19_782, days=1))["jobId"]
    told = jobs.until(job_id)
    assert told["status"] == "failed"
    assert "refuses our credential (401)" in told["error"]
    assert {letter["cause"] for letter in jobs.letters(job_id)} == {told["error"]}
    assert {batch["attempts"] for batch in jobs.batches(job_id)} <= {0, 1}, "trying again cannot help"
