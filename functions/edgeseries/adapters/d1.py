"""The database of `database.py` over a D1 binding.

Every failure of the binding becomes StoreUnavailable; nothing waits longer than INDEX_TIMEOUT_MS.
"""

from collections.abc import Sequence
from typing import Any

from pyodide.ffi import JsException

from edgeseries.adapters.database import Command, Row
from edgeseries.adapters.ffi import in_time, js_object, plain_json
from edgeseries.adapters.store_limits import INDEX_TIMEOUT_MS
from edgeseries.core.errors import DeadlineExceeded, StoreUnavailable


class D1Database:
    """One D1 database. `binding` is the platform's own object, without the SDK's wrapper."""

    def __init__(self, binding: Any) -> None:
        self._binding = binding

    async def read(self, command: Command) -> list[Row]:
        """See `Database`."""
        try:
            rows = await in_time(self._bound(command).raw(), INDEX_TIMEOUT_MS, "the index")
        except JsException as error:
            raise StoreUnavailable("the index cannot be read; try again") from error
        except DeadlineExceeded as error:
            raise StoreUnavailable(error.detail) from error
        found: list[Row] = plain_json(rows)
        return found

    async def write(self, commands: Sequence[Command]) -> list[list[Row]]:
        """See `Database`. A row comes as an object whose fields stand in the order of the columns."""
        try:
            bound = js_object([self._bound(command) for command in commands])
            results = await in_time(self._binding.batch(bound), INDEX_TIMEOUT_MS, "the index")
        except JsException as error:
            raise StoreUnavailable("the index cannot be written; try again") from error
        except DeadlineExceeded as error:
            raise StoreUnavailable(error.detail) from error
        return [
            [tuple(row.values()) for row in result.get("results") or ()] for result in plain_json(results)
        ]

    def _bound(self, command: Command) -> Any:
        return self._binding.prepare(command.sql).bind(*command.parameters)
