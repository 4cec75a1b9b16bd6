"""The vendor's JSON: rows, pages, sites and points as bytes.

Owns field names and their order. Must not know of requests, ranges or stored files.
"""

import json
from collections.abc import Iterable, Mapping
from itertools import islice
from json.encoder import encode_basestring_ascii as quoted
from typing import Any, Final

from local.upstream.catalogue import PointInfo
from local.upstream.instants import text_of
from local.upstream.mask import Mask
from local.upstream.pages import NumberedPage

SAMPLES_FIELD: Final = "point_samples"

# Encoding keeps the interpreter to itself. This many rows take about 10 ms, so other requests get their turn.
_ROWS_PER_CHUNK: Final = 5_000


def json_bytes(payload: object) -> bytes:
    """Any JSON value as the vendor writes it: ASCII, ended by a line feed."""
    return json.dumps(payload).encode("ascii") + b"\n"


def samples_bytes(
    rows: Iterable[tuple[str, int, str]], more: Mapping[str, Any], mask: Mask | None = None
) -> bytes:
    """Rows (name, instant in microseconds, text) as `point_samples`, then the fields of `more`, if wanted."""
    tail = dict(more) if mask is None else mask.selected(more)
    parts: list[str] = []
    if mask is None or mask.wants(SAMPLES_FIELD):
        columns = mask.inner(SAMPLES_FIELD) if mask else None
        parts.append(f'"{SAMPLES_FIELD}": [{", ".join(_chunks(rows, columns))}]')
    if tail:
        parts.append(json.dumps(tail)[1:-1])
    return f"{{{', '.join(parts)}}}\n".encode("ascii")


def _chunks(rows: Iterable[tuple[str, int, str]], columns: Mask | None) -> Iterable[str]:
    remaining = iter(rows)
    if columns is None:
        # No dict a row: the text is what `json.dumps` makes of one, at several times the speed.
        while chunk := [
            f'{{"name": {quoted(name)}, "value": {quoted(text)}, "time": "{text_of(instant_us)}"}}'
            for name, instant_us, text in islice(remaining, _ROWS_PER_CHUNK)
        ]:
            yield ", ".join(chunk)
        return
    while wanted := [
        columns.selected({"name": name, "value": text, "time": text_of(instant_us)})
        for name, instant_us, text in islice(remaining, _ROWS_PER_CHUNK)
    ]:
        yield json.dumps(wanted)[1:-1]


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
