"""Paths and methods to handlers. It knows patterns, not what the handlers do."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from edgeseries.core.errors import MethodNotAllowed, NotFound
from edgeseries.core.http import HttpRequest
from router.outcome import Outcome
from router.ports import Ports


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A request at its endpoint: path parameters decoded, the moment it came in (UTC epoch ms)."""

    request: HttpRequest
    path_parameters: Mapping[str, str]
    arrived_ms: int


Handler = Callable[[Arrival, Ports], Awaitable[Outcome]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A path pattern, whose `{name}` parts match one segment each, and a handler for each method.

    `limited` endpoints count against the caller's rate.
    """

    pattern: str
    handlers: Mapping[str, Handler]
    limited: bool = True

    def match(self, path: str) -> dict[str, str] | None:
        """The path parameters if the path fits. An encoded slash belongs to its segment."""
        parts, segments = self.pattern.split("/"), path.rstrip("/").split("/")
        if len(parts) != len(segments):
            return None
        found: dict[str, str] = {}
        for part, segment in zip(parts, segments, strict=True):
            if part.startswith("{"):
                found[part.strip("{}")] = unquote(segment)
            elif part != segment:
                return None
        return found

    @property
    def methods(self) -> tuple[str, ...]:
        """What the path answers to, for Allow and CORS."""
        implied = ("HEAD",) if "GET" in self.handlers else ()
        return (*self.handlers, *implied, "OPTIONS")


def find_endpoint(endpoints: Sequence[Endpoint], path: str) -> tuple[Endpoint, dict[str, str]]:
    """The endpoint of a path. Raises NotFound that lists what there is."""
    for endpoint in endpoints:
        found = endpoint.match(path)
        if found is not None:
            return endpoint, found
    known = ", ".join(endpoint.pattern for endpoint in endpoints)
    raise NotFound(f"there is nothing at this path; there are {known}")


def label_of(endpoints: Sequence[Endpoint], path: str) -> str:
    """The pattern of a path, for measures: few values, no names of callers' things."""
    return next((endpoint.pattern for endpoint in endpoints if endpoint.match(path) is not None), "none")


def find_handler(endpoint: Endpoint, method: str) -> Handler:
    """The handler of a method; HEAD is served by GET's. Raises MethodNotAllowed."""
    handler = endpoint.handlers.get("GET" if method == "HEAD" else method)
    if handler is None:
        raise MethodNotAllowed(
            f"this path answers to {', '.join(endpoint.methods)}", allowed=endpoint.methods
        )
    return handler
