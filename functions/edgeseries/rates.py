"""Rate limits as callers see them: RateLimit-Policy and RateLimit.

The fields are those of draft-ietf-httpapi-ratelimit-headers. Only what is known is sent:
the platform's limiter says yes or no, never how many are left.
"""

from dataclasses import dataclass
from enum import StrEnum


class Tier(StrEnum):
    """Which rate a key has."""

    STANDARD = "standard"
    BULK = "bulk"


@dataclass(frozen=True, slots=True, kw_only=True)
class RatePolicy:
    """So many of something in a window; without a window, so many at a time. `name` is plain ASCII."""

    name: str
    quota: int
    window_s: int | None = None

    @property
    def policy_field(self) -> str:
        """The RateLimit-Policy field."""
        window = "" if self.window_s is None else f";w={self.window_s}"
        return f'"{self.name}";q={self.quota}{window}'

    @property
    def exhausted_field(self) -> str:
        """The RateLimit field of a refusal: nothing is left. When it is again, Retry-After says."""
        return f'"{self.name}";r=0'
