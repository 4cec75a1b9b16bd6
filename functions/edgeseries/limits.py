"""Every bound of the system: value, unit, source, and the relations between them.

A limit is changed here and nowhere else. What an operator may set differently per
environment (route sizes, deadlines) comes in through the settings; the bounds here
are the ones that the code itself stands on.
"""

from typing import Final

from edgeseries.memory_limits import (
    BUDGET_BYTES,
    CATALOGUE_NAME_BYTES,
    CONSUMER_NAMES_BYTES,
    FETCHED_SAMPLE_BYTES,
    ISOLATE_BYTES,
    STORED_SAMPLE_BYTES,
)
from edgeseries.platform_limits import CONNECTIONS, D1_VALUE_BYTES, HEADERS_BYTES, URL_BYTES

# --- time -------------------------------------------------------------------
SECOND_MS: Final = 1_000
MINUTE_MS: Final = 60 * SECOND_MS
HOUR_MS: Final = 60 * MINUTE_MS
DAY_MS: Final = 24 * HOUR_MS

EARLIEST_MS: Final = 0
"""1970-01-01. No building telemetry is older; a smaller number is a unit mix-up (seconds, years)."""

LATEST_MS: Final = 4_102_444_800_000
"""2100-01-01. A larger number is a unit mix-up (microseconds, nanoseconds)."""

MAX_RANGE_MS: Final = 3_660 * DAY_MS
"""Ten years: more than any building has kept, less than a loop over months that hurts."""

# --- a request ---------------------------------------------------------------
MAX_URL_BYTES: Final = URL_BYTES.value
"""The platform refuses longer URLs."""

MAX_BODY_BYTES: Final = 1_900_000
"""JSON of a POST: MAX_POINTS names of 100 characters with quotes and commas are 1.03 MB. The names of a job
are one value of a row, beside its other columns."""

MAX_JSON_DEPTH: Final = 16
"""Brackets within brackets of a request's body. A request needs two."""

MAX_INSTANT_CHARS: Final = 64
"""A moment as text. The longest ISO-8601 forms have about 40."""

MAX_POINTS: Final = 10_000
"""Points of one request. The largest site we know of has 7,327."""

MAX_NAME_BYTES: Final = 512
"""A site or point name in UTF-8. Vendor names are about 100 characters; percent-encoded
three times longer it still fits the upstream's URL."""

MAX_ZONE_CHARS: Final = 64
"""The name of a time zone; the longest of the database has about 30."""

MAX_GAP_DAYS: Final = 31
"""How long a value may be taken to hold: so far before a range it is looked for, too."""

MAX_BUCKETS: Final = 2_000_000
"""Values of all points and aggregates of an answer: as many as it may have samples."""

CHART_MIN_SAMPLES: Final = 10
CHART_MAX_SAMPLES: Final = 10_000
"""Samples of a point of a chart. The widest screens have 8,000 pixels."""

MAX_QUERY_FIELDS: Final = 1_000
"""Parameters in one URL; `point=` repeated more often than this belongs in a POST."""

MAX_ID_CHARS: Final = 128
"""The id of a job (36 characters) or of a dead letter (a message id of the platform, 32)."""

MAX_CURSOR_CHARS: Final = 256
"""A cursor of ours: base64 of a moment and an id."""

MAX_HEADER_CHARS: Final = 8_192
"""One header that has an effect. Others may be as long as all of them together."""

PLATFORM_HEADERS_BYTES: Final = HEADERS_BYTES.value

MAX_HEADERS_BYTES: Final = 65_536
"""All headers of a request: half of what the platform takes; browsers send a few."""

MAX_ECHOED_PATH_CHARS: Final = 1_024
"""How much of a path goes into the log and into a problem."""

MAX_IGNORED_CHARS: Final = 1_000
"""Of a parameter that has no effect."""

COVERAGE_MAX_RANGES: Final = 50_000
"""Runs of days that one answer of `/api/coverage` lists, at 27 bytes each. 10,000 points that all have
the same hole are three; only points that were all stored differently come here."""

MAX_REQUEST_ID_CHARS: Final = 64
"""A caller's own X-Request-Id, kept if it is this short and plain."""

# --- access ------------------------------------------------------------------
KEY_ID_BYTES: Final = 6
"""Entropy of a key's id. Ids are no secret; two equal ones in a thousand keys: one chance in 10^9."""

KEY_SECRET_BYTES: Final = 32
"""Entropy of a key's secret: 256 bits."""

KEY_MAX_SITES: Final = 1_000
"""Sites that a key may name; all of them in one row, whose values D1 bounds."""

MAX_ROW_VALUE_BYTES: Final = D1_VALUE_BYTES.value
"""One value in a row, and all of a row."""

MAX_OWNER_CHARS: Final = 100
"""Whose key it is, for people."""

KEY_MEMORY_MS: Final = MINUTE_MS
"""How long an isolate believes what it read of a key: a key that is revoked elsewhere dies within it."""

KEY_MEMORY_KEYS: Final = 5_000
"""Keys that an isolate remembers, and as many ids that there are no keys of: some megabytes."""

RATE_WINDOW_S: Final = 60
"""The window of the rate limits (`infra/stack/wiring.py` gives it to the platform)."""

ACTIVE_JOBS_RETRY_S: Final = 30
"""What a key with too many jobs under way is asked to wait: most jobs take longer than some seconds."""

# --- routes ------------------------------------------------------------------
DEFAULT_DENSITY_PER_DAY: Final = 100
"""Samples a day of a point that nothing has been learned of yet."""

DENSE_PER_DAY: Final = DAY_MS // MINUTE_MS
"""Samples a day that a point which nothing has been learned of may well have: one a minute. If that
were too much for one answer, a first day is fetched alone to find out."""

DIRECT_MAX_SAMPLES: Final = 1_000
"""Fewer missing samples than this go straight through (setting `directMaxSamples`)."""

QUEUED_MIN_SAMPLES: Final = 100_000
"""More missing samples than this become a job (setting `queuedMinSamples`)."""

FORCED_DIRECT_MAX_SAMPLES: Final = 150_000
"""What one answer may fetch at most while the caller waits. Gathered samples and the answer's
text take FETCHED_SAMPLE_BYTES each: nearly all that answers may take of an isolate."""

WHOLE_MAX_SAMPLES: Final = 250_000
"""Samples of an answer that is made whole, stored ones too, before the first byte leaves. Of more, samples
and text would take more memory than there is: it leaves window by window."""

INLINE_MAX_SAMPLES: Final = 2_000_000
"""Samples of an answer that is made while the caller waits, most of them stored: its memory is flat, and a
reader gets them in seconds. More is asked as a job, whose result comes in parts."""

QUESTION_MAX_SAMPLES: Final = 20_000_000
"""Stored samples that buckets or a chart may be made of while the caller waits: ten years of four points with
one sample a minute, some seconds of CPU time."""

INLINE_MAX_BLOCKS: Final = 2_000
"""Blocks (points times years) that an answer made while the caller waits may touch. Read four at a
time at some 30 ms each they take half of the deadline, and an invocation makes 10,000 calls."""

REQUEST_DEADLINE_MS: Final = 30 * SECOND_MS
"""From arrival to the last upstream byte (setting `requestDeadlineSeconds`)."""

# --- memory of an isolate ------------------------------------------------------------
HELD_BODY_BYTES: Final = 1_000_000
"""An answer's body of so many bytes is sent as a stream, so that its memory is known to be free again when
it has left. Smaller ones leave faster than anybody could count."""

SHARED_FETCH_TURN_MS: Final = 20
"""Between two looks of a request that waits for what another one of its isolate is fetching."""

BUDGET_WAIT_MS: Final = 3 * SECOND_MS
"""How long a request waits for its share: most answers leave within some hundred milliseconds."""

BUDGET_TURN_MS: Final = 20
"""Between two looks of a request that waits."""

BUDGET_TICKET_MS: Final = SECOND_MS
"""A place in the queue that nobody asks for any longer than this has lost its request."""

BUDGET_RETRY_S: Final = 2
"""The Retry-After of a request for which there was no room."""

BUDGET_LINGER_MS: Final = 30 * SECOND_MS
"""So long after a request's deadline its share ends by itself: the platform gives 30 s to what is stored
afterwards."""

# --- empty days ------------------------------------------------------------------
EMPTY_REREAD_MS: Final = DAY_MS
"""A day that was stored as empty is read once more, this long after it was read (issue 11: 24 hours)."""

DOUBT_MS: Final = HOUR_MS
"""Between the two readings that a silence of all points needs before it is stored: a gateway that is being
restarted or restored is back by then. What is stored is read once more after EMPTY_REREAD_MS all the same."""

DOUBT_MAX_AGE_MS: Final = 30 * DAY_MS
"""How long a first reading of such a silence is remembered."""

RECHECK_MAX_CALLS: Final = 8
"""Readings of stored days that one sweep of the janitor may make: the database statements of a sweep are
bounded. 8 of 20 points are 15,360 days of points a day."""

SILENT_DENSE_PER_DAY: Final = 24
"""From so many samples a day on a point's silence is strange: one an hour is the sparsest that is sampled
by the clock; what is sparser comes when something changes."""

# --- live edge ----------------------------------------------------------------
LIVE_TTL_MS: Final = 10 * SECOND_MS
"""How long an isolate answers the live part of a repeated request without asking upstream (setting
`liveTtlSeconds`). Telemetry comes once a minute or less often; many dashboards refresh together."""

LIVE_EXTRA_CALLS: Final = 3
"""Calls that reading the live edge may take on top of the fewest, so that points whose last samples
lie apart are not delivered again what they have. They are made one after the other."""

# --- upstream ------------------------------------------------------------------
UPSTREAM_MAX_BODY_BYTES: Final = 6_000_000
"""One upstream answer; larger ones are split and asked again. How many rows that is, its adapter knows."""

UPSTREAM_BODIES_BYTES: Final = 20_000_000
"""Upstream answers in memory at once, of one request."""

UPSTREAM_MAX_SPLITS: Final = 12
"""How often a range is halved because its answer was too large: a year becomes two hours."""

UPSTREAM_CONCURRENCY: Final = 3
"""Upstream calls of one request under way at once. The platform allows six connections that
wait for headers; the rest is for the stores."""

UPSTREAM_ISOLATE_CALLS: Final = 12
"""Upstream calls of all requests of an isolate under way at once: four requests' worth."""

ISOLATE_BODIES_BYTES: Final = 80_000_000
"""Upstream answers in memory at once, of all requests of an isolate, of its 128 MB."""

UPSTREAM_SHARED_CALLS: Final = 8
"""Upstream calls under way to one of several upstreams: one that hangs leaves the others some."""

UPSTREAM_TURN_MS: Final = 20
"""Between two looks of a call that waits for its turn. A look costs microseconds, a call at least as long."""

UPSTREAM_TICKET_MS: Final = SECOND_MS
"""A waiting call that nobody asks for any longer than this has lost its request, and its place."""

CIRCUIT_FAILURES: Final = 10
"""Failed calls one after the other that open the circuit. One request makes up to six that fail at once
(UPSTREAM_CONCURRENCY calls, each asked again), so it takes more than one unlucky request."""

CIRCUIT_PAUSE_MS: Final = 5 * SECOND_MS
"""How long an upstream is left alone at first (setting `circuitPauseSeconds`); it doubles with each probe
that fails."""

CIRCUIT_LONGEST_PAUSES: Final = 12
"""The longest pause between two probes, in first pauses, whatever the upstream asks for: a minute unless
the setting says otherwise. One call a minute harms nobody."""

CIRCUIT_PROBE_WAIT_MS: Final = 2 * SECOND_MS
"""The Retry-After while a probe is under way."""

CIRCUIT_FAIR_MS: Final = SECOND_MS
"""A call that was given less time than this says nothing about the upstream when it runs out."""

UPSTREAM_RETRIES: Final = 1
"""A read that a broken connection or a 5xx spoilt is asked once more within the deadline."""

CATALOGUE_TTL_MS: Final = 10 * MINUTE_MS
"""How long an isolate trusts a site's list of points before it reads it again."""

CATALOGUE_FRESH_MS: Final = 30 * SECOND_MS
"""A list read within this is not read again for a name that it lacks: a typing error in a
dashboard must not read the whole list at every refresh."""

CATALOGUE_MAX_NAMES: Final = 25_000
"""Names of points that an isolate keeps, all sites together: three of the largest sites that we know of."""

LATEST_STORED_DAYS: Final = 400
"""How far back stored days are searched for the last sample of a point that has none lately: a year and
more.
"""

LATEST_MAX_READS: Final = 200
"""Stored days that one such search reads. Points that stopped on one day are one read."""

DIRECTORY_MAX_POINTS: Final = 15_000
"""Points, with unit and kind, that an isolate remembers of all sites together, and as many last samples: two
of the largest sites."""

SURPLUS_MAX_SAMPLES: Final = 20_000
"""Samples of points that nobody asked for, which came on pages of a whole site and are kept of one answer:
two pages. They are counted in its memory as what was asked for is."""

SURPLUS_MAX_POINTS: Final = 200
"""Such points of one answer: each is a block to be written, after the answer has left."""

MAX_RETRY_AFTER_S: Final = 86_400
"""The longest pause that an upstream is believed to want."""

PLATFORM_CONNECTIONS: Final = CONNECTIONS.value
"""Connections of one invocation that may wait for response headers. One more waits for its turn."""

PROBE_TIMEOUT_MS: Final = 3 * SECOND_MS
"""One health probe. Shorter than what load balancers and uptime checks wait (5 to 10 s)."""

SWEEP_MAX_AGE_MS: Final = HOUR_MS
"""A janitor that has not come to the end of a sweep for this long is ill: four of its usual runs."""

assert EARLIEST_MS < LATEST_MS
assert MAX_BODY_BYTES + MAX_ROW_VALUE_BYTES // 20 <= MAX_ROW_VALUE_BYTES
assert MAX_HEADERS_BYTES < PLATFORM_HEADERS_BYTES
assert ISOLATE_BODIES_BYTES < ISOLATE_BYTES
assert CATALOGUE_MAX_NAMES * CATALOGUE_NAME_BYTES <= CONSUMER_NAMES_BYTES
assert KEY_MAX_SITES * (MAX_NAME_BYTES + 4) < MAX_ROW_VALUE_BYTES
assert 2 * KEY_SECRET_BYTES + len("es__") > MAX_REQUEST_ID_CHARS, "no key may be logged as a request id"
assert MAX_RANGE_MS <= LATEST_MS - EARLIEST_MS
assert MAX_POINTS * (100 + len('"",')) <= MAX_BODY_BYTES
assert 3 * MAX_NAME_BYTES < MAX_URL_BYTES
assert 4 * (MAX_ID_CHARS + len('[4102444800000, ""]')) <= 3 * MAX_CURSOR_CHARS
assert MAX_HEADER_CHARS <= MAX_HEADERS_BYTES
assert DIRECT_MAX_SAMPLES < QUEUED_MIN_SAMPLES <= FORCED_DIRECT_MAX_SAMPLES
assert UPSTREAM_CONCURRENCY < PLATFORM_CONNECTIONS
assert UPSTREAM_CONCURRENCY * UPSTREAM_MAX_BODY_BYTES <= UPSTREAM_BODIES_BYTES
assert UPSTREAM_CONCURRENCY <= UPSTREAM_SHARED_CALLS < UPSTREAM_ISOLATE_CALLS
assert UPSTREAM_ISOLATE_CALLS * UPSTREAM_MAX_BODY_BYTES <= ISOLATE_BODIES_BYTES
assert UPSTREAM_CONCURRENCY * (1 + UPSTREAM_RETRIES) < CIRCUIT_FAILURES
assert UPSTREAM_TURN_MS < UPSTREAM_TICKET_MS
assert CIRCUIT_PROBE_WAIT_MS < CIRCUIT_PAUSE_MS
assert CATALOGUE_FRESH_MS < CATALOGUE_TTL_MS
assert PROBE_TIMEOUT_MS < REQUEST_DEADLINE_MS
assert BUDGET_TURN_MS < BUDGET_TICKET_MS < BUDGET_WAIT_MS < REQUEST_DEADLINE_MS
assert WHOLE_MAX_SAMPLES * STORED_SAMPLE_BYTES <= BUDGET_BYTES
assert FORCED_DIRECT_MAX_SAMPLES * FETCHED_SAMPLE_BYTES <= BUDGET_BYTES
assert DOUBT_MS < EMPTY_REREAD_MS < DOUBT_MAX_AGE_MS
assert QUEUED_MIN_SAMPLES <= FORCED_DIRECT_MAX_SAMPLES <= WHOLE_MAX_SAMPLES <= INLINE_MAX_SAMPLES

# --- blocks
YEAR_SEGMENT_SAMPLES: Final = 11_600
"""Windows of 32 days and less are halved until they have so many samples at most: eight days of one-minute
data, 32 of five-minute data. Reading one day decodes one segment, in half a millisecond (ADR 19)."""

KERNEL_SEGMENT_DAYS: Final = 32
"""Days of a segment that the kernel reads: so many fit a bitmap of its interface. A power of two, as
windows are."""

WIDE_SEGMENT_SAMPLES: Final = 384
"""A segment of more days, up to a year, has so many samples at most: about one a day. Python reads it."""

MAX_SEGMENT_SAMPLES: Final = 1_000_000
"""A segment is at least a day, and a day at ten samples a second has 864,000."""

MAX_SEGMENT_BYTES: Final = 24_000_000
"""A segment's columns before compression: 16 bytes for each of a million samples, and half as much
again for texts. A reader allocates no more than this for one, in an isolate of 128 MB."""

MAX_BLOCK_SEGMENTS: Final = 31
"""Of a block of version 1: a segment is at least a day of its month."""

MAX_BLOCK_HEADER_BYTES: Final = 2_048
"""Two names of MAX_NAME_BYTES, and at most 16 bytes for each segment."""

MAX_YEAR_DAYS: Final = 366
"""Days of a year, and so the segments that a block of a year has at most."""

MAX_YEAR_HEADER_BYTES: Final = 8_192
"""Two names of MAX_NAME_BYTES, and at most 17 bytes for each segment."""

DECODED_AT_ONCE_SAMPLES: Final = 45_000
"""Samples of whole segments that a codec reads in one call: a month of one-minute data. For more the
kernel's memory could pass the 6 MB up to which an instance is used again: 23,000 take 1.4 MB."""

BLOCK_QUALITY: Final = 10
"""Brotli quality of segments. Against 9 it makes blocks 1 to 5 % smaller for 0.6 ms a segment of BMS
data, 3 ms of noise; 11 takes 1.5 to 2 times as long for less than 0.5 % (bench/measures/codec.py)."""

assert 2 * MAX_NAME_BYTES + 32 + MAX_BLOCK_SEGMENTS * 16 <= MAX_BLOCK_HEADER_BYTES
assert MAX_SEGMENT_SAMPLES * 16 <= MAX_SEGMENT_BYTES
assert WIDE_SEGMENT_SAMPLES < YEAR_SEGMENT_SAMPLES < DECODED_AT_ONCE_SAMPLES < MAX_SEGMENT_SAMPLES
assert 2 * MAX_NAME_BYTES + 256 + MAX_YEAR_DAYS * 17 <= MAX_YEAR_HEADER_BYTES
