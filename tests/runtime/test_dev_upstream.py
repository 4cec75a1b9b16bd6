"""`make dev` before an upstream of one's own, and after kill -9: what it says, serves, and never tells."""

import contextlib
import os
import signal
import stat
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.loopback import NO_CERTIFICATES
from tests.made_up import PLAIN_SITE, write_made_up
from tests.processes import alive, descendants_of, eventually
from tests.runtime.dev_process import READY, TIMEOUT_S, Dev, OwnUpstream, Place, free_port, get

pytestmark = pytest.mark.runtime

LATENCY_MS = 250
"""So that a job has many moments to be killed at."""

CALLS_BEFORE_KILL = 3

SOON_S = 150.0
"""Patience: less than a lease, and seven minutes less than a rescue in production."""

PASSWORD = "hunter2-made-up"  # noqa: S105 - of nobody


@pytest.fixture(scope="module")
def vendor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnUpstream]:
    own = OwnUpstream(data=write_made_up(tmp_path_factory.mktemp("vendor") / "data"))
    child = own.start()
    try:
        yield own
    finally:
        child.stop()


@pytest.fixture
def place(tmp_path: Path, vendor: OwnUpstream) -> Place:
    vendor.turn(reset=True)
    # There is no data here, and nobody looks for any.
    return Place(port=free_port(), upstream_port=0, state=tmp_path / "state", data=tmp_path / "nowhere")


@contextlib.contextmanager
def running(place: Place, vendor: OwnUpstream, **changes: str) -> Iterator[Dev]:
    dev = Dev(place, **{**vendor.environment, **changes})
    try:
        yield dev
    finally:
        dev.child.stop()


def test_it_serves_from_the_upstream_and_tells_its_token_nowhere(place: Place, vendor: OwnUpstream) -> None:
    with running(place, vendor) as dev:
        dev.wait_for(READY)
        eventually(lambda: "/api/timeseries" in dev.output, "the URL of a time series")
        assert f"(the upstream is {vendor.root}/api)" in dev.output
        assert "/_stats" not in dev.output, "a vendor has no such thing"
        assert not [pid for pid in dev.processes() if "local.upstream" in command_of(pid)]
        health = get(f"{place.url}/api/health?deep=1").json()["parts"]
        assert health["upstream"]["status"] == "ok"
        sites = get(f"{place.url}/api/sites").json()["sites"]
        assert PLAIN_SITE in [site["name"] for site in sites]
        before = vendor.calls()
        fields = {"site": PLAIN_SITE, "point": "made_up_1"}
        span = {"start_time": "2024-02-29T00:00:00Z", "end_time": "2024-03-01T00:00:00Z"}
        url = f"{place.url}/api/timeseries?{httpx.QueryParams({**fields, **span})}"
        assert get(url).json()["data"]["made_up_1"]["count"] > 0
        assert vendor.calls() > before
        family = {dev.child.pid, *dev.processes()}
        assert len(family) > 2
        assert not [pid for pid in family if vendor.token in command_of(pid)]
        others = [Path(f"/proc/{pid}/environ").read_bytes() for pid in family - {dev.child.pid}]
        assert not [text for text in others if vendor.token.encode() in text]
        holding = [path for path in place.state.rglob("*") if path.is_file() and holds(path, vendor.token)]
        assert place.state / "plan.json" in holding, "it would be found"
        assert {stat.S_IMODE(path.stat().st_mode) for path in holding} == {0o600}
        assert vendor.token not in dev.output


def command_of(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8", errors="replace")


def holds(path: Path, text: str) -> bool:
    return text.encode() in path.read_bytes()


def test_a_job_goes_on_after_everything_was_killed(place: Place, vendor: OwnUpstream) -> None:
    years = {
        "site": PLAIN_SITE,
        "points": ["made_up_1", "made_up_2"],
        "start_time": "2021-01-01T00:00:00Z",
        "end_time": "2024-04-01T00:00:00Z",
    }
    vendor.turn(latency_ms=LATENCY_MS)
    with running(place, vendor) as dev:
        dev.wait_for(READY)
        asked = httpx.post(
            f"{place.url}/api/jobs", json=years, trust_env=False, timeout=TIMEOUT_S, verify=NO_CERTIFICATES
        )
        assert asked.status_code == 202, asked.text
        job = f"{place.url}{asked.json()['statusUrl']}"
        before = vendor.calls()
        eventually(lambda: vendor.calls() >= before + CALLS_BEFORE_KILL, "the job under way")
        family = {dev.child.pid, *descendants_of(dev.child.pid)}
        for pid in family:
            os.kill(pid, signal.SIGKILL)
        eventually(lambda: not any(alive(pid) for pid in family), "everything dead")
    assert not [line for line in dev.lines if "sent again" in line]
    with running(place, vendor) as dev:
        dev.wait_for(READY)
        # Said before anybody is let in. Nothing sweeps here, and no lease has run out by itself.
        before_ready = dev.output.partition(READY)[0]
        assert "messages that the run before had left are sent again" in before_ready
        told = get(job).json()
        assert told["status"] in ("queued", "processing", "retrying", "completed"), told
        eventually(lambda: get(job).json()["status"] == "completed", "the end of the job", patience_s=SOON_S)
        told = get(job).json()
        assert (told["error"], told["batches"]["done"]) == (None, told["batches"]["total"])
    with running(place, vendor) as dev:
        dev.wait_for(READY)
        assert "sent again" not in dev.output, "nothing is left to go on with"


def test_a_state_of_another_upstream_is_named(place: Place, vendor: OwnUpstream, tmp_path: Path) -> None:
    place.state.mkdir()
    (place.state / "upstream").write_text("https://another.example/api", encoding="utf-8")
    with running(place, vendor) as dev:
        assert_one_clear_line(dev, "https://another.example/api", str(place.state), "STATE=", "make clean")
    data = write_made_up(tmp_path / "data")
    with running(place, vendor, UPSTREAM_URL="", UPSTREAM_TOKEN="", DATA=str(data)) as dev:
        assert_one_clear_line(dev, "https://another.example/api", "STATE=")


def assert_one_clear_line(dev: Dev, *words: str) -> None:
    assert dev.wait_for_end() == 1
    assert "Traceback" not in dev.output
    (line,) = [line for line in dev.lines if line.startswith("make dev: ")]
    assert not [word for word in words if word not in line], line
    assert PASSWORD not in dev.output


CLOSED = "http://127.0.0.1:{closed}/api"
REFUSALS = {
    "no URL": ({"UPSTREAM_URL": "nonsense"}, ("UPSTREAM_URL", "https://")),
    "another scheme": ({"UPSTREAM_URL": "ftp://vendor.example"}, ("UPSTREAM_URL", "https://")),
    "in clear": ({"UPSTREAM_URL": "http://vendor.example/api"}, ("UPSTREAM_URL", "in clear")),
    "a password": ({"UPSTREAM_URL": f"https://me:{PASSWORD}@vendor.example"}, ("UPSTREAM_URL", "password")),
    "a query": ({"UPSTREAM_URL": "https://vendor.example/?x=1"}, ("UPSTREAM_URL", "?")),
    "no token": ({"UPSTREAM_TOKEN": ""}, ("UPSTREAM_TOKEN is not set", "export UPSTREAM_TOKEN")),
    "a token alone": ({"UPSTREAM_URL": ""}, ("UPSTREAM_TOKEN is set and UPSTREAM_URL is not",)),
    "no token at all": ({"UPSTREAM_TOKEN": f"{PASSWORD}\n{PASSWORD}"}, ("UPSTREAM_TOKEN", "ASCII")),
    "a refused token": ({"UPSTREAM_TOKEN": PASSWORD}, ("(401)", "UPSTREAM_TOKEN")),
    "another path": ({"UPSTREAM_URL": "{root}/nowhere"}, ("{root}/nowhere", "UPSTREAM_URL")),
    "nobody there": ({"UPSTREAM_URL": CLOSED}, (CLOSED, "connection")),
    "no such host": (
        {"UPSTREAM_URL": "https://vendor.invalid/api"},
        ("https://vendor.invalid", "connection"),
    ),
}


@pytest.mark.parametrize("fault", REFUSALS)
def test_an_upstream_that_cannot_be_used_is_named_before_anything_starts(
    place: Place, vendor: OwnUpstream, fault: str
) -> None:
    changes, words = REFUSALS[fault]
    names = {"root": vendor.root, "closed": free_port()}
    changes = {name: text.format(**names) for name, text in changes.items()}
    with running(place, vendor, **changes) as dev:
        assert_one_clear_line(dev, *(word.format(**names) for word in words))
        assert vendor.token not in dev.output
        assert not place.state.exists(), "nothing was begun"
