"""The PageReader port on Workers: `page_reader.mjs` beside this file.

The module is imported by the first call in the isolate, since importing JavaScript needs a running event.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

from workers import import_from_javascript

from edgeseries.origins.page_bytes import page_from, typed
from edgeseries.origins.ports.page_reader import ReadPage
from edgeseries.platform.ffi import js_bytes, present, python_bytes
from edgeseries.series.values import Value


class RuntimePageReader:
    """See the port."""

    def read(self, body: bytes, value_of: Callable[[object], Value]) -> ReadPage | None:
        """See the port."""
        found = present(_reader().read(js_bytes(body), lambda raws: typed(raws, value_of)))
        return None if found is None else page_from(python_bytes(found))


@cache
def _reader() -> Any:
    """The module beside this file. Imported in the isolate's first event that needs it."""
    return import_from_javascript("./page_reader.mjs")
