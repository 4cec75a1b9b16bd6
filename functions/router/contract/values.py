"""Operations as values: what one method of one path takes, and what it may answer. It knows no OpenAPI."""

from collections.abc import Mapping
from dataclasses import dataclass, field

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
from edgeseries.http.parameters import Parameter, Schema

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
"""What every operation may have to say."""

SENT_BODY: Problems = (RequestTimeout,)
"""Of methods whose body is read."""

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
"""Of operations that ask the upstream."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One status that is no problem: its bodies by media type (without parameters), its own headers.

    Headers are named here and declared in `contract/headers.py`.
    """

    told: str
    bodies: Mapping[str, Schema] = field(default_factory=dict)
    headers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method of one path. `problems` come on top of those that every operation has."""

    name: str
    told: str
    answers: Mapping[int, Answer]
    parameters: tuple[Parameter, ...] = ()
    body: Schema | None = None
    problems: Problems = ()


def json_answer(told: str, schema: Schema, *headers: str) -> Answer:
    """An answer with a JSON document."""
    return Answer(told=told, bodies={"application/json": schema}, headers=headers)
