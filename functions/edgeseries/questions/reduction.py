"""A point's samples, piece by piece, turned into the answer of a question: buckets, or samples for a chart.

Memory holds what comes out and the open bucket, never all samples. It knows no store and no host.
"""

from array import array  # noqa: TC003 - named in quotes: it has no subscript at run time
from collections.abc import Sequence
from dataclasses import replace
from typing import Final, Protocol

from edgeseries.questions.grid import Grid, even_grid, grid_of
from edgeseries.questions.lttb import PRESELECTED, largest_triangles
from edgeseries.questions.open_bucket import OpenBucket
from edgeseries.questions.ports.bucketing import Bucketing, Fold
from edgeseries.questions.question import COUNTS, OF_ANY_VALUE, Buckets, Fill, Method, Question, Thinning
from edgeseries.series.samples import NO_SAMPLES, Samples, appended
from edgeseries.series.timerange import TimeRange
from edgeseries.series.values import Kind, Value

Columns = tuple[Samples, ...]
"""A column of each aggregate, all at the same instants."""

KEPT_OF_EACH: Final = {Method.MINMAX: 2, Method.M4: 4, Method.LTTB: 2}
"""Samples that stay of an interval that has no null."""


class Reduction(Protocol):
    """The answer of a question over the samples of one point."""

    @property
    def source_count(self) -> int:
        """Samples of the range so far."""
        ...

    @property
    def error(self) -> str | None:
        """Why something is not defined for the samples so far, or None."""
        ...

    def part(self, samples: Samples) -> Columns:
        """Go on with samples that follow those before; what is certain now of the answer."""
        ...

    def end(self) -> Columns:
        """What is left of the answer when all samples were told."""
        ...


class Reductions:
    """Makes the reduction of each point of a request. `now_ms` (UTC epoch): no value holds beyond it."""

    def __init__(self, question: Question, span: TimeRange, bucketing: Bucketing, *, now_ms: int) -> None:
        self._question = question
        self._span = span
        self._bucketing = bucketing
        self._now_ms = now_ms
        self._grid = (
            grid_of(question.width, question.zone, span.start_ms, span.end_ms)
            if isinstance(question, Buckets)
            else None
        )

    def of_a_point(self) -> Reduction:
        """A new one."""
        if isinstance(self._question, Thinning):
            return ThinningReduction(self._question, self._span, self._bucketing)
        assert self._grid is not None
        return BucketReduction(self._question, self._span, self._grid, self._bucketing, now_ms=self._now_ms)


def partial_buckets(question: Buckets, span: TimeRange) -> tuple[int, ...]:
    """The starts (UTC epoch ms) of buckets that are not wholly in a range: the first or the last or both."""
    grid = grid_of(question.width, question.zone, span.start_ms, span.end_ms)
    first = grid.edges(span.start_ms, span.start_ms + 1)
    last = grid.edges(span.end_ms - 1, span.end_ms)
    found = {first[0]} if first[0] < span.start_ms else set()
    return tuple(sorted(found | ({last[-2]} if last[-1] > span.end_ms else set())))


class BucketReduction:
    """Buckets of a point."""

    def __init__(
        self, question: Buckets, span: TimeRange, grid: Grid, bucketing: Bucketing, *, now_ms: int
    ) -> None:
        self._question = question
        self._span = span
        self._grid = grid
        self._bucketing = bucketing
        self._open = OpenBucket()
        self._ends_ms = min(span.end_ms, max(now_ms, span.start_ms))
        self._filled: list[Value] = [None] * len(question.aggregates)
        self._has_texts = False
        self._has_numbers = False

    @property
    def source_count(self) -> int:
        """See the protocol."""
        return self._open.samples

    @property
    def error(self) -> str | None:
        """See the protocol."""
        undefined = [str(one) for one in self._question.aggregates if one not in OF_ANY_VALUE]
        if not undefined or self._has_numbers or not self._has_texts:
            return None
        return (
            f"the point's values are texts, of which {', '.join(undefined)} is not defined: "
            f"ask for {', '.join(sorted(OF_ANY_VALUE))}"
        )

    def part(self, samples: Samples) -> Columns:
        """See the protocol."""
        if not len(samples):
            return _none_of(self._question)
        self._look_at(samples)
        last_ms = samples.times_ms[-1]
        self._ends_ms = max(self._ends_ms, last_ms + 1)
        if last_ms < self._span.start_ms:
            edges = self._grid.edges(self._span.start_ms, self._span.start_ms + 1)
        else:
            edges = self._grid.edges(self._starts_ms, last_ms + 1)
        return self._fold(edges, samples, None)

    def end(self) -> Columns:
        """See the protocol."""
        if self._ends_ms <= self._starts_ms:
            return _none_of(self._question)
        return self._fold(self._grid.edges(self._starts_ms, self._ends_ms), NO_SAMPLES, self._ends_ms)

    @property
    def _starts_ms(self) -> int:
        return self._span.start_ms if self._open.start_ms is None else self._open.start_ms

    def _fold(self, edges: "array[int]", samples: Samples, end_ms: int | None) -> Columns:
        question = self._question
        fold = Fold(
            edges=edges,
            begin_ms=self._span.start_ms,
            end_ms=end_ms,
            max_gap_ms=question.max_gap_ms,
            aggregates=question.aggregates,
            empty_too=question.fill is not Fill.NONE,
        )
        folded = self._bucketing.fold(fold, self._open, samples)
        self._open = folded.after
        if question.fill is Fill.PREVIOUS:
            return tuple(self._with_previous(place, column) for place, column in enumerate(folded.columns))
        return folded.columns

    def _with_previous(self, place: int, column: Samples) -> Samples:
        """A column with the value before it in place of each null."""
        if self._question.aggregates[place] in COUNTS or not len(column):
            return column
        if not column.values.places:
            self._filled[place] = column.values[-1]
            return column
        values: list[Value] = []
        for value in column.values.to_list():
            self._filled[place] = self._filled[place] if value is None else value
            values.append(self._filled[place])
        return Samples(times_ms=column.times_ms, values=values)

    def _look_at(self, samples: Samples) -> None:
        kinds = samples.values.kinds
        texts = kinds.count(Kind.TEXT)
        self._has_texts = self._has_texts or texts > 0
        self._has_numbers = self._has_numbers or len(samples) > texts + kinds.count(Kind.NULL)


class ThinningReduction:
    """Samples of a point for a chart: all of them where they are few enough."""

    def __init__(self, question: Thinning, span: TimeRange, bucketing: Bucketing) -> None:
        self._question = question
        self._span = span
        self._bucketing = bucketing
        most = question.max_points * PRESELECTED if question.method is Method.LTTB else question.max_points
        self._few: list[Samples] | None = []
        self._edges = even_grid(span.start_ms, span.end_ms, _intervals(most, question.method))
        self._open = OpenBucket()
        self._chosen: list[Samples] = []
        self._count = 0

    @property
    def source_count(self) -> int:
        """See the protocol."""
        return self._count

    @property
    def error(self) -> str | None:
        """See the protocol."""
        return None

    def part(self, samples: Samples) -> Columns:
        """See the protocol."""
        if len(samples):
            self._count += len(samples)
            if self._few is not None:
                self._few.append(samples)
            if self._count > self._question.max_points:
                self._few = None
            self._fold(samples, None)
        return (NO_SAMPLES,)

    def end(self) -> Columns:
        """See the protocol."""
        if self._few is not None:
            return (appended(self._few),)
        self._fold(NO_SAMPLES, self._span.end_ms)
        chosen = appended(self._chosen)
        most = self._question.max_points
        if self._question.method is Method.LTTB:
            return (self._triangles(chosen, most),)
        if len(chosen) > most:
            # Nulls stay beside the extremes: wider intervals make room for them.
            edges = even_grid(
                self._span.start_ms, self._span.end_ms, _intervals(most, self._question.method, nulls=1)
            )
            chosen = self._thinned(chosen, edges)
        return (chosen,)

    def _fold(self, samples: Samples, end_ms: int | None) -> None:
        fold = self._fold_of(self._edges, end_ms)
        # Only the edges from the open interval on: folds of many pieces go over none of them twice.
        if self._open.start_ms is not None:
            first = self._edges.index(self._open.start_ms)
            fold = replace(fold, edges=self._edges[first:])
        folded = self._bucketing.fold(fold, self._open, samples)
        self._open = folded.after
        self._chosen += folded.columns

    def _thinned(self, samples: Samples, edges: "array[int]") -> Samples:
        fold = self._fold_of(edges, self._span.end_ms)
        return self._bucketing.fold(fold, OpenBucket(), samples).columns[0]

    def _fold_of(self, edges: "array[int]", end_ms: int | None) -> Fold:
        method = Method.MINMAX if self._question.method is Method.LTTB else self._question.method
        return Fold(edges=edges, begin_ms=self._span.start_ms, end_ms=end_ms, max_gap_ms=0, method=method)

    def _triangles(self, chosen: Samples, most: int) -> Samples:
        """Largest triangles of numbers; nulls stay, as far as they leave half of the room to numbers. What is
        no number has no triangle: of texts the extremes stay, which are the first and the last of an
        interval.
        """
        kinds = chosen.values.kinds
        nulls = kinds.count(Kind.NULL)
        if len(kinds) > nulls or nulls > most // 2:
            edges = even_grid(
                self._span.start_ms, self._span.end_ms, _intervals(most, Method.MINMAX, nulls=1)
            )
            return self._thinned(chosen, edges) if len(chosen) > most else chosen
        exceptions = {*chosen.values.places}
        places = [place for place in range(len(chosen)) if place not in exceptions]
        numbers = [chosen.values.floats[place] for place in places]
        times_ms = [chosen.times_ms[place] for place in places]
        kept = [places[place] for place in largest_triangles(times_ms, numbers, most - nulls)]
        return _at(chosen, sorted((*kept, *chosen.values.places)))


def _intervals(most: int, method: Method, *, nulls: int = 0) -> int:
    """How many intervals there may be so that no more samples stay; the first and the last of all stay
    anyway.
    """
    return max(1, (most - 2) // (KEPT_OF_EACH[method] + nulls))


def _at(samples: Samples, places: Sequence[int]) -> Samples:
    values = samples.values.to_list()
    return Samples(
        times_ms=[samples.times_ms[place] for place in places], values=[values[place] for place in places]
    )


def _none_of(question: Buckets) -> Columns:
    return (NO_SAMPLES,) * len(question.aggregates)


def reduced_to(columns: Sequence[Columns]) -> Columns:
    """The columns of all parts of an answer, in one."""
    return tuple(appended(parts) for parts in zip(*columns, strict=True))
