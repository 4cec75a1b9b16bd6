"""What a request asks of the series that were read: all of their samples, or the answer of its question.

Series come window by window, each point's samples in order; of a question nothing leaves before a point is
whole.
"""

from collections.abc import Iterable
from dataclasses import replace

from edgeseries.planning.query import TimeseriesQuery
from edgeseries.questions.ports.bucketing import Bucketing
from edgeseries.questions.question import Buckets
from edgeseries.questions.reduction import Columns, Reduction, Reductions, reduced_to
from edgeseries.series.points import PointSeries


class AskedSeries:
    """The series of one request's answer. `now_ms` (UTC epoch) is when it was asked. An error of a part of a
    point's samples is told with every later part.
    """

    def __init__(self, query: TimeseriesQuery, bucketing: Bucketing, *, now_ms: int) -> None:
        self._question = query.question
        self._reductions = (
            None
            if query.question is None
            else Reductions(query.question, query.span, bucketing, now_ms=now_ms)
        )
        self._errors: dict[str, str] = {}
        self._open: dict[str, tuple[Reduction, list[Columns]]] = {}

    def part(self, one: PointSeries, *, ends: bool) -> tuple[PointSeries, ...]:
        """What is certain of the answer with some samples of a point; all of it if they are its last."""
        error = self._errors.pop(one.point, None) or one.error
        if error is not None and not ends:
            self._errors[one.point] = error
        if self._reductions is None:
            return (replace(one, error=error),)
        if one.point not in self._open:
            self._open[one.point] = self._reductions.of_a_point(), []
        reduction, parts = self._open[one.point]
        parts.append(reduction.part(one.samples))
        if not ends:
            return ()
        del self._open[one.point]
        columns = reduced_to([*parts, reduction.end()])
        error = error or reduction.error
        named = isinstance(self._question, Buckets) and len(self._question.aggregates) > 1
        names = self._question.aggregates if named and isinstance(self._question, Buckets) else (None,)
        return tuple(
            replace(
                one,
                samples=samples,
                error=error,
                aggregate=name,
                source_count=reduction.source_count,
            )
            for name, samples in zip(names, columns, strict=True)
        )

    def whole(self, series: Iterable[PointSeries]) -> tuple[PointSeries, ...]:
        """The answer of series that are all there."""
        return tuple(found for one in series for found in self.part(one, ends=True))
