"""Results of more blocks than one invocation can read, in parts: slices of the points, in their order."""

from collections.abc import Sequence

from edgeseries.jobs.limits import RESULT_MAX_BLOCKS
from edgeseries.series.days import days_touched, month_of
from edgeseries.series.timerange import TimeRange


def block_count(point_count: int, span: TimeRange | None) -> int:
    """Blocks that a range of so many points touches: one a point and month; none of no range."""
    if span is None:
        return 0
    days = days_touched(span)
    first, last = month_of(days[0]), month_of(days[-1])
    months = 12 * (int(last[:4]) - int(first[:4])) + int(last[5:]) - int(first[5:]) + 1
    return point_count * months


def points_of_a_part(span: TimeRange) -> int:
    """How many points go into one part, at least one."""
    return max(1, RESULT_MAX_BLOCKS // block_count(1, span))


def part_count(point_count: int, span: TimeRange) -> int:
    """How many parts a result has."""
    return -(-point_count // points_of_a_part(span))


def part_of(points: Sequence[str], span: TimeRange, number: int) -> tuple[str, ...]:
    """The points of a part, counted from 1; none past the last."""
    size = points_of_a_part(span)
    return tuple(points[(number - 1) * size : number * size])
