"""The database of `database.py` over a D1 binding.

Every failure of the binding becomes StoreUnavailable, and so does an answer that is late.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from pyodide.ffi import JsException

from edgeseries.errors import DeadlineExceeded, StoreUnavailable
from edgeseries.platform.ffi import call_in_time, js_object, plain_json
from edgeseries.storage.database import Command, Row
from edgeseries.storage.limits import INDEX_TIMEOUT_MS


class D1Database:
    """One D1 database. `binding` is the platform's own object, without the SDK's wrapper; `meter` counts
    what is billed, and `statements` what this object has asked for. Nothing waits longer than `timeout_ms`.
    """

    def __init__(
        self, binding: Any, meter: Counter[str] | None = None, *, timeout_ms: int = INDEX_TIMEOUT_MS
    ) -> None:
        self._binding = binding
        self._timeout_ms = timeout_ms
        self._meter: Counter[str] = Counter() if meter is None else meter
        self.statements = 0

    async def read(self, command: Command) -> list[Row]:
        """See `Database`."""
        self.statements += 1
        try:
            rows = await call_in_time(
                self._bound(command), "raw", timeout_ms=self._timeout_ms, what="the index"
            )
        except JsException as error:
            raise StoreUnavailable("the index cannot be read; try again") from error
        except DeadlineExceeded as error:
            raise StoreUnavailable(error.detail) from error
        found: list[Row] = plain_json(rows)
        # What a read scanned, a raw one does not report; what it gave is the least of it.
        self._meter["d1_rows_read"] += len(found)
        return found

    async def write(self, commands: Sequence[Command]) -> list[list[Row]]:
        """See `Database`. A row comes as an object whose fields stand in the order of the columns."""
        self.statements += len(commands)
        try:
            bound = js_object([self._bound(command) for command in commands])
            results = await call_in_time(
                self._binding, "batch", bound, timeout_ms=self._timeout_ms, what="the index"
            )
        except JsException as error:
            raise StoreUnavailable("the index cannot be written; try again") from error
        except DeadlineExceeded as error:
            raise StoreUnavailable(error.detail) from error
        plain = plain_json(results)
        self._meter["d1_transactions"] += 1
        for result in plain:
            self._meter["d1_rows_read"] += int(result["meta"].get("rows_read", 0))
            self._meter["d1_rows_written"] += int(result["meta"].get("rows_written", 0))
        return [[tuple(row.values()) for row in result.get("results") or ()] for result in plain]

    def _bound(self, command: Command) -> Any:
        return self._binding.prepare(command.sql).bind(*command.parameters)
