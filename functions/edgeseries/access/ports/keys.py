"""API keys as they are kept. A store that is down raises StoreUnavailable: then nobody is let in by guess."""

from dataclasses import dataclass
from typing import Protocol

from edgeseries.access.keys import KeyRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Recalled:
    """What is remembered of an id: its record, or that there is none."""

    record: KeyRecord | None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPage:
    """Keys by id; `after` leads to the next page and is None at the end."""

    keys: tuple[KeyRecord, ...]
    after: str | None


class Keys(Protocol):
    """Makes, finds, lists and revokes keys."""

    def recall(self, key_id: str) -> Recalled | None:
        """What is remembered of an id, not older than KEY_MEMORY_MS; None if it must be looked up."""
        ...

    async def find(self, key_id: str) -> KeyRecord | None:
        """The record as it is kept now; it is remembered."""
        ...

    async def remember_all(self) -> None:
        """Remember every key in force, the last used KEY_MEMORY_KEYS of them. Does nothing if that was done
        within KEY_MEMORY_MS: what comes in meanwhile costs the database nothing.
        """
        ...

    async def add(self, record: KeyRecord) -> None:
        """Keep a new key."""
        ...

    async def page(self, *, after: str | None, limit: int) -> KeyPage:
        """One page of all keys, revoked ones too."""
        ...

    async def revoke(self, key_id: str, *, now_ms: int) -> KeyRecord | None:
        """Revoke a key, and forget it; the record as it is then, None if there is no such key. A key that
        was revoked before stays as it was.
        """
        ...

    def used(self, key_id: str, now_ms: int) -> None:
        """Take note of a use; it is written later, and to the hour."""
        ...
