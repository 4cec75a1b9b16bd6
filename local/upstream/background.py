"""A server of asyncio in a thread of its own, for tests and programs that are not asynchronous themselves.

Owns the thread and its event loop. Must not know what is served.
"""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import AbstractAsyncContextManager, AbstractContextManager, contextmanager
from typing import Final

from local.upstream.server import serving
from local.upstream.truth import Truth

START_DEADLINE_S: Final = 10  # binding a loopback port takes milliseconds; this only ends a hung start


@contextmanager
def in_thread(serving: AbstractAsyncContextManager[str], *, name: str) -> Iterator[str]:
    """Serve while the context is open; gives what `serving` gives, the URL. Raises what its start raises."""
    ready: Future[str] = Future()
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    async def serve() -> None:
        async with serving as url:
            ready.set_result(url)
            await stop.wait()

    def run() -> None:
        try:
            loop.run_until_complete(serve())
        except Exception as fault:
            if ready.done():
                raise
            ready.set_exception(fault)  # told in the thread that waits for the start

    thread = threading.Thread(target=run, name=name, daemon=True)
    thread.start()
    try:
        yield ready.result(timeout=START_DEADLINE_S)
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()


def running(truth: Truth, *, port: int = 0, token: str | None = None) -> AbstractContextManager[str]:
    """The simulator, on loopback while the context is open; gives the base URL, `http://127.0.0.1:port/api`."""
    return in_thread(serving(truth, port=port, token=token), name="upstream simulator")
