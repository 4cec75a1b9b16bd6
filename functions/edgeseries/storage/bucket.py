"""An object bucket as the stores use it: objects that never change, whole or in part, lists by prefix.

R2 in `r2.py`, memory in the tests. A bucket that fails or is late raises StoreUnavailable.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

Facts = Mapping[str, str]
"""What stands beside an object, readable without reading it (R2: custom metadata)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What the bucket says of an object that it has: its version and when that was written."""

    etag: str
    uploaded_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A whole object as read."""

    content: bytes
    version: Written


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """An object of a list."""

    key: str
    stored_bytes: int
    facts: Facts
    version: Written


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page of a list, in order of keys; `cursor` leads to the next and is None at the end."""

    objects: tuple[Listed, ...]
    cursor: str | None


class Bucket(Protocol):
    """One bucket."""

    async def get(self, key: str) -> Found | None:
        """The object, or None."""
        ...

    async def part(self, key: str, offset: int, size: int) -> bytes | None:
        """Some bytes of an object, fewer where it ends before; None if it is not there."""
        ...

    async def put(self, key: str, content: bytes, facts: Facts) -> Written:
        """Write an object. Whoever writes to a key writes the same bytes, so nobody is in another's way."""
        ...

    async def delete(self, keys: Sequence[str]) -> None:
        """Remove objects, at most BUCKET_PAGE_KEYS; one that is not there is no fault."""
        ...

    async def page(self, prefix: str, cursor: str | None, *, after: str = "") -> Page:
        """One page of the objects whose keys begin so; without a cursor those past the key `after`."""
        ...
