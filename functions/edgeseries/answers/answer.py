"""The documents of an answered time-series request, and JSON as bytes.

The body holds only what is the same at every delivery (request id, duration, hit or miss
are headers), so that stored bytes can be streamed and two deliveries compared. It is written piece by piece
(`formats.py`). Format: `docs/formats/answer.md`. It knows no HTTP.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from edgeseries.http.documents import Document, Given, Key, Moment, Section, ref
from edgeseries.planning.query import TimeseriesQuery
from edgeseries.series.json_text import json_text
from edgeseries.series.timerange import iso_instant
from edgeseries.series.values import Value


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesDocument(Document):
    """The samples of one point, and why they are not all if they are not."""

    samples: Annotated[Sequence[tuple[int, Value]], Given({"type": "array", "items": ref("Sample")})]
    count: int
    error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerMeta(Section):
    """What was asked, and how much it is."""

    site: str
    start_time: Moment
    end_time: Moment
    point_count: int
    sample_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeseriesAnswerDocument(Document):
    """An answer to a request for time series."""

    data: Mapping[str, SeriesDocument]
    meta: Annotated[AnswerMeta, Key("_meta")]


def meta_of(query: TimeseriesQuery, point_count: int, sample_count: int) -> AnswerMeta:
    """What stands in an answer beside the samples."""
    return AnswerMeta(
        site=query.site,
        start_time=iso_instant(query.span.start_ms),
        end_time=iso_instant(query.span.end_ms),
        point_count=point_count,
        sample_count=sample_count,
    )


def json_bytes(document: object) -> bytes:
    """Compact UTF-8 JSON. A lone surrogate, which UTF-8 cannot hold, stays a JSON escape."""
    try:
        return json_text(document).encode()
    except UnicodeEncodeError:
        return json.dumps(document, allow_nan=False, separators=(",", ":")).encode()
