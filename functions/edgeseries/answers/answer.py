"""The body of an answered time-series request, and its ETag.

The body holds only what is the same at every delivery (request id, duration, hit or miss
are headers), so that stored bytes can be streamed and two deliveries compared.
Format: `docs/formats/answer.md`. It knows no HTTP.
"""

import json
from collections.abc import Sequence
from hashlib import sha256

from edgeseries.planning.query import TimeseriesQuery
from edgeseries.series.json_text import json_text
from edgeseries.series.points import PointSeries
from edgeseries.series.timerange import iso_instant


def answer_body(query: TimeseriesQuery, series: Sequence[PointSeries]) -> bytes:
    """UTF-8 JSON of the answer; `series` holds each point of the query once, in its order."""
    assert tuple(one.point for one in series) == query.points
    document = {
        "data": {
            one.point: {
                "samples": list(zip(one.samples.times_ms, one.samples.values, strict=True)),
                "count": len(one.samples),
                "error": one.error,
            }
            for one in series
        },
        "_meta": {
            "site": query.site,
            "startTime": iso_instant(query.span.start_ms),
            "endTime": iso_instant(query.span.end_ms),
            "pointCount": len(series),
            "sampleCount": sum(len(one.samples) for one in series),
        },
    }
    return json_bytes(document)


def json_bytes(document: object) -> bytes:
    """Compact UTF-8 JSON. A lone surrogate, which UTF-8 cannot hold, stays a JSON escape."""
    try:
        return json_text(document).encode()
    except UnicodeEncodeError:
        return json.dumps(document, allow_nan=False, separators=(",", ":")).encode()


def entity_tag(body: bytes) -> str:
    """A strong ETag (RFC 9110, 8.8.3) over the content: equal bytes, equal tag."""
    return f'"{sha256(body).hexdigest()[:32]}"'


def is_named_by(tag: str, if_none_match: str) -> bool:
    """Whether an If-None-Match header names this tag (RFC 9110, 13.1.2: weak comparison)."""
    named = [candidate.strip().removeprefix("W/") for candidate in if_none_match.split(",")]
    return "*" in named or tag in named
