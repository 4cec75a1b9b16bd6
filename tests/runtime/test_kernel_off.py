"""The setting `kernel=off`, on workerd: the Python code alone answers with the bytes of the kernel."""

import random
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from local.stack import Stack, StackOptions
from local.upstream.truth import Truth
from tests.loopback import NO_CERTIFICATES
from tests.runtime.conftest import SAMPLE, TIMEOUT_S, Running, hold_response
from tests.runtime.jobs_stack import PATIENCE_S, POLL_S
from tests.runtime.test_router_oracle import Tally, check, draws, iso

pytestmark = pytest.mark.runtime

SEED = 20_261_130
REQUEST_COUNT = 100
HEADERS = ("etag", "content-type", "x-cache-hit", "cache-status", "x-route-type")
FORMATS = ("json", "ndjson", "csv")


@pytest.fixture(scope="module")
def without_kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A stack of its own, of which nothing else is different."""
    options = StackOptions(
        wake_all=False,
        state=tmp_path_factory.mktemp("off"),
        data=SAMPLE,
        settings={"kernel": "off", "queueMaxWaitSeconds": "0"},
    )
    with (
        Stack(options) as stack,
        httpx.Client(
            base_url=stack.url, timeout=TIMEOUT_S, trust_env=False, verify=NO_CERTIFICATES
        ) as client,
    ):
        client.event_hooks = {"response": [hold_response]}
        yield Running(stack=stack, client=client, truth=Truth(SAMPLE), logs=[])


def test_answers_are_the_same_bytes_and_the_truth(running: Running, without_kernel: Running) -> None:
    random_source = random.Random(SEED)  # noqa: S311 - a seeded draw
    tally = Tally()
    for fields in draws(random_source, without_kernel, REQUEST_COUNT):
        times = {"start_time": iso(fields["start_time"]), "end_time": iso(fields["end_time"])}
        body = {**fields, **times, "route": random_source.choice(["direct", "cached"])}
        told = [one.client.post("/api/timeseries", json=body) for one in (without_kernel, running)]
        check(without_kernel, fields, told[0], tally)
        assert told[0].content == told[1].content
        assert told[0].headers["etag"] == told[1].headers["etag"]
    assert tally.samples > 5_000
    assert any("hit" in verdict for verdict in tally.verdicts)


def test_results_are_the_same_bytes(running: Running, without_kernel: Running) -> None:
    body = {
        "site": "opengrid_minute",
        "points": ["water_2923", "water_1a5c"],
        "start_time": "2015-03-03T00:00:01Z",
        "end_time": "2015-03-08T00:00:00Z",
    }
    results = [results_of(one, body) for one in (without_kernel, running)]
    assert results[0] == results[1]
    assert all(len(text) > 100_000 for text in results[0])


def results_of(stack: Running, body: dict[str, Any]) -> list[bytes]:
    """A job's result in every format."""
    url = stack.client.post("/api/jobs", json=body).json()["statusUrl"]
    end = time.monotonic() + PATIENCE_S
    while stack.client.get(url).json()["status"] != "completed":
        assert time.monotonic() < end
        time.sleep(POLL_S)
    return [stack.client.get(f"{url}/result", params={"format": one}).content for one in FORMATS]
