"""The adapters against real servers, where they are installed (`tests/real_servers.py`), and against bodies
of theirs that were recorded, which needs none.

Recorded anew by `RECORD=1 pytest tests/contract/test_real_servers.py`.
"""

import json
import os
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest

from edgeseries.http.messages import HttpCall, HttpReply
from edgeseries.series.timerange import TimeRange
from local.upstream.truth import Truth
from tests import made_up
from tests.contract.test_vendor_origins import SITE, SPANS, check, names_of, run, soon_ms
from tests.host_web import HostWeb
from tests.real_servers import REAL, is_installed, real
from tests.vendor_rigs import Installation

RECORDED: Final = Path(__file__).parents[1] / "recorded"


@pytest.fixture(scope="module")
def truth(tmp_path_factory: pytest.TempPathFactory) -> Truth:
    return Truth(made_up.write_made_up(tmp_path_factory.mktemp("data") / "telemetry"))


@pytest.fixture(scope="module", params=REAL)
def server(
    request: pytest.FixtureRequest, truth: Truth, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Any]:
    if not is_installed(request.param):
        pytest.skip(f"{REAL[request.param][0]} is not installed")
    with real(request.param, truth, tmp_path_factory.mktemp("real")) as installation:
        yield request.param, installation


@pytest.mark.parametrize("span", SPANS)
def test_a_real_server_gives_what_it_was_given(server: tuple[str, Installation], span: str) -> None:
    _, installation = server
    origin = installation.origin()
    assert [one.name for one in run(origin.sites(deadline_ms=soon_ms())).sites] == sorted(
        installation.held.sites()
    )
    for site in installation.held.sites():
        points = [one.name for one in run(origin.points(site, deadline_ms=soon_ms()))]
        assert points == sorted(names_of(installation, site))
        check(installation, origin, site, SPANS[span])


def test_both_borders_of_a_real_server_are_half_open(server: tuple[str, Installation]) -> None:
    _, installation = server
    chance, origin = random.Random(11), installation.origin()  # noqa: S311 - a seeded draw
    point = next(iter(names_of(installation, SITE).values()))
    instants = [at_ms for at_ms, _ in installation.held.samples(SITE, point)]
    for _ in range(20):
        first, last = sorted(chance.sample(instants, 2))
        start_ms = first + chance.choice((-1, 0, 1))
        span = TimeRange(start_ms=start_ms, end_ms=max(start_ms + 1, last + chance.choice((-1, 0, 1))))
        check(installation, origin, SITE, span)


@dataclass
class RecordingWeb:
    """The Web port that writes down what comes back."""

    replies: list[dict[str, Any]] = field(default_factory=list)

    async def send(self, call: HttpCall) -> HttpReply:
        reply = await HostWeb().send(call)
        self.replies.append({"status": reply.status, "body": reply.body.decode()})
        return reply


@dataclass
class ReplayingWeb:
    """The Web port that gives recorded replies in order."""

    replies: list[dict[str, Any]]

    async def send(self, call: HttpCall) -> HttpReply:
        del call
        reply = self.replies.pop(0)
        return HttpReply(status=reply["status"], headers={}, body=reply["body"].encode())


def ask(installation: Installation, web: Any) -> None:
    """What is recorded: lists, and a range of a site."""
    origin = installation.origin(web=web)
    run(origin.sites(deadline_ms=soon_ms()))
    run(origin.points(made_up.PLAIN_SITE, deadline_ms=soon_ms()))
    check(installation, origin, made_up.PLAIN_SITE, SPANS["noon"])


@pytest.mark.skipif("RECORD" not in os.environ, reason="only to record anew")
def test_record(server: tuple[str, Installation]) -> None:
    name, installation = server
    web = RecordingWeb()
    ask(installation, web)
    RECORDED.mkdir(exist_ok=True)
    path = RECORDED / f"{name.lower().replace(' ', '-')}.json"
    path.write_text(json.dumps(web.replies, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


@pytest.mark.parametrize("name", REAL)
def test_recorded_bodies_of_real_servers_are_read(name: str, truth: Truth) -> None:
    replies = json.loads((RECORDED / f"{name.lower().replace(' ', '-')}.json").read_text(encoding="utf-8"))
    web = ReplayingWeb(replies)
    ask(Installation(rig=REAL[name][1], url="http://127.0.0.1:1", truth=truth), web)
    assert web.replies == []
