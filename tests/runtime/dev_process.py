"""`make dev` as a process of the tests, as the Makefile starts it, and a simulator that outlives it."""

import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from local.children import Child
from local.hosting import START_TIMEOUT_S
from tests.loopback import NO_CERTIFICATES
from tests.processes import descendants_of, eventually

ROOT = Path(__file__).resolve().parents[2]
READY = "EdgeSeries ready on "
SIMULATOR_READY = "upstream simulator ready on "
TIMEOUT_S = 60.0


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where one `make dev` runs: everything that the Makefile would tell it."""

    port: int
    upstream_port: int
    state: Path
    data: Path
    checkout: Path = ROOT
    cwd: Path = ROOT

    @property
    def environment(self) -> dict[str, str]:
        return {
            "PORT": str(self.port),
            "UPSTREAM_PORT": str(self.upstream_port),
            "STATE": str(self.state),
            "DATA": str(self.data),
            "AUTH": "open",
            # Whoever runs the tests may have an upstream of their own; these look at none but their own.
            "UPSTREAM_URL": "",
            "UPSTREAM_TOKEN": "",
            "PYTHONPATH": ":".join(str(self.checkout / folder) for folder in ("functions", "infra", ".")),
        }

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


class Dev:
    """One `python -m local.dev` and what it has printed."""

    def __init__(self, place: Place, **changes: str) -> None:
        self.place = place
        self.lines: list[str] = []
        self.child = Child(
            "make dev",
            [sys.executable, "-m", "local.dev"],
            cwd=place.cwd,
            on_line=self.lines.append,
            environment={**place.environment, **changes},
        )

    @property
    def output(self) -> str:
        return "\n".join(self.lines)

    def wait_for(self, start: str) -> None:
        what = f"a line that starts {start!r}"
        eventually(lambda: self._has(start) or self.child.ended, what, patience_s=START_TIMEOUT_S)
        if self.child.ended:
            self.child.stop()  # Which hears the rest of what it said.
        assert self._has(start), self.output

    def wait_for_end(self) -> int | None:
        """Its exit status, once it has ended by itself and all that it said has been heard."""
        eventually(lambda: self.child.ended, "the end of make dev")
        self.child.stop()
        return self.child.exit_status

    def processes(self) -> set[int]:
        """What it has started, and what that has started: simulator, Node, workerd."""
        return descendants_of(self.child.pid)

    def _has(self, start: str) -> bool:
        return any(line.startswith(start) for line in self.lines)


Start = Callable[..., Dev]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def get(url: str) -> httpx.Response:
    return httpx.get(url, timeout=TIMEOUT_S, trust_env=False, verify=NO_CERTIFICATES)


@dataclass(kw_only=True)
class OwnUpstream:
    """A simulator that `make dev` has not started: to it this is a vendor's API, with a token."""

    data: Path
    token: str = "made-up-secret-of-a-vendor"  # noqa: S105 - of nobody
    root: str = ""
    lines: list[str] = field(default_factory=list)

    def start(self) -> Child:
        command = [sys.executable, "-m", "local.upstream", "--host", "127.0.0.1", "--stop-with-parent"]
        child = Child(
            "a vendor",
            [*command, "--port", "0", "--data", str(self.data), "--token", self.token],
            cwd=ROOT,
            on_line=self.lines.append,
        )
        eventually(lambda: self._url() or child.ended, "the vendor")
        self.root = self._url().removesuffix("/api")
        return child

    @property
    def environment(self) -> dict[str, str]:
        return {"UPSTREAM_URL": f"{self.root}/api", "UPSTREAM_TOKEN": self.token}

    def turn(self, **knobs: object) -> None:
        httpx.post(
            f"{self.root}/_control", json=knobs, trust_env=False, verify=NO_CERTIFICATES
        ).raise_for_status()

    def calls(self) -> int:
        return int(get(f"{self.root}/_stats").json()["calls"])

    def _url(self) -> str:
        ready = [line for line in self.lines if line.startswith(SIMULATOR_READY)]
        return ready[0].removeprefix(SIMULATOR_READY) if ready else ""
