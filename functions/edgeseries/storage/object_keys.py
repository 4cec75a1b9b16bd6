"""Where objects lie in the bucket. Format: `docs/formats/storage.md`. It knows no platform.

Every site becomes one safe part of a path, so that a prefix of one site never begins another's.
"""

from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Final
from urllib.parse import quote

from edgeseries.storage.limits import OBJECT_KEY_MAX_BYTES

BLOCKS: Final = "blocks/v1/"
ANSWERS: Final = "answers/v1/"

SITE_PART_MAX_BYTES: Final = 512
"""A longer percent-encoded site name gives way to its digest, marked by a sign that encoding never leaves."""
DIGEST_MARK: Final = "="

DIGEST_CHARS: Final = 64
MONTH_CHARS: Final = len("2024-01")

assert len(BLOCKS) + SITE_PART_MAX_BYTES + DIGEST_CHARS + MONTH_CHARS + len("//") <= OBJECT_KEY_MAX_BYTES


def digest_of(name: str) -> str:
    """SHA-256 of a name in UTF-8, hexadecimal."""
    return sha256(name.encode()).hexdigest()


def site_part(site: str) -> str:
    """A site as one part of a path, different for different sites."""
    part = quote(site, safe="")
    if set(part) == {"."}:
        part = part.replace(".", "%2E")
    return part if len(part) <= SITE_PART_MAX_BYTES else DIGEST_MARK + digest_of(site)


def site_prefix(site: str) -> str:
    """What the keys of all blocks of a site begin with."""
    return f"{BLOCKS}{site_part(site)}/"


def point_prefix(site: str, point: str) -> str:
    """What the keys of all blocks of a point begin with."""
    return f"{site_prefix(site)}{digest_of(point)}/"


def block_key(site: str, point: str, month: str) -> str:
    """The key of a block; month as `YYYY-MM`."""
    return f"{point_prefix(site, point)}{month}"


def point_digest_and_month(key: str) -> tuple[str, str] | None:
    """The last two parts of a block's key, or None if it is none."""
    parts = key.removeprefix(BLOCKS).split("/")
    if not key.startswith(BLOCKS) or len(parts) != len(("site", "digest", "month")):
        return None
    return (parts[1], parts[2]) if len(parts[2]) == MONTH_CHARS else None


def answer_key(digest: str) -> str:
    """The key of a kept answer."""
    return f"{ANSWERS}{digest}"


Used = Callable[[Sequence[str], int], None]
"""Is told the keys of objects that were given, and when (UTC epoch ms)."""


def nobody_counts(_keys: Sequence[str], _now_ms: int) -> None:
    """Where use is of no interest."""
