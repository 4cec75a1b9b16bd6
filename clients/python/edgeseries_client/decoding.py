"""Bodies as series: JSON, which every server speaks, and Arrow streams, where pyarrow is there."""

import importlib
import importlib.util
import json
from array import array
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from edgeseries_client.errors import ConnectionFault
from edgeseries_client.series import Result, Series
from edgeseries_client.steps import Answer

JSON: Final = "application/json"
ARROW: Final = "application/vnd.apache.arrow.stream"

OTHERS: Final = ("text", "boolean", "integer")
"""Columns of an Arrow stream beside `value`; each value is in exactly one."""


def accepted(*, arrow: bool) -> str:
    """The header `Accept` of a question: Arrow where it is wanted and can be read, JSON else."""
    return f"{ARROW}, {JSON};q=0.5" if arrow and has_pyarrow() else JSON


def has_pyarrow() -> bool:
    """Whether Arrow streams can be read here."""
    return importlib.util.find_spec("pyarrow") is not None


def cache_verdict(headers: Mapping[str, str]) -> str:
    """`hit`, `partial`, `miss`, `request`, `bypass`, or nothing, by RFC 9211."""
    for item in headers.get("cache-status", "").split(";"):
        word = item.strip()
        if word == "hit":
            return "hit"
        if word.startswith("fwd="):
            return word.removeprefix("fwd=")
    return ""


def result_of(answer: Answer) -> Result:
    """The series of a 200. Raises ConnectionFault for a body that is not what its header says."""
    arrow = answer.headers.get("content-type", "").partition(";")[0].strip() == ARROW
    try:
        return _of_arrow(answer) if arrow else _of_json(answer)
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise ConnectionFault(f"the answer is no series: {error!r}") from error


def _of_json(answer: Answer) -> Result:
    document = json.loads(answer.body)
    meta = document["_meta"]
    several = len((meta.get("question") or {}).get("aggregates") or ()) > 1
    series = {}
    for name, entry in document["data"].items():
        rows: Sequence[Sequence[Any]] = entry["samples"]
        point, aggregate = name, None
        if several and ":" in name:
            point, _, aggregate = name.rpartition(":")
        series[name] = Series(
            point=point,
            aggregate=aggregate,
            times_ms=array("q", [row[0] for row in rows]),
            values=[row[1] for row in rows],
            error=entry.get("error"),
        )
    return Result(series=series, meta=meta, cache=cache_verdict(answer.headers))


def _of_arrow(answer: Answer) -> Result:
    """Points without samples are not in it; whoever must know why asks for them as JSON."""
    pa = importlib.import_module("pyarrow")
    table = pa.ipc.open_stream(answer.body).read_all()
    meta = json.loads((table.schema.metadata or {}).get(b"edgeseries", b"{}"))
    series: dict[str, Series] = {}
    for point, aggregate, rows in _runs(table):
        name = point if aggregate is None else f"{point}:{aggregate}"
        series[name] = Series(
            point=point,
            aggregate=aggregate,
            times_ms=rows.column("time").cast(pa.int64()).to_numpy(),
            values=_values(rows),
        )
    return Result(series=series, meta=meta, cache=cache_verdict(answer.headers))


def _runs(table: Any) -> Iterator[tuple[str, str | None, Any]]:
    """The rows of each series, which lie together."""
    np, pa = importlib.import_module("numpy"), importlib.import_module("pyarrow")
    if not table.num_rows:
        return
    for place, field in enumerate(table.schema):
        # Batches bring dictionaries of their own; those of values are as large as the values, so they go.
        if field.name in OTHERS and pa.types.is_dictionary(field.type):
            table = table.set_column(place, field.name, table.column(place).cast(pa.string()))
    keys = [name for name in ("point", "aggregate") if name in table.column_names]
    table = table.unify_dictionaries().combine_chunks()
    columns = [table.column(name).combine_chunks() for name in keys]
    codes = [np.asarray(column.indices) for column in columns]
    ends = np.flatnonzero(sum((code[1:] != code[:-1]) for code in codes)) + 1
    for first, last in zip([0, *ends], [*ends, table.num_rows], strict=True):
        named = [
            column.dictionary[int(code[first])].as_py() for column, code in zip(columns, codes, strict=True)
        ]
        yield named[0], named[1] if len(named) > 1 else None, table.slice(int(first), int(last - first))


def _values(rows: Any) -> Sequence[Any]:
    """Values of their types: numbers alone as an array of NumPy, in which NaN is null."""
    numbers = rows.column("value")
    others = {name: rows.column(name) for name in OTHERS if name in rows.column_names}
    others = {name: column for name, column in others.items() if column.null_count < len(column)}
    if not others:
        values: Sequence[Any] = numbers.to_numpy()
        return values
    found: list[Any] = numbers.to_pylist()
    for name, column in others.items():
        for place, value in enumerate(column.to_pylist()):
            if value is not None:
                found[place] = int(value) if name == "integer" else value
    return found
