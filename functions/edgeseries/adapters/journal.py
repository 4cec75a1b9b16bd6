"""The Journal port: JSON lines on the console, points in Analytics Engine.

Workers Logs index the keys of a JSON line. Columns of a point: `docs/formats/analytics.md`.
"""

import json
from typing import Any

import js
from pyodide.ffi import JsException

from edgeseries.adapters.ffi import js_object, raw
from edgeseries.ports.journal import Level, RequestRecord


class PlatformJournal:
    """Writes for one Worker, named `function`."""

    def __init__(self, *, function: str, dataset: Any) -> None:
        self._function = function
        self._dataset = raw(dataset)

    def line(self, level: Level, event: str, **fields: str | float | None) -> None:
        """See the port."""
        # As `print` would, without its way through a terminal that takes one character at a time.
        js.console.log(json.dumps({"fn": self._function, "level": level, "event": event, **fields}))

    def request(self, record: RequestRecord) -> None:
        """See the port. The call does not wait; the platform gives no promise of delivery."""
        point = {
            "indexes": [record.endpoint],
            "blobs": [record.endpoint, record.method, record.route],
            "doubles": [
                record.status,
                record.duration_ms,
                record.origin_ms,
                record.point_count,
                record.sample_count,
                record.body_bytes,
            ],
        }
        try:
            self._dataset.writeDataPoint(js_object(point))
        except (JsException, TypeError) as error:
            self.line("error", "a data point was refused", cause=repr(error))
