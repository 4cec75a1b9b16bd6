"""JSON documents as bytes, and entity tags. It knows no HTTP."""

import json
from hashlib import sha256


def json_bytes(document: object) -> bytes:
    """Compact UTF-8 JSON. A lone surrogate, which UTF-8 cannot hold, stays a JSON escape."""
    try:
        return json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:
        return json.dumps(document, allow_nan=False, separators=(",", ":")).encode()


def entity_tag(body: bytes) -> str:
    """A strong ETag (RFC 9110, 8.8.3) over the content: equal bytes, equal tag."""
    return f'"{sha256(body).hexdigest()[:32]}"'


def is_named_by(tag: str, if_none_match: str) -> bool:
    """Whether an If-None-Match header names this tag (RFC 9110, 13.1.2: weak comparison)."""
    named = [candidate.strip().removeprefix("W/") for candidate in if_none_match.split(",")]
    return "*" in named or tag in named
