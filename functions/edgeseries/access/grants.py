"""Who may do what: rights, sites and rates of a caller, and which web pages may read answers.

What an endpoint asks of a caller stands in its own record (`router/endpoint.py`) and is checked in
`router/authorize.py`; what a handler learns only from the request, the site, it asks of the same grant.
It knows no request and no store.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from edgeseries.errors import Forbidden, NotFound, Unidentified
from edgeseries.rates import RatePolicy, Tier


class Auth(StrEnum):
    """Whether callers need a key (setting `auth`)."""

    OPEN = "open"
    KEYS = "keys"


class Right(StrEnum):
    """What a key may do. None of them holds another one in it."""

    READ = "read"
    JOBS = "jobs"
    PURGE = "purge"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """Who asks, and what they may. `sites` None means all. `known` is false for who shows no key."""

    key_id: str
    rights: frozenset[Right]
    sites: frozenset[str] | None
    tier: Tier = Tier.STANDARD
    known: bool = True

    @property
    def sees_all_jobs(self) -> bool:
        """Whether jobs of others are visible, too."""
        return Right.ADMIN in self.rights

    def sees(self, site: str) -> bool:
        """Whether there is such a site for this caller."""
        return self.sites is None or site in self.sites


EVERYBODY: Final = Grant(key_id="", rights=frozenset(Right), sites=None)
"""Any caller while access is open."""

NOBODY: Final = Grant(key_id="", rights=frozenset(), sites=frozenset(), known=False)
"""A caller who shows no key where keys are asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CorsPolicy:
    """Which web pages may read answers in a browser (Fetch standard, CORS). `origins` None: any page.

    Keys travel in a header that no browser adds by itself, so that a page of elsewhere can do no more with
    them than whoever gave them to it.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessSettings:
    """What the operator decides about access. `admin_key_hash` is of the key that makes the others."""

    auth: Auth
    admin_key_hash: str
    rates: Mapping[Tier, RatePolicy]
    active_jobs_per_key: int
    cors: CorsPolicy = field(default_factory=CorsPolicy)

    @property
    def max_active_jobs(self) -> int | None:
        """How many jobs a key may have under way; while access is open nobody can be distinguished."""
        return self.active_jobs_per_key if self.auth is Auth.KEYS else None


def require(grant: Grant, right: Right, *, what: str = "this") -> None:
    """Raises Unidentified for who shows no key, Forbidden for a key without the right."""
    if right in grant.rights:
        return
    if not grant.known:
        raise Unidentified("send an API key: Authorization: Bearer es_<id>_<secret>")
    raise Forbidden(f"{what} takes a key with the right {right!s}, which this one has not", right=right)


def require_site(grant: Grant, site: str) -> None:
    """Raises NotFound for a site that the caller may not see, in the words for one that is not there.

    Nobody looks whether there is such a site: the answer, and its time, cannot depend on it.
    """
    if not grant.sees(site):
        raise no_such_site(site)


def no_such_site(site: str) -> NotFound:
    """The error for a site that is not there."""
    return NotFound(f"the upstream has no site {site!r}; GET /api/sites lists the sites")
