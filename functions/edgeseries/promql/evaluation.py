"""Values of an expression at the steps of a range, as Prometheus defines them.

An instant selector has at each step the last sample within the look-back, which is five minutes; a sample
that is no number ends it. Ranges are open on the left. Rates are extrapolated as Prometheus does
(`ranges.py`).
"""

import operator
from array import array
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, copysign, fabs, floor, fmod, inf, isnan, nan, sqrt
from typing import Final

from edgeseries.limits import MINUTE_MS, SECOND_MS
from edgeseries.promql.parsing import COMPARISONS
from edgeseries.promql.ranges import RANGE_VALUES
from edgeseries.promql.syntax import (
    NAME_LABEL,
    Aggregation,
    Call,
    Labels,
    Negation,
    Node,
    Number,
    Operation,
    Selector,
)

LOOKBACK_MS: Final = 5 * MINUTE_MS

KEEPS_NAME: Final = frozenset({"last_over_time"})


class EvaluationError(ValueError):
    """An expression that has no value over these series; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Samples of a point: instants (UTC epoch ms, ascending) and numbers, NaN where a value is no number."""

    labels: Labels
    times_ms: "array[int]"
    numbers: "array[float]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A series at each step; None where it has no value."""

    labels: Labels
    values: list[float | None]


Vector = list[Row]
Scalar = list[float]
Value = Vector | Scalar


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """From `start_ms` to `end_ms` (both held, UTC epoch), each `step_ms` after the one before."""

    start_ms: int
    end_ms: int
    step_ms: int

    def __len__(self) -> int:
        return (self.end_ms - self.start_ms) // self.step_ms + 1

    def times_ms(self) -> range:
        """Every step."""
        return range(self.start_ms, self.end_ms + 1, self.step_ms)


SelectedSeries = Mapping[Selector, Sequence[Series]]
"""The series that each selector of an expression picks."""


def evaluate(node: Node, steps: Steps, selected: SelectedSeries) -> "Vector | Scalar":
    """The values of an expression: rows, or numbers alone, one a step. Raises EvaluationError."""
    return _Evaluation(steps, selected).value(node)


def is_scalar(value: Value) -> bool:
    """Whether a value is numbers alone."""
    return bool(value) and not isinstance(value[0], Row)


class _Evaluation:
    def __init__(self, steps: Steps, selected: SelectedSeries) -> None:
        self._steps = steps
        self._times_ms = steps.times_ms()
        self._selected = selected

    def value(self, node: Node) -> Value:
        match node:
            case Number(value=number):
                return [number] * len(self._times_ms)
            case Selector():
                return [self._instant(node, one) for one in self._selected[node]]
            case Negation(operand=operand):
                return self._negated(self.value(operand))
            case Call():
                return self._called(node)
            case Operation():
                return self._operated(node)
            case Aggregation():
                return self._aggregated(node)

    def _instant(self, selector: Selector, series: Series) -> Row:
        times_ms, numbers = series.times_ms, series.numbers
        values: list[float | None] = []
        place = 0
        for at_ms in self._times_ms:
            seen_ms = at_ms - selector.offset_ms
            place = bisect_right(times_ms, seen_ms, lo=place)
            near = place and times_ms[place - 1] > seen_ms - LOOKBACK_MS
            values.append(numbers[place - 1] if near and not isnan(numbers[place - 1]) else None)
        return Row(labels=series.labels, values=values)

    def _called(self, node: Call) -> Value:
        if node.name == "time":
            return [at_ms / SECOND_MS for at_ms in self._times_ms]
        (argument,) = node.arguments
        if node.name in RANGE_VALUES:
            assert isinstance(argument, Selector)
            rows = [self._ranged(node.name, argument, one) for one in self._selected[argument]]
            return rows if node.name in KEEPS_NAME else _renamed(rows)
        value = self.value(argument)
        if node.name == "vector":
            return [Row(labels=(), values=list(_numbers_of(value)))]
        change = _CHANGES[node.name]
        if is_scalar(value):
            return [change(number) for number in _numbers_of(value)]
        return _renamed([Row(labels=row.labels, values=_mapped(change, row)) for row in _rows_of(value)])

    def _ranged(self, name: str, selector: Selector, series: Series) -> Row:
        assert selector.range_ms is not None
        of_range = RANGE_VALUES[name]
        compact = _only_numbers(series)
        times_ms, numbers = compact.times_ms, compact.numbers
        values: list[float | None] = []
        first = last = 0
        for at_ms in self._times_ms:
            end_ms = at_ms - selector.offset_ms
            first = bisect_right(times_ms, end_ms - selector.range_ms, lo=first)
            last = bisect_right(times_ms, end_ms, lo=max(first, last))
            values.append(
                of_range(times_ms[first:last], numbers[first:last], end_ms - selector.range_ms, end_ms)
                if first < last
                else None
            )
        return Row(labels=series.labels, values=values)

    def _negated(self, value: Value) -> Value:
        if is_scalar(value):
            return [-number for number in _numbers_of(value)]
        return _renamed(
            [Row(labels=row.labels, values=_mapped(operator.neg, row)) for row in _rows_of(value)]
        )

    def _operated(self, node: Operation) -> Value:
        left, right = self.value(node.left), self.value(node.right)
        compares = node.operator in COMPARISONS
        apply = _OPERATORS[node.operator]
        if is_scalar(left) and is_scalar(right):
            return [float(apply(a, b)) for a, b in zip(_numbers_of(left), _numbers_of(right), strict=True)]
        if is_scalar(left) or is_scalar(right):
            rows = _rows_of(right if is_scalar(left) else left)
            numbers = _numbers_of(left if is_scalar(left) else right)
            swap = is_scalar(left)
            made = [
                Row(
                    labels=row.labels,
                    values=[
                        _combined(apply, (number, value) if swap else (value, number), value, node, compares)
                        for value, number in zip(row.values, numbers, strict=True)
                    ],
                )
                for row in rows
            ]
            return made if compares and not node.returns_bool else _renamed(made)
        return self._matched(node, _rows_of(left), _rows_of(right), apply, compares=compares)

    def _matched(
        self,
        node: Operation,
        left: Vector,
        right: Vector,
        apply: "Callable[[float, float], float | bool]",
        *,
        compares: bool,
    ) -> Vector:
        others: dict[Labels, Row] = {}
        for row in right:
            key = node.matching.of(row.labels)
            if key in others:
                raise EvaluationError(f"several series on the right match {_told(key)}: match by more labels")
            others[key] = row
        seen: set[Labels] = set()
        made = []
        for row in left:
            key = node.matching.of(row.labels)
            if key not in others:
                continue
            if key in seen:
                raise EvaluationError(f"several series on the left match {_told(key)}: match by more labels")
            seen.add(key)
            values = [
                _combined(apply, (a, b), a, node, compares)
                for a, b in zip(row.values, others[key].values, strict=True)
            ]
            keeps_name = compares and not node.returns_bool and node.matching.excluded
            name = tuple(pair for pair in row.labels if pair[0] == NAME_LABEL and keeps_name)
            made.append(Row(labels=(*name, *key), values=values))
        return made

    def _aggregated(self, node: Aggregation) -> Value:
        value = self.value(node.operand)
        if is_scalar(value):
            raise EvaluationError(f"{node.operator} takes an instant vector, not a scalar")
        groups: dict[Labels, Vector] = {}
        for row in _rows_of(value):
            groups.setdefault(node.grouping.of(row.labels), []).append(row)
        if node.operator == "topk":
            assert node.parameter is not None
            counts = _numbers_of(self.value(node.parameter))
            return [row for rows in groups.values() for row in _largest(rows, counts)]
        reduce = _REDUCTIONS[node.operator]
        return [
            Row(
                labels=labels,
                values=[
                    reduce(there) if (there := [one for one in column if one is not None]) else None
                    for column in zip(*(row.values for row in rows), strict=True)
                ],
            )
            for labels, rows in groups.items()
        ]


def _combined(
    apply: "Callable[[float, float], float | bool]",
    pair: tuple[float | None, float | None],
    kept: float | None,
    node: Operation,
    compares: bool,  # noqa: FBT001 - what kind of operator it is
) -> float | None:
    left, right = pair
    if left is None or right is None:
        return None
    found = apply(left, right)
    if compares and not node.returns_bool:
        return kept if found else None
    return float(found)


def _largest(rows: Vector, counts: Scalar) -> Vector:
    kept: list[list[float | None]] = [[None] * len(counts) for _ in rows]
    for step, count in enumerate(counts):
        there = [(value, -place) for place, row in enumerate(rows) if (value := row.values[step]) is not None]
        there.sort(key=lambda one: (-inf if isnan(one[0]) else one[0], one[1]), reverse=True)
        most = 0 if isnan(count) else int(max(0.0, min(count, len(there))))
        for value, place in there[:most]:
            kept[-place][step] = value
    return [
        Row(labels=row.labels, values=values)
        for row, values in zip(rows, kept, strict=True)
        if any(value is not None for value in values)
    ]


def _only_numbers(series: Series) -> Series:
    if not any(map(isnan, series.numbers)):
        return series
    places = [place for place, number in enumerate(series.numbers) if not isnan(number)]
    return Series(
        labels=series.labels,
        times_ms=array("q", [series.times_ms[place] for place in places]),
        numbers=array("d", [series.numbers[place] for place in places]),
    )


def _renamed(rows: Vector) -> Vector:
    """The rows without the metric's name. Raises EvaluationError where two are alike then."""
    made = [
        Row(labels=tuple(pair for pair in row.labels if pair[0] != NAME_LABEL), values=row.values)
        for row in rows
    ]
    if len({row.labels for row in made}) < len(made):
        raise EvaluationError("vector cannot contain metrics with the same labelset (names taken off)")
    return made


def _mapped(change: Callable[[float], float], row: Row) -> list[float | None]:
    return [None if value is None else change(value) for value in row.values]


def _numbers_of(value: Value) -> Scalar:
    assert is_scalar(value)
    return value  # type: ignore[return-value]  # looked at


def _rows_of(value: Value) -> Vector:
    assert not is_scalar(value)
    return value  # type: ignore[return-value]  # looked at


def _told(labels: Labels) -> str:
    return "{" + ", ".join(f'{name}="{value}"' for name, value in labels) + "}"


def _divided(left: float, right: float) -> float:
    if right == 0:
        return nan if left == 0 or isnan(left) else inf if (left > 0) == (str(right)[0] != "-") else -inf
    return left / right


def _remainder(left: float, right: float) -> float:
    """As C has it: the sign of the dividend."""
    if right == 0 or left in (inf, -inf):
        return nan
    return fmod(left, right)


def _power(left: float, right: float) -> float:
    try:
        found = left**right
    except (OverflowError, ZeroDivisionError):
        return -inf if copysign(1, left) < 0 and fabs(fmod(right, 2)) == 1 else inf
    return nan if isinstance(found, complex) else float(found)


def _rounded(number: float) -> float:
    """Half up, as Prometheus."""
    return float(floor(number + 0.5)) if fabs(number) < 2**52 else number


_OPERATORS: Final[Mapping[str, Callable[[float, float], float | bool]]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": _divided,
    "%": _remainder,
    "^": _power,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}

_CHANGES: Final[Mapping[str, Callable[[float], float]]] = {
    "abs": fabs,
    "ceil": lambda number: float(ceil(number)) if fabs(number) < inf else number,
    "floor": lambda number: float(floor(number)) if fabs(number) < inf else number,
    "round": _rounded,
    "sqrt": lambda number: sqrt(number) if number >= 0 else nan,
}

_REDUCTIONS: Final[Mapping[str, Callable[[list[float]], float]]] = {
    "sum": sum,
    "avg": lambda numbers: sum(numbers) / len(numbers),
    "min": min,
    "max": max,
    "count": lambda numbers: float(len(numbers)),
}
