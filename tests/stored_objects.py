"""Objects of a bucket with their rows, for tests of duties over them."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from edgeseries.limits import DAY_MS, HOUR_MS
from janitor.duty import Turn
from tests.fake_stores import MemoryBucket, SqliteDatabase

NOW_MS = 1_700_000_000_000
LONG_AGO_MS = NOW_MS - 10 * DAY_MS


def run(work: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(work)


def turn(cursor: str = "", now_ms: int = NOW_MS) -> Turn:
    return Turn(cursor=cursor, now_ms=now_ms, stop_ms=now_ms + HOUR_MS)


def lay(
    database: SqliteDatabase,
    bucket: MemoryBucket,
    key: str,
    *,
    size_bytes: int = 100,
    used_ms: int = LONG_AGO_MS,
    expires_ms: int | None = None,
) -> None:
    """An object with its row."""
    bucket.objects[key] = (b"x" * size_bytes, {}, used_ms)
    lay_row(database, key, size_bytes=size_bytes, used_ms=used_ms, expires_ms=expires_ms)


def lay_row(
    database: SqliteDatabase, key: str, *, size_bytes: int, used_ms: int, expires_ms: int | None = None
) -> None:
    kind = "answer" if key.startswith("answers/") else "block"
    database.connection.execute(
        "INSERT INTO cache_metadata (object_key, kind, site, sample_count, raw_bytes, stored_bytes, codec, "
        "created_ms, used_ms, expires_ms) VALUES (?, ?, 's', 1, 16, ?, 'br', ?, ?, ?)",
        (key, kind, size_bytes, used_ms, used_ms, expires_ms),
    )


def keys(database: SqliteDatabase) -> list[object]:
    return [row[0] for row in database.rows("SELECT object_key FROM cache_metadata ORDER BY object_key")]


def agree(database: SqliteDatabase, bucket: MemoryBucket) -> bool:
    """Every object has its row, or is noted as one that nothing points to any more."""
    rows = dict(database.connection.execute("SELECT object_key, stored_bytes FROM cache_metadata"))
    noted = {str(row[0]) for row in database.rows("SELECT object_key FROM superseded_objects")}
    return rows == {key: len(content) for key, (content, _, _) in bucket.objects.items() if key not in noted}
