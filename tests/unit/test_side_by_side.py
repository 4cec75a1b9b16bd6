"""Programs below another: all run, what they say is told whole, and the first failure is the status."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.processes import eventually
from tests.side_by_side import side_by_side

ROOT = Path(__file__).parents[2]


def says(text: str, status: int = 0, code: str = "") -> tuple[str, ...]:
    return (sys.executable, "-c", f"import os, sys, time; {code}\nprint({text!r}); sys.exit({status})")


@pytest.mark.parametrize(
    ("below", "above", "expected"),
    [((0, 0), 0, 0), ((0, 3), 0, 3), ((2, 0), 0, 2), ((0, 0), 4, 4), ((5, 0), 4, 5), ((), 0, 0)],
)
def test_the_status_is_that_of_the_first_that_fails(
    below: tuple[int, ...], above: int, expected: int
) -> None:
    assert side_by_side([says("below", one) for one in below], says("above", above)) == expected


def test_what_is_said_below_is_told_in_one_piece(capfd: pytest.CaptureFixture[str]) -> None:
    assert side_by_side([says("one"), says("two", 1), says("never")], says("above")) == 1
    told = capfd.readouterr().out
    assert "one\ntwo\n" in told
    assert "above" in told
    assert "never" not in told, "the one before has failed"


@pytest.mark.skipif(not hasattr(os, "nice"), reason="priorities of POSIX")
def test_what_is_below_has_the_lower_priority(capfd: pytest.CaptureFixture[str]) -> None:
    nice = (sys.executable, "-c", "import os; print('nice', os.nice(0))")
    assert side_by_side([nice], nice) == 0
    own, below = os.nice(0), min(os.nice(0) + 10, 19)
    assert capfd.readouterr().out.split("\n")[:2] in (
        [f"nice {own}", f"nice {below}"],
        [f"nice {below}", f"nice {own}"],
    )


def test_told_to_stop_it_ends_both(tmp_path: Path) -> None:
    waiting = [
        f"import os, time; open({str(tmp_path / name)!r}, 'w').write(str(os.getpid())); time.sleep(600)"
        for name in ("below", "above")
    ]
    program = f"""
import sys
from tests.side_by_side import side_by_side
below, above = [(sys.executable, "-c", one) for one in {waiting!r}]
sys.exit(side_by_side([below], above))
"""
    child = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT)
    eventually(lambda: all((tmp_path / name).exists() for name in ("below", "above")), "both run")
    eventually(lambda: all((tmp_path / name).read_text() for name in ("below", "above")), "both say so")
    child.send_signal(signal.SIGTERM)
    assert child.wait(60) != 0
    for name in ("below", "above"):
        pid = int((tmp_path / name).read_text())
        eventually(lambda pid=pid: not Path(f"/proc/{pid}").exists(), f"the end of {name}")  # type: ignore[misc]
