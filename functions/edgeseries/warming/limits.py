"""Bounds of warming: value, unit, reason, relations."""

from typing import Final

from edgeseries.limits import DAY_MS, HOUR_MS, MAX_POINTS, MAX_ROW_VALUE_BYTES, MINUTE_MS

# --- what is counted ---------------------------------------------------------------
SET_MAX_POINTS: Final = 1_000
"""Points of a set that is counted or saved: a large dashboard. What asks for more is an export."""

SET_MAX_BYTES: Final = 64_000
"""Names of a set as JSON."""

WINDOW_MAX_DAYS: Final = 15
"""Of a question the newest days count: older ones were stored when it was asked a week or two ago. So one
that grows, as this month until now, is the same question every week."""

BACK_MAX_DAYS: Final = 400
"""A question that ends further back than this is about history, which nobody has to fetch twice."""

KEEP_DAYS: Final = 22
"""How long it is remembered what was asked in which hour: three weeks and the day that is under way."""

PENDING_KEYS: Final = 500
"""Different questions that an isolate counts before they are written; what is more is not counted."""

PENDING_SETS_BYTES: Final = 1_000_000
"""Names of points that an isolate holds until they are written, once a set and day."""

ASK_GRAIN_MS: Final = 10 * MINUTE_MS
"""The first ask of a question in an hour is written at once, further ones no more often than this."""

ASKED_ROWS_MAX: Final = 100_000
"""Hours of questions that are kept: 200 dashboards, each in ten hours and two forms a day, for 22 days. Past
it the oldest go."""

# --- what makes a pattern --------------------------------------------------------------
SAME_WEEKDAYS: Final = 3
SAME_WEEKDAYS_ASKED: Final = 2
"""A question comes again where it was asked on so many of the last so many same days of the week: one of them
may have been a holiday."""

YOUNG_DAYS: Final = 14
ALIKE_DAYS: Final = 5
ALIKE_DAYS_ASKED: Final = 3
"""A question that is known for less than two weeks comes again where it was asked on so many of the last so
many days of its kind (Monday to Friday, or the weekend)."""

LEAD_MS: Final = 2 * HOUR_MS
"""How long before the hour of a question its days are fetched. Hours are UTC; this is more than a change of
clocks moves them."""

SLOW_LEAST_MS: Final = 500
"""What a question is taken to wait for the upstream at least: once it is warmed it waits for nothing."""

PATTERNS_AT_ONCE: Final = 1_000
"""Patterns that one sweep looks at, those asked most first: 300 dashboards, each in three hours of a day."""

PATTERNS_LISTED: Final = 100
"""Patterns that a list shows."""

WARMING_OWNER: Final = "warming"
"""The owner of jobs that nobody asked for. Keys have ids of twelve digits: none of them has this one."""

CREDIT_MS: Final = 2 * DAY_MS
"""What was fetched ahead and not asked for within this was of no use."""

# --- what is fetched --------------------------------------------------------------------
RETRY_MS: Final = HOUR_MS
"""What was handed to a job is not handed to another one for so long, whatever became of it."""

LOOKS_OF_A_SWEEP: Final = 4
"""Looks at the index in one sweep, each of one site; the next sweep goes on behind them."""

LOOK_MAX_POINTS: Final = 5_000
"""Points of one look: two statements."""

PIECES_AT_ONCE: Final = 100
"""Pieces of a set that one sweep takes."""

JOBS_OF_A_SWEEP: Final = 8
"""Jobs that one sweep makes: with their records, three statements each."""

SAMPLES_PER_DAY: Final = 500_000
"""Of the budget (setting `warmSamplesPerDay`): a day of 350 points of one sample a minute."""

CALLS_PER_DAY: Final = 500
"""Of the budget (setting `warmCallsPerDay`): a call every three minutes, were it all spent."""

# --- saved sets ----------------------------------------------------------------------------
SAVED_SETS_MAX: Final = 100
"""Saved sets of one owner."""

SAVED_SETS_LISTED: Final = 1_000
"""Saved sets that a list for admins holds."""

SAVED_DAYS_MAX: Final = BACK_MAX_DAYS
"""Days before today that a saved set may be of."""

assert SET_MAX_POINTS <= MAX_POINTS
assert SET_MAX_BYTES <= MAX_ROW_VALUE_BYTES
assert SET_MAX_BYTES <= PENDING_SETS_BYTES
assert SAME_WEEKDAYS * 7 < KEEP_DAYS
assert WINDOW_MAX_DAYS > 2 * 7
assert SAME_WEEKDAYS_ASKED <= SAME_WEEKDAYS
assert ALIKE_DAYS_ASKED <= ALIKE_DAYS
assert YOUNG_DAYS < SAME_WEEKDAYS * 7
assert LEAD_MS > HOUR_MS
assert SET_MAX_POINTS <= LOOK_MAX_POINTS
