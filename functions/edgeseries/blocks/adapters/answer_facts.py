"""What stands beside a kept answer in the bucket. Format: `docs/formats/storage.md`. It knows no platform."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, unquote

from edgeseries.blocks.ports.answers import AnswerFacts

BROTLI: Final = "br"
"""How bodies are packed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFacts:
    """The facts of an answer, when it expires, and what its packed bytes must be."""

    facts: AnswerFacts
    expires_ms: int
    stored_bytes: int
    digest: str


def expiry_ms(facts: AnswerFacts, ttl_ms: int) -> int:
    """When an answer expires: after its life, or when some of what it says is to be read again."""
    expires_ms = facts.created_ms + ttl_ms
    return expires_ms if facts.fresh_until_ms is None else min(expires_ms, facts.fresh_until_ms)


def told_of(stored: StoredFacts) -> dict[str, str]:
    """Facts as they stand beside the object."""
    facts = stored.facts
    return {
        "site": quote(facts.site, safe=""),
        "entity-tag": facts.entity_tag,
        "points": str(facts.point_count),
        "samples": str(facts.sample_count),
        "body-bytes": str(facts.body_bytes),
        "created-ms": str(facts.created_ms),
        "expires-ms": str(stored.expires_ms),
        "stored-bytes": str(stored.stored_bytes),
        "sha256": stored.digest,
    }


def facts_of(told: Mapping[str, str]) -> StoredFacts:
    """Facts that stand beside an object. Raises KeyError or ValueError."""
    facts = AnswerFacts(
        site=unquote(told["site"], errors="strict"),
        entity_tag=told["entity-tag"],
        point_count=int(told["points"]),
        sample_count=int(told["samples"]),
        body_bytes=int(told["body-bytes"]),
        created_ms=int(told["created-ms"]),
    )
    return StoredFacts(
        facts=facts,
        expires_ms=int(told["expires-ms"]),
        stored_bytes=int(told["stored-bytes"]),
        digest=told["sha256"],
    )
