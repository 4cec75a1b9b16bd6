"""Snapshots of interpreters: the folder stays small, one host makes what several want."""

import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any

from local.hosting import HOST_SCRIPT, NODE


def node(script: str, *values: object) -> Any:
    """What a script prints that has the functions of `snapshots.mjs`."""
    head = "import { forgetOld, take } from './snapshots.mjs'; const [values] = [process.argv.slice(1)];"
    texts = [str(value) for value in values]
    command = [str(NODE), "--no-warnings", "--input-type=module", "--eval", head + script, *texts]
    done = subprocess.run(command, cwd=HOST_SCRIPT.parent, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def test_the_oldest_go_and_what_was_used_lately_stays(tmp_path: Path) -> None:
    for index in range(12):
        file = tmp_path / f"{index:02}.snapshot"
        file.touch()
        # Ten of long ago, the oldest first, and two of now.
        if index < 10:
            os.utime(file, (time.time() - 86_400 + index,) * 2)
    for index in range(9):
        (tmp_path / f"in-use-{index}.snapshot").touch()
    node("forgetOld(values[0]); console.log(1)", tmp_path)
    left = {path.stem for path in tmp_path.iterdir()}
    assert left == {"10", "11", *(f"in-use-{index}" for index in range(9))}


def test_however_lately_they_were_used_there_are_not_more_than_two_dozen(tmp_path: Path) -> None:
    for index in range(40):
        file = tmp_path / f"{index:02}.snapshot"
        file.touch()
        os.utime(file, (time.time() - 40 + index,) * 2)
    node("forgetOld(values[0]); console.log(1)", tmp_path)
    assert sorted(path.stem for path in tmp_path.iterdir()) == [f"{index:02}" for index in range(17, 40)]


def test_seven_of_long_ago_stay(tmp_path: Path) -> None:
    for index in range(9):
        file = tmp_path / f"{index:02}.snapshot"
        file.touch()
        os.utime(file, (time.time() - 86_400 + index,) * 2)
    node("forgetOld(values[0]); console.log(1)", tmp_path)
    assert sorted(path.stem for path in tmp_path.iterdir()) == [f"{index:02}" for index in range(2, 9)]


def test_a_lock_is_taken_once_and_again_when_its_taker_has_died(tmp_path: Path) -> None:
    script = "console.log(JSON.stringify([take(values[0]), take(values[0])]))"
    lock = tmp_path / "made-up.lock"
    assert node(script, lock) == [True, False]
    # That process has ended: the first look finds it out, the second takes the lock.
    assert node(script, lock) == [False, True]
