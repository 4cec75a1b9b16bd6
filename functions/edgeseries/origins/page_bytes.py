"""The bytes in which JavaScript hands over a page (`platform/page_reader.mjs`), and what it asks of Python.

Four bytes with the size of the head; the head, which is JSON: `cursor`, `more`, and of each point its name,
the size of its image and whether its instants ascend; then the images (`docs/formats/columns.md`), each at
an address that eight divides. Nothing of it is stored: both sides are of one version.
"""

import json
from collections.abc import Callable
from typing import Any, Final

from edgeseries.origins.ports.page_reader import PointRows, ReadPage
from edgeseries.series.image import columns_from
from edgeseries.series.values import Kind, Value, column_of

_SIZE_BYTES: Final = 4
_ALIGNMENT: Final = 8


def page_from(data: bytes) -> ReadPage:
    """The page of its bytes."""
    end = _SIZE_BYTES + int.from_bytes(data[:_SIZE_BYTES], "little")
    head = json.loads(data[_SIZE_BYTES:end])
    view = memoryview(data)
    by_name: dict[str | None, PointRows] = {}
    for name, size, ascends in head["points"]:
        start = -(-end // _ALIGNMENT) * _ALIGNMENT
        end = start + size
        times_ms, values = columns_from(view[start:end])
        by_name[name] = PointRows(times_ms=times_ms, values=values, ascends=ascends)
    return ReadPage(by_name=by_name, next_cursor=head["cursor"], has_more=head["more"])


def typed(raws: str, value_of: Callable[[object], Value]) -> str:
    """Kind and payload of each raw value of a JSON list, as JSON."""
    column = column_of([value_of(raw) for raw in json.loads(raws)])
    places = dict(zip(column.places, range(len(column.places)), strict=True))
    return json.dumps(
        [
            (Kind.FLOAT, one)
            if place not in places
            else _exception(column.kinds[places[place]], column.payloads[places[place]], column.table)
            for place, one in enumerate(column.floats)
        ]
    )


def _exception(kind: int, payload: int, table: tuple[bytes, ...]) -> tuple[int, Any]:
    match kind:
        case Kind.TEXT:
            return kind, table[payload].decode()
        case Kind.LONG:
            return kind, list(table[payload])
        case Kind.INT:
            return kind, str(payload)  # JavaScript's numbers do not hold it.
        case _:
            return kind, payload
