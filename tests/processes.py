"""Whether processes are gone, and waiting until something is so, for tests that start real ones."""

import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

POLL_S: Final = 0.02
PATIENCE_S: Final = 60.0
"""Far longer than anything takes that happens at all: the machine may be busy."""


def eventually(so: Callable[[], object], what: str, *, patience_s: float = PATIENCE_S) -> None:
    """Return once `so()` holds; AssertionError that names `what` if it never does."""
    until = time.monotonic() + patience_s
    while not so():
        assert time.monotonic() < until, f"not after {patience_s:.0f} s: {what}"
        time.sleep(POLL_S)


def alive(pid: int) -> bool:
    """Whether the process runs. One that has ended and that nobody has waited for does not."""
    return pid in _running()


def group_of(leader: int) -> set[int]:
    """The running processes of a group, by the pid of its leader, who may have ended."""
    return {pid for pid, (_, group) in _running().items() if group == leader}


def descendants_of(pid: int) -> set[int]:
    """The running children of a process, their children, and so on."""
    running = _running()
    found = {pid}
    while more := {child for child, (parent, _) in running.items() if parent in found} - found:
        found |= more
    return found - {pid}


def _running() -> dict[int, tuple[int, int]]:
    """Parent and group of every running process. From /proc where it is: images with it may lack `ps`."""
    if not Path("/proc/self/stat").is_file():
        return _listed()
    running = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = stat.read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue  # It ended in between.
        state, parent, group, *_ = text.rpartition(")")[2].split()
        if state not in {"Z", "X"}:
            running[int(stat.parent.name)] = (int(parent), int(group))
    return running


def _listed() -> dict[int, tuple[int, int]]:
    listing = subprocess.run(
        ["ps", "-A", "-o", "pid=,ppid=,pgid=,stat="],  # noqa: S607 - wherever the system has it
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    rows = [line.split() for line in listing.splitlines()]
    return {int(pid): (int(parent), int(group)) for pid, parent, group, state in rows if state[0] != "Z"}
