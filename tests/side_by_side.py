"""The tests of both tiers side by side: what needs no runtime has the processor time that the others leave.

Tests on the runtime wait a third of their time: for deadlines, pauses and leases. Types, import contracts and
the fast tests run below them in priority, so that nothing of the runtime is slower for it. What they say is
kept and told when they end. `make test` is this; `python -m tests.side_by_side` by itself installs nothing.
"""

import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from types import FrameType
from typing import IO, Final

from run import FAST, SLOW, TYPES, first_shard, program

Words = Sequence[str]

LOWER_PRIORITY: Final = ("nice", "-n", "10")
"""Of POSIX; where there is none (Windows) both have the same priority."""

POLL_S: Final = 0.5


class Chain:
    """Programs one after the other, up to the first that fails, at a lower priority. `status` is that
    one's, 0 if none did, None while they run. What they say goes to `told`.
    """

    def __init__(self, programs: Sequence[Words], told: IO[bytes]) -> None:
        self._left = [*programs]
        self._told = told
        self._child: subprocess.Popen[bytes] | None = None
        self.status: int | None = 0 if not programs else None

    def go_on(self) -> None:
        """Start the next one if the last has ended. Does not wait."""
        if self.status is not None:
            return
        ended = None if self._child is None else self._child.poll()
        if self._child is not None and ended is None:
            return
        if ended:
            self.status = ended
        elif not self._left:
            self.status = 0
        else:
            lower = LOWER_PRIORITY if shutil.which(LOWER_PRIORITY[0]) else ()
            words = [*lower, *self._left.pop(0)]
            self._child = subprocess.Popen(words, stdout=self._told, stderr=subprocess.STDOUT)

    def stop(self) -> None:
        """End what runs, and start nothing more."""
        if self._child is not None and self._child.poll() is None:
            self._child.terminate()
            self._child.wait()
        if self.status is None:
            self.status = 1


def side_by_side(below: Sequence[Words], above: Words) -> int:
    """Run a chain of programs below another; the first status that is not 0, or 0. What the chain said is
    printed in one piece when it has ended.
    """
    with tempfile.TemporaryFile() as told:
        chain = Chain(below, told)
        child = subprocess.Popen(above)

        def end(_number: int, _frame: FrameType | None) -> None:
            child.terminate()
            chain.stop()

        previous = signal.signal(signal.SIGTERM, end)
        try:
            printed = False
            while child.poll() is None or not printed:
                chain.go_on()
                if chain.status is not None and not printed:
                    printed = True
                    told.seek(0)
                    sys.stdout.write(told.read().decode(errors="replace"))
                    sys.stdout.flush()
                time.sleep(POLL_S)
        finally:
            signal.signal(signal.SIGTERM, previous)
            if child.poll() is None:
                child.terminate()
                child.wait()
            chain.stop()
        return chain.status or child.returncode


def main() -> int:
    """The exit status of all of it."""
    below = [*(TYPES if first_shard() else ()), FAST]
    return side_by_side([(program(one[0]), *one[1:]) for one in below], (program(SLOW[0]), *SLOW[1:]))


if __name__ == "__main__":
    sys.exit(main())
