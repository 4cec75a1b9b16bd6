"""What a flow asks of whoever runs it, and what it gets back.

A flow is a generator: it yields steps and is sent replies. It knows no HTTP library and never waits, so one
flow serves the client that blocks and the one that does not.
"""

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from edgeseries_client.jobs import Job

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One HTTP request. `path` begins with a slash and is encoded already; `json` is the body, if any."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    json: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An HTTP answer, read to its end. Names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Sink(Protocol):
    """Where a body goes while it comes. `begin` is called with the answer's headers before any byte."""

    @property
    def received(self) -> int:
        """Bytes that are there: a try that added some counts as none that failed."""

    def begin(self, headers: Mapping[str, str]) -> None:
        """A body begins, perhaps another time after one that broke off."""

    def write(self, chunk: bytes) -> None:
        """The next bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """One HTTP request whose body, if it is a 200, goes into a sink. The answer's body is empty then."""

    call: Call
    sink: Sink


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Let so much time pass."""

    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Tell:
    """A job as it is now, for a progress bar."""

    job: "Job"


Step = Call | Stream | Wait | Tell
Flow = Generator[Step, Answer | None, T]
"""A flow that ends with a T. `Call` and `Stream` are replied to with an Answer, or with a ConnectionFault
that is thrown in; others with None.
"""
