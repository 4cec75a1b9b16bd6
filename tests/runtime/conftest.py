"""What the runtime tests share: one whole stack on workerd, over made-up telemetry and the sample."""

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from local.host_plan import Script
from local.hosting import Host
from local.logs import LogLine
from local.stack import Stack, StackOptions
from local.upstream.truth import Truth
from tests import made_up
from tests.loopback import NO_CERTIFICATES
from tests.made_up import write_live, write_made_up, write_same_names
from tests.promised import JSON, hold
from tests.runtime.jobs_stack import DATABASE_PATH, DATABASE_SCRIPT, SETTINGS, Jobs
from tests.runtime.remote_stores import Remote, running_host

SAMPLE = Path(__file__).parents[2] / "local" / "sample"
TIMEOUT_S = 60.0


@dataclass
class Running:
    """A running stack as a user sees it, with the truth that its answers are held against."""

    stack: Stack
    client: httpx.Client
    truth: Truth
    logs: list[LogLine]

    def get(self, **fields: Any) -> httpx.Response:
        """Past the store, so that it is the upstream that answers or fails."""
        return self.client.get("/api/timeseries", params=fields, headers={"Cache-Control": "no-store"})

    def upstream(self, **knobs: Any) -> None:
        """Put the simulator's faults and counters back, then set some."""
        httpx.post(
            f"{self.stack.upstream_url}/_control",
            json={"reset": True, "reset_stats": True, **knobs},
            trust_env=False,
            verify=NO_CERTIFICATES,
        ).raise_for_status()

    def upstream_stats(self) -> dict[str, Any]:
        stats: dict[str, Any] = httpx.get(
            f"{self.stack.upstream_url}/_stats", trust_env=False, verify=NO_CERTIFICATES
        ).json()
        return stats


def secrets_of(stack: Stack) -> list[str]:
    """What nobody may be told: the upstream's token, and the secret of the admin key."""
    given = [worker.env["UPSTREAM_TOKEN"]["value"] for worker in stack.host.plan.workers]
    return [*set(given), stack.admin_key.split("_")[2]]


def tells_no_secret(stack: Stack) -> Callable[[httpx.Response], None]:
    """A hook of a client: no answer has a secret in its headers, no problem in its body."""

    def hook(response: httpx.Response) -> None:
        told = str(response.headers.raw)
        if response.headers.get("content-type") == "application/problem+json":
            response.read()
            told += response.text
        assert not [secret for secret in secrets_of(stack) if secret in told]
        assert "Traceback" not in told

    return hook


def logs_tell_no_secret(stack: Stack, logs: list[LogLine]) -> None:
    """Of everything that was logged until now."""
    texts = [line.text for line in logs]
    assert texts
    assert not [text for text in texts if any(secret in text for secret in secrets_of(stack))]


def hold_response(response: httpx.Response) -> None:
    """Every answer that a test gets is one that `/api/openapi.json` promises."""
    body = None
    if response.headers.get("content-type", "").endswith(JSON):
        body = response.read()
    path = response.request.url.raw_path.decode().partition("?")[0]
    hold(response.request.method, path, response.status_code, response.headers, body)


@pytest.fixture(autouse=True)
def _within_the_limits_of_the_platform(request: pytest.FixtureRequest) -> Iterator[None]:
    """No event of the test's Workers passes a limit of the platform, except those that the mark
    `passes_limits` names.
    """
    Host.passed_anywhere.clear()
    yield
    mark = request.node.get_closest_marker("passes_limits")
    expected = () if mark is None else mark.args
    passed = [str(one) for one in Host.passed_anywhere if one.limit not in expected]
    assert not passed, passed


@pytest.fixture(scope="session")
def data_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made-up sites with odd names and values, one whose samples are of now, beside the real sample."""
    folder = tmp_path_factory.mktemp("telemetry")
    write_made_up(folder)
    write_same_names(folder)
    write_live(folder, time.time_ns() // 1_000_000)
    for site in SAMPLE.iterdir():
        if site.is_dir():
            shutil.copytree(site, folder / site.name)
    return folder


@contextmanager
def started(data_folder: Path, state: Path) -> Iterator[Running]:
    """A whole stack over the data."""
    logs: list[LogLine] = []
    options = StackOptions(
        wake_all=False,
        state=state,
        data=data_folder,
        settings={
            # Long enough for a busy machine; two tests wait for it to pass.
            "requestDeadlineSeconds": "6",
            # An outage in one test is none in the next; `test_protection.py` has a stack of its own.
            "circuitPauseSeconds": "0",
        },
        on_log=logs.append,
    )
    with (
        Stack(options) as stack,
        httpx.Client(
            base_url=stack.url, timeout=TIMEOUT_S, trust_env=False, verify=NO_CERTIFICATES
        ) as client,
    ):
        client.event_hooks = {"response": [hold_response, tells_no_secret(stack)]}
        yield Running(stack=stack, client=client, truth=Truth(data_folder), logs=logs)
        # At the end of the whole run, whatever was asked in it.
        logs_tell_no_secret(stack, logs)


@pytest.fixture(scope="session")
def whole_stack(data_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The one that most files share."""
    with started(data_folder, tmp_path_factory.mktemp("state")) as running:
        yield running


@pytest.fixture
def running(whole_stack: Running) -> Running:
    """The stack with a well-behaved upstream."""
    whole_stack.upstream()
    return whole_stack


@pytest.fixture(scope="session")
def jobs_stack(data_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Jobs]:
    """A stack whose jobs are small and whose janitor sweeps when it is told to."""
    logs: list[LogLine] = []
    options = StackOptions(
        wake_all=False,
        state=tmp_path_factory.mktemp("jobs"),
        data=data_folder,
        settings=SETTINGS,
        scripts=(Script(name="test-database", source=DATABASE_SCRIPT, path=DATABASE_PATH),),
        on_log=logs.append,
    )
    with (
        Stack(options) as stack,
        httpx.Client(
            base_url=stack.url, timeout=TIMEOUT_S, trust_env=False, verify=NO_CERTIFICATES
        ) as client,
    ):
        yield Jobs(
            host=stack.host,
            upstream_url=stack.upstream_url,
            truth=Truth(data_folder),
            client=client,
            logs=logs,
        )


@pytest.fixture(scope="session")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """A Worker that has the stores and nothing else, for the suites of their ports."""
    yield from running_host(tmp_path_factory)


@pytest.fixture
def remote(host: Host, request: pytest.FixtureRequest) -> Remote:
    """A store with a memory of its own, as in a new isolate."""
    host.raise_if_broken()
    return Remote(url=host.url, memory=request.node.nodeid)


@pytest.fixture
def jobs(jobs_stack: Jobs) -> Iterator[Jobs]:
    """Nothing stored of the sites that jobs are about, a well-behaved upstream; nothing left running."""
    jobs_stack.upstream()
    for site in ("opengrid_minute", "made_up_plain", made_up.ODD_SITE):
        jobs_stack.forget(site)
    seen = len(jobs_stack.logs)
    yield jobs_stack
    jobs_stack.upstream()
    jobs_stack.cancel_all()
    unexpected = [line.text for line in jobs_stack.logs[seen:] if "unexpected" in line.text]
    fault, jobs_stack.expected_fault = jobs_stack.expected_fault, None
    if fault is None:
        assert not unexpected
    else:
        lines = [line.text for line in jobs_stack.logs[seen:]]
        assert any(fault in text for text in lines), f"the fault that was to come did not: {fault}"
        assert all(fault in text for text in unexpected), unexpected
