"""The Journal port: JSON lines on standard output, points in Analytics Engine.

Workers Logs index the keys of a JSON line. Columns of a point: `data_points.py`.
"""

import json
from typing import Any

from pyodide.ffi import JsException

from edgeseries.adapters.data_points import BY_RECORD
from edgeseries.ports.journal import BatchRecord, Level, RequestRecord, SweepRecord


class PlatformJournal:
    """Writes for one Worker, named `function`."""

    def __init__(self, *, function: str, dataset: Any) -> None:
        self._function = function
        self._dataset = dataset

    def line(self, level: Level, event: str, **fields: str | float | None) -> None:
        """See the port."""
        print(json.dumps({"fn": self._function, "level": level, "event": event, **fields}))  # noqa: T201 - Workers log what is printed

    def request(self, record: RequestRecord) -> None:
        """See the port. The call does not wait; the platform gives no promise of delivery."""
        self._write(record)

    def batch(self, record: BatchRecord) -> None:
        """See the port, and `request`."""
        self._write(record)

    def sweep(self, record: SweepRecord) -> None:
        """See the port, and `request`."""
        self._write(record)

    def _write(self, record: RequestRecord | BatchRecord | SweepRecord) -> None:
        try:
            self._dataset.writeDataPoint(BY_RECORD[type(record)].point_of(record))
        except (JsException, TypeError) as error:
            self.line("error", "a data point was refused", cause=repr(error))
