"""Bounds of jobs: value, unit, reason, relations."""

from typing import Final

from edgeseries.limits import (
    FORCED_DIRECT_MAX_SAMPLES,
    HOUR_MS,
    INLINE_MAX_SAMPLES,
    KEY_MEMORY_MS,
    MAX_ROW_VALUE_BYTES,
    MINUTE_MS,
    SECOND_MS,
    WHOLE_MAX_SAMPLES,
)
from edgeseries.memory_limits import (
    BUDGET_BYTES,
    CONSUMER_BUDGET_BYTES,
    QUESTION_SAMPLE_BYTES,
    RESULT_SAMPLE_BYTES,
)
from edgeseries.platform_limits import QUEUE_DELAY_S, QUEUE_SEND_MESSAGES, WALL_MS
from edgeseries.storage.limits import CALLS_OF_AN_INVOCATION, INDEX_TIMEOUT_MS, STATEMENTS_OF_AN_INVOCATION

# --- cutting --------------------------------------------------------------------
BATCH_MAX_POINTS: Final = 50
"""Points of a batch (setting `batchPoints`): a few calls of any upstream."""

BATCH_MAX_SAMPLES: Final = 250_000
"""Expected samples of a batch (setting `batchSamples`): 10 MB of an isolate, beside one upstream answer and
one block that is being made."""

MAX_BATCHES: Final = 100_000
"""Batches of a job. 10,000 points over ten years are 24,200 of fifty points."""

PIECE_SAMPLES: Final = 30_000
"""Expected samples of one fetch in a batch. Each adapter asserts that its answers can hold so many."""

PIECE_MAX_SAMPLES: Final = FORCED_DIRECT_MAX_SAMPLES
"""Samples that one fetch may really bring; more, and the piece is halved and asked again."""

BUFFER_MAX_SAMPLES: Final = 300_000
"""Fetched samples that a batch holds before it writes them into blocks: a batch as expected, and a piece."""

BATCH_SURPLUS_SAMPLES: Final = 50_000
"""Samples of points that nobody asked for, which a batch keeps between two writes of blocks."""

BATCH_SAMPLE_BYTES: Final = 40
"""What a gathered sample takes: 16 in columns, as much again where they are put together for a block, and 8
for what was stored of its year."""

BATCH_MEMORY_BYTES: Final = (
    BUFFER_MAX_SAMPLES + PIECE_MAX_SAMPLES + BATCH_SURPLUS_SAMPLES
) * BATCH_SAMPLE_BYTES
"""All that a batch holds at a time, of the budget that the invocations of an isolate share: a full buffer, a
piece, and what came along, 20 MB."""

MESSAGES_AT_ONCE: Final = 2
"""Messages of one delivery that a consumer works on side by side: while one is put into blocks, the
upstream makes what the other has asked for."""

BATCH_MEMORY_WAIT_MS: Final = MINUTE_MS
"""How long a batch waits for it before its message goes back. Its lease is three times as long."""

# --- trying again -----------------------------------------------------------------
BATCH_MAX_RETRIES: Final = 3
"""Failures that are tried again (DESIGN, Life of a job)."""

RETRY_FIRST_DELAY_S: Final = 1
"""Before the first retry; it doubles: 1, 2, 4 s."""

MESSAGE_MAX_DELAY_S: Final = QUEUE_DELAY_S.value
"""The longest delay of a message."""

RETRY_MAX_PAUSE_S: Final = MESSAGE_MAX_DELAY_S // 2
"""The longest pause that an upstream gets."""

BATCH_MAX_CLAIMS: Final = 50
"""How often a batch may be begun, whatever ended it: pauses, crashes, deploys, failures."""
# --- leases -----------------------------------------------------------------------
BATCH_LEASE_MS: Final = 3 * MINUTE_MS
"""A claim that is not renewed ends after this. It is renewed before every upstream call, and no call
takes longer than PIECE_DEADLINE_MS."""

PIECE_DEADLINE_MS: Final = 2 * MINUTE_MS
"""One fetch of a piece. The vendor's slowest pages seen took 30 s."""

LEASE_WAIT_S: Final = 15
"""How long a message waits whose batch somebody else holds."""

PLATFORM_WALL_MS: Final = WALL_MS.value
"""The platform ends a queue batch or a sweep after this."""

INVOCATION_BUDGET_MS: Final = 10 * MINUTE_MS
"""No message is begun later in an invocation than this; the platform ends it after 15 minutes."""

RESCUE_AFTER_MS: Final = 10 * MINUTE_MS
"""Work that nobody has touched for this long has lost its message (setting `rescueAfterSeconds`)."""

RESCUE_MAX_MESSAGES: Final = 1_000
"""Batches of one kind that one sweep sends again; the next sweep goes on."""

# --- callers ------------------------------------------------------------------------
JOIN_COMPLETED_MS: Final = MINUTE_MS
"""A job that completed within this is joined even if its range has live days or days that are gone."""

POLL_INTERVAL_MS: Final = 2 * SECOND_MS
"""The Retry-After between looks at a job."""

MAX_WAIT_S: Final = 30
"""Of `Prefer: wait`: longer waits are cut to this (RFC 7240, 4.3)."""

WAIT_STEP_MS: Final = 500
"""Between two looks at a job that a caller waits for."""

EVENT_STEP_MS: Final = SECOND_MS
"""Between two looks at a job whose events a caller follows, at first."""

EVENT_MAX_STEP_MS: Final = 10 * SECOND_MS
"""Between two looks at a job that runs for long."""

EVENT_STEP_AGES: Final = 60
"""A step is this part of what the job has run: a second until a minute, ten seconds from ten minutes on."""

EVENT_HEARTBEAT_MS: Final = 15 * SECOND_MS
"""A comment is sent after this without an event, so that proxies keep the connection."""

EVENTS_MAX_MS: Final = HOUR_MS
"""An event stream ends after this; the client connects again by itself."""

EVENTS_MAX_LOOKS: Final = 300
"""Looks in the database that one event stream may take, before the client has to connect again. The platform
allows an invocation so many statements; another half of them may go to the caller's key."""

EVENTS_MAX_STREAMS: Final = 100
"""Event streams that one caller may have open in an isolate: a wall of dashboards. Each is a live event."""

EVENTS_SLOT_MS: Final = 30 * SECOND_MS
"""A stream that has not looked for so long was ended by the platform, and counts no more."""

JOB_LOOK_TIMEOUT_MS: Final = 5 * SECOND_MS
"""A look that others wait for is over by then, or was ended by the platform: one round trip ends earlier."""

JOBS_WATCHED_MAX: Final = 1_000
"""Jobs that an isolate remembers for who follows them: a megabyte."""

JOB_PAGE_ROWS: Final = 50
"""Jobs (and dead letters) of one page of a list, unless `limit` says fewer or more."""

JOB_PAGE_MAX_ROWS: Final = 500

RESULT_WINDOW_SAMPLES: Final = 60_000
"""Expected samples that a result holds at a time. Decoded and rendered they are about 8 MB, and the
next window is read while one is sent."""

RESULT_WINDOW_MAX_SAMPLES: Final = 2 * RESULT_WINDOW_SAMPLES
"""Samples that a window may really have; one with more is read in halves."""

QUESTION_WINDOW_SAMPLES: Final = 140_000
"""The same of samples that become buckets: no text is made of them."""

QUESTION_WINDOW_MAX_SAMPLES: Final = 2 * QUESTION_WINDOW_SAMPLES
"""Samples that such a window may really have."""

RESULT_WAIT_MS: Final = MINUTE_MS
"""How long a result waits for memory for its next window, before its body is broken off."""

RESULT_WINDOW_POINTS: Final = 50
"""Points of a window: what is not stored is asked upstream with a few calls."""

RESULT_MAX_BLOCKS: Final = CALLS_OF_AN_INVOCATION * 9 // 20
"""Blocks of one part of a result. Each is read from the bucket, and where it has gone since, asked upstream:
two calls of those that the platform allows an invocation."""

RESULT_MAX_SAMPLES: Final = 20_000_000
"""Expected samples of one part of a result: some 0.6 us of CPU time each (measured in workerd with the
kernel) are 12 of the 30 seconds that an invocation has by default."""

RESULT_MAX_PARTS: Final = 20_000
"""10,000 one-minute points over ten years are 52 thousand million samples, 2,630 parts."""

MESSAGES_OF_A_SEND: Final = QUEUE_SEND_MESSAGES.value
"""Messages of one sendBatch."""

CAUSE_MAX_CHARS: Final = 1_000
"""A cause as it is stored and shown."""

assert INDEX_TIMEOUT_MS < JOB_LOOK_TIMEOUT_MS
assert EVENT_STEP_MS < EVENT_MAX_STEP_MS < EVENT_HEARTBEAT_MS < EVENTS_SLOT_MS
assert 2 * EVENTS_MAX_LOOKS + EVENTS_MAX_MS // KEY_MEMORY_MS < STATEMENTS_OF_AN_INVOCATION * 3 // 4
assert 2 * MAX_WAIT_S * SECOND_MS // WAIT_STEP_MS < STATEMENTS_OF_AN_INVOCATION // 2
assert BATCH_MAX_SAMPLES + PIECE_SAMPLES <= BUFFER_MAX_SAMPLES
assert PIECE_SAMPLES <= PIECE_MAX_SAMPLES
assert PIECE_DEADLINE_MS < BATCH_LEASE_MS < RESCUE_AFTER_MS < PLATFORM_WALL_MS
assert INVOCATION_BUDGET_MS + PIECE_DEADLINE_MS < PLATFORM_WALL_MS
assert MESSAGES_AT_ONCE * BATCH_MEMORY_BYTES <= CONSUMER_BUDGET_BYTES
assert BATCH_MEMORY_WAIT_MS + PIECE_DEADLINE_MS <= BATCH_LEASE_MS
assert RETRY_MAX_PAUSE_S <= MESSAGE_MAX_DELAY_S
assert RESULT_WINDOW_SAMPLES <= WHOLE_MAX_SAMPLES <= INLINE_MAX_SAMPLES
assert INLINE_MAX_SAMPLES <= RESULT_MAX_SAMPLES
assert RESULT_WINDOW_MAX_SAMPLES * RESULT_SAMPLE_BYTES <= BUDGET_BYTES
assert QUESTION_WINDOW_MAX_SAMPLES * QUESTION_SAMPLE_BYTES <= BUDGET_BYTES
assert RESULT_MAX_PARTS * 50 <= MAX_ROW_VALUE_BYTES, "the parts of a job stand in its row"
assert JOB_PAGE_ROWS <= JOB_PAGE_MAX_ROWS
