"""The whole system on this machine: the upstream simulator or an upstream of one's own, and the graph on
the Workers runtime.

Owns starting them, telling when they answer or why not, having the work of a run that was killed go on, and
leaving nothing behind. `make dev`, `make demo` and the runtime tests all stand on it. Must not know what the
Workers do, nor which resources there are.
"""

import fcntl
import os
import queue
import secrets
import socket
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any, Final, Self

from edgeseries.access.keys import hash_of
from local.admin_key import new_admin_key
from local.children import Child
from local.host_plan import Script, WorkerPlan
from local.hosting import POLL_S, Host, HostError
from local.kept_graph import kept_graph
from local.logs import LogLine
from local.own_upstream import OwnUpstream
from local.plan import plan_host, statements_of
from local.resume import resume
from local.upstream.replay import Replay

ROOT: Final = Path(__file__).resolve().parents[1]
SCHEMA: Final = ROOT / "schema.sql"
LOOPBACK: Final = "127.0.0.1"

STACK_NAME: Final = "dev"
NO_ACCOUNT: Final = "0" * 32
"""The shape of a Cloudflare account id; nothing here asks an account."""

LOCAL_SETTINGS: Final = {"auth": "open", "requestsPerMinute": "100000", "bulkRequestsPerMinute": "100000"}
"""Nobody else reaches this machine's loopback. Everybody on it is one caller, and nobody pays: load tests
are not throttled.
"""

SIMULATOR_READY: Final = "upstream simulator ready on "
SIMULATOR_START_TIMEOUT_S: Final = 120.0
"""It looks through all telemetry of DATA before it answers."""

NO_CERTIFICATES: Final = {"SSL_CERT_FILE": os.devnull, "SSL_CERT_DIR": os.devnull}
"""The simulator calls nobody; aiohttp reads all certificates of the machine when it is imported."""

TOKEN_BYTES: Final = 16
"""Entropy of the simulator's token, new in every run; hexadecimal, so that no token looks like an option."""

LOG_LINES_MAX: Final = 10_000
"""How many lines `Stack.logs` keeps: enough for any test, and bounded for days of `make dev`."""


SECOND_HOST: Final = "second.localhost"
"""Whose requests a second isolate of the public Worker answers, on the same port."""

SERVED: Final = "upstream"
"""File in the state that says which upstream what is stored there came from."""


class StackError(Exception):
    """The stack cannot start or has ended; the text says why and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StackOptions:
    """How to run. Port 0 means any free one. `settings` override the program's defaults by their names;
    telemetry of the sites of `replay` happens now; `scripts` run beside the graph's Workers, for comparison.
    With an `upstream` of one's own no simulator is started: `data`, `upstream_port`, `replay` mean nothing.
    Without `wake_all` the public Worker alone is booted at the start, the others by their first event. With
    `second_isolate` a copy of the public Worker answers requests to the host SECOND_HOST: over the same
    stores, as another isolate of it would.
    """

    state: Path
    data: Path
    port: int = 0
    upstream_port: int = 0
    upstream: OwnUpstream | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    replay: Replay | None = None
    scripts: tuple[Script, ...] = ()
    wake_all: bool = True
    second_isolate: bool = False
    on_log: Callable[[LogLine], None] = lambda _: None


class Stack:
    """A running stack, as a context manager. `url` is the router's, `upstream_url` the simulator's root,
    empty with an upstream of one's own. `admin_key` makes other keys, if `auth` is `keys`; new each time.
    """

    def __init__(self, options: StackOptions) -> None:
        self.url = ""
        self.upstream_url = ""
        self._upstream: OwnUpstream | None = None
        self.admin_key = new_admin_key()
        self.logs: deque[LogLine] = deque(maxlen=LOG_LINES_MAX)
        self._options = options
        self._simulator: Child | None = None
        self._host: Host | None = None
        self._lock: IO[str] | None = None

    def __enter__(self) -> Self:
        try:
            self._start()
        except HostError as error:
            self.stop()
            raise StackError(str(error)) from error
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def host(self) -> Host:
        """The running host, with its control calls: schedules, queues, D1, R2."""
        if self._host is None:
            raise StackError("the stack does not run")
        return self._host

    @property
    def pids(self) -> tuple[int, ...]:
        """Process ids of the children, for tests that end them the hard way. The host's is the last."""
        running = (self._simulator, None if self._host is None else self._host.child)
        return tuple(child.pid for child in running if child is not None)

    def control(self, operation: str, **fields: Any) -> Any:
        """One of the verbs of `local/host/control.mjs`. Raises StackError if it fails."""
        try:
            return self.host.control(operation, **fields)
        except HostError as error:
            raise StackError(str(error)) from error

    def wait(self) -> None:
        """Return never while all is well; raise StackError when a Worker or a child fails by itself."""
        while True:
            try:
                self.host.raise_if_broken()
            except HostError as error:
                raise StackError(str(error)) from error
            simulator = self._simulator
            if simulator is not None and simulator.ended:
                raise StackError(
                    f"{simulator.name} ended (status {simulator.exit_status})\n{simulator.last_words()}"
                )
            time.sleep(POLL_S)

    def stop(self) -> None:
        """Stop both, the host first: its Workers still talk to the simulator. May be called twice."""
        if self._host is not None:
            self._host.stop()
            self._host = None
        if self._simulator is not None:
            self._simulator.stop()
            self._simulator = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _start(self) -> None:
        options = self._options
        own = options.upstream
        if own is None and not options.data.is_dir():
            raise StackError(f"there is no folder {options.data}; name one with DATA=<folder of sites>")
        if own is None and options.port == options.upstream_port != 0:
            raise StackError(f"PORT and UPSTREAM_PORT are both {options.port}; give them different ones")
        _check_free(options.port, "PORT")
        if own is None:
            _check_free(options.upstream_port, "UPSTREAM_PORT")
        self._take_state()
        upstream = self._upstream = self._start_simulator() if own is None else own
        config = {"accountId": NO_ACCOUNT, **LOCAL_SETTINGS, **options.settings}
        # The simulator is at another port in every run; whether an upstream of one's own can be used is for
        # the program to say.
        address = {"upstreamUrl": upstream.url}
        graph = kept_graph(
            stack=STACK_NAME,
            config=config if own is None else {**config, **address},
            secrets={
                "upstreamToken": upstream.token,
                "adminKeyHash": hash_of(self.admin_key),
                **options.secrets,
            },
            per_run=address if own is None else {},
        )
        plan = plan_host(graph, schema=statements_of(SCHEMA.read_text(encoding="utf-8")))
        plan = replace(plan, scripts=options.scripts, wake_all=options.wake_all)
        if options.second_isolate:
            plan = replace(plan, workers=(*plan.workers, _second(plan.workers[0])))
        self._host = Host(
            plan, state=options.state, port=options.port, on_log=self._keep, before_open=self._resume
        )
        self.url = self._host.__enter__().url

    @property
    def upstream(self) -> OwnUpstream:
        """What the Workers ask, once the stack runs."""
        assert self._upstream is not None
        return self._upstream

    def _resume(self, host: Host) -> None:
        count = resume(host)
        if count:
            text = f"{count} messages that the run before had left are sent again"
            self._keep(LogLine(time_ms=_now_ms(), source="host", level="info", text=text))

    def _take_state(self) -> None:
        """One stack for one state folder: two would write the same database files."""
        state = self._options.state
        try:
            state.mkdir(parents=True, exist_ok=True)
            self._lock = (state / "lock").open("w")
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as cause:
            raise StackError(
                f"another stack uses the state in {state}; stop it, or name another folder with STATE="
            ) from cause
        except OSError as cause:
            raise StackError(
                f"the state cannot be kept in {state} ({cause}); name another folder with STATE="
            ) from cause
        self._check_served(state / SERVED)

    def _check_served(self, mark: Path) -> None:
        """What is stored of one upstream must never be served for another: sites may have the same names."""
        own = self._options.upstream
        serves = f"the simulator over {self._options.data.resolve()}" if own is None else own.url
        served = mark.read_text(encoding="utf-8") if mark.exists() else None
        if served not in (None, serves):
            raise StackError(
                f"the state in {mark.parent} is of another upstream ({served}); "
                "name another folder with STATE=, or remove this one: make clean"
            )
        mark.write_text(serves, encoding="utf-8")

    def _start_simulator(self) -> OwnUpstream:
        """The simulator, as an upstream of one's own would be named."""
        options = self._options
        token = secrets.token_hex(TOKEN_BYTES)
        ready: queue.Queue[str] = queue.Queue()

        def on_line(line: str) -> None:
            if line.startswith(SIMULATOR_READY):
                ready.put(line.removeprefix(SIMULATOR_READY).removesuffix("/api"))
            else:
                self._keep(LogLine(time_ms=_now_ms(), source="simulator", level="info", text=line))

        command = [sys.executable, "-m", "local.upstream", "--host", LOOPBACK, "--stop-with-parent"]
        command += ["--port", str(options.upstream_port), "--data", str(options.data.resolve())]
        if options.replay is not None:
            command += ["--replay-at", str(options.replay.at_ms)]
            command += [f"--replay={site}" for site in sorted(options.replay.sites)]
        self._simulator = child = Child(
            "the upstream simulator",
            [*command, "--token", token],
            cwd=ROOT,
            on_line=on_line,
            environment=NO_CERTIFICATES,
        )
        until = time.monotonic() + SIMULATOR_START_TIMEOUT_S
        while time.monotonic() < until:
            ended = child.ended
            try:
                self.upstream_url = ready.get(timeout=POLL_S)
            except queue.Empty:
                if ended:
                    raise StackError(f"{child.name} ended while starting\n{child.last_words()}") from None
            else:
                return OwnUpstream(url=f"{self.upstream_url}/api", token=token)
        raise StackError(
            f"{child.name} was not ready after {SIMULATOR_START_TIMEOUT_S:.0f} s\n{child.last_words()}"
        )

    def _keep(self, line: LogLine) -> None:
        self.logs.append(line)
        self._options.on_log(line)


def _check_free(port: int, name: str) -> None:
    """Before anything starts, since only here the setting's name is known."""
    with socket.socket() as probe:
        # As servers do it, or a port would count as taken for a minute after its last connection.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except (OSError, OverflowError) as cause:
            raise StackError(
                f"port {port} cannot be used ({cause}); choose another with {name}=<port>"
            ) from cause


def _second(public: WorkerPlan) -> WorkerPlan:
    """Another isolate of the public Worker."""
    return replace(public, name=f"{public.name}-second", hosts=(SECOND_HOST,), assets=None)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
