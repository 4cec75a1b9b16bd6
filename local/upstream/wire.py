"""The vendor's JSON: rows, pages, sites and points as bytes.

Owns field names and their order. Must not know of requests, ranges or stored files.
"""

import json
from collections.abc import Iterator, Mapping
from json.encoder import encode_basestring_ascii as quoted
from typing import Any, Final

from local.upstream.catalogue import PointInfo
from local.upstream.instants import texts_of
from local.upstream.interleave import Interleave
from local.upstream.mask import Mask
from local.upstream.pages import NumberedPage

SAMPLES_FIELD: Final = "point_samples"

# Encoding keeps the interpreter to itself for some milliseconds, so other requests get their turn.
_ROWS_PER_CHUNK: Final = 5_000


def json_bytes(payload: object) -> bytes:
    """Any JSON value as the vendor writes it: ASCII, ended by a line feed."""
    return json.dumps(payload).encode("ascii") + b"\n"


def samples_bytes(order: Interleave, more: Mapping[str, Any], mask: Mask | None = None) -> bytes:
    """All rows of an order as `point_samples`, then the fields of `more`, if wanted."""
    tail = dict(more) if mask is None else mask.selected(more)
    parts: list[str] = []
    if mask is None or mask.wants(SAMPLES_FIELD):
        columns = mask.inner(SAMPLES_FIELD) if mask else None
        parts.append(f'"{SAMPLES_FIELD}": [{", ".join(_chunks(order, columns))}]')
    if tail:
        parts.append(json.dumps(tail)[1:-1])
    return f"{{{', '.join(parts)}}}\n".encode("ascii")


def _chunks(order: Interleave, columns: Mask | None) -> Iterator[str]:
    for first in range(0, len(order.times_us), _ROWS_PER_CHUNK):
        some = order.part(first, first + _ROWS_PER_CHUNK)
        yield _joined(some) if columns is None else _selected(some, columns)


def _joined(order: Interleave) -> str:
    """Rows without a dict each: the text is what `json.dumps` makes of one, at many times the speed."""
    heads = [f'{{"name": {quoted(name)}, "value": ' for name in order.names]
    columns = zip(order.owners, map(quoted, order.texts), texts_of(order.times_us), strict=True)
    return ", ".join([f'{heads[owner]}{value}, "time": "{time}"}}' for owner, value, time in columns])


def _selected(order: Interleave, columns: Mask) -> str:
    """Rows of which some fields are wanted."""
    rows = zip(order.owners, order.texts, texts_of(order.times_us), strict=True)
    wanted = [
        columns.selected({"name": order.names[owner], "value": text, "time": time})
        for owner, text, time in rows
    ]
    return json.dumps(wanted)[1:-1]


def page_record(page: NumberedPage[Any], records: list[dict[str, Any]]) -> dict[str, Any]:
    """A numbered page, its items written as `records`."""
    return {
        "page": page.page,
        "pages": page.pages,
        "per_page": page.per_page,
        "total": page.total,
        "items": records,
    }


def site_record(name: str, site_id: int) -> dict[str, Any]:
    """A site; what no data file tells is null, not invented."""
    return {
        "id": site_id,
        "name": name,
        "client": None,
        "nice_name": name,
        "address": None,
        "latitude": None,
        "longitude": None,
        "archived": False,
    }


def point_record(point: PointInfo, point_id: int, step_s: int | None) -> dict[str, Any]:
    """A point; `step_s` is the usual distance of its samples in seconds, None when there is none."""
    return {
        "id": point_id,
        "name": point.name,
        "client": None,
        "site": point.site,
        "kv_tags": {"unit": point.unit} if point.unit else {},
        "marker_tags": [],
        "bacnet_data": {
            "device_address": None,
            "device_id": None,
            "object_type": None,
            "object_index": None,
            "object_name": point.name,
            "object_units": point.unit or None,
            "scrape_interval": step_s,
            "present_value": None,
        },
        "collect_config": {},
        "point_type": point.kind or None,
        "collect_enabled": True,
        "collect_interval": step_s,
        "updated": None,
        "created": None,
    }
