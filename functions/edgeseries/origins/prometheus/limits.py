"""Bounds of calls to a Prometheus-compatible upstream: value, unit, source. Nobody else knows them."""

from typing import Final

from edgeseries.jobs.limits import PIECE_SAMPLES
from edgeseries.limits import UPSTREAM_MAX_BODY_BYTES

BATCH_POINTS: Final = 50
"""Series of one call. They are one regular expression; hundreds of alternatives make servers slow."""

SAMPLE_BYTES: Final = 45
"""One sample of a matrix as JSON, `[1425276000.123,"0.008593526217737235"],`: milliseconds, 18 digits."""

CALL_SAMPLES: Final = 100_000
"""Samples that one call is planned to bring."""

assert CALL_SAMPLES * SAMPLE_BYTES <= UPSTREAM_MAX_BODY_BYTES
assert PIECE_SAMPLES <= CALL_SAMPLES
