"""Bounds of an archive's files: value, unit, source. Nobody else knows them."""

from typing import Final

from edgeseries.jobs.limits import PIECE_SAMPLES

BATCH_POINTS: Final = 20
"""Points of one fetch: a file each, a few at a time."""

CALL_SAMPLES: Final = 100_000
"""Samples that one fetch is planned to bring. A file is read whole, whatever is asked of it."""

MAX_PLAIN_BYTES: Final = 24_000_000
"""A file after gzip, which makes telemetry four to ten times smaller: some 800,000 rows, which take 16 bytes
each in columns, and as much again while they are put together."""

ROWS_AT_ONCE: Final = 8_192
"""Rows of a file that are texts at once: some 300 bytes each."""

MAX_FILES: Final = 400
"""Files of one fetch: a year of days for one point. Layouts by month or year have fewer."""

assert PIECE_SAMPLES <= CALL_SAMPLES
