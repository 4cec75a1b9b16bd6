"""CPU time that a process spends while something is asked of it (Linux)."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

TICKS_PER_S: Final = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100
UTIME, STIME = 11, 12
"""Fields of /proc/<pid>/stat after the command's name (proc(5))."""

T = TypeVar("T")


def spending(pid: int, work: Callable[[], T]) -> tuple[float, T]:
    """CPU seconds that a process spends meanwhile, and what came of the work."""
    before = cpu_s(pid)
    found = work()
    return cpu_s(pid) - before, found


def cpu_s(pid: int) -> float:
    """CPU seconds that a process has spent."""
    text = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    fields = text.rpartition(")")[2].split()
    return (int(fields[UTIME]) + int(fields[STIME])) / TICKS_PER_S
