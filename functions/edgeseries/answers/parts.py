"""Results of more than one invocation can read, in parts: slices of the points in their order, and of the
range where one point alone is too much. It knows no store.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

from edgeseries.answers.windows import Window, cut_window
from edgeseries.jobs.job import ResultPart
from edgeseries.jobs.limits import RESULT_MAX_BLOCKS, RESULT_MAX_SAMPLES
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


def parts_of(
    points: Sequence[str],
    span: TimeRange,
    expected: Mapping[str, float],
    months: Callable[[str], Mapping[str, float]],
    *,
    samples: int = RESULT_MAX_SAMPLES,
) -> Iterator[ResultPart]:
    """The parts of a result, at least one. `expected` are samples in the range by point, `months` those of
    a point that has more than a part takes, by month.
    """
    most_points = max(1, RESULT_MAX_BLOCKS // block_count(1, span))
    first, total = 0, 0.0
    for place, point in enumerate(points):
        more = expected[point]
        if place > first and (total + more > samples or place - first >= most_points):
            yield ResultPart(first_point=first, point_count=place - first, span=span)
            first, total = place, 0.0
        total += more
        if more > samples:
            window = Window(points=(point,), span=span, ends=True)
            for part in cut_window(window, months(point), samples=samples):
                yield ResultPart(first_point=place, point_count=1, span=part.span)
            first, total = place + 1, 0.0
    if first < len(points):
        yield ResultPart(first_point=first, point_count=len(points) - first, span=span)
