"""Columns of many calls sorted out by point: what was asked and inside the range, counted, in normal form."""

from collections import Counter
from collections.abc import Iterable, Sequence
from math import isfinite
from typing import Final

from edgeseries.errors import AnswerTooLarge
from edgeseries.origins.ports.dialect import PointColumns
from edgeseries.series.samples import NO_SAMPLES, Samples, in_order, joined, plain_number, within
from edgeseries.series.timerange import TimeRange
from edgeseries.series.values import Value, ValueColumn

ROWS_UNASKED: Final = "rows_unasked"
ROWS_OUTSIDE: Final = "rows_outside"
"""What is dropped, by the names of `docs/formats/analytics.md`."""


def plain_values(values: Sequence[Value]) -> Sequence[Value]:
    """Values of a vendor's typed JSON in normal form. Floats that are all finite, which is the rule, take no
    step a value.
    """
    if isinstance(values, ValueColumn):
        return values
    kinds = set(map(type, values))
    if kinds == {float} and isfinite(sum(values)):  # type: ignore[arg-type]  # all floats
        return values
    if not kinds & {float, int}:
        return values
    return [
        plain_number(value) if isinstance(value, int | float) and not isinstance(value, bool) else value
        for value in values
    ]


class SampleCollector:
    """Samples of the points asked. `count` are those taken, `dropped` counts by name those that were not."""

    def __init__(self, points: Iterable[str], *, max_samples: int) -> None:
        self._parts: dict[str, list[Samples]] = {point: [] for point in points}
        self._max_samples = max_samples
        self.count = 0
        self.dropped: Counter[str] = Counter()

    def add(self, columns: Iterable[PointColumns], span: TimeRange, *, borders: int = 1) -> None:
        """Take what was asked in a call for a range. Up to `borders` samples outside at each end are no
        fault: which ends a range holds is the vendor's affair. Raises AnswerTooLarge past the bound.
        """
        for one in columns:
            if one.point not in self._parts:
                self.dropped[ROWS_UNASKED] += len(one.times_ms)
            elif len(one.times_ms):
                self._take(one, span, borders)
        if self.count > self._max_samples:
            raise AnswerTooLarge(
                f"the answer has more than {self._max_samples} samples, "
                "too many to be answered at once; ask for a shorter range or fewer points",
                estimated_samples=self.count,
            )

    def samples(self, point: str) -> Samples:
        """The point's samples in normal form."""
        parts = self._parts[point]
        return joined(parts) if parts else NO_SAMPLES

    def _take(self, columns: PointColumns, span: TimeRange, borders: int) -> None:
        ordered = in_order(columns.times_ms, plain_values(columns.values))
        inside = within(ordered, span)
        outside = len(ordered) - len(inside) - 2 * borders
        if outside > 0:
            self.dropped[ROWS_OUTSIDE] += outside
        if len(inside):
            self._parts[columns.point].append(inside)
        self.count += len(inside)
