"""What a caller's Cache-Control asks of our cache (RFC 9111, 5.2.1), and what we answer (RFC 9211)."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

CACHE_NAME: Final = "EdgeSeries"
"""Our name in Cache-Status."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Freshness:
    """Whether stored data may be used for a request, and whether what it fetches may be stored."""

    reads: bool = True
    keeps: bool = True

    @property
    def refreshes(self) -> bool:
        """Whether what it fetches takes the place of what is stored."""
        return self.keeps and not self.reads


def freshness_of(cache_control: str) -> Freshness:
    """`no-cache` fetches anew and stores it; `no-store` goes past the store altogether."""
    directives = {directive.strip().lower().partition("=")[0] for directive in cache_control.split(",")}
    if "no-store" in directives:
        return Freshness(reads=False, keeps=False)
    return Freshness(reads="no-cache" not in directives)


class Verdict(StrEnum):
    """How much of an answer came from the store."""

    HIT = "hit"
    PARTIAL = "partial"
    MISS = "miss"
    REFRESH = "request"
    BYPASS = "bypass"


def verdict_of(*, freshness: Freshness, from_store: bool, from_origin: bool) -> Verdict:
    """The verdict of an answer by where its parts came from."""
    if not freshness.reads:
        return Verdict.REFRESH if freshness.keeps else Verdict.BYPASS
    if not from_origin:
        return Verdict.HIT
    return Verdict.PARTIAL if from_store else Verdict.MISS


def cache_status(verdict: Verdict, *, stored: bool, suspended: bool = False, shared: bool = False) -> str:
    """The Cache-Status header of a verdict; `stored` if what was fetched will be there next time,
    `suspended` if the upstream could not have been asked, `shared` if others fetched what was missing and
    the request waited for it.
    """
    detail = "; detail=shared" if shared else ""
    if verdict is Verdict.HIT:
        return f"{CACHE_NAME}; hit" + (detail or ("; detail=upstream-suspended" if suspended else ""))
    return f"{CACHE_NAME}; fwd={verdict}" + ("; stored" if stored else "") + detail
