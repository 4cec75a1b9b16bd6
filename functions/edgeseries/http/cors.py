"""Which web pages may read answers in a browser (Fetch standard, CORS). It knows no request."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class CorsPolicy:
    """`origins` None: any page. Keys travel in a header that no browser adds by itself, so that a page of
    elsewhere can do no more with them than whoever gave them to it.
    """

    origins: frozenset[str] | None = None

    def headers(self, origin: str | None) -> Mapping[str, str]:
        """The headers of an answer to a page of `origin` (None: no page, or none that says so)."""
        if self.origins is None:
            return {"Access-Control-Allow-Origin": "*"}
        if origin not in self.origins:
            return {"Vary": "Origin"}
        return {"Access-Control-Allow-Origin": origin, "Vary": "Origin"}


def cors_policy_of(setting: str) -> CorsPolicy:
    """The policy of a setting's text: `*`, or origins with commas between them (none: an empty text)."""
    if setting == "*":
        return CorsPolicy()
    return CorsPolicy(origins=frozenset(origin for origin in setting.split(",") if origin))
