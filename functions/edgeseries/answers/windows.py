"""A result in windows: how much of it is read, rendered and sent at a time. It knows no store."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from edgeseries.jobs.limits import RESULT_WINDOW_POINTS, RESULT_WINDOW_SAMPLES
from edgeseries.limits import DAY_MS, DEFAULT_DENSITY_PER_DAY
from edgeseries.series.days import days_touched, month_of
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
    density_per_day: Mapping[str, float],
    *,
    samples: int = RESULT_WINDOW_SAMPLES,
) -> Iterator[Window]:
    """Windows in the order of the points, times ascending, each of about so many samples at most; a day of
    one point where that is more. Parts of a point's range keep to months, as its blocks do.
    """
    days = span.duration_ms / DAY_MS
    run: list[str] = []
    expected = 0.0
    for point in points:
        a_day = density_per_day.get(point, DEFAULT_DENSITY_PER_DAY)
        more = days * a_day
        if run and (expected + more > samples or len(run) >= RESULT_WINDOW_POINTS):
            yield Window(points=tuple(run), span=span, ends=True)
            run, expected = [], 0.0
        if more > samples:
            parts = _parts(span, max(1, int(samples // a_day)))
            for part in parts:
                yield Window(points=(point,), span=part, ends=part is parts[-1])
            continue
        run.append(point)
        expected += more
    if run:
        yield Window(points=tuple(run), span=span, ends=True)


def _parts(span: TimeRange, most_days: int) -> list[TimeRange]:
    """The range cut at the starts of months, and of days where a month has more than so many."""
    months = (list(days) for _, days in groupby(days_touched(span), key=month_of))
    runs = [days[first : first + most_days] for days in months for first in range(0, len(days), most_days)]
    return [
        TimeRange(
            start_ms=max(days[0] * DAY_MS, span.start_ms), end_ms=min((days[-1] + 1) * DAY_MS, span.end_ms)
        )
        for days in runs
    ]
