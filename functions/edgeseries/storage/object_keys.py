"""Where objects lie in the bucket. Format: `docs/formats/storage.md`. It knows no platform.

Every site becomes one safe part of a path, so that a prefix of one site never begins another's. The key
of a block ends with the digest of its bytes: a key never means two things.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final
from urllib.parse import quote

from edgeseries.storage.limits import OBJECT_KEY_MAX_BYTES

MONTH_BLOCKS: Final = "blocks/v1/"
YEAR_BLOCKS: Final = "blocks/v2/"
ANSWERS: Final = "answers/v1/"
PURGES: Final = "purges/v1/"

SITE_PART_MAX_BYTES: Final = 512
"""A longer percent-encoded site name gives way to its digest, marked by a sign that encoding never leaves."""
DIGEST_MARK: Final = "="

DIGEST_CHARS: Final = 64
MONTH_CHARS: Final = len("2024-01")
YEAR_CHARS: Final = len("2024")
VERSION_CHARS: Final = 12
"""Hexadecimal digits of a digest that fit a number which JavaScript holds exactly (48 bits)."""

assert (
    len(MONTH_BLOCKS) + SITE_PART_MAX_BYTES + 2 * DIGEST_CHARS + MONTH_CHARS + len("///")
    <= OBJECT_KEY_MAX_BYTES
)


def digest_of(name: str) -> str:
    """SHA-256 of a name in UTF-8, hexadecimal."""
    return sha256(name.encode()).hexdigest()


def content_digest(content: bytes) -> str:
    """SHA-256 of an object's bytes, hexadecimal."""
    return sha256(content).hexdigest()


def version_of(digest: str) -> int:
    """The first 48 bits of a digest."""
    return int(digest[:VERSION_CHARS], 16)


def site_part(site: str) -> str:
    """A site as one part of a path, different for different sites."""
    part = quote(site, safe="")
    if set(part) == {"."}:
        part = part.replace(".", "%2E")
    return part if len(part) <= SITE_PART_MAX_BYTES else DIGEST_MARK + digest_of(site)


def site_prefix(site: str, blocks: str = YEAR_BLOCKS) -> str:
    """What the keys of all blocks of a site begin with, of one version."""
    return f"{blocks}{site_part(site)}/"


def block_key(site: str, point: str, period: str, digest: str) -> str:
    """The key of a block of a year (`YYYY`) or, in version 1, of a month (`YYYY-MM`); `digest` is that of its
    bytes.
    """
    prefix = site_prefix(site, MONTH_BLOCKS if len(period) == MONTH_CHARS else YEAR_BLOCKS)
    return f"{prefix}{digest_of(point)}/{period}/{digest}"


@dataclass(frozen=True, slots=True)
class BlockPath:
    """What the key of a block says."""

    point_digest: str
    period: str
    digest: str


def block_path(key: str) -> BlockPath | None:
    """The last three parts of a block's key, or None if it is none (or of before objects had digests)."""
    for prefix, chars in ((MONTH_BLOCKS, MONTH_CHARS), (YEAR_BLOCKS, YEAR_CHARS)):
        parts = key.removeprefix(prefix).split("/")
        if key.startswith(prefix) and len(parts) == len(("site", "point", "period", "digest")):
            path = BlockPath(*parts[1:])
            return path if len(path.period) == chars and len(path.digest) == DIGEST_CHARS else None
    return None


def answer_key(digest: str) -> str:
    """The key of a cached answer."""
    return f"{ANSWERS}{digest}"


def purge_key(site: str, generation: int) -> str:
    """The key of the record of a purge."""
    return f"{PURGES}{site_part(site)}/{generation}"


Used = Callable[[Sequence[str], int], None]
"""Called with the keys of objects that were given, and when (UTC epoch ms)."""


def nobody_counts(_keys: Sequence[str], _now_ms: int) -> None:
    """Where use is of no interest."""
