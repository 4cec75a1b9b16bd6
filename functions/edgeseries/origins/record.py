"""One upstream of a stack as its settings describe it, and which of them serves a site.

A site's name as callers see it is the prefix of its upstream and the vendor's own name after it; with an
empty prefix both are one. Everything that is keyed by site (blocks, answers, profiles, statistics, jobs)
is thereby keyed by upstream (`docs/adr/0022-origin-by-prefix.md`). It knows no vendor and no platform.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from edgeseries.limits import UPSTREAM_ISOLATE_CALLS

DEFAULT_NAME: Final = "upstream"
"""The name of the upstream that the settings upstreamUrl and upstreamToken are of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OriginRecord:
    """One upstream. `prefix` ends with a slash or colon, or is empty: every site that no other one serves.

    `zone` is that of times that the vendor writes without one. `max_calls` are under way at once in an
    isolate, `calls_per_minute` (None: unbounded) begun there. `options` are the vendor's own.
    """

    name: str
    prefix: str
    vendor: str
    url: str
    settle_lag_ms: int
    circuit_pause_ms: int
    zone: str = "UTC"
    max_calls: int = UPSTREAM_ISOLATE_CALLS
    calls_per_minute: int | None = None
    options: Mapping[str, str] = field(default_factory=dict)

    def serves(self, site: str) -> bool:
        """Whether a site is one of its own, if no longer prefix fits better."""
        return site.startswith(self.prefix) and len(site) > len(self.prefix)

    def own_name(self, site: str) -> str:
        """The site's name at the vendor."""
        return site[len(self.prefix) :]

    @property
    def part(self) -> str:
        """What health and alerts call it."""
        return DEFAULT_NAME if self.name == DEFAULT_NAME else f"{DEFAULT_NAME}:{self.name}"


def record_for(records: Iterable[OriginRecord], site: str) -> OriginRecord | None:
    """The upstream with the longest prefix that a site's name begins with; None if there is none."""
    serving = [one for one in records if one.serves(site)]
    return max(serving, key=lambda one: len(one.prefix), default=None)
