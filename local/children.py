"""Child processes that cannot be left behind.

Each child leads a process group of its own, so that its own children end with it. Its standard
input is a pipe that we hold and never write an end to: when this process dies, even by SIGKILL,
the pipe closes and the child stops itself. It owns starting, stopping and reading lines; it must
not know what the children are.
"""

import contextlib
import os
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Final

STOP_TIMEOUT_S: Final = 10.0
"""How long a child may take to stop when asked politely: open jobs end at the next message."""

LAST_LINES: Final = 30
"""Lines of a child kept to explain why it ended."""

OnLine = Callable[[str], None]


class Child:
    """One process. `on_line` is called with each line of its output, from a thread of its own."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        cwd: Path,
        on_line: OnLine,
        environment: Mapping[str, str] | None = None,
        stop_timeout_s: float = STOP_TIMEOUT_S,
    ) -> None:
        self.name = name
        self._stop_timeout_s = stop_timeout_s
        self._group_ended = False
        self._last: deque[str] = deque(maxlen=LAST_LINES)
        self._on_line = on_line
        self._process = subprocess.Popen(  # noqa: S603 - our own programs
            list(command),
            cwd=cwd,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        )
        self._writing = threading.Lock()
        self._reader = threading.Thread(target=self._read, name=f"{name} output", daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        """Its process id, which is its group's too."""
        return self._process.pid

    @property
    def ended(self) -> bool:
        """Whether it has ended by itself or been stopped."""
        return self._process.poll() is not None

    @property
    def exit_status(self) -> int | None:
        """Its exit status, None while it runs."""
        return self._process.poll()

    def last_words(self) -> str:
        """The last lines that it wrote."""
        self._reader.join(timeout=1.0)
        return "\n".join(self._last)

    def write_line(self, line: str) -> None:
        """Send one line to its standard input. Raises OSError when it has ended."""
        with self._writing:
            stdin = self._pipe(self._process.stdin)
            if stdin.closed:
                raise BrokenPipeError(f"{self.name} has been stopped")
            stdin.write(line + "\n")
            stdin.flush()

    def stop(self) -> None:
        """Ask it to stop, wait, and end its whole group whatever happened. May be called twice."""
        if not self.ended:
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(self._stop_timeout_s)
        if not self._group_ended:
            # Also when the child has ended: what it started may still be there. Once only, since the
            # number of a group that is gone may be given to another. macOS says EPERM of a dead group.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)
            self._group_ended = True
        self._process.wait()
        with self._writing, contextlib.suppress(OSError):
            self._pipe(self._process.stdin).close()
        self._reader.join(timeout=self._stop_timeout_s)

    def _read(self) -> None:
        # The pipe is closed here and by nobody else: closing it from another thread would wait for
        # this one, for ever if a process outside the group still holds the other end. And should
        # `on_line` fail, the child finds its output closed, instead of a pipe that nobody empties.
        with self._pipe(self._process.stdout) as lines:
            for raw in lines:
                line = raw.rstrip("\n")
                self._last.append(line)
                self._on_line(line)

    @staticmethod
    def _pipe(pipe: IO[str] | None) -> IO[str]:
        assert pipe is not None
        return pipe
