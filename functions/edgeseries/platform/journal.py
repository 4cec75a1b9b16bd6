"""The Journal port: JSON lines on the console, points in Analytics Engine.

Workers Logs index the keys of a JSON line. Columns of a point: `data_points.py`.
"""

import json
from typing import Any

import js
from pyodide.ffi import JsException

from edgeseries.metrics.adapters.data_points import BY_RECORD
from edgeseries.metrics.adapters.metrics_buffer import MetricsBuffer
from edgeseries.metrics.ports.journal import BatchRecord, Level, RequestRecord, SweepRecord
from edgeseries.platform.clock import SystemClock
from edgeseries.platform.ffi import js_plain, raw
from edgeseries.ports.clock import Clock


class PlatformJournal:
    """Writes for one Worker, named `function`. `metrics_buffer` is the isolate's; `clock` dates it."""

    def __init__(
        self,
        *,
        function: str,
        dataset: Any,
        metrics_buffer: MetricsBuffer | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._function = function
        self._dataset = raw(dataset)
        self._buffer = MetricsBuffer() if metrics_buffer is None else metrics_buffer
        self._clock = SystemClock() if clock is None else clock

    def line(self, level: Level, event: str, **fields: str | float | None) -> None:
        """See the port."""
        # As `print` would, without its way through a terminal that takes one character at a time.
        js.console.log(json.dumps({"fn": self._function, "level": level, "event": event, **fields}))

    def request(self, record: RequestRecord) -> None:
        """See the port. The call does not wait; the platform gives no promise of delivery."""
        self._buffer.request(record, self._clock.now_ms())
        self._write(record)

    def batch(self, record: BatchRecord) -> None:
        """See the port, and `request`."""
        self._buffer.operations["upstream_samples"] += record.sample_count
        self._write(record)

    def sweep(self, record: SweepRecord) -> None:
        """See the port, and `request`."""
        self._write(record)

    def _write(self, record: RequestRecord | BatchRecord | SweepRecord) -> None:
        self._buffer.operations["analytics_points"] += 1
        try:
            self._dataset.writeDataPoint(js_plain(BY_RECORD[type(record)].point_of(record)))
        except (JsException, TypeError, ValueError) as error:
            self.line("error", "a data point was refused", cause=repr(error))
