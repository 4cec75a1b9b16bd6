"""Results of more than one invocation can read, in parts: slices of the points in their order, and of the
range where one point alone is too much. It knows no store.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

from edgeseries.answers.windows import Window, cut_window
from edgeseries.jobs.job import ResultPart
from edgeseries.jobs.limits import RESULT_MAX_BLOCKS, RESULT_MAX_SAMPLES
from edgeseries.series.days import days_touched, year_of
from edgeseries.series.timerange import TimeRange


def block_count(point_count: int, span: TimeRange | None) -> int:
    """Blocks that a range of so many points touches: one a point and year; none of no range."""
    if span is None:
        return 0
    days = days_touched(span)
    return point_count * (int(year_of(days[-1])) - int(year_of(days[0])) + 1)


def parts_of(
    points: Sequence[str],
    span: TimeRange,
    expected: Mapping[str, float],
    months: Callable[[str], Mapping[str, float]],
    objects: Mapping[str, int],
    *,
    samples: int = RESULT_MAX_SAMPLES,
) -> Iterator[ResultPart]:
    """The parts of a result, at least one. `expected` are samples in the range by point, `months` those of
    a point that has more than a part takes, by month; `objects` how many each point has, a year counts for
    one at least.
    """
    years = block_count(1, span)
    first, total, blocks = 0, 0.0, 0
    for place, point in enumerate(points):
        more, further = expected[point], max(years, objects.get(point, 0))
        if place > first and (total + more > samples or blocks + further > RESULT_MAX_BLOCKS):
            yield ResultPart(first_point=first, point_count=place - first, span=span)
            first, total, blocks = place, 0.0, 0
        total, blocks = total + more, blocks + further
        if more > samples:
            window = Window(points=(point,), span=span, ends=True)
            for part in cut_window(window, months(point), samples=samples):
                yield ResultPart(first_point=place, point_count=1, span=part.span)
            first, total, blocks = place + 1, 0.0, 0
    if first < len(points):
        yield ResultPart(first_point=first, point_count=len(points) - first, span=span)
