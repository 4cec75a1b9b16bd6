"""The stack under soak: one upstream that lives on, one host that is killed and started on its state."""

import os
import signal
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx

from local.hosting import Host
from local.logs import LogLine
from local.resume import resume
from local.stack import Stack
from tests.loopback import NO_CERTIFICATES
from tests.soak.fault_timeline import HOST, UPSTREAM, FaultTimeline
from tests.soak.model import Model, Wanted

SETTINGS: Final = {
    "janitorCron": "0 0 1 1 *",
    "queueMaxWaitSeconds": "0",
    "rescueAfterSeconds": "1",
    "batchPoints": "2",
    "batchSamples": "20000",
    "requestDeadlineSeconds": "5",
}
"""Small batches that do not wait for company; sweeps only when the soak says so."""

REQUEST_TIMEOUT_S: Final = 60.0
KEPT_COMPLAINTS: Final = 20


@dataclass
class World:
    """What clients and troubles share. `url` is empty while the host is down."""

    stack: Stack
    state: Path
    model: Model
    weather: FaultTimeline = field(default_factory=FaultTimeline)
    counts: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    complaints: list[str] = field(default_factory=list)
    logs: list[LogLine] = field(default_factory=list)
    jobs: dict[str, Wanted] = field(default_factory=dict)
    up: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.host: Host = self.stack.host
        self.url = self.stack.url
        self._plan = self.host.plan
        self._upstream = httpx.Client(
            base_url=self.stack.upstream_url, trust_env=False, timeout=30, verify=NO_CERTIFICATES
        )
        self.up.set()

    def count(self, what: str, amount: int = 1) -> None:
        """One more."""
        with self.lock:
            self.counts[what] += amount

    def complain(self, text: str) -> None:
        """Something was wrong that nothing under way explains."""
        with self.lock:
            self.counts["wrong"] += 1
            if len(self.complaints) < KEPT_COMPLAINTS:
                self.complaints.append(text)

    def turn(self, **knobs: Any) -> None:
        """Set the upstream's knobs."""
        self._upstream.post("/_control", json=knobs).raise_for_status()

    def calm(self) -> None:
        """A well-behaved upstream."""
        self.turn(reset=True)
        self.weather.end(UPSTREAM)

    def kill(self) -> None:
        """SIGKILL for the whole process group of the host; a new host on the same state.

        It starts as in `make dev`: what a dead consumer held is free again, and messages are sent anew.
        """
        self.up.clear()
        self.weather.begin(HOST, "kill")
        os.killpg(self.host.child.pid, signal.SIGKILL)
        self.host.stop()
        host = Host(self._plan, state=self.state, on_log=self.logs.append, before_open=resume)
        self.host = host.__enter__()
        self.url = self.host.url
        self.weather.end(HOST)
        self.up.set()

    def sweep(self) -> None:
        """The janitor's schedule, now."""
        janitor = next(worker for worker in self._plan.workers if worker.function == "janitor")
        self.host.fire_schedule(janitor.name, janitor.crons[0])
        self.count("sweeps")

    def close(self) -> None:
        """Stop the host that was started here last; the stack stops the rest."""
        self.host.stop()
        self._upstream.close()


def now_ms() -> int:
    """The clock that replayed telemetry follows."""
    return time.time_ns() // 1_000_000
