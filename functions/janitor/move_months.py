"""Blocks of months (version 1) become blocks of years, some in each sweep, until there are none.

Nobody waits for it: months are read as they are, and whoever stores a day takes the months of its year in.
"""

from typing import Final

from janitor.duty import Duty, Outcome, Turn
from janitor.ports import Ports

STEPS: Final = 2
"""Stretches of 5,000 rows each: where nothing is left to move, a million rows are walked through in a day."""

STEP_SAMPLES: Final = 1_000_000
"""Samples that a step moves: five seconds of CPU, of the 30 that a cron of every 15 minutes has."""

STATEMENTS_OF_A_STEP: Final = 8
"""Where a stretch ends and what it holds, the pointers, and their move with all that goes with it."""


async def move_months(ports: Ports, turn: Turn) -> Outcome:
    """Step after step from where the last sweep stopped."""
    place, moved, failed = turn.cursor, 0, 0
    for _ in range(STEPS):
        done = await ports.old_blocks.move(place, samples=STEP_SAMPLES)
        place, moved, failed = done.place, moved + done.moved, failed + done.failed
        if not place or not turn.has_time(ports):
            break
    odd = f", {failed} could not be moved" if failed else ""
    return Outcome(summary=f"{moved} years made of months{odd}", count=moved, cursor=place)


DUTY: Final = Duty(
    name="move-months",
    statements=STEPS * STATEMENTS_OF_A_STEP,
    run=move_months,
)
