"""Resident memory of the Workers runtime under a local host, and its peak while something runs (Linux)."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from local.hosting import Host

LOOK_S: Final = 0.05
KB_PER_MB: Final = 1_000
RUNTIME: Final = "workerd"


@dataclass(slots=True)
class Watch:
    """MB: at the beginning, and the most since then or since the last `take`."""

    pid: int
    baseline_mb: float
    peak_mb: float

    @property
    def grown_mb(self) -> float:
        """By how much it grew at most."""
        return self.peak_mb - self.baseline_mb

    def take(self) -> float:
        """The peak until now, MB; a new one begins."""
        peak_mb = max(self.peak_mb, resident_mb(self.pid))
        self.peak_mb = 0.0
        return peak_mb


@contextmanager
def watched(host: Host) -> Iterator[Watch]:
    """Watch the runtime of a host from now on; it may die meanwhile."""
    pid = runtime_of(host.child.pid)
    now_mb = resident_mb(pid)
    watch, ended = Watch(pid=pid, baseline_mb=now_mb, peak_mb=now_mb), threading.Event()

    def look() -> None:
        while not ended.wait(LOOK_S):
            watch.peak_mb = max(watch.peak_mb, resident_mb(pid))

    looker = threading.Thread(target=look, daemon=True)
    looker.start()
    try:
        yield watch
    finally:
        ended.set()
        looker.join()


def runtime_of(pid: int) -> int:
    """The pid of the runtime that all Workers of a host share: a descendant of the host's process."""
    waiting = [pid]
    while waiting:
        parent = waiting.pop()
        for child in map(int, _text(f"/proc/{parent}/task/{parent}/children").split()):
            if _text(f"/proc/{child}/comm").startswith(RUNTIME):
                return child
            waiting.append(child)
    raise AssertionError(f"no {RUNTIME} runs under {pid}")


def resident_mb(pid: int) -> float:
    """Resident memory, MB; 0 of a process that has ended."""
    for line in _text(f"/proc/{pid}/status").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / KB_PER_MB
    return 0.0


def _text(path: str) -> str:
    try:
        return Path(path).read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
