"""Lists of sites, which may lack those of an upstream that did not answer."""

import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self


class SitesMissing(UserWarning):
    """Sites of an upstream are not in a list, because it did not answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unanswered:
    """An upstream that did not list its sites: its name, what the names of its sites begin with, and why."""

    upstream: str
    prefix: str
    fault: str

    def __str__(self) -> str:
        return f"{self.upstream} does not list its sites ({self.prefix or 'any name'}): {self.fault}"


class SiteNames(list[str]):
    """Names of sites. `unanswered` are upstreams that may have more."""

    def __init__(self, names: Iterable[str] = (), unanswered: Iterable[Unanswered] = ()) -> None:
        super().__init__(names)
        self.unanswered = tuple(unanswered)

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Of an answer of the server; older ones name no upstreams. Warns of those that did not answer."""
        missing = [
            Unanswered(upstream=one["upstream"], prefix=one["prefix"], fault=one["fault"])
            for one in document.get("unanswered", ())
        ]
        for one in missing:
            warnings.warn(str(one), SitesMissing, stacklevel=2)
        return cls((one["name"] for one in document["sites"]), missing)
