"""`make dev` as a process: what it says, that it answers, and that it leaves nothing behind.

Runs `python -m local.dev` as the Makefile does, on free ports, over made-up telemetry.
"""

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from edgeseries.access.keys import presented_key
from tests.made_up import write_made_up
from tests.processes import alive, eventually, group_of
from tests.runtime.dev_process import READY, ROOT, TIMEOUT_S, Dev, Place, Start, free_port, get

pytestmark = pytest.mark.runtime

PARTS = 3
"""Processes of one stack at the least: the simulator, Node and workerd."""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_made_up(tmp_path_factory.mktemp("dev") / "data")


@pytest.fixture
def place(tmp_path: Path, data: Path) -> Place:
    return Place(port=free_port(), upstream_port=free_port(), state=tmp_path / "state", data=data)


@pytest.fixture
def start() -> Iterator[Start]:
    """Start one, and see to it that nothing of it stays, whatever the test finds."""
    with contextlib.ExitStack() as ends:

        def run(place: Place, **changes: str) -> Dev:
            dev = Dev(place, **changes)
            ends.callback(dev.child.stop)
            return dev

        yield run


@pytest.fixture(scope="module")
def served(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dev]:
    """One that serves, for the tests that only look."""
    state = tmp_path_factory.mktemp("dev") / "a state"
    dev = Dev(Place(port=free_port(), upstream_port=free_port(), state=state, data=data))
    try:
        dev.wait_for(READY)
        yield dev
    finally:
        dev.child.stop()


def assert_one_clear_line(dev: Dev, *words: str) -> None:
    """It has given up with exit status 1 and one line that says why, not with a traceback."""
    assert dev.wait_for_end() == 1
    assert "Traceback" not in dev.output
    (line,) = [line for line in dev.lines if line.startswith("make dev: ")]
    for word in words:
        assert word in line


def test_it_says_where_it_answers_and_what_to_try(served: Dev) -> None:
    assert f"{READY}{served.place.url}" in served.lines
    eventually(lambda: "/_stats" in served.output, "the last of the URLs")
    urls = re.findall(r"^ +curl '([^']+)'$", served.output, flags=re.MULTILINE)
    assert {httpx.URL(url).port for url in urls} == {served.place.port, served.place.upstream_port}
    bodies = {}
    for url in urls:
        answer = get(url)
        assert answer.status_code == 200, (url, answer.text)
        bodies[httpx.URL(url).path.rpartition("/")[2]] = answer.json()
    assert bodies.keys() == {"health", "stats", "sites", "points", "timeseries", "_stats"}


def test_what_it_serves_to_try_is_real_data(served: Dev) -> None:
    eventually(lambda: "/api/timeseries" in served.output, "the URL of a time series")
    (url,) = re.findall(r"curl '([^']+/api/timeseries[^']+)'", served.output)
    assert sum(point["count"] for point in get(url).json()["data"].values()) > 0


def test_it_shows_the_logs_of_the_workers(served: Dev) -> None:
    before = len(served.lines)
    get(f"{served.place.url}/api/health")
    eventually(
        lambda: any(re.match(r"\d\d:\d\d:\d\d router ", line) for line in served.lines[before:]),
        "a log line of the router",
    )


def test_nothing_but_this_machine_is_listened_to(served: Dev) -> None:
    # Another address of this machine, which 0.0.0.0 would answer on.
    for port in (served.place.port, served.place.upstream_port):
        with socket.socket() as probe:
            probe.settimeout(TIMEOUT_S)
            assert probe.connect_ex(("127.0.0.2", port)) != 0


@pytest.mark.parametrize("name", ["PORT", "UPSTREAM_PORT"])
def test_a_port_in_use_is_named(served: Dev, start: Start, place: Place, name: str) -> None:
    taken = str(served.place.port)
    assert_one_clear_line(start(place, **{name: taken}), taken, f"{name}=")


@pytest.mark.parametrize("name", ["PORT", "UPSTREAM_PORT"])
@pytest.mark.parametrize("port", ["http", "", "70000", "-1"])
def test_a_port_that_cannot_be_is_named(start: Start, place: Place, name: str, port: str) -> None:
    assert_one_clear_line(start(place, **{name: port}), name)


@pytest.mark.parametrize("auth", ["", "closed"])
def test_an_access_that_cannot_be_is_named(start: Start, place: Place, auth: str) -> None:
    assert_one_clear_line(start(place, AUTH=auth), "AUTH", "keys")


def test_a_key_is_made_by_a_command(served: Dev) -> None:
    def make_key(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "local.key", *words],
            cwd=ROOT,
            env=served.place.environment,
            capture_output=True,
            text=True,
            check=False,
        )

    made = make_key("--sites", "a,b", "--rights", "read,purge", "--owner", "me")
    assert made.returncode == 0, made.stderr
    told, key = made.stdout.splitlines()
    assert presented_key(f"Bearer {key}") is not None
    assert told == f"{key.split('_')[1]}: read, purge on a, b, standard"
    refused = make_key("--rights", "admin", "--sites", "a")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.startswith("make key: sites: ")


@pytest.mark.parametrize("name", ["DATA", "STATE"])
def test_an_empty_setting_is_named(start: Start, place: Place, tmp_path: Path, name: str) -> None:
    """An empty path is the working folder, which is the checkout; here it is one that may be littered."""
    assert_one_clear_line(start(replace(place, cwd=tmp_path), **{name: ""}), name)


def test_one_port_for_both_is_refused(start: Start, place: Place) -> None:
    port = str(place.port)
    assert_one_clear_line(start(place, PORT=port, UPSTREAM_PORT=port), port, "PORT")


def test_a_state_that_another_uses_is_named(served: Dev, start: Start, place: Place) -> None:
    assert_one_clear_line(start(place, STATE=str(served.place.state)), str(served.place.state), "STATE=")
    assert get(f"{served.place.url}/api/health").status_code == 200


def test_a_state_that_is_no_folder_is_named(start: Start, place: Place) -> None:
    place.state.write_text("a file", encoding="utf-8")
    assert_one_clear_line(start(place), str(place.state), "STATE=")


def test_missing_data_is_named(start: Start, place: Place) -> None:
    missing = str(place.data / "nowhere")
    assert_one_clear_line(start(place, DATA=missing), missing, "DATA=")


def test_data_without_points_is_named(start: Start, place: Place, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert_one_clear_line(start(place, DATA=str(tmp_path / "empty")), str(tmp_path / "empty"), "DATA=")


def test_data_that_cannot_be_read_is_named(start: Start, place: Place, tmp_path: Path) -> None:
    broken = write_made_up(tmp_path / "data")
    for file in broken.rglob("*.csv.gz"):
        file.write_bytes(b"not gzip")
    assert_one_clear_line(start(place, DATA=str(broken)), str(broken), ".csv.gz", "DATA=")


WIRING = Path("infra/stack/wiring.py")
IGNORED = shutil.ignore_patterns("node_modules", "sample", "__pycache__")


def test_a_binding_taken_out_of_the_wiring_is_missed_by_name(
    start: Start, place: Place, tmp_path: Path
) -> None:
    """Every other binding is taken out in tests/infra/test_wiring.py, which is quicker."""
    line = '        R2(name="CACHE", bucket=CACHE_BUCKET),\n'
    checkout = changed_checkout(tmp_path / "checkout", WIRING, line, "")
    dev = start(replace(place, checkout=checkout, cwd=checkout))
    assert_one_clear_line(dev, "router is not given CACHE", str(WIRING))


def changed_checkout(copy: Path, file: Path, old: str, new: str) -> Path:
    """A copy of what `make dev` reads, with one change, so that nothing here has a switch for tests."""
    for folder in ("functions", "infra", "local", "migrations", "build/wheels"):
        shutil.copytree(ROOT / folder, copy / folder, ignore=IGNORED)
    shutil.copy(ROOT / "schema.sql", copy)
    (copy / "local" / "node_modules").symlink_to(ROOT / "local" / "node_modules")
    text = (copy / file).read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{file} has changed: say here what is to be taken out"
    (copy / file).write_text(text.replace(old, new), encoding="utf-8")
    return copy


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_it_can_be_stopped_while_it_starts(start: Start, place: Place, number: signal.Signals) -> None:
    dev = start(place)
    eventually(lambda: len(dev.processes()) >= PARTS, "all three processes")
    processes = dev.processes()
    os.kill(dev.child.pid, number)
    status = dev.wait_for_end()
    assert status == (-number if number == signal.SIGKILL else 0)
    assert READY not in dev.output, "it was stopped too late to show anything"
    eventually(lambda: not any(alive(pid) for pid in processes), "the end of what it had started")


def test_killed_outright_while_busy_it_leaves_nothing(start: Start, place: Place) -> None:
    dev = start(place)
    dev.wait_for(READY)
    with busy(f"{place.url}/api/health"):
        processes = dev.processes()
        os.kill(dev.child.pid, signal.SIGKILL)
        eventually(lambda: not any(alive(pid) for pid in processes), "simulator, Node and workerd gone")


@contextlib.contextmanager
def busy(url: str) -> Iterator[None]:
    """Keep asking, so that log lines are on their way whenever something ends."""
    stopping = threading.Event()
    asked = threading.Event()

    def ask() -> None:
        while not stopping.is_set():
            with contextlib.suppress(httpx.HTTPError):
                get(url)
            asked.set()

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        asked.wait(TIMEOUT_S)
        yield
    finally:
        stopping.set()
        for thread in threads:
            thread.join()


@pytest.mark.parametrize("whose", ["the local host", "the upstream simulator"])
def test_it_ends_when_a_part_of_it_ends(start: Start, place: Place, whose: str) -> None:
    dev = start(place)
    dev.wait_for(READY)
    processes = dev.processes()
    leaders = {pid for pid in processes if pid in group_of(pid)}
    # workerd is in the group of Node; the simulator is alone.
    host = {pid for pid in leaders if len(group_of(pid)) > 1}
    (victim,) = host if whose == "the local host" else leaders - host
    os.kill(victim, signal.SIGKILL)
    assert_one_clear_line(dev, whose)
    eventually(lambda: not any(alive(pid) for pid in processes), "the rest of it gone")


def test_it_stops_when_told_and_leaves_nothing(served: Dev) -> None:
    """Stands last: it ends the one that the tests above look at."""
    processes = served.processes()
    assert len(processes) >= PARTS
    os.kill(served.child.pid, signal.SIGTERM)
    assert served.wait_for_end() == 0
    # It waits for them, so they are gone when it is.
    assert not {pid for pid in processes if alive(pid)}
    assert "Traceback" not in served.output
    assert served.lines[-1] == "stopped"
