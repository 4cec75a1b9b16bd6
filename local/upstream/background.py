"""The simulator in a thread of its own, for tests and programs that are not asynchronous themselves.

Owns the thread and its event loop. Must not know what is served.
"""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Final

from local.upstream.server import serving
from local.upstream.truth import Truth

START_DEADLINE_S: Final = 10  # binding a loopback port takes milliseconds; this only ends a hung start


@contextmanager
def running(truth: Truth, *, port: int = 0, token: str | None = None) -> Iterator[str]:
    """Serve on loopback while the context is open; gives the base URL, `http://127.0.0.1:port/api`."""
    ready: Future[str] = Future()
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    async def serve() -> None:
        async with serving(truth, port=port, token=token) as url:
            ready.set_result(url)
            await stop.wait()

    def run() -> None:
        try:
            loop.run_until_complete(serve())
        except Exception as fault:
            if ready.done():
                raise
            ready.set_exception(fault)  # told in the thread that waits for the start

    thread = threading.Thread(target=run, name="upstream simulator", daemon=True)
    thread.start()
    try:
        yield ready.result(timeout=START_DEADLINE_S)
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()
