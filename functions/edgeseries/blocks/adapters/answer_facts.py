"""What stands beside a kept answer in the bucket. Format: `docs/formats/storage.md`. It knows no platform."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import quote, unquote

from edgeseries.blocks.ports.answers import AnswerFacts

BROTLI: Final = "br"
"""How bodies are packed."""


def told_of(facts: AnswerFacts, expires_ms: int) -> dict[str, str]:
    """Facts as they stand beside the object."""
    return {
        "site": quote(facts.site, safe=""),
        "entity-tag": facts.entity_tag,
        "points": str(facts.point_count),
        "samples": str(facts.sample_count),
        "body-bytes": str(facts.body_bytes),
        "created-ms": str(facts.created_ms),
        "expires-ms": str(expires_ms),
    }


def facts_of(told: Mapping[str, str]) -> tuple[AnswerFacts, int]:
    """Facts that stand beside an object, and when it expires. Raises KeyError or ValueError."""
    facts = AnswerFacts(
        site=unquote(told["site"], errors="strict"),
        entity_tag=told["entity-tag"],
        point_count=int(told["points"]),
        sample_count=int(told["samples"]),
        body_bytes=int(told["body-bytes"]),
        created_ms=int(told["created-ms"]),
    )
    return facts, int(told["expires-ms"])
