"""Events: the Python half of the boot module, run inside Pyodide. It stands for Cloudflare's own.

Owns where a bundle's folders stand on sys.path and how one event becomes a method call on the
entry's `Default`. Must not know what any Worker does, and is not on the Worker's own sys.path.
"""

# ruff: noqa: INP001 - the folder is JavaScript; this one file is read as text, never imported

import asyncio
import importlib
import sys
from contextvars import ContextVar
from inspect import isawaitable
from site import addsitedir
from time import perf_counter
from typing import Any

BUNDLE_DIR = "/session/metadata"
VENDORED_DIR = "/session/metadata/python_modules"


EVENT: ContextVar[int] = ContextVar("EVENT")
"""Which event a step of the loop belongs to; tasks hand it on to those that they make."""

BUSY_S: dict[int, float] = {}
"""How long the steps of each event took that is under way."""


def count_steps(schedule: Any) -> None:
    """Have the loop's steps timed by event, and scheduled by `schedule`, which keeps JavaScript's context."""
    from pyodide import webloop  # noqa: PLC0415 - exists only inside Pyodide

    webloop.scheduleCallback = schedule
    run = asyncio.Handle._run  # noqa: SLF001 - there is no other place that every step passes

    def timed(handle: Any) -> Any:
        began = perf_counter()
        try:
            return run(handle)
        finally:
            # Looked for afterwards: an event's first step is what gives it its name.
            event = handle._context.get(EVENT)  # noqa: SLF001
            if event is not None:
                BUSY_S[event] = BUSY_S.get(event, 0.0) + perf_counter() - began

    asyncio.Handle._run = timed  # type: ignore[method-assign,assignment]  # noqa: SLF001


def busy_ms(event: int) -> float:
    """How long the steps of an event took until now; it is forgotten."""
    return BUSY_S.pop(event, 0.0) * 1_000


def lay_out_path() -> None:
    """Put the bundle after the standard library and before site-packages, as workerd does.

    So a module of the bundle never hides one of the standard library, here as there. The folder
    of vendored packages follows; since 2026-05-26 its .pth files are read.
    """
    sys.path = [folder for folder in sys.path if folder not in {BUNDLE_DIR, VENDORED_DIR}]
    places = [index for index, folder in enumerate(sys.path) if "site-packages" in folder]
    index = places[0] if places else len(sys.path)
    sys.path[index:index] = [BUNDLE_DIR, VENDORED_DIR]
    importlib.invalidate_caches()
    addsitedir(VENDORED_DIR)


def import_for_snapshot(module: str) -> None:
    """Import what is to be in a snapshot."""
    importlib.import_module(module)


def before_snapshot() -> None:
    """Leave nothing in memory that two interpreters must not share.

    Raises RuntimeError for a generator of random numbers other than the one of `random`, which is seeded anew
    (`after_restore`). Cloudflare refuses entropy while modules are imported.
    """
    import gc  # noqa: PLC0415 - these three are for one use
    import random  # noqa: PLC0415

    gc.collect()
    shared = random._inst  # noqa: SLF001 - whose methods are the module's functions
    drawn = [one for one in gc.get_objects() if isinstance(one, random.Random)]
    if any(one is not shared and not isinstance(one, random.SystemRandom) for one in drawn):
        raise RuntimeError("a module keeps a generator of random numbers")


def after_restore() -> None:
    """Draw anew what was drawn before the snapshot, and look for files that have been written since."""
    import random  # noqa: PLC0415 - the snapshot has it

    random.seed()
    importlib.invalidate_caches()


def load_entry(main_module: str) -> None:
    """Import the entry by its bare name and see that it has a `Default` class."""
    entry = importlib.import_module(main_module)
    if not isinstance(getattr(entry, "Default", None), type):
        raise TypeError(f"{main_module}.py has no class named Default")


async def call(  # noqa: PLR0917 - JavaScript calls it, which knows no names of arguments
    main_module: str, handler: str, ctx: Any, env: Any, event: Any, event_id: int
) -> Any:
    """One event: a new instance, converted arguments, the handler, the converted result."""
    EVENT.set(event_id)
    from pyodide.code import relaxed_call  # noqa: PLC0415 - exists only inside Pyodide
    from workers import python_from_rpc, python_to_rpc  # noqa: PLC0415 - vendored in the bundle

    default = sys.modules[main_module].Default
    method = getattr(default(ctx, env), handler, None)
    if method is None:
        raise AttributeError(f"{main_module}.Default has no method {handler!r}")
    # A handler of a class gets no env and no ctx, its constructor had them: workerd passes undefined
    # for both (getHandlerFromEntrypointClass in worker.c++).
    arguments = [python_from_rpc(event), None, None]
    # `fetch` may leave out parameters; `queue` and `scheduled` must take all three in production.
    result = relaxed_call(method, *arguments) if handler == "fetch" else method(*arguments)
    if isawaitable(result):
        result = await result
    return python_to_rpc(result)
