"""Real servers behind one stack on workerd, all at once, where they are installed: Prometheus,
VictoriaMetrics and InfluxDB of the distribution, over the sample that their own import loaded.
"""

import json
import random
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Final

import httpx
import pytest

from local.stack import Stack, StackOptions
from local.upstream.truth import Truth
from tests import made_up
from tests.contract.test_vendor_origins import are_as_held
from tests.loopback import NO_CERTIFICATES
from tests.real_servers import REAL, is_installed, real
from tests.runtime.conftest import SAMPLE, TIMEOUT_S, hold_response
from tests.runtime.test_several_origins import ENDED, JOB_PATIENCE_S, iso, slug
from tests.vendor_rigs import Installation

pytestmark = [
    pytest.mark.runtime,
    pytest.mark.skipif(
        not all(map(is_installed, REAL)), reason="the distribution's servers are not installed"
    ),
]

SEED: Final = 20_261_202
REQUESTS: Final = 30
DAY_MS: Final = 86_400_000
SITE: Final = "opengrid_minute"
POINTS: Final = ("water_1a5c", "water_2923", "water_6616")


@dataclass
class System:
    """The stack's client, and each server by its name."""

    client: httpx.Client
    servers: Mapping[str, Installation]

    def check(self, name: str, site: str, span: tuple[int, int], data: Mapping[str, Any]) -> int:
        """An answer is what the server was given."""
        server, count = self.servers[name], 0
        for point, one in data.items():
            expected = server.held.within(site, point, *span)
            found = [(at_ms, value) for at_ms, value in one["samples"]]
            assert are_as_held(found, expected, server.rig.digits), (name, site, point, span)
            count += len(expected)
        return count


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    folder = made_up.write_made_up(tmp_path_factory.mktemp("real") / "telemetry")
    (folder / SITE).mkdir()
    for point in POINTS:
        shutil.copy(SAMPLE / SITE / f"{point}.csv.gz", folder / SITE)
    truth = Truth(folder)
    with ExitStack() as exits:
        servers = {
            name: exits.enter_context(real(name, truth, tmp_path_factory.mktemp("server"))) for name in REAL
        }
        records = [
            {
                "name": slug(name),
                "prefix": f"{slug(name)}/",
                "vendor": one.rig.vendor,
                "url": one.url,
                "options": dict(one.rig.options),
            }
            for name, one in servers.items()
        ]
        options = StackOptions(
            wake_all=False,
            state=tmp_path_factory.mktemp("state"),
            data=folder,
            settings={
                "origins": json.dumps(records),
                "queueMaxWaitSeconds": "0",
                "janitorCron": "0 0 1 1 *",
            },
            secrets={"originCredentials": json.dumps({slug(name): "" for name in servers})},
        )
        stack = exits.enter_context(Stack(options))
        client = httpx.Client(base_url=stack.url, timeout=TIMEOUT_S, trust_env=False, verify=NO_CERTIFICATES)
        client.event_hooks = {"response": [hold_response]}
        yield System(client=exits.enter_context(client), servers=servers)


@pytest.mark.parametrize("name", REAL)
def test_answers_over_real_servers_equal_what_they_were_given(system: System, name: str) -> None:
    chance = random.Random(f"{SEED}:{name}")  # noqa: S311 - a seeded draw
    held, samples = system.servers[name].held, 0
    for _ in range(REQUESTS):
        site = chance.choice([SITE, SITE, *held.sites()])
        points = chance.sample(held.points(site), min(3, len(held.points(site))))
        first_ms, last_ms = held.samples(site, points[0])[0][0], held.samples(site, points[0])[-1][0]
        start_ms = chance.randint(first_ms - DAY_MS, last_ms)
        end_ms = start_ms + chance.choice((60_000, 3_600_000, DAY_MS, 4 * DAY_MS))
        body = {
            "site": f"{slug(name)}/{site}",
            "points": points,
            "start_time": iso(start_ms),
            "end_time": iso(end_ms),
            "route": chance.choice(("direct", "cached")),
        }
        headers = {"Cache-Control": chance.choice(("", "no-store", "no-cache"))}
        reply = system.client.post("/api/timeseries", json=body, headers=headers)
        assert reply.status_code == 200, reply.text[:500]
        samples += system.check(name, site, (start_ms, end_ms), reply.json()["data"])
    assert samples > 5_000


@pytest.mark.parametrize("name", REAL)
def test_a_job_over_a_real_server_brings_months(system: System, name: str) -> None:
    held = system.servers[name].held
    points = held.points(SITE)
    start_ms = held.samples(SITE, points[0])[0][0] // DAY_MS * DAY_MS
    end_ms = start_ms + 60 * DAY_MS
    body = {
        "site": f"{slug(name)}/{SITE}",
        "points": points,
        "start_time": iso(start_ms),
        "end_time": iso(end_ms),
    }
    made = job = system.client.post("/api/jobs", json=body).json()
    until = time.monotonic() + JOB_PATIENCE_S
    while job["status"] not in ENDED and time.monotonic() < until:
        time.sleep(0.2)
        job = system.client.get(f"/api/jobs/{made['jobId']}").json()
    assert job["status"] == "completed", json.dumps(job)
    result = system.client.get(f"/api/jobs/{made['jobId']}/result").json()
    count = system.check(name, SITE, (start_ms, end_ms), result["data"])
    print(f"{name}: a job of {count} samples")
    assert count > 50_000
