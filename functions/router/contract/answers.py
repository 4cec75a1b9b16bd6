"""What an endpoint may answer, as values: documents by status, and kinds of problems. It knows no OpenAPI."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Final

from edgeseries.answers.answer import TimeseriesAnswerDocument
from edgeseries.answers.result_format import MEDIA_TYPES, ResultFormat, media_type_of
from edgeseries.errors import (
    BadRequest,
    DeadlineExceeded,
    Defect,
    EdgeError,
    Forbidden,
    HeadersTooLarge,
    InvalidRequest,
    MemoryBusy,
    OriginBusy,
    OriginContract,
    OriginGarbled,
    OriginOversize,
    OriginRefused,
    OriginSuspended,
    OriginThrottled,
    OriginUnreachable,
    RateLimited,
    RequestTimeout,
    StoreUnavailable,
    TooLarge,
    Transient,
    Unidentified,
)
from edgeseries.http.documents import Document, Given, ref
from edgeseries.http.parameters import Schema
from router.contract.estimate import EstimateDocument

Problems = tuple[type[EdgeError], ...]

ALWAYS: Problems = (
    InvalidRequest,
    BadRequest,
    Unidentified,
    Forbidden,
    TooLarge,
    HeadersTooLarge,
    RateLimited,
    StoreUnavailable,
    Transient,
    Defect,
)
"""Of every endpoint."""

SENT_BODY: Problems = (RequestTimeout,)
"""Of endpoints whose body is read."""

ORIGIN: Problems = (
    DeadlineExceeded,
    OriginUnreachable,
    OriginThrottled,
    OriginGarbled,
    OriginOversize,
    OriginSuspended,
    OriginBusy,
    OriginRefused,
    OriginContract,
    MemoryBusy,
)
"""Of endpoints that ask the upstream."""


STORE: Problems = (StoreUnavailable,)
"""Of endpoints that cannot do without the store."""

TAGGED: Final = ("ETag", "Vary")
ROUTED: Final = ("X-Route-Type", "Cache-Status", "X-Cache-Hit")
RESULT_HEADERS: Final = (*TAGGED, "Content-Disposition", "Content-Encoding", "Preference-Applied")
JOB_HEADERS: Final = ("Location", "Retry-After", "X-Route-Type", "Preference-Applied")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One status that is no problem: its bodies by media type (without parameters), its own headers. A
    body is a document, or has another schema.

    Headers are named here and declared in `contract/headers.py`.
    """

    description: str
    bodies: Mapping[str, type[Document] | Schema] = field(default_factory=dict)
    headers: tuple[str, ...] = ()


def json_answer(description: str, document: type[Document] | Schema, *headers: str) -> Answer:
    """An answer with a JSON document."""
    return Answer(description=description, bodies={"application/json": document}, headers=headers)


NOT_MODIFIED: Final = Answer(description="The caller has this content.", headers=(*RESULT_HEADERS, *ROUTED))

_ANY_JSON: Any = Annotated[
    TimeseriesAnswerDocument | EstimateDocument,
    Given({"anyOf": [ref("TimeseriesAnswer"), ref("Rows"), ref("Columns"), ref("Estimate")]}),
]
"""What `format=rows` and `columns` make of samples is JSON, too, and so is what `dry_run` answers."""

SERIES_BODIES: Final[Mapping[str, type[Document] | Schema]] = {
    media_type_of(one): _ANY_JSON if MEDIA_TYPES[one] == "application/json" else {"type": "string"}
    for one in ResultFormat
}
"""Samples in every format."""

SERIES: Final = Answer(description="The samples.", bodies=SERIES_BODIES, headers=(*RESULT_HEADERS, *ROUTED))
