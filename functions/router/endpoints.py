"""Paths and methods to handlers. It knows patterns, not what the handlers do."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from edgeseries.access.grants import Grant
from edgeseries.errors import Fault, InvalidRequest, MethodNotAllowed, NotFound
from edgeseries.http.messages import HttpRequest
from router.outcome import Outcome
from router.ports import Ports


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A whole request at its endpoint, path parameters decoded; `deadline_ms` is UTC epoch ms. `grant` is
    what its caller may do and see.
    """

    request: HttpRequest
    grant: Grant
    path_parameters: Mapping[str, str]
    deadline_ms: int


Handler = Callable[[Arrival, Ports], Awaitable[Outcome]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A path pattern, whose `{name}` parts match one segment each, and a handler for each method."""

    pattern: str
    handlers: Mapping[str, Handler]

    def fits(self, path: str) -> bool:
        """Whether the path has this pattern. An encoded slash belongs to its segment."""
        parts, segments = self.pattern.split("/"), _segments(path)
        return len(parts) == len(segments) and all(
            part.startswith("{") or part == segment for part, segment in zip(parts, segments, strict=True)
        )

    def parameters(self, path: str) -> dict[str, str]:
        """The decoded parameters of a path that fits. Raises InvalidRequest for what is not UTF-8."""
        pairs = zip(self.pattern.split("/"), _segments(path), strict=True)
        return {part.strip("{}"): _decoded(segment) for part, segment in pairs if part.startswith("{")}

    @property
    def methods(self) -> tuple[str, ...]:
        """What the path answers to, for Allow and CORS."""
        implied = ("HEAD",) if "GET" in self.handlers else ()
        return (*self.handlers, *implied, "OPTIONS")


def _segments(path: str) -> list[str]:
    return path.rstrip("/").split("/")


def _decoded(segment: str) -> str:
    try:
        return unquote(segment, errors="strict")
    except UnicodeDecodeError:
        fault = Fault(parameter="path", detail="is not UTF-8 after percent-decoding")
        raise InvalidRequest((fault,)) from None


def find_endpoint(endpoints: Sequence[Endpoint], path: str) -> Endpoint:
    """The endpoint of a path. Raises NotFound that lists what there is."""
    for endpoint in endpoints:
        if endpoint.fits(path):
            return endpoint
    known = ", ".join(endpoint.pattern for endpoint in endpoints)
    raise NotFound(f"there is nothing at this path; there are {known}")


def label_of(endpoints: Sequence[Endpoint], path: str) -> str:
    """The pattern of a path, for measures: few values, no names of callers' things."""
    return next((endpoint.pattern for endpoint in endpoints if endpoint.fits(path)), "none")


def find_handler(endpoint: Endpoint, method: str) -> Handler:
    """The handler of a method; HEAD is served by GET's. Raises MethodNotAllowed."""
    handler = endpoint.handlers.get("GET" if method == "HEAD" else method)
    if handler is None:
        raise MethodNotAllowed(
            f"this path answers to {', '.join(endpoint.methods)}", allowed=endpoint.methods
        )
    return handler
