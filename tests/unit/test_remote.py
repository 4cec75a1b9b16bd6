"""Commands to a running `make dev`: found by the state folder, refused to whoever has no key."""

import json
import stat
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client
from pathlib import Path
from typing import Any

import pytest

from local.remote import LOOPBACK, MEETING_PLACE, Remote, RemoteError, give


def broken() -> Any:
    raise RuntimeError("the broom is gone")


COMMANDS = {"sweep": lambda: [{"duty": "é"}], "broken": broken}


def test_a_command_is_carried_out_and_its_result_comes_back(tmp_path: Path) -> None:
    with Remote(tmp_path, COMMANDS):
        assert [give(tmp_path, "sweep") for _ in range(2)] == [[{"duty": "é"}]] * 2


@pytest.mark.parametrize(
    ("command", "words"), [("broken", "the broom is gone"), ("dust", "known are sweep, broken")]
)
def test_what_goes_wrong_is_told_and_the_next_command_works(tmp_path: Path, command: str, words: str) -> None:
    with Remote(tmp_path, COMMANDS):
        with pytest.raises(RemoteError, match=words):
            give(tmp_path, command)
        assert give(tmp_path, "sweep")


def test_nobody_there_is_told_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(RemoteError, match="name its folder with STATE="):
        give(tmp_path, "sweep")
    with Remote(tmp_path, COMMANDS):
        left = (tmp_path / MEETING_PLACE).read_text()
    assert not (tmp_path / MEETING_PLACE).exists()
    # A make dev that was killed leaves the file, and nobody behind it.
    (tmp_path / MEETING_PLACE).write_text(left.replace(str(json.loads(left)["port"]), "1"))
    with pytest.raises(RemoteError, match="no `make dev` serves"):
        give(tmp_path, "sweep")


def test_without_the_key_nothing_is_done(tmp_path: Path) -> None:
    with Remote(tmp_path, COMMANDS):
        place = tmp_path / MEETING_PLACE
        assert stat.S_IMODE(place.stat().st_mode) == 0o600
        port = json.loads(place.read_text())["port"]
        with pytest.raises(AuthenticationError):
            Client((LOOPBACK, port), authkey=b"guess")
        assert give(tmp_path, "sweep")
