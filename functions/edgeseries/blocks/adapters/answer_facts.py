"""The metadata beside a cached answer in the bucket. Format: `docs/formats/storage.md`. No platform."""

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


def metadata_of(stored: StoredFacts) -> dict[str, str]:
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


def facts_of(metadata: Mapping[str, str]) -> StoredFacts:
    """Facts that stand beside an object. Raises KeyError or ValueError."""
    facts = AnswerFacts(
        site=unquote(metadata["site"], errors="strict"),
        entity_tag=metadata["entity-tag"],
        point_count=int(metadata["points"]),
        sample_count=int(metadata["samples"]),
        body_bytes=int(metadata["body-bytes"]),
        created_ms=int(metadata["created-ms"]),
    )
    return StoredFacts(
        facts=facts,
        expires_ms=int(metadata["expires-ms"]),
        stored_bytes=int(metadata["stored-bytes"]),
        digest=metadata["sha256"],
    )
