"""Bounds of what an isolate counts before it writes: value, unit, reason, relations."""

from typing import Final

from edgeseries import platform_limits
from edgeseries.limits import MINUTE_MS, SECOND_MS

FLUSH_AFTER_MS: Final = 5 * SECOND_MS
"""How long a count waits in memory at most: the first one starts a wait in the event's waitUntil. An
isolate that dies loses no more than what it counted in this time."""

FLUSH_REQUESTS: Final = 2_000
"""So many requests are written at once, however little time has passed."""

WAIT_UNTIL_MS: Final = platform_limits.WAIT_UNTIL_MS.value
"""What the platform gives an event after its response."""

USE_GRAIN_MS: Final = 10 * MINUTE_MS
"""The use of one object is written the first time an isolate meets it, and then no more often than this:
each time is two billed rows. So the time of use is known to ten minutes, and an isolate that dies
loses the hits (not the fact of use) of ten minutes."""

USE_MAX_KEYS: Final = 50_000
"""Objects whose use an isolate remembers: about 10 MB. Past it, those that have nothing to be written are
forgotten, and then what is new is not counted."""

REQUEST_ROWS_MAX: Final = 1_000
"""Different counts of requests in memory: endpoints by routes by statuses by verdicts are some dozens a
minute. Past it a database must have been down for long, and the newest are not counted."""

LATE_SITES_MAX: Final = 200
"""Sites whose late samples are counted between two writes; those of more are not."""

assert FLUSH_AFTER_MS * 2 < WAIT_UNTIL_MS
assert FLUSH_AFTER_MS < MINUTE_MS < USE_GRAIN_MS
