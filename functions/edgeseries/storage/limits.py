"""Bounds of the block store, its index and the answer store: value, unit, reason, relations."""

from typing import Final

from edgeseries.limits import (
    DAY_MS,
    MAX_NAME_BYTES,
    MAX_ROW_VALUE_BYTES,
    MINUTE_MS,
    PLATFORM_CONNECTIONS,
    SECOND_MS,
)
from edgeseries.platform_limits import D1_QUERIES, R2_KEY_BYTES, R2_KEYS, R2_METADATA_BYTES, SUBREQUESTS

CALLS_OF_AN_INVOCATION: Final = SUBREQUESTS.value
"""Calls of R2, D1, queues, the cache and fetch together."""

STATEMENTS_OF_AN_INVOCATION: Final = D1_QUERIES.value
"""Statements of D1, each of a batch counted by itself."""

STATEMENTS_BUDGET: Final = STATEMENTS_OF_AN_INVOCATION // 2
"""A consumer that has made so many begins nothing new. What a batch still needs then is some dozens: its
last blocks, its end, a letter, and what was counted."""

BUCKET_CALLS_BUDGET: Final = CALLS_OF_AN_INVOCATION * 2 // 5
"""As many calls of the bucket. A batch that has begun then writes what it holds: two calls a block."""

# --- R2 -----------------------------------------------------------------------
OBJECT_KEY_MAX_BYTES: Final = R2_KEY_BYTES.value
"""R2 refuses longer keys."""

OBJECT_FACTS_MAX_BYTES: Final = R2_METADATA_BYTES.value
"""All custom metadata of an object."""

BUCKET_AT_ONCE: Final = 4
"""R2 calls of one store under way at once; of the platform's six connections two stay free."""

BUCKET_TIMEOUT_MS: Final = 5 * SECOND_MS
"""One R2 call. Blocks are well under a megabyte; a bucket this slow is no faster than upstream."""

BUCKET_PAGE_KEYS: Final = R2_KEYS.value
"""Objects of one list and keys of one delete."""

# --- D1 -----------------------------------------------------------------------
INDEX_TIMEOUT_MS: Final = 2 * SECOND_MS
"""One D1 round trip. A request that waits longer is better served from upstream."""

PARAMETER_MAX_BYTES: Final = 1_000_000
"""JSON of one bound parameter, half of what D1 takes; 10,000 usual names are one million."""

WAITING_PAGE_ROWS: Final = 500
"""Batches of one look for what is waiting: five sends of a hundred messages."""

# --- Queues -------------------------------------------------------------------
QUEUE_TIMEOUT_MS: Final = 5 * SECOND_MS
"""One send. It returns once the message is on disk; what is not sent, the janitor sends."""

COVERED_MAX_ROWS: Final = 250_000
"""Rows of blocks that one statement looks through for what is covered: a quarter of a second here, so
that 10,000 points over ten years (1.2 million rows) are five round trips, none near the timeout."""

# --- merging ------------------------------------------------------------------
KEEP_ATTEMPTS: Final = 10
"""Tries to merge into one block while other writers get there first."""

KEEP_FIRST_WAIT_MS: Final = 50
"""Longest wait before the second try; it doubles with each try. Writers draw their wait at random."""

KEEP_LONGEST_WAIT_MS: Final = 1_500
"""R2 takes one write a second for a key; a try after this has its turn."""

# --- memory of an isolate -------------------------------------------------------
MEMORY_MAX_BYTES: Final = 16_000_000
"""Raw blocks an isolate keeps, of its 128 MB: a month of 1,000 five-minute points."""

MEMORY_TTL_MS: Final = MINUTE_MS
"""How long a block is believed without asking R2: a purge elsewhere is seen here within it."""

TAILS_MAX_SAMPLES: Final = 250_000
"""Samples of live edges an isolate keeps: 10 MB of its 128 MB; a day of 170 one-minute points."""

TAIL_OWN_SAMPLES: Final = 16
"""What a tail takes beside its samples, counted in samples (40 bytes), so that empty ones are bounded."""

# --- density ------------------------------------------------------------------
DENSITY_MEMORY_DAYS: Final = 30
"""Days that the learned density remembers: a building's month."""

# --- purge --------------------------------------------------------------------
PURGE_MAX_PAGES: Final = 500
"""Pages of a list that one purge walks: 500,000 blocks, five years of the largest site we know of.
With a delete and a row write for each they are 1,500 of the 10,000 calls of an invocation."""

PURGE_MAX_CUTS: Final = 2_000
"""Blocks that one purge writes again, two calls each. The same purge asked again goes on behind them."""

PURGE_LISTED_POINTS: Final = 50
"""Up to so many points each has its own list; for more the whole site is listed and sifted."""

# --- answers ------------------------------------------------------------------
ANSWER_TTL_MS: Final = 30 * DAY_MS
"""A kept answer is made again after this, so that what nobody asks for goes."""

COLO_TTL_MS: Final = MINUTE_MS
"""How long one location answers without asking R2: a purge elsewhere is seen there within it."""

COLO_TIMEOUT_MS: Final = SECOND_MS
"""One call of the colo cache. It is in the same building; if it is slow, R2 is asked."""

COLO_MAX_BYTES: Final = 8_000_000
"""Larger answers are not copied into the colo cache: while copied they are in memory."""

ANSWER_MAX_BYTES: Final = 50_000_000
"""A kept body unpacked for a client without brotli, at most: it is in memory then, twice."""

ANSWER_QUALITY: Final = 5
"""Brotli quality of answers: 32 MB/s of JSON here, and 9 would be 9 MB/s for some percent."""

assert STATEMENTS_BUDGET + BUCKET_CALLS_BUDGET < CALLS_OF_AN_INVOCATION // 2
assert PARAMETER_MAX_BYTES <= MAX_ROW_VALUE_BYTES
assert BUCKET_AT_ONCE < PLATFORM_CONNECTIONS
assert len("blocks/v1/") + 3 * MAX_NAME_BYTES > OBJECT_KEY_MAX_BYTES, "long site names need a digest"
assert KEEP_FIRST_WAIT_MS < KEEP_LONGEST_WAIT_MS
assert 3 * PURGE_MAX_PAGES + 2 * PURGE_MAX_CUTS < CALLS_OF_AN_INVOCATION
assert COLO_TTL_MS <= MINUTE_MS
assert COLO_MAX_BYTES < ANSWER_MAX_BYTES
