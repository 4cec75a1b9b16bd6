"""The documents of an answered time-series request, and JSON as bytes.

The body holds only what is the same at every delivery (request id, duration, hit or miss
are headers), so that stored bytes can be streamed and two deliveries compared. It is written piece by piece
(`formats.py`). Format: `docs/formats/answer.md`. It knows no HTTP.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from edgeseries.http.documents import LEFT_OUT, Document, Given, Key, Moment, Note, Section, ref
from edgeseries.limits import SECOND_MS
from edgeseries.planning.query import TimeseriesQuery
from edgeseries.questions.question import Question, Thinning
from edgeseries.questions.reduction import partial_buckets
from edgeseries.series.json_text import json_text
from edgeseries.series.timerange import TimeRange, iso_instant
from edgeseries.series.values import Value


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesDocument(Document):
    """The samples of one point, and why they are not all if they are not."""

    samples: Annotated[Sequence[tuple[int, Value]], Given({"type": "array", "items": ref("Sample")})]
    count: int
    error: str | None
    source_count: Annotated[int | None, LEFT_OUT, Note("Of a question: the samples of its answer.")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionMeta(Section):
    """What was asked of the samples: buckets (`every` and on), or a chart (`max_points` and on).

    `partial_buckets` are the first and the last bucket, by their starts, if they are not wholly in the range.
    """

    every: Annotated[str | None, LEFT_OUT] = None
    aggregates: Annotated[tuple[str, ...] | None, LEFT_OUT] = None
    tz: Annotated[str | None, LEFT_OUT] = None
    fill: Annotated[str | None, LEFT_OUT] = None
    max_gap_seconds: Annotated[float | None, LEFT_OUT] = None
    partial_buckets: Annotated[tuple[int, ...] | None, LEFT_OUT] = None
    max_points: Annotated[int | None, LEFT_OUT] = None
    method: Annotated[str | None, LEFT_OUT] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerMeta(Section):
    """What was asked, and how much it is."""

    site: str
    start_time: Moment
    end_time: Moment
    point_count: int
    sample_count: int
    question: Annotated[QuestionMeta | None, LEFT_OUT] = None


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
        question=None if query.question is None else _question_meta(query.question, query.span),
    )


def _question_meta(question: Question, span: TimeRange) -> QuestionMeta:
    if isinstance(question, Thinning):
        return QuestionMeta(max_points=question.max_points, method=question.method)
    return QuestionMeta(
        every=str(question.width),
        aggregates=question.aggregates,
        tz=question.zone,
        fill=question.fill,
        max_gap_seconds=question.max_gap_ms / SECOND_MS if question.looks_back_ms else None,
        partial_buckets=partial_buckets(question, span),
    )


def json_bytes(document: object) -> bytes:
    """Compact UTF-8 JSON. A lone surrogate, which UTF-8 cannot hold, stays a JSON escape."""
    try:
        return json_text(document).encode()
    except UnicodeEncodeError:
        return json.dumps(document, allow_nan=False, separators=(",", ":")).encode()
