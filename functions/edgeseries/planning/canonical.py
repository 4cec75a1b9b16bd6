"""The digest of a request's normal form: what answers are kept under. Format: `docs/formats/storage.md`."""

import json
from hashlib import sha256
from typing import Final

from edgeseries.planning.query import TimeseriesQuery

VERSION: Final = "answer/v1"
"""Leads every digest: with another format of answers no old one is found."""


def digest_of(query: TimeseriesQuery) -> str:
    """SHA-256, hexadecimal. Requests that mean the same have one digest, whatever route they force."""
    form = [VERSION, query.site, list(query.points), query.span.start_ms, query.span.end_ms]
    return sha256(json.dumps(form, separators=(",", ":")).encode()).hexdigest()
