"""The database of `database.py` over a D1 binding.

Every failure of the binding becomes StoreUnavailable; nothing waits longer than INDEX_TIMEOUT_MS.
"""

from collections.abc import Sequence
from typing import Any

from pyodide.ffi import JsException

from edgeseries.adapters.database import Command, Row
from edgeseries.adapters.ffi import call_in_time, js_object, plain_json
from edgeseries.adapters.store_limits import INDEX_TIMEOUT_MS
from edgeseries.core.errors import DeadlineExceeded, StoreUnavailable


class D1Database:
    """One D1 database. `binding` is the platform's own object, without the SDK's wrapper."""

    def __init__(self, binding: Any) -> None:
        self._binding = binding

    async def read(self, command: Command) -> list[Row]:
        """See `Database`."""
        try:
            rows = await call_in_time(
                self._bound(command), "raw", timeout_ms=INDEX_TIMEOUT_MS, what="the index"
            )
        except JsException as error:
            raise StoreUnavailable("the index cannot be read; try again") from error
        except DeadlineExceeded as error:
            raise StoreUnavailable(error.detail) from error
        found: list[Row] = plain_json(rows)
        return found

    async def write(self, commands: Sequence[Command]) -> None:
        """See `Database`."""
        try:
            bound = js_object([self._bound(command) for command in commands])
            await call_in_time(self._binding, "batch", bound, timeout_ms=INDEX_TIMEOUT_MS, what="the index")
        except JsException as error:
            raise StoreUnavailable("the index cannot be written; try again") from error
        except DeadlineExceeded as error:
            raise StoreUnavailable(error.detail) from error

    def _bound(self, command: Command) -> Any:
        return self._binding.prepare(command.sql).bind(*command.parameters)
