"""The end: everything that is stored is held against the truth, and every job must come to its end."""

import json
import time
from typing import Final

import brotli
import httpx

from edgeseries.blocks.adapters.compression_cpython import PackageCompression
from edgeseries.blocks.block_columns import PythonBlockCodec
from edgeseries.blocks.year_block import decode_year_days
from edgeseries.blocks.year_header import YearKey, read_year_header
from edgeseries.series.days import days_in_year
from edgeseries.series.timerange import parse_instant
from edgeseries.storage.object_keys import ANSWERS, PURGES, YEAR_BLOCKS, digest_of, site_part
from local.expected import expected_samples
from tests.loopback import NO_CERTIFICATES
from tests.soak.load import ENDED, Client
from tests.soak.model import DAY_MS, Wanted
from tests.soak.world import REQUEST_TIMEOUT_S, World, now_ms

PATIENCE_S: Final = 90.0
"""For all jobs together, once nothing is wrong any more."""

SWEEP_S: Final = 1.5
RESULTS: Final = 40
"""How many jobs' results are compared at the end."""


def audit(world: World, seed: str) -> None:
    """Complaints go to the world."""
    world.calm()
    settle_jobs(world)
    audit_store(world)
    after = Client(world, "afterwards", seed)
    for _ in range(RESULTS):
        after.timeseries()
    after.close()


def settle_jobs(world: World) -> None:
    """Take up what failed or was cancelled, sweep until all has ended, compare the results."""
    with httpx.Client(
        base_url=world.url, timeout=REQUEST_TIMEOUT_S, trust_env=False, verify=NO_CERTIFICATES
    ) as http:
        for job_id in list(world.jobs):
            if http.get(f"/api/jobs/{job_id}").raise_for_status().json()["status"] in ("failed", "cancelled"):
                http.post(f"/api/jobs/{job_id}/retry")
                world.count("jobs taken up at the end")
        until = time.monotonic() + PATIENCE_S
        waiting = set(world.jobs)
        while waiting and time.monotonic() < until:
            world.sweep()
            time.sleep(SWEEP_S)
            told = {job_id: http.get(f"/api/jobs/{job_id}").raise_for_status().json() for job_id in waiting}
            waiting = {job_id for job_id, job in told.items() if job["status"] not in ENDED}
            for job_id, job in told.items():
                if job["status"] in ENDED and job["status"] != "completed":
                    world.complain(
                        f"nothing is wrong any more, and job {job_id} {job['status']}: {job['error']}"
                    )
        for job_id in waiting:
            batches = world.host.query("SELECT * FROM job_batches WHERE job_id = ?", job_id)
            world.complain(f"job {job_id} is stuck: {http.get(f'/api/jobs/{job_id}').json()}, {batches}")
        for job_id in list(world.jobs)[-RESULTS:]:
            compare_result(world, http, job_id)
    world.count("jobs settled", len(world.jobs) - len(waiting))


def compare_result(world: World, http: httpx.Client, job_id: str) -> None:
    """The whole result of one job."""
    asked_ms = now_ms()
    response = http.get(f"/api/jobs/{job_id}/result")
    if response.status_code != httpx.codes.OK:
        world.complain(f"job {job_id} has no result: {response.text[:300]}")
        return
    data = response.json()["data"]
    fault = world.model.fault_of(world.jobs[job_id], data, asked_ms=asked_ms, told_ms=now_ms())
    if fault:
        world.complain(f"result of {job_id}: {fault}")
    world.count("samples compared", sum(one["count"] for one in data.values()))
    world.count("results compared at the end")


def audit_store(world: World) -> None:
    """Every block and every cached answer equals the truth."""
    truth = world.model.truth
    known = {
        (site_part(site), digest_of(point.name)): (site, point.name)
        for site in truth.sites()
        for point in truth.points(site)
    }
    for key in world.host.list_objects():
        content = world.host.get_object(key)
        assert content is not None, "nobody removes anything now"
        if key.startswith(ANSWERS):
            audit_answer(world, key, content)
            continue
        if key.startswith(PURGES):
            continue
        site, digest, year, _ = key.removeprefix(YEAR_BLOCKS).split("/")
        audit_block(
            world, YearKey(site=known[site, digest][0], point=known[site, digest][1], year=year), content
        )


def audit_block(world: World, key: YearKey, content: bytes) -> None:
    """Every day that a block says it covers."""
    days = read_year_header(content, key).days
    samples = decode_year_days(content, key, days, PythonBlockCodec(compressor=PackageCompression()))
    told = [[at_ms, value] for at_ms, value in zip(samples.times_ms, samples.values, strict=True)]
    expected = [
        row
        for day in days_in_year(key.year, days)
        for row in expected_samples(world.model.truth, key.site, key.point, day * DAY_MS, (day + 1) * DAY_MS)
    ]
    if json.dumps(told) != json.dumps(expected):
        world.complain(f"a block differs from the truth: {key}, {len(told)} samples for {len(expected)}")
    world.count("stored blocks compared")
    world.count("stored samples compared", len(told))


def audit_answer(world: World, key: str, content: bytes) -> None:
    """A cached answer, from what it says of itself."""
    document = json.loads(brotli.decompress(content))
    meta = document["_meta"]
    wanted = Wanted(
        site=meta["site"],
        points=tuple(document["data"]),
        start_ms=parse_instant(meta["startTime"]),
        end_ms=parse_instant(meta["endTime"]),
    )
    fault = world.model.fault_of(wanted, document["data"], asked_ms=now_ms(), told_ms=now_ms())
    if fault:
        world.complain(f"a cached answer differs from the truth: {key}: {fault}")
    world.count("cached answers compared")
