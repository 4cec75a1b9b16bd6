"""What the guides say to type against a running stack does what they say."""

import subprocess
import sys
from pathlib import Path

import pytest

from local.hosting import NODE
from tests.guides import BLOCKS, Block, user_environment
from tests.runtime.conftest import Running

pytestmark = pytest.mark.runtime

RUN = [block for block in BLOCKS if block.mark == "run"]
TIMEOUT_S = 180.0
PROGRAMS = {
    "bash": ["bash", "-euo", "pipefail", "-s"],
    "python": [sys.executable, "-"],
    "javascript": [str(NODE), "--input-type=module", "-"],
}


@pytest.mark.parametrize("block", RUN, ids=lambda block: block.place)
def test_it_works_as_written(running: Running, block: Block, tmp_path: Path) -> None:
    done = subprocess.run(
        PROGRAMS[block.language],
        input=block.text,
        cwd=tmp_path,
        env=user_environment(running.stack.url, tmp_path),
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, f"{block.place}\n{done.stdout}\n{done.stderr}"


def test_there_are_such_commands() -> None:
    assert {block.language for block in RUN} == set(PROGRAMS)
