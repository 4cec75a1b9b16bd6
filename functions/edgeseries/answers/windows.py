"""A result in windows: how much of it is read, rendered and sent at a time. It knows no store."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from edgeseries.jobs.limits import RESULT_WINDOW_POINTS, RESULT_WINDOW_SAMPLES
from edgeseries.limits import DAY_MS
from edgeseries.series.days import day_of, days_touched, month_of
from edgeseries.series.timerange import TimeRange


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Points whole, or a part of the range of one dense point; `ends` if no more of its points follows."""

    points: tuple[str, ...]
    span: TimeRange
    ends: bool


def windows_of(
    points: Sequence[str],
    span: TimeRange,
    expected: Mapping[str, float],
    *,
    samples: int = RESULT_WINDOW_SAMPLES,
) -> Iterator[Window]:
    """Windows in the order of the points, each of about so many samples at most, or of one point that has
    more. `expected` are samples in the range by point.
    """
    run: list[str] = []
    total = 0.0
    for point in points:
        more = expected[point]
        if run and (total + more > samples or len(run) >= RESULT_WINDOW_POINTS):
            yield Window(points=tuple(run), span=span, ends=True)
            run, total = [], 0.0
        run.append(point)
        total += more
    if run:
        yield Window(points=tuple(run), span=span, ends=True)


def cut_window(window: Window, expected: Mapping[str, float], *, samples: int) -> Iterator[Window]:
    """The window of a dense point in parts of about so many samples at most, times ascending; a day where
    that is more. `expected` are its samples in the range by month; parts keep to whole months where
    these are small, and to days of one month where one has more.
    """
    assert len(window.points) == 1
    run: list[range] = []
    total = 0.0
    spans: list[TimeRange] = []
    for month, days in _months(window.span):
        more = expected.get(month, 0.0)
        if run and total + more > samples:
            spans.append(_clipped(run[0][0], run[-1][-1], window.span))
            run, total = [], 0.0
        if more > samples:
            size = max(1, int(samples * len(days) // more))
            parts = (days[first : first + size] for first in range(0, len(days), size))
            spans += [_clipped(part[0], part[-1], window.span) for part in parts]
            continue
        run.append(days)
        total += more
    if run:
        spans.append(_clipped(run[0][0], run[-1][-1], window.span))
    for part in spans:
        yield Window(points=window.points, span=part, ends=window.ends and part is spans[-1])


def halved_window(window: Window) -> tuple[Window, Window] | None:
    """A window that holds more than was expected, as two: points first, then days, then hours; None for
    what cannot be cut further.
    """
    if len(window.points) > 1:
        half = len(window.points) // 2
        return (
            Window(points=window.points[:half], span=window.span, ends=window.ends),
            Window(points=window.points[half:], span=window.span, ends=window.ends),
        )
    first_day, last_day = day_of(window.span.start_ms), day_of(window.span.end_ms - 1)
    if first_day < last_day:
        middle_ms = (first_day + (last_day + 1 - first_day) // 2) * DAY_MS
        halves: tuple[TimeRange, TimeRange] | None = (
            TimeRange(start_ms=window.span.start_ms, end_ms=middle_ms),
            TimeRange(start_ms=middle_ms, end_ms=window.span.end_ms),
        )
    else:
        halves = window.span.halves()
    if halves is None:
        return None
    return (
        Window(points=window.points, span=halves[0], ends=False),
        Window(points=window.points, span=halves[1], ends=window.ends),
    )


def _months(span: TimeRange) -> Iterator[tuple[str, range]]:
    """The months of a range, each with the days of it that the range touches."""
    for month, days in groupby(days_touched(span), key=month_of):
        listed = list(days)
        yield month, range(listed[0], listed[-1] + 1)


def _clipped(first_day: int, last_day: int, span: TimeRange) -> TimeRange:
    return TimeRange(
        start_ms=max(first_day * DAY_MS, span.start_ms), end_ms=min((last_day + 1) * DAY_MS, span.end_ms)
    )
