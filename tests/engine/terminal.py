"""Terminal: a command run as somebody at a terminal runs it, who reads, types, and presses Ctrl-C."""

import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

SPAWN = (
    "import os, pty, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); "
    "sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))"
)
"""Runs its words on a terminal of their own, and hands on what is typed and shown. Ctrl-C counts there, also
when the tests run in the background of a shell, which has its children ignore it.
"""

PATIENCE_S = 600.0
"""Far longer than anything takes: only what hangs gets there."""
POLL_S = 0.02
REACTION_S = 0.3
"""Nobody types sooner: a program may show its prompt before it turns off the echo of what is typed."""


class Terminal:
    """One command on a terminal of its own. `shown` is all that stood on the screen, with plain line ends."""

    def __init__(self, words: Sequence[str], *, folder: Path, environment: Mapping[str, str]) -> None:
        self._child = subprocess.Popen(
            [sys.executable, "-c", SPAWN, *words],
            cwd=folder, env=dict(environment), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        self._raw = bytearray()
        self._seen = 0
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def shown(self) -> str:
        return self._raw.decode(errors="replace").replace("\r\n", "\n")

    def expect(self, text: str) -> None:
        """Wait until a text is shown that was not waited for before."""
        until = time.monotonic() + PATIENCE_S
        while (place := self.shown.find(text, self._seen)) < 0:
            ended = self._child.poll() is not None and not self._reader.is_alive()
            assert not ended, f"{text!r} was not shown:\n{self.shown}"
            assert time.monotonic() < until, f"waited in vain for {text!r}:\n{self.shown}"
            time.sleep(POLL_S)
        self._seen = place + len(text)

    def answer(self, text: str) -> None:
        """A line, ended as the Enter key ends it."""
        time.sleep(REACTION_S)
        self._send(text.encode() + b"\r")

    def interrupt(self) -> None:
        """Ctrl-C."""
        self._send(b"\x03")

    def wait(self) -> int:
        """The exit status; below zero for a signal's number."""
        status = self._child.wait(PATIENCE_S)
        self._reader.join(PATIENCE_S)
        return status

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if self._child.poll() is None:
            self._child.kill()
            self._child.wait()
        for stream in (self._child.stdin, self._child.stdout):
            assert stream is not None
            stream.close()

    def _send(self, raw: bytes) -> None:
        assert self._child.stdin is not None
        self._child.stdin.write(raw)
        self._child.stdin.flush()

    def _read(self) -> None:
        assert self._child.stdout is not None
        while chunk := self._child.stdout.read1():  # type: ignore[attr-defined]
            self._raw += chunk
