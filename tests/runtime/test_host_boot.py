"""The start and the end of the local host: broken entries, first requests, ports, state, signals."""

import os
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from local.graph import Resource
from local.hosting import LARGER_STEPS, NODE, Host, HostError
from local.plan import plan_host
from stack.bundle import vendored_sdk
from tests.loopback import NO_CERTIFICATES
from tests.made_graph import BINDINGS, PYTHON, Modules, graph_of, stores, worker
from tests.processes import descendants_of, eventually, group_of

pytestmark = pytest.mark.runtime

TIMEOUT_S = 120.0

COUNTING = """
from workers import Response, WorkerEntrypoint

ANSWERED = []


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        ANSWERED.append(request.url)
        return Response.json(len(ANSWERED))
"""

COMPILED = """
import json
import sys
import traceback
from importlib.util import source_hash
from pathlib import Path

from workers import Response, WorkerEntrypoint


def loads_of(text):
    return loads(text)


def loads(text):
    return json.loads(text)


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        try:
            loads_of("{")
        except ValueError:
            told = traceback.format_exc()
        entry = sys.modules["entry"]
        made_of = Path(entry.__cached__).read_bytes()[8:16]
        is_of_this = made_of == source_hash(Path(entry.__file__).read_bytes())
        return Response.json({"library": json.__file__, "compiled": is_of_this, "traceback": told})
"""

DRAWING = """
import os
import random
import secrets
import uuid

from workers import Response, WorkerEntrypoint


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        drawn = [random.random(), random.randbytes(8).hex(), secrets.token_hex(8), str(uuid.uuid4())]
        return Response.json([*drawn, os.urandom(8).hex()])
"""

NOTES_SCHEMA = ("CREATE TABLE IF NOT EXISTS kept (note TEXT);",)


def entry(source: str) -> Modules:
    vendored = {module.name: (module.content_type, module.content) for module in vendored_sdk()}
    return {"entry.py": (PYTHON, source.encode()), **vendored}


def front(source: str = COUNTING, **changes: str) -> list[Resource]:
    return [*stores(), *worker("front", entry(source), public=True, bindings=BINDINGS, **changes)]


def hosted(resources: list[Resource], state: Path, *, port: int = 0) -> Host:
    return Host(plan_host(graph_of(resources), schema=NOTES_SCHEMA), state=state, port=port)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def no_process_left_behind() -> Iterator[None]:
    before = descendants_of(os.getpid())
    yield
    eventually(lambda: descendants_of(os.getpid()) <= before, "all processes of the host to be gone")


BROKEN: list[tuple[str, str, tuple[str, ...]]] = [
    (
        "missing module",
        "import made_up_missing\n",
        ('File "/session/metadata/entry.py", line 1', "No module named 'made_up_missing'"),
    ),
    ("no class", "x = 1\n", ("entry.py has no class named Default",)),
    ("no Python", "def f(:\n", ('File "/session/metadata/entry.py", line 1', "SyntaxError")),
]


@pytest.mark.parametrize(("source", "words"), [row[1:] for row in BROKEN], ids=[row[0] for row in BROKEN])
def test_a_public_entry_that_does_not_import_stops_the_start_with_its_traceback(
    tmp_path: Path, source: str, words: tuple[str, ...]
) -> None:
    with no_process_left_behind():
        host = hosted(front(source), tmp_path)
        with pytest.raises(HostError) as refusal, host:
            pass
    text = str(refusal.value)
    assert [word for word in ("made-up-front", "Traceback", *words) if word not in text] == []


def test_another_entry_that_does_not_import_stops_the_start_with_its_name(tmp_path: Path) -> None:
    broken = worker("back", entry("import made_up_missing\n"))
    with no_process_left_behind():
        host = hosted([*front(), *broken], tmp_path)
        with pytest.raises(HostError, match=r"(?s)made-up-back.*made_up_missing"), host:
            pass


def test_library_and_bundle_are_compiled_once_and_keep_their_sources(tmp_path: Path) -> None:
    """From bytecode, which is of this very source; tracebacks have their lines all the same."""
    with hosted(front(COMPILED), tmp_path) as host:
        told = httpx.get(host.url, timeout=TIMEOUT_S, trust_env=False, verify=NO_CERTIFICATES).json()
    assert told["library"].endswith(".zip/json/__init__.pyc")
    assert told["compiled"] is True
    lines = ("return loads(text)", "return _default_decoder.decode(s)")
    assert [line for line in lines if line not in told["traceback"]] == []


def test_miniflare_writes_its_configuration_in_larger_steps() -> None:
    """A text of the package that `larger_steps.mjs` no longer finds costs seconds at every start."""
    look = (
        'import { registerHooks } from "node:module"; import fs from "node:fs";'
        'const wanted = import.meta.resolve("miniflare"); let seen;'
        "registerHooks({ load(url, context, next) { const loaded = next(url, context);"
        "  if (url === wanted) seen = String(loaded.source); return loaded; } });"
        'await import("miniflare"); console.log(seen !== fs.readFileSync(new URL(wanted), "utf8"));'
    )
    command = [str(NODE), f"--import={LARGER_STEPS.as_uri()}", "--input-type=module", "--eval", look]
    told = subprocess.run(command, cwd=LARGER_STEPS.parent, capture_output=True, text=True, check=True)
    assert told.stdout == "true\n"


def test_a_date_that_the_runtime_does_not_know_yet_is_named(tmp_path: Path) -> None:
    with pytest.raises(HostError, match="2999-01-01"), hosted(front(date="2999-01-01"), tmp_path):
        pass


def test_nobody_is_served_before_the_schema_is_applied_and_every_worker_is_awake(tmp_path: Path) -> None:
    """Clients come as soon as the port is open, long before the host says that it is ready."""
    port = free_port()
    seen: list[httpx.Response] = []
    let_in = threading.Event()
    awake: list[Any] = []

    def ask_until_served() -> None:
        eventually(lambda: connected(port), "the port to open")
        while not seen or seen[-1].status_code == httpx.codes.SERVICE_UNAVAILABLE:
            seen.append(
                httpx.get(
                    f"http://127.0.0.1:{port}/{len(seen)}",
                    timeout=TIMEOUT_S,
                    trust_env=False,
                    verify=NO_CERTIFICATES,
                )
            )

    def before_open(host: Host) -> None:
        awake.append(host.query("SELECT count(*) AS n FROM kept"))
        asked = len(seen)
        eventually(lambda: len(seen) > asked + 1, "requests while nobody is let in")
        let_in.set()

    client = threading.Thread(target=ask_until_served)
    client.start()
    plan = plan_host(graph_of([*front(), *worker("back", entry(COUNTING))]), schema=NOTES_SCHEMA)
    with Host(plan, state=tmp_path, port=port, before_open=before_open) as host:
        assert let_in.is_set()
        assert (
            httpx.get(host.url, timeout=TIMEOUT_S, trust_env=False, verify=NO_CERTIFICATES).status_code
            == httpx.codes.OK
        )
        client.join()
    assert awake == [[{"n": 0}]], "the schema is applied by then"
    refused, served = seen[:-1], seen[-1]
    assert refused, "it came too late to show anything"
    assert {(one.status_code, one.headers["retry-after"]) for one in refused} == {(503, "1")}
    assert "starting" in refused[0].text
    # Module globals belong to the isolate: none of those who were refused has reached the entry.
    assert served.json() <= 2


def connected(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except ConnectionRefusedError:
        return False
    return True


def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    with no_process_left_behind(), socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(HostError, match=f"port {port} is in use"), hosted(front(), tmp_path, port=port):
            pass


def test_what_was_stored_is_there_in_the_next_run_and_what_was_drawn_is_not(tmp_path: Path) -> None:
    """Both runs are restored from one snapshot: what is random must not come out of it."""
    with hosted(front(DRAWING), tmp_path) as host:
        host.query("INSERT INTO kept (note) VALUES (?)", "kept")
        host.put_object("made-up-key", b"kept")
        assert host.restored("front")
        drawn = httpx.get(host.url, timeout=TIMEOUT_S, trust_env=False, verify=NO_CERTIFICATES).json()
    with hosted(front(DRAWING), tmp_path) as host:
        assert host.query("SELECT note FROM kept") == [{"note": "kept"}]
        assert host.get_object("made-up-key") == b"kept"
        assert host.restored("front")
        again = httpx.get(host.url, timeout=TIMEOUT_S, trust_env=False, verify=NO_CERTIFICATES).json()
    assert len(set(drawn) | set(again)) == len(drawn) + len(again)


def test_a_snapshot_that_is_broken_is_told_and_not_used(tmp_path: Path) -> None:
    folder = tmp_path / "snapshots"
    plan = replace(plan_host(graph_of(front())), snapshots=folder)
    with Host(plan, state=tmp_path / "state") as host:
        assert host.restored("front")
    (made,) = folder.iterdir()
    with made.open("r+b") as file:
        file.truncate(made.stat().st_size - 1)
    lines: list[str] = []
    with Host(plan, state=tmp_path / "state", on_log=lambda line: lines.append(line.text)) as host:
        assert not host.restored("front")
        assert httpx.get(host.url, timeout=TIMEOUT_S, trust_env=False, verify=NO_CERTIFICATES).json() == 1
    eventually(lambda: any("booted without its snapshot" in text for text in lines), "the log to say so")


def test_nothing_is_left_but_the_state(tmp_path: Path) -> None:
    with hosted(front(), tmp_path) as host:
        plan_mode = (tmp_path / "plan.json").stat().st_mode & 0o777
        assert host.child.pid in descendants_of(os.getpid())
    assert plan_mode == 0o600
    assert {path.name for path in tmp_path.iterdir()} == {"plan.json", "resources", "host-scratch"}
    assert list((tmp_path / "host-scratch").glob("miniflare-*")) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_host_with_status_0(tmp_path: Path, number: signal.Signals) -> None:
    with hosted(front(), tmp_path) as host:
        child = host.child
        os.kill(child.pid, number)
        eventually(lambda: child.ended, "the host to end")
        assert child.exit_status == 0
        eventually(lambda: group_of(child.pid) == set(), "the runtime to end with it")
        with pytest.raises(HostError, match="ended"):
            host.raise_if_broken()


def test_a_host_that_is_killed_takes_its_runtime_along(tmp_path: Path) -> None:
    with hosted(front(), tmp_path) as host:
        child = host.child
        assert len(group_of(child.pid)) > 1
        os.kill(child.pid, signal.SIGKILL)
        eventually(lambda: child.ended, "the host to end")
    eventually(lambda: group_of(child.pid) == set(), "the runtime to end with it")
