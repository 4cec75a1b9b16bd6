"""Bounds of ACE's calls: value, unit, source, relations. Nobody but this adapter knows them."""

from typing import Final

from edgeseries.jobs.limits import PIECE_SAMPLES
from edgeseries.limits import HOUR_MS, SECOND_MS, UPSTREAM_MAX_BODY_BYTES
from edgeseries.origins.call_sizes import SizeSteps

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

COMPANION_MAX_ROWS: Final = 5_000
"""Rows, as expected, of a point that is asked beside quiet ones, so that their batch has an answer."""

LOUD_POINTS: Final = 16
"""Points with samples that an isolate remembers of a site: some may fall silent."""

LOUD_SITES: Final = 200
"""Sites of which it remembers them: LOUD_POINTS each, 0.5 MB."""

QUIET_MAX_POINTS: Final = 20_000
"""Points without samples that an isolate remembers, all sites together: about 4 MB."""

QUIET_TTL_MS: Final = HOUR_MS
"""How long. One that has samples again costs nothing: it only was asked beside a companion."""

ALONE_POINTS: Final = 2
"""So few points that a 404 leaves open are asked alone: a page of the site would bring much more."""

HALVED_POINTS: Final = 16
"""Halves of so many points and fewer are not halved further where both are answered by 404: most of their
points would be asked alone in the end."""

WITNESS_PAGES: Final = 3
"""Pages of a site that are read to settle points which a 404 leaves open."""

WITNESS_ROWS: Final = 3 * PAGE_ROWS
"""Rows of such pages. A vendor that puts more on a page than it is asked for is not read further."""

WITNESS_SHARE: Final = 3
"""Of the time that is left one part in so many: what pages do not settle is asked by name."""

SITE_READ_MS: Final = 10 * SECOND_MS
"""How long what was read of a site settles further points of the same event."""

SITE_READS: Final = 2
"""Such reads that are held: WITNESS_ROWS each."""

PAGE_MIN_ROWS: Final = 500
PAGE_MAX_ROWS: Final = 50_000
"""Smaller pages are more calls than a fetch has time for; larger ones are longer than an answer may be,
however short their rows are."""

PER_PAGE_SIZES: Final = (2, 10, 20, 30, 40, 50, 100, 500, 1_000, 5_000, 10_000, 100_000)
PAGE_SIZES: Final = (3, 10, 50, 100, 500, 1_000, 5_000, 10_000, 50_000, 100_000, 300_000, 500_000)
"""The vendor rejects any other number (its Swagger's enumerations)."""

BATCH_STEPS: Final = SizeSteps(
    steps=(5, 10, 20, BATCH_POINTS, 100, 200), start=BATCH_POINTS, fault_floor=10, scales=False
)
"""Points of a batch call as they are learned: 200 are far from where the vendor's URLs break."""

CALL_STEPS: Final = SizeSteps(
    steps=(2_500, 5_000, 10_000, 20_000, CALL_SAMPLES, 50_000), start=CALL_SAMPLES, fault_floor=5_000
)
"""Samples that a call is planned to bring: 50,000 where rows are short."""

PAGE_STEPS: Final = SizeSteps(
    steps=tuple(size for size in PAGE_SIZES if PAGE_MIN_ROWS <= size <= PAGE_MAX_ROWS),
    start=PAGE_ROWS,
    fault_floor=1_000,
)
"""Rows of a page of a site: sizes of the vendor's enumeration that an answer can hold."""

assert LIST_ROWS in PER_PAGE_SIZES
assert PAGE_ROWS in PAGE_SIZES
assert PAGE_ROWS * ROW_BYTES <= UPSTREAM_MAX_BODY_BYTES
assert CALL_SAMPLES * ROW_BYTES <= UPSTREAM_MAX_BODY_BYTES
assert PIECE_SAMPLES <= CALL_SAMPLES
assert PAGE_ROWS <= PIECE_SAMPLES
