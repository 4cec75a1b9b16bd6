"""`make demo` to its end, as whoever has just cloned the repository runs it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from local.demo import RIGHT

pytestmark = pytest.mark.runtime

ROOT = Path(__file__).parents[2]
TIMEOUT_S = 300.0
"""Far longer than it takes."""


def test_the_demo_ends_with_every_answer_equal_to_the_truth() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "local.demo"],
        cwd=ROOT,
        env={**os.environ, "DATA": "local/sample"},
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT_S,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == RIGHT
    for route in ("direct", "cached", "queued"):
        assert route in done.stdout, "it shows every route"
