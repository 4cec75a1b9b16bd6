"""Cutting a job into batches, and a batch into fetches.

A batch is a slice of the job's points by one UTC month, cut to the days that are missing. It knows
no store and no upstream: what is missing, and how dense points are, come in as values.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from edgeseries.errors import TooLarge
from edgeseries.jobs.job import Batch
from edgeseries.jobs.limits import BATCH_MAX_POINTS, BATCH_MAX_SAMPLES, MAX_BATCHES
from edgeseries.limits import DEFAULT_DENSITY_PER_DAY
from edgeseries.planning.fetch_plan import Gap
from edgeseries.series.days import day_span, days_touched, month_days, month_of
from edgeseries.series.timerange import TimeRange


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchSizes:
    """Upper bounds of a batch (settings)."""

    points: int = BATCH_MAX_POINTS
    samples: int = BATCH_MAX_SAMPLES

    def __post_init__(self) -> None:
        assert self.points >= 1
        assert self.samples >= 1


def batches_of(
    points: Sequence[str],
    span: TimeRange,
    *,
    missing_days: Mapping[str, Sequence[int]],
    density_per_day: Mapping[str, float],
    sizes: BatchSizes,
) -> tuple[Batch, ...]:
    """The batches of a job, months ascending and points in order in each; none where nothing is missing.

    `missing_days` are ascending sealed days by point, touched by the range. Raises TooLarge over MAX_BATCHES.
    """
    batches: list[Batch] = []
    for month in months_of(span):
        batches.extend(_of_month(month, points, missing_days, density_per_day, sizes, len(batches)))
        if len(batches) > MAX_BATCHES:
            raise TooLarge(
                f"the job has more than {MAX_BATCHES} batches; ask for a shorter range or fewer points"
            )
    return tuple(batches)


def months_of(span: TimeRange) -> tuple[str, ...]:
    """Every month that a range touches."""
    return tuple(dict.fromkeys(map(month_of, days_touched(span))))


def _of_month(  # noqa: PLR0917 - the parts of one walk
    month: str,
    points: Sequence[str],
    missing_days: Mapping[str, Sequence[int]],
    density_per_day: Mapping[str, float],
    sizes: BatchSizes,
    first_index: int,
) -> Iterator[Batch]:
    days_of_month = month_days(month)
    lacking: dict[int, tuple[int, ...]] = {}
    # Points mostly lack the same days, and share one tuple of them: it is cut once.
    cut: dict[int, tuple[int, ...]] = {}
    for place, point in enumerate(points):
        days = missing_days.get(point)
        if not days:
            continue
        if id(days) not in cut:
            cut[id(days)] = tuple(day for day in days if day in days_of_month)
        if cut[id(days)]:
            lacking[place] = cut[id(days)]
    for index, places in enumerate(_slices(points, lacking, density_per_day, sizes), first_index):
        yield Batch(
            index=index,
            first_point=places[0],
            point_count=places[-1] + 1 - places[0],
            span=day_span(
                min(lacking[place][0] for place in places), max(lacking[place][-1] for place in places)
            ),
            expected_samples=sum(
                _expected(points[place], lacking[place], density_per_day) for place in places
            ),
        )


def _slices(
    points: Sequence[str],
    lacking: Mapping[int, Sequence[int]],
    density_per_day: Mapping[str, float],
    sizes: BatchSizes,
) -> Iterator[list[int]]:
    """Places of the points that lack something, in runs that fit one batch. A slice may hold points
    between them that lack nothing, but never more than a batch of points.
    """
    run: list[int] = []
    samples = 0
    for place, days in lacking.items():
        more = _expected(points[place], days, density_per_day)
        if run and (samples + more > sizes.samples or place - run[0] >= sizes.points):
            yield run
            run, samples = [], 0
        run.append(place)
        samples += more
    if run:
        yield run


def _expected(point: str, days: Sequence[int], density_per_day: Mapping[str, float]) -> int:
    """Samples of some days of a point, at least one: work without any would not move the progress."""
    return max(1, round(len(days) * density_per_day.get(point, DEFAULT_DENSITY_PER_DAY)))


def cut_piece(gap: Gap, density_per_day: Mapping[str, float], *, samples: int) -> tuple[Gap, tuple[Gap, ...]]:
    """The first part of a gap of whole days that one fetch should bring, and the rest.

    Days are cut before points: all points of a batch share calls. Points that nothing is known of are
    asked for one day first, which then shows how dense they are.
    """
    days = days_touched(gap.span)
    unknown = [point for point in gap.points if point not in density_per_day]
    a_day = sum(density_per_day.get(point, DEFAULT_DENSITY_PER_DAY) for point in gap.points)
    # A density may be so small that the quotient is infinite.
    fitting = 1 if unknown else max(1, int(min(len(days), samples // a_day)) if a_day else len(days))
    if fitting >= len(days):
        return gap, ()
    split = days[0] + fitting
    return (
        Gap(points=gap.points, span=day_span(days[0], split - 1)),
        (Gap(points=gap.points, span=day_span(split, days[-1])),),
    )


def halved(piece: Gap) -> tuple[Gap, Gap] | None:
    """A piece that brought too much, as two: days halved, then points; None for a day of one point."""
    days = days_touched(piece.span)
    if len(days) > 1:
        split = days[0] + len(days) // 2
        return (
            Gap(points=piece.points, span=day_span(days[0], split - 1)),
            Gap(points=piece.points, span=day_span(split, days[-1])),
        )
    if len(piece.points) > 1:
        half = len(piece.points) // 2
        return (
            Gap(points=piece.points[:half], span=piece.span),
            Gap(points=piece.points[half:], span=piece.span),
        )
    return None
