"""Bounds of claims and leases: value, unit, reason, relations."""

from typing import Final

from edgeseries.limits import REQUEST_DEADLINE_MS, SECOND_MS

CLAIM_MS: Final = 4 * SECOND_MS
"""How long a claim of the isolate stands without a beat of its request. The platform ends a request whose
caller has left without a word; who waits for it takes over after so long at most."""

CLAIM_BEAT_MS: Final = SECOND_MS
"""Between two beats. Reading a large page may keep the isolate busy for two of them."""

CLAIM_TURN_MS: Final = 20
"""Between two looks of a request that waits for a claim of its isolate."""

LEASE_MS: Final = 8 * SECOND_MS
"""How long a lease stands in the database without being renewed, by the database's clock."""

LEASE_BEATS: Final = 3
"""Beats of a claim from one renewal of its lease to the next: a fetch shorter than that renews nothing."""

LEASE_FIRST_TURN_MS: Final = 100
"""First pause between two looks of a request that waits for a lease of another isolate; the next is twice as
long."""

LEASE_LONGEST_TURN_MS: Final = SECOND_MS
"""Its longest pause: some twenty looks within half of the usual deadline."""

LEASE_RECENT_MS: Final = 2 * SECOND_MS
"""How long a lease is told of after its release: who looked at the index before that looks again. A look and
what follows it take some milliseconds, and as long as LEASE_TIMEOUT_MS at most."""

LEASE_STALE_LOOKS: Final = 3
"""How often one looks again because of a release, which may have brought nothing."""

CLAIMS_RECENT: Final = 200
"""Releases of claims that an isolate remembers, for the same."""

LEASE_TIMEOUT_MS: Final = SECOND_MS
"""One round trip for a lease. Who gets no answer fetches."""

LEASE_PAUSE_MS: Final = 10 * SECOND_MS
"""An isolate asks for no lease so long after one that failed or was late: at most one request in so long is
held up, and by LEASE_TIMEOUT_MS."""

LEASE_OF_JOB_WAIT_MS: Final = 5 * SECOND_MS
"""How long a request waits for days that a job is fetching. A batch may take a minute, and somebody waits
before a screen."""

LEASE_MAX_POINTS: Final = 10_000
"""Points of a lease: 54 kB of its row."""

BATCH_LEASE_WAIT_MS: Final = 10 * SECOND_MS
"""How long a batch waits for days that somebody else is fetching, before it fetches them, too."""

assert CLAIM_TURN_MS < CLAIM_BEAT_MS
assert 3 * CLAIM_BEAT_MS <= CLAIM_MS
assert CLAIM_MS + CLAIM_BEAT_MS < REQUEST_DEADLINE_MS // 2, (
    "who waits for a holder that died takes over in time"
)
assert 2 * LEASE_BEATS * CLAIM_BEAT_MS < LEASE_MS
assert LEASE_MS + LEASE_LONGEST_TURN_MS < REQUEST_DEADLINE_MS // 2
assert LEASE_FIRST_TURN_MS < LEASE_LONGEST_TURN_MS < LEASE_MS
assert LEASE_TIMEOUT_MS < LEASE_RECENT_MS < LEASE_PAUSE_MS
