"""A request of any size as a stream of series, one window of points and time after the other.

Memory is flat: one window of samples at a time, within a share of the isolate's budget. Windows are cut by
the samples that are expected; one that holds more than was expected is read in halves.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from edgeseries.answers.parts import block_count
from edgeseries.answers.windows import Window, cut_window, halved_window, windows_of
from edgeseries.errors import AnswerTooLarge, MemoryBusy
from edgeseries.jobs.limits import (
    QUESTION_WINDOW_MAX_SAMPLES,
    QUESTION_WINDOW_SAMPLES,
    RESULT_WINDOW_MAX_SAMPLES,
    RESULT_WINDOW_SAMPLES,
)
from edgeseries.limits import INLINE_MAX_BLOCKS
from edgeseries.memory_limits import QUESTION_SAMPLE_BYTES, RESULT_SAMPLE_BYTES
from edgeseries.planning.expected import expected_by_month, expected_samples
from edgeseries.planning.memory_share import MemoryShare
from edgeseries.planning.query import TimeseriesQuery
from edgeseries.planning.sample_bound import SampleBound
from edgeseries.reading.series_reader import ReadOptions, SeriesReader
from edgeseries.reading.survey import Index
from edgeseries.series.points import PointSeries

TakeShare = Callable[[int], Awaitable[MemoryShare]]
"""A share of so many bytes. Raises MemoryBusy when it is not there in time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowSize:
    """How many samples a window is cut for, how many it may really have, and what each takes in bytes."""

    samples: int
    most_samples: int
    sample_bytes: int


OF_TEXT = WindowSize(
    samples=RESULT_WINDOW_SAMPLES, most_samples=RESULT_WINDOW_MAX_SAMPLES, sample_bytes=RESULT_SAMPLE_BYTES
)
"""Of samples that become text."""

OF_QUESTIONS = WindowSize(
    samples=QUESTION_WINDOW_SAMPLES,
    most_samples=QUESTION_WINDOW_MAX_SAMPLES,
    sample_bytes=QUESTION_SAMPLE_BYTES,
)
"""Of samples that become buckets, or of which few stay."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowSeries:
    """The series of a window's points. `ends` if each point's last sample is among them; `share` is what it
    holds of the isolate's memory until the next one is asked for.
    """

    series: tuple[PointSeries, ...]
    ends: bool
    share: MemoryShare


async def series_by_window(
    query: TimeseriesQuery,
    reader: SeriesReader,
    *,
    take_share: TakeShare,
    deadline_ms: Callable[[], int],
    stored_only: bool,
    size: WindowSize = OF_TEXT,
) -> AsyncGenerator[WindowSeries]:
    """All of it, points in order, each point's samples in order. `deadline_ms` (UTC epoch) is asked for each
    window; with `stored_only` nothing is fetched.

    Raises StoreUnavailable if something is missing and nothing may be fetched, AnswerTooLarge or MemoryBusy
    where a window cannot be cut further, and what the origin raises.
    """
    for some in _slices(query):
        index = await stored_index(some, reader)
        waiting = first_windows(some, index, samples=size.samples)[::-1]
        while waiting:
            window = waiting.pop()
            share = await take_share(size.samples * size.sample_bytes)
            try:
                options = ReadOptions(deadline_ms=deadline_ms(), stored_only=stored_only)
                series = await _read(query, window, index, _bound_of(share, size), options, reader)
                yield WindowSeries(series=series, ends=window.ends, share=share)
            except (AnswerTooLarge, MemoryBusy):
                halves = halved_window(window)
                if halves is None:
                    raise
                waiting += halves[::-1]
            finally:
                share.give_back()


async def _read(  # noqa: PLR0917 - what a window is read with
    query: TimeseriesQuery,
    window: Window,
    index: Index,
    bound: SampleBound,
    options: ReadOptions,
    reader: SeriesReader,
) -> tuple[PointSeries, ...]:
    part = replace(query, points=window.points, span=window.span)
    survey = reader.survey(part, index, now_ms=reader.clock.now_ms())
    reading = await reader.read(survey, options, bound=bound)
    reader.learn(survey, reading.fetched, {point: index.stamps.of(point).total for point in part.points})
    return reading.series


def _bound_of(share: MemoryShare, size: WindowSize) -> SampleBound:
    def reserve(stored: int, fetched: int) -> None:
        share.grow((stored + fetched) * size.sample_bytes)

    return SampleBound(size.most_samples, reserve=reserve)


def _slices(query: TimeseriesQuery) -> Iterator[TimeseriesQuery]:
    """The query by points, so many at a time that one look at the index says all their objects."""
    size = max(1, INLINE_MAX_BLOCKS // block_count(1, query.span))
    for first in range(0, len(query.points), size):
        yield replace(query, points=query.points[first : first + size])


async def stored_index(query: TimeseriesQuery, reader: SeriesReader) -> Index:
    """What is stored, empty days too, whether or not they are to be read again: the job has seen to that."""
    return (await reader.look_up(query)).with_empty_days()


def first_windows(
    query: TimeseriesQuery, index: Index, *, samples: int = RESULT_WINDOW_SAMPLES
) -> list[Window]:
    """The windows of some points, of about so many samples, dense ones cut by months and days."""
    sizes = sizes_by_point(query, index)
    found: list[Window] = []
    for window in windows_of(query.points, query.span, sizes, samples=samples):
        point = window.points[0]
        if len(window.points) > 1 or sizes[point] <= samples:
            found.append(window)
        else:
            months = sizes_by_month(query, point, index)
            found += cut_window(window, months, samples=samples)
    return found


def sizes_by_point(query: TimeseriesQuery, index: Index) -> Mapping[str, float]:
    """Expected samples of each point in the range."""
    return expected_samples(
        query.points, query.span, stored=index.points, density_per_day=index.density_per_day
    )


def sizes_by_month(query: TimeseriesQuery, point: str, index: Index) -> Mapping[str, float]:
    """Expected samples of one point in the range, by month."""
    refs = {} if index.stored.refs is None else index.stored.refs
    months = refs[point].indexed() if point in refs else ()
    return expected_by_month(query.span, months, index.density_per_day.get(point))
