"""Bounds of the block store, its index and the answer store: value, unit, reason, relations."""

from typing import Final

from edgeseries.limits import (
    CATALOGUE_MAX_NAMES,
    DAY_MS,
    DIRECTORY_MAX_POINTS,
    MAX_NAME_BYTES,
    MAX_POINTS,
    MAX_ROW_VALUE_BYTES,
    MINUTE_MS,
    PLATFORM_CONNECTIONS,
    SECOND_MS,
)
from edgeseries.memory_limits import (
    BLOCK_MEMORY_BYTES,
    CATALOGUE_NAME_BYTES,
    DIRECTORY_POINT_BYTES,
    LATEST_POINT_BYTES,
    LIVE_MEMORY_BYTES,
    LIVE_SAMPLE_BYTES,
    NAMES_BYTES,
    STAMPED_NAME_BYTES,
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

STRETCH_MAX_BYTES: Final = 2_000_000
"""What one read of a part of an object brings at most, where segments lie next to each other: years of
one-minute data are a tenth of it."""

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

COVERED_MAX_ROWS: Final = 25_000
"""Rows of blocks that one statement looks through for what is covered: some 50 ms here, so that 10,000
points over ten years (100,000 rows) are four round trips, none near the timeout. While months of version 1
are there, twelve times as many."""

COVERED_MAX_POINTS: Final = 2_500
"""Points of one such statement: of each come the counts of two years at most, which the range cuts."""

# --- storing ------------------------------------------------------------------
KEEP_BATCH_BLOCKS: Final = 8
"""Blocks whose pointers move in one transaction: five written rows each, index entries included. What was
stored before a failure stays, a long `keep` is seen as it goes, and who stores other days of the same years
comes in between seldom. Ten consumers at ten months of one year of 50 points put 1.8 objects for each that
stays; with 25 blocks it would be 3.2."""

KEEP_ATTEMPTS: Final = 16
"""Tries to move a pointer while other writers get there first."""

KEEP_FIRST_WAIT_MS: Final = 50
"""Longest wait before the second try; it doubles with each try. Writers draw their wait at random."""

KEEP_LONGEST_WAIT_MS: Final = 1_500
"""Among ten writers each has had its turn by then."""

SUPERSEDED_KEEP_MS: Final = DAY_MS
"""How long an object lies that no pointer leads to: readers that began before may be at it, and the longest
result is hours."""

PURGE_RECORD_KEEP_MS: Final = 30 * DAY_MS
"""How long the record of a purge lies. Objects of before it are gone by then, each index lost or not."""

# --- memory of an isolate -------------------------------------------------------
MEMORY_MAX_BYTES: Final = BLOCK_MEMORY_BYTES
"""Raw blocks that an isolate keeps."""

STAMPS_TTL_MS: Final = 30 * SECOND_MS
"""How long an isolate believes the generations that it read, so that a cached answer costs no read of D1. A
purge or refresh through another isolate is seen here within it, one through this isolate at once."""

STAMPS_MAX_QUERIES: Final = 2_000
"""Sets of points whose generations an isolate remembers."""

STAMPS_MAX_POINTS: Final = 20_000
"""Names in these sets, all together: two of the largest requests."""

LIVE_CACHE_MAX_SAMPLES: Final = 250_000
"""Samples of live edges that an isolate keeps: a day of 170 one-minute points."""

LIVE_CACHE_ENTRY_SAMPLES: Final = 40
"""What a tail takes beside its samples, counted in samples, so that empty ones are bounded."""

# --- density ------------------------------------------------------------------
DENSITY_MEMORY_DAYS: Final = 30
"""Days that the learned density remembers: a building's month."""

# --- purge --------------------------------------------------------------------
PURGE_STRETCH_BLOCKS: Final = 5_000
"""Pointers that one transaction takes away, six written rows each: D1 gives it 30 seconds, and we two."""

PURGE_STRETCH_POINTS: Final = 100
"""Points of one transaction: 12,200 pointers, were all of them stored over ten years."""

PURGE_STRETCH_STATEMENTS: Final = 9
"""Where a stretch ends, and what tells it, notes its objects, takes pointers, cuts days (of months, of
years) and raises; then what takes out rows of which no day is left."""

PURGE_MAX_STRETCHES: Final = 110
"""Transactions of one purge of a site: 550,000 blocks, seventy years of the largest site we know of."""

# --- answers ------------------------------------------------------------------
ANSWER_TTL_MS: Final = 30 * DAY_MS
"""A cached answer is made again after this, so that what nobody asks for goes."""

COLO_TTL_MS: Final = MINUTE_MS
"""How long one location answers without asking R2."""

COLO_TIMEOUT_MS: Final = SECOND_MS
"""One call of the colo cache. It is in the same building; if it is slow, R2 is asked."""

COLO_MAX_BYTES: Final = 8_000_000
"""Larger answers are not copied into the colo cache: while copied they are in memory."""

CHECKED_AHEAD_BYTES: Final = 1_000_000
"""Cached answers up to this size are checked before their first byte leaves: they are in the isolate's memory
for that long. Larger ones are checked as they pass."""

ANSWER_MAX_BYTES: Final = 50_000_000
"""A cached body unpacked for a client without brotli, at most: it is in memory then, twice."""

ANSWER_QUALITY: Final = 5
"""Brotli quality of answers: 32 MB/s of JSON here, and 9 would be 9 MB/s for some percent."""

assert LIVE_CACHE_MAX_SAMPLES * LIVE_SAMPLE_BYTES <= LIVE_MEMORY_BYTES
assert (
    CATALOGUE_MAX_NAMES * CATALOGUE_NAME_BYTES
    + DIRECTORY_MAX_POINTS * (DIRECTORY_POINT_BYTES + LATEST_POINT_BYTES)
    + STAMPS_MAX_POINTS * STAMPED_NAME_BYTES
    <= NAMES_BYTES
)
assert STATEMENTS_BUDGET + BUCKET_CALLS_BUDGET < CALLS_OF_AN_INVOCATION // 2
assert PARAMETER_MAX_BYTES <= MAX_ROW_VALUE_BYTES
assert BUCKET_AT_ONCE < PLATFORM_CONNECTIONS
assert len("blocks/v1/") + 3 * MAX_NAME_BYTES > OBJECT_KEY_MAX_BYTES, "long site names need a digest"
assert KEEP_FIRST_WAIT_MS < KEEP_LONGEST_WAIT_MS
assert STAMPS_TTL_MS <= MINUTE_MS
assert PURGE_MAX_STRETCHES * PURGE_STRETCH_STATEMENTS < STATEMENTS_OF_AN_INVOCATION
assert MAX_POINTS // PURGE_STRETCH_POINTS * PURGE_STRETCH_STATEMENTS < STATEMENTS_OF_AN_INVOCATION
assert COLO_TTL_MS <= MINUTE_MS
assert CHECKED_AHEAD_BYTES < COLO_MAX_BYTES < ANSWER_MAX_BYTES
