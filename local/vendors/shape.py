"""What a simulator of a vendor is to the server: a function from a request to a reply. It knows no vendor."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from local.expected import expected_samples
from local.upstream.truth import Truth

Sample = tuple[int, Any]
"""UTC epoch ms and a value in normal form."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request. `path` is decoded, `query` and `form` are pairs in order; header names are lower case."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    form: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    body: bytes

    def texts(self, key: str) -> list[str]:
        """Values of a parameter, of the query and the form."""
        return [value for name, value in (*self.query, *self.form) if name == key]

    def text(self, key: str, default: str = "") -> str:
        """The first value of a parameter."""
        return next(iter(self.texts(key)), default)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One reply; `samples` is how many it holds."""

    body: bytes
    status: int = 200
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    samples: int = 0


class Shape(Protocol):
    """A vendor's API over a truth. `knobs` are settings of its own, by name, with their defaults."""

    knobs: dict[str, Any]

    def reply(self, request: Request) -> Reply:
        """The vendor's answer."""
        ...

    def allowed(self, request: Request, token: str) -> bool:
        """Whether a request carries the credential."""
        ...


class HeldTruth:
    """What a vendor can hold of the truth. `kept` gives a value as it is kept, in a tuple of one, or None
    where the sample is dropped; with `one_kind` a point holds values of the type of its first alone.
    """

    def __init__(
        self, truth: Truth, kept: Callable[[Any], tuple[Any] | None], *, one_kind: bool = False
    ) -> None:
        self._truth = truth
        self._one_kind = one_kind
        self._kept = kept
        self._held: dict[tuple[str, str], list[Sample]] = {}

    def sites(self) -> tuple[str, ...]:
        """Sites that have a point with samples."""
        return tuple(site for site in self._truth.sites() if self.points(site))

    def points(self, site: str) -> list[str]:
        """Points of a site that have samples; none for a site that is not there."""
        if site not in self._truth.sites():
            return []
        return [one.name for one in self._truth.points(site) if self.samples(site, one.name)]

    def unit(self, site: str, point: str) -> str:
        """The unit of a point, empty where none is known."""
        return next((one.unit for one in self._truth.points(site) if one.name == point), "")

    def samples(self, site: str, point: str) -> list[Sample]:
        """All samples of a point, ascending, as the vendor holds them."""
        if (site, point) not in self._held:
            found = expected_samples(self._truth, site, point, 0, 2**50)
            kept = [(at_ms, self._kept(value)) for at_ms, value in found]
            held = [(at_ms, one[0]) for at_ms, one in kept if one is not None]
            if self._one_kind and held:
                first = type(held[0][1])
                held = [(at_ms, value) for at_ms, value in held if type(value) is first]
            self._held[site, point] = held
        return self._held[site, point]

    def within(self, site: str, point: str, start_ms: int, end_ms: int) -> list[Sample]:
        """Those of [start, end)."""
        return [one for one in self.samples(site, point) if start_ms <= one[0] < end_ms]
