"""Bounds of jobs: value, unit, reason, relations."""

from typing import Final

from edgeseries.limits import (
    FORCED_DIRECT_MAX_SAMPLES,
    HOUR_MS,
    INLINE_MAX_SAMPLES,
    MINUTE_MS,
    SECOND_MS,
)

# --- cutting --------------------------------------------------------------------
BATCH_MAX_POINTS: Final = 50
"""Points of a batch (setting `batchPoints`): a few calls of any upstream."""

BATCH_MAX_SAMPLES: Final = 250_000
"""Expected samples of a batch (setting `batchSamples`). Gathered samples take about 56 bytes each:
14 MB of an isolate's 128 MB, beside one upstream answer and one block that is being made."""

MAX_BATCHES: Final = 100_000
"""Batches of a job. 10,000 points over ten years are 24,200 of fifty points."""

PIECE_SAMPLES: Final = 30_000
"""Expected samples of one fetch in a batch. Each adapter asserts that its answers can hold so many."""

PIECE_MAX_SAMPLES: Final = FORCED_DIRECT_MAX_SAMPLES
"""Samples that one fetch may really bring; more, and the piece is halved and asked again."""

BUFFER_MAX_SAMPLES: Final = 300_000
"""Fetched samples that a batch holds before it writes them into blocks: a batch as expected, and a piece."""

# --- trying again -----------------------------------------------------------------
BATCH_MAX_RETRIES: Final = 3
"""Failures that are tried again (DESIGN, Life of a job)."""

RETRY_FIRST_DELAY_S: Final = 1
"""Before the first retry; it doubles: 1, 2, 4 s."""

MESSAGE_MAX_DELAY_S: Final = 86_400
"""The longest delay of a message (Queues limits, 2026)."""

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
"""What callers are told to wait between looks at a job."""

MAX_WAIT_S: Final = 30
"""Of `Prefer: wait`: longer waits are cut to this (RFC 7240, 4.3)."""

WAIT_STEP_MS: Final = 500
"""Between two looks at a job that a caller waits for."""

EVENT_STEP_MS: Final = SECOND_MS
"""Between two looks at a job whose events a caller follows."""

EVENT_BEAT_MS: Final = 15 * SECOND_MS
"""A comment is sent after this without an event, so that proxies keep the connection."""

EVENTS_MAX_MS: Final = HOUR_MS
"""An event stream ends after this; the client connects again by itself."""

JOB_PAGE_ROWS: Final = 50
"""Jobs (and dead letters) of one page of a list, unless `limit` says fewer or more."""

JOB_PAGE_MAX_ROWS: Final = 500

RESULT_WINDOW_SAMPLES: Final = 60_000
"""Expected samples that a result holds at a time. Decoded and rendered they are about 8 MB, and the
next window is read while one is sent."""

RESULT_WINDOW_POINTS: Final = 50
"""Points of a window: what is not stored is asked upstream with a few calls."""

RESULT_MAX_BLOCKS: Final = 8_000
"""Blocks of one part of a result. An invocation makes 10,000 calls (Workers limits, 2026-07); the rest
is for what blocks lack."""

RESULT_MAX_PARTS: Final = 1_000
"""10,000 points over ten years are 152 parts."""

MESSAGES_OF_A_SEND: Final = 100
"""Messages of one sendBatch (Queues limits, 2026)."""

CAUSE_MAX_CHARS: Final = 1_000
"""A cause as it is stored and shown."""

assert BATCH_MAX_SAMPLES + PIECE_SAMPLES <= BUFFER_MAX_SAMPLES
assert PIECE_SAMPLES <= PIECE_MAX_SAMPLES
assert PIECE_DEADLINE_MS < BATCH_LEASE_MS < RESCUE_AFTER_MS < 15 * MINUTE_MS
assert INVOCATION_BUDGET_MS + PIECE_DEADLINE_MS < 15 * MINUTE_MS
assert RETRY_MAX_PAUSE_S <= MESSAGE_MAX_DELAY_S
assert RESULT_WINDOW_SAMPLES <= INLINE_MAX_SAMPLES
assert JOB_PAGE_ROWS <= JOB_PAGE_MAX_ROWS
