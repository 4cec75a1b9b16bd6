"""Answers of the Prometheus HTTP API, as JSON.

Its page: https://prometheus.io/docs/prometheus/latest/querying/api
"""

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from math import inf, isnan
from typing import Any, Final

from edgeseries.limits import SECOND_MS
from edgeseries.promql.evaluation import Row, Steps, Value, is_scalar
from edgeseries.promql.syntax import Labels

BAD_DATA: Final = "bad_data"
EXECUTION: Final = "execution"


def success(data: Any) -> bytes:
    """An answer."""
    return _json({"status": "success", "data": data})


def failure(kind: str, text: str, faults: Sequence[Mapping[str, str]] = ()) -> bytes:
    """An error; `faults` by parameter, as other errors of ours have them."""
    return _json({"status": "error", "errorType": kind, "error": text, "errors": list(faults)})


def instant_data(value: Value, at_ms: int) -> dict[str, Any]:
    """The data of `query`."""
    if is_scalar(value):
        return {"resultType": "scalar", "result": [_seconds(at_ms), number_text(value[0])]}  # type: ignore[arg-type]
    result = [
        {"metric": dict(row.labels), "value": [_seconds(at_ms), number_text(row.values[0])]}
        for row in rows_with_values(value)
        if row.values[0] is not None
    ]
    return {"resultType": "vector", "result": result}


def range_data(value: Value, steps: Steps) -> dict[str, Any]:
    """The data of `query_range`."""
    rows = [Row(labels=(), values=list(value))] if is_scalar(value) else rows_with_values(value)  # type: ignore[arg-type]
    times = [_seconds(at_ms) for at_ms in steps.times_ms()]
    result = [
        {
            "metric": dict(row.labels),
            "values": [
                [at, number_text(number)]
                for at, number in zip(times, row.values, strict=True)
                if number is not None
            ],
        }
        for row in sorted(rows, key=_by_labels)
    ]
    return {"resultType": "matrix", "result": result}


def samples_data(series: Sequence[tuple[Labels, Sequence[tuple[int, float]]]]) -> dict[str, Any]:
    """The data of `query` of a range of samples."""
    result = [
        {
            "metric": dict(labels),
            "values": [[_seconds(at_ms), number_text(number)] for at_ms, number in samples],
        }
        for labels, samples in series
        if samples
    ]
    return {"resultType": "matrix", "result": result}


def rows_with_values(value: Value) -> list[Row]:
    """Rows that have a value at some step."""
    return [row for row in value if isinstance(row, Row) and any(one is not None for one in row.values)]


def number_text(number: float) -> str:
    """As Prometheus writes numbers: the shortest that reads back, without an exponent."""
    if isnan(number):
        return "NaN"
    if number in (inf, -inf):
        return "+Inf" if number > 0 else "-Inf"
    text = repr(float(number))
    if "e" in text:
        text = f"{Decimal(text):f}"
    return text.removesuffix(".0")


def _seconds(at_ms: int) -> float | int:
    return at_ms // SECOND_MS if at_ms % SECOND_MS == 0 else at_ms / SECOND_MS


def _by_labels(row: Row) -> Labels:
    return row.labels


def _json(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=True, separators=(",", ":")).encode()
