"""Bounds of how calls adapt to an upstream: value, unit, reason, relations."""

from typing import Final

from edgeseries.limits import CIRCUIT_FAILURES, MINUTE_MS, SECOND_MS, UPSTREAM_CONCURRENCY, UPSTREAM_TURN_MS

# --- calls at once ------------------------------------------------------------------
PACE_START_CALLS: Final = 4
"""Calls at once before anything was learned of an upstream: one request's, and one more. If it takes one at a
time, three refusals are far from opening the circuit."""

PACE_CUT: Final = 0.7
"""Part of the calls at once that is left after a refusal, of work that somebody waits for."""

PACE_CUT_YIELDING: Final = 0.5
"""The same of work that nobody waits for: other isolates' interactive calls get what it leaves."""

PACE_STEP_YIELDING: Final = 0.5
"""How fast work that nobody waits for takes more calls again, against interactive work: that adds one call
for as many that were served well as may be under way."""

PACE_NEAR_STEP: Final = 0.1
"""The same short of as many calls as were refused last: an upstream with a fixed bound is asked for more than
that about once in twenty calls, not in every second."""

PACE_EASE: Final = 0.9
"""Part that is left where the upstream only became slow."""

PACE_EASE_FLOOR: Final = UPSTREAM_CONCURRENCY
"""Slowness alone leaves so many calls at once: it may have other reasons than our calls."""

PACE_FEW: Final = 2
"""While so many calls are under way, nobody of ours has slowed them much: what they take is usual."""

PACE_SLOW: Final = 2.0
"""How many times as long as usual calls may take among more of them, before there are too many at once. An
upstream that works on one at a time is there with three or four."""

PACE_SLOW_YIELDING: Final = 1.5
"""The same for work that nobody waits for (LEDBAT, RFC 6817, yields to others by delay, too)."""

PACE_NOISE_MS: Final = 100
"""Slower by less than this is no sign: the platform's own delays, and those of our code."""

PACE_WORST: Final = 4.0
"""No call counts as slower than so many times: one year among hours is no sign."""

PACE_SMOOTHING: Final = 0.1
"""Weight of the newest call in what is usual, and in the mean slowness: ten slow calls are a sign."""

PACE_KINDS: Final = 64
"""Kinds of calls of which it is remembered what they usually take."""

PACE_FIRST_PAUSE_MS: Final = 250
"""No call leaves for so long after a refusal that names no time; it doubles with each further one."""

PACE_PAUSES: Final = 4
"""The longest of these pauses, in first ones, of work that somebody waits for: it takes what others leave."""

PACE_LONGEST_PAUSE_MS: Final = 8 * SECOND_MS
"""The longest of work that nobody waits for."""

PACE_OTHERS_MS: Final = 30 * SECOND_MS
"""How long others are taken to be there after a sign of them: about as long as somebody looks at a page."""

PACE_REST: Final = 0.25
"""Part of its time that nothing follows a call of work that nobody waits for, where the upstream takes no
more at once: every fifth moment is free to others."""

PACE_REST_CONTENDED: Final = 1.0
"""The same while others are there: every second moment."""

PACE_SHORTEST_REST_MS: Final = 100
PACE_LONGEST_REST_MS: Final = 2 * SECOND_MS
"""Bounds of that pause: shorter ones nobody would meet, longer ones are longer than others wait."""

PACE_LONGEST_HOLD_MS: Final = MINUTE_MS
"""The longest pause that an isolate keeps because the upstream asked for it. What it asks for beyond that, it
says again to the one call that leaves then."""

REFUSED_WAIT_MS: Final = 10 * SECOND_MS
"""How long a refused call waits to be made again, at most: a caller is told sooner, a job's message goes back
with a delay."""

REFUSED_TRIES: Final = 8
"""How often one call is made, if it is refused each time."""

PRESENT_MS: Final = 30 * SECOND_MS
"""A class is there while it asked for a turn within this: then less urgent ones leave it one of the calls."""

WARMING_SHARE: Final = 4
"""While others are there warming may have one in so many of the calls at once, and always one."""

# --- sizes of calls --------------------------------------------------------------------
SIZE_GROW_CALLS: Final = 3
"""Full calls that were served well one after the other before the next size is tried."""

SIZE_WELL_MS: Final = 3 * SECOND_MS
"""A call that takes longer is no reason to ask for more at once."""

SIZE_LONG_MS: Final = 12 * SECOND_MS
"""A full call that takes longer is too large: it is half of what a request has."""

SIZE_FULL_SHARE: Final = 2 / 3
"""A call that asked for this part of its size, or more, says how that size is served."""

SIZE_BODY_SHARE: Final = 3 / 4
"""Of the largest answer that is taken: the next size is expected to stay below."""

SIZE_DEARER: Final = 1.25
"""How much more a row may take at a larger size before that size is given up."""

SIZE_SMOOTHING: Final = 0.3
"""Weight of the newest call in what a row takes at a size."""

SIZE_MIN_ROWS: Final = 200
"""Calls with fewer rows say nothing of what a row takes."""

SIZE_FIRST_BAR_MS: Final = MINUTE_MS
"""A size that was too large, too slow or answered by 5xx is not asked for so long: the cause may have been
another. It doubles each time it happens again."""

SIZE_LONGEST_BAR_MS: Final = 16 * MINUTE_MS
"""The longest of these times: an isolate that lives for hours tries again now and then."""

assert PACE_START_CALLS > UPSTREAM_CONCURRENCY
assert 2 * PACE_START_CALLS < CIRCUIT_FAILURES
assert 0 < PACE_CUT_YIELDING < PACE_CUT < PACE_EASE < 1
assert 1 < PACE_SLOW_YIELDING < PACE_SLOW
assert UPSTREAM_TURN_MS < PACE_FIRST_PAUSE_MS < PACE_LONGEST_PAUSE_MS <= REFUSED_WAIT_MS
assert SIZE_WELL_MS < SIZE_LONG_MS
assert SIZE_FIRST_BAR_MS < SIZE_LONGEST_BAR_MS
