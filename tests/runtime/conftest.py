"""What the runtime tests share: one whole stack on workerd, over made-up telemetry and the sample."""

import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from local.logs import LogLine
from local.stack import Stack, StackOptions
from local.upstream.truth import Truth
from tests.made_up import write_live, write_made_up

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
        ).raise_for_status()

    def upstream_stats(self) -> dict[str, Any]:
        stats: dict[str, Any] = httpx.get(f"{self.stack.upstream_url}/_stats", trust_env=False).json()
        return stats


@pytest.fixture(scope="session")
def data_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made-up sites with odd names and values, one whose samples are of now, beside the real sample."""
    folder = tmp_path_factory.mktemp("telemetry")
    write_made_up(folder)
    write_live(folder, time.time_ns() // 1_000_000)
    for site in SAMPLE.iterdir():
        if site.is_dir():
            shutil.copytree(site, folder / site.name)
    return folder


@pytest.fixture(scope="session")
def whole_stack(data_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    logs: list[LogLine] = []
    options = StackOptions(
        state=tmp_path_factory.mktemp("state"),
        data=data_folder,
        settings={
            "requestDeadlineSeconds": "3",
        },
        on_log=logs.append,
    )
    with (
        Stack(options) as stack,
        httpx.Client(base_url=stack.url, timeout=TIMEOUT_S, trust_env=False) as client,
    ):
        # The other Workers boot in the runtime's one thread: a request meanwhile may miss its deadline.
        stack.host.wait_awake()
        yield Running(stack=stack, client=client, truth=Truth(data_folder), logs=logs)


@pytest.fixture
def running(whole_stack: Running) -> Running:
    """The stack with a well-behaved upstream."""
    whole_stack.upstream()
    return whole_stack
