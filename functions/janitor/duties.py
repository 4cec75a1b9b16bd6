"""Every duty of a sweep, in its order.

What gets work going, frees space or ends something comes first, what counts comes after, and what judges
comes last.
"""

from typing import Final

from edgeseries.platform_limits import D1_QUERIES
from janitor import (
    archive_jobs,
    compare_index,
    expire_answers,
    hold_budget,
    move_months,
    purge_dead_letters,
    raise_alerts,
    recheck_days,
    remove_superseded,
    rescue,
    roll_up,
    trim_requests,
    warm,
)
from janitor.duty import Duty

DUTIES: Final[tuple[Duty, ...]] = (
    rescue.DUTY,
    warm.DUTY,
    expire_answers.DUTY,
    hold_budget.DUTY,
    remove_superseded.DUTY,
    archive_jobs.DUTY,
    purge_dead_letters.DUTY,
    roll_up.DUTY,
    trim_requests.DUTY,
    move_months.DUTY,
    compare_index.DUTY,
    recheck_days.DUTY,
    raise_alerts.DUTY,
)

SWEEP_STATEMENTS: Final = D1_QUERIES.value * 9 // 10
"""Of the statements of an invocation; the rest is for what a duty makes in an unusual case."""

assert sum(duty.statements for duty in DUTIES) + 2 * len(DUTIES) + 2 <= SWEEP_STATEMENTS
assert len({duty.name for duty in DUTIES}) == len(DUTIES)
