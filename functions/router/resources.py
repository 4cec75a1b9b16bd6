"""From a path and a method to an endpoint. It knows patterns, not what the endpoints do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from edgeseries.errors import Fault, InvalidRequest, MethodNotAllowed, NotFound
from router.endpoint import Endpoint


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """All endpoints of one path pattern, by method."""

    pattern: str
    endpoints: Mapping[str, Endpoint]

    def matches(self, path: str) -> bool:
        """Whether the path has this pattern. An encoded slash belongs to its segment."""
        parts, segments = self.pattern.split("/"), _segments(path)
        return len(parts) == len(segments) and all(
            part.startswith("{") or part == segment for part, segment in zip(parts, segments, strict=True)
        )

    def parameters(self, path: str) -> dict[str, str]:
        """The decoded parameters of a path that matches. Raises InvalidRequest for what is not UTF-8."""
        pairs = zip(self.pattern.split("/"), _segments(path), strict=True)
        return {part.strip("{}"): _decoded(segment) for part, segment in pairs if part.startswith("{")}

    @property
    def methods(self) -> tuple[str, ...]:
        """What the path answers to, for Allow and CORS."""
        implied = ("HEAD",) if "GET" in self.endpoints else ()
        return (*self.endpoints, *implied, "OPTIONS")

    def endpoint(self, method: str) -> Endpoint:
        """The endpoint of a method; HEAD is served by GET's. Raises MethodNotAllowed."""
        found = self.endpoints.get("GET" if method == "HEAD" else method)
        if found is None:
            raise MethodNotAllowed(f"this path answers to {', '.join(self.methods)}", allowed=self.methods)
        return found


def resources_of(endpoints: Sequence[Endpoint]) -> tuple[Resource, ...]:
    """Endpoints by their patterns, in their order."""
    by_pattern: dict[str, dict[str, Endpoint]] = {}
    for one in endpoints:
        methods = by_pattern.setdefault(one.pattern, {})
        assert one.method not in methods, f"{one.method} {one.pattern} is declared twice"
        methods[one.method] = one
    return tuple(Resource(pattern=pattern, endpoints=methods) for pattern, methods in by_pattern.items())


def find_resource(resources: Sequence[Resource], path: str) -> Resource:
    """The resource of a path. Raises NotFound that lists what there is."""
    for resource in resources:
        if resource.matches(path):
            return resource
    known = ", ".join(resource.pattern for resource in resources)
    raise NotFound(f"there is nothing at this path; there are {known}")


def label_of(resources: Sequence[Resource], path: str) -> str:
    """The pattern of a path, for measures: few values, no names of callers' things."""
    return next((resource.pattern for resource in resources if resource.matches(path)), "none")


def _segments(path: str) -> list[str]:
    return path.rstrip("/").split("/")


def _decoded(segment: str) -> str:
    try:
        return unquote(segment, errors="strict")
    except UnicodeDecodeError:
        fault = Fault(parameter="path", detail="is not UTF-8 after percent-decoding")
        raise InvalidRequest((fault,)) from None
