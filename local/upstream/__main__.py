"""`python -m local.upstream --port N --data DIR`: run the simulator until told to stop.

Owns the command line, the ready line and the ways to stop. Must not know what is served.
"""

import argparse
import asyncio
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from local.upstream.catalogue import DataFault
from local.upstream.replay import Replay
from local.upstream.server import serving
from local.upstream.truth import Truth

READY: Final = "upstream simulator ready on"
MAX_PORT: Final = 65_535  # 16 bits in TCP
NANOSECONDS_PER_MILLISECOND: Final = 1_000_000
_STDIN: Final = 0
_READ_BYTES: Final = 4096  # whatever the parent writes is thrown away; only its end matters


def main() -> int:
    """Serve until SIGTERM, SIGINT or (--stop-with-parent) the end of standard input; the exit status."""
    options = _options()
    try:
        truth = Truth(options.data, replay=_replay(options))
        for note in truth.notes:
            print(f"upstream simulator: {note}", file=sys.stderr, flush=True)
        asyncio.run(_serve(truth, options))
    except (DataFault, OSError) as fault:
        print(f"upstream simulator: {fault}", file=sys.stderr)
        return 1
    return 0


async def _serve(truth: Truth, options: argparse.Namespace) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with serving(truth, host=options.host, port=options.port, token=options.token) as url:
        print(f"{READY} {url}", flush=True)
        if options.stop_with_parent:
            _when_stdin_ends(lambda: loop.call_soon_threadsafe(stop.set))
        await stop.wait()


def _when_stdin_ends(act: Callable[[], object]) -> None:
    """A pipe from the parent ends however the parent dies, kill -9 included."""

    def wait() -> None:
        # os.read, not sys.stdin: a thread inside sys.stdin's lock would break the interpreter's exit.
        while os.read(_STDIN, _READ_BYTES):
            pass
        act()

    threading.Thread(target=wait, name="parent", daemon=True).start()


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= MAX_PORT):
        raise argparse.ArgumentTypeError(f"{text!r} is not a port, 0 to {MAX_PORT}")
    return int(text)


def _replay(options: argparse.Namespace) -> Replay | None:
    if not options.replay:
        return None
    at_ms = time.time_ns() // NANOSECONDS_PER_MILLISECOND if options.replay_at is None else options.replay_at
    return Replay(sites=frozenset(options.replay), at_ms=at_ms)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local.upstream", description="The upstream simulator.")
    parser.add_argument("--port", type=_port, required=True, help="0: any free port; the ready line tells it")
    parser.add_argument("--data", type=Path, required=True, help="folder of <site>/<point>.csv.gz")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--token", help="what /api wants as a bearer token; without it /api is open")
    parser.add_argument("--stop-with-parent", action="store_true", help="stop at the end of standard input")
    parser.add_argument("--replay", action="append", default=[], help="a site whose telemetry happens now")
    parser.add_argument("--replay-at", type=int, help="the moment it is moved to, UTC epoch ms; default now")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
