"""Bounds of calls to an InfluxDB: value, unit, source. Nobody else knows them."""

from typing import Final

from edgeseries.jobs.limits import PIECE_SAMPLES
from edgeseries.limits import UPSTREAM_MAX_BODY_BYTES

BATCH_POINTS: Final = 50
"""Series of one call: a condition each."""

CHUNK_ROWS: Final = 10_000
"""Rows of one chunk of InfluxDB 1: its own default, said since an installation may have another."""

ROW_BYTES: Final = 110
"""One row of annotated CSV, with RFC3339 time to the nanosecond and some tags."""

CALL_SAMPLES: Final = 50_000
"""Samples that one call is planned to bring."""

assert CALL_SAMPLES * ROW_BYTES <= UPSTREAM_MAX_BODY_BYTES
assert PIECE_SAMPLES <= CALL_SAMPLES
