"""The Libraries port on Workers: arro3 is imported, and the files of its libraries are given back.

Emscripten's `dlopen` copies a library's file into the interpreter's memory for other threads, of which there
are none, and keeps it there: 19 MB of arro3's, of an isolate's 128. Its code runs from elsewhere.
"""

from functools import cache

from workers import import_from_javascript


class PlatformLibraries:
    """Libraries of the isolate."""

    def load_arrow(self) -> None:
        """See the port."""
        _load_arrow()


@cache
def _load_arrow() -> None:
    """Once an isolate. Each file is given back before the next one is read: the interpreter's memory grows
    and never shrinks.
    """
    import pyodide_js  # type: ignore[import-not-found] # noqa: PLC0415 - the interpreter as JavaScript has it: only in a running event

    release = import_from_javascript("./loaded_libraries.mjs").releaseFiles
    module = pyodide_js._module  # noqa: SLF001 - Emscripten's, which has no other name
    import arro3.core  # noqa: PLC0415 - most isolates never need it

    release(module)
    import arro3.io  # noqa: F401, PLC0415 - as above

    release(module)
