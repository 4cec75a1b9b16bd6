"""The order of test files, and the shards: together they are the whole, whatever the table says."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.schedule import LONG_S, Shard, longest_first, seconds_of

ROOT = Path(__file__).parents[2]
FILES = [path.relative_to(ROOT).as_posix() for path in (ROOT / "tests").rglob("test_*.py")]


@pytest.mark.parametrize("count", range(1, 8))
def test_shards_together_are_the_whole_and_share_nothing(count: int) -> None:
    shards = [Shard(index=index, count=count).of(FILES) for index in range(1, count + 1)]
    assert sum(map(len, shards)) == len(FILES)
    assert frozenset().union(*shards) == frozenset(FILES)
    # No shard is longer than the shortest and one file more, which is how long the longest file makes it.
    lengths = sorted(sum(map(seconds_of, shard)) for shard in shards)
    assert lengths[-1] <= lengths[0] + max(map(seconds_of, FILES))


def test_more_shards_than_files_leave_some_empty() -> None:
    assert [len(Shard(index=index, count=3).of(["a", "b"])) for index in (1, 2, 3)] == [1, 1, 0]


def test_every_file_is_there_once_and_the_longest_is_first() -> None:
    ordered = longest_first([*FILES, *FILES])
    assert sorted(ordered) == sorted(FILES)
    assert [seconds_of(file) for file in ordered] == sorted(map(seconds_of, FILES), reverse=True)
    assert set(LONG_S) <= set(FILES), "a file of the table is gone"


@pytest.mark.parametrize("text", ["", "1", "0/4", "5/4", "a/4", "1/0", "-1/4", "1/4/4"])
def test_what_is_no_shard_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="a shard is written 1/4"):
        Shard.from_text(text)


CHEAP_FILES = (
    "tests/tidy/test_schedule.py",
    "tests/tidy/test_locks.py",
    "tests/tidy/test_workflows.py",
    "tests/unit/test_circuit.py",
)
"""Files that are collected at once. What is collected of which files is the same question for all."""


def collected(**environment: str) -> tuple[int, str]:
    """Exit status and output of a pytest that lists what it would run of some files."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "--collect-only",
        "-q",
        "-p",
        "no:cacheprovider",
        *CHEAP_FILES,
    ]
    clean = {name: text for name, text in os.environ.items() if not name.startswith(("PYTEST", "SHARD"))}
    clean["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    ran = subprocess.run(
        command, cwd=ROOT, env={**clean, **environment}, capture_output=True, text=True, check=False
    )
    return ran.returncode, ran.stdout + ran.stderr


def test_pytest_runs_the_files_of_its_shard() -> None:
    whole, first, second = (
        {line for line in output.splitlines() if "::" in line}
        for status, output in (collected(), collected(SHARD="1/2"), collected(SHARD="2/2"))
        if status == pytest.ExitCode.OK
    )
    assert first
    assert second
    assert (first | second, first & second) == (whole, set())
    status, output = collected(SHARD="3/2")
    assert status == pytest.ExitCode.USAGE_ERROR
    assert "a shard is written 1/4" in output
