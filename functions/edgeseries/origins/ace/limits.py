"""Bounds of ACE's calls: value, unit, source, relations. Nobody but this adapter knows them."""

from typing import Final

from edgeseries.jobs.limits import PIECE_SAMPLES
from edgeseries.limits import UPSTREAM_MAX_BODY_BYTES

BATCH_POINTS: Final = 50
"""Points of one batch call. The vendor's URLs break near 500 names; 50 is known to be safe."""

ROW_BYTES: Final = 160
"""One row of a time series as JSON, its name about 100 characters."""

CALL_SAMPLES: Final = 35_000
"""Samples that one call is planned to bring, so that its answer fits: what is too large is thrown away,
split and asked again, and upstream has delivered it twice."""

PAGE_ROWS: Final = 10_000
"""Rows of one page of a site's time series: about 1.6 MB."""

LIST_ROWS: Final = 1_000
"""Points of one page of a site's list: about 0.5 MB."""

MAX_PAGES: Final = 1_000
"""Pages of one paged read. At PAGE_ROWS a page this is ten times what an isolate can hold, so only a
cursor that never ends gets here."""

PER_PAGE_SIZES: Final = (2, 10, 20, 30, 40, 50, 100, 500, 1_000, 5_000, 10_000, 100_000)
PAGE_SIZES: Final = (3, 10, 50, 100, 500, 1_000, 5_000, 10_000, 50_000, 100_000, 300_000, 500_000)
"""The vendor rejects any other number (its Swagger's enumerations)."""

assert LIST_ROWS in PER_PAGE_SIZES
assert PAGE_ROWS in PAGE_SIZES
assert PAGE_ROWS * ROW_BYTES <= UPSTREAM_MAX_BODY_BYTES
assert CALL_SAMPLES * ROW_BYTES <= UPSTREAM_MAX_BODY_BYTES
assert PIECE_SAMPLES <= CALL_SAMPLES
assert PAGE_ROWS <= PIECE_SAMPLES
