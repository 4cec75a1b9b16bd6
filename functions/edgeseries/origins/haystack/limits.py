"""Bounds of calls to a Haystack server: value, unit, source. Nobody else knows them."""

from typing import Final

from edgeseries.jobs.limits import PIECE_SAMPLES
from edgeseries.limits import UPSTREAM_MAX_BODY_BYTES

BATCH_POINTS: Final = 20
"""Points of one hisRead: a row of the answer has a column for each."""

ROW_BYTES: Final = 150
"""One sample as Hayson: two objects, an instant with its zone, a number with its unit."""

CALL_SAMPLES: Final = 40_000
"""Samples that one call is planned to bring."""

MAX_ITERATIONS: Final = 100_000
"""Rounds of a password's hash that a server may ask for; ten times what is usual. More would be an attack on
our CPU."""

MAX_DEPTH: Final = 16
"""Lists and dicts within each other in Zinc."""

assert CALL_SAMPLES * ROW_BYTES <= UPSTREAM_MAX_BODY_BYTES
assert PIECE_SAMPLES <= CALL_SAMPLES
