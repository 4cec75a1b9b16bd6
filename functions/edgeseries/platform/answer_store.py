"""The Answers port over R2, with copies in the colo cache and rows in the index.

Bodies lie in the bucket packed with brotli and leave as they lie: no byte goes through Python,
unless a client does not take brotli. Format: `docs/formats/storage.md`.

The row is written before the object, so that no answer lies in the bucket that a purge of its
site cannot find. An answer made from blocks read before a purge may still land after it; it
lives no longer than its time to live.
"""

from collections import Counter
from collections.abc import Callable
from typing import Any

import js
from pyodide.ffi import JsException

from edgeseries.blocks.adapters.answer_facts import BROTLI, facts_of, told_of
from edgeseries.blocks.adapters.block_index import AnswerRow, BlockIndex
from edgeseries.blocks.codecs import Codec
from edgeseries.blocks.ports.answers import AnswerFacts, KeptAnswer
from edgeseries.blocks.ports.blocks import Forgotten
from edgeseries.blocks.ports.compression import Compression
from edgeseries.errors import BlockDamaged, DeadlineExceeded, StoreUnavailable
from edgeseries.http.messages import BodyStream
from edgeseries.platform.colo_cache import ColoCache
from edgeseries.platform.ffi import in_time, js_bytes, python_bytes
from edgeseries.platform.r2 import R2Bucket
from edgeseries.ports.clock import Clock
from edgeseries.storage.bucket import Facts
from edgeseries.storage.database import Database
from edgeseries.storage.limits import (
    ANSWER_MAX_BYTES,
    ANSWER_QUALITY,
    ANSWER_TTL_MS,
    BUCKET_PAGE_KEYS,
    BUCKET_TIMEOUT_MS,
    COLO_MAX_BYTES,
    PURGE_MAX_PAGES,
)
from edgeseries.storage.object_keys import ANSWERS, Used, answer_key, nobody_counts


class AnswerStore:
    """Kept answers. `wait_until` is the event's; `faults` counts what was found wrong, by name;
    `used` is told what was given.
    """

    def __init__(
        self,
        *,
        bucket: R2Bucket,
        database: Database,
        compression: Compression,
        clock: Clock,
        wait_until: Callable[[Any], object],
        ttl_ms: int = ANSWER_TTL_MS,
        faults: Counter[str] | None = None,
        used: Used = nobody_counts,
    ) -> None:
        self.faults: Counter[str] = Counter() if faults is None else faults
        self._bucket = bucket
        self._index = BlockIndex(database)
        self._compression = compression
        self._clock = clock
        self._wait_until = wait_until
        self._ttl_ms = ttl_ms
        self._used = used
        self._colo = ColoCache()

    async def find(self, digest: str, *, accepts_brotli: bool) -> KeptAnswer | None:
        """See the port."""
        copied = await self._colo.find(digest)
        if copied is not None:
            body, told, stored_bytes = copied.body, copied.facts, None
        else:
            opened = await self._bucket.open(answer_key(digest))
            if opened is None:
                return None
            body, told, stored_bytes = opened.body, opened.facts, opened.stored_bytes
        facts = self._facts_in_force(told)
        if facts is None:
            await body.cancel()
            return None
        self._used([answer_key(digest)], self._clock.now_ms())
        if stored_bytes is not None and stored_bytes <= COLO_MAX_BYTES:
            body, copy = body.tee()
            self._wait_until(self._colo.keep(digest, copy, told))
        if accepts_brotli:
            return KeptAnswer(facts=facts, stream=BodyStream(body), content_encoding=BROTLI)
        plain = await self._unpacked(body, facts)
        if plain is None:
            return None
        stream = BodyStream(js.Response.new(js_bytes(plain)).body)
        return KeptAnswer(facts=facts, stream=stream, content_encoding="")

    async def keep(self, digest: str, body: bytes, facts: AnswerFacts) -> None:
        """See the port."""
        packed = self._compression.compress(body, quality=ANSWER_QUALITY)
        expires_ms = facts.created_ms + self._ttl_ms
        key = answer_key(digest)
        await self._index.record_answer(
            AnswerRow(
                key=key,
                site=facts.site,
                sample_count=facts.sample_count,
                raw_bytes=len(body),
                stored_bytes=len(packed),
                codec=BROTLI,
                created_ms=facts.created_ms,
                expires_ms=expires_ms,
            )
        )
        await self._bucket.put_encoded(key, packed, told_of(facts, expires_ms), coding=BROTLI)
        await self._colo.forget([digest])

    async def forget_site(self, site: str, *, dry_run: bool) -> Forgotten:
        """Remove every kept answer of a site, or only tell. Copies elsewhere live COLO_TTL_MS."""
        count = stored_bytes = 0
        after = ""
        for _ in range(PURGE_MAX_PAGES):
            rows = await self._index.answers(site, after=after)
            count += len(rows)
            stored_bytes += sum(size_bytes for _, size_bytes in rows)
            if rows and not dry_run:
                keys = [key for key, _ in rows]
                await self._bucket.delete(keys)
                await self._colo.forget([key.removeprefix(ANSWERS) for key in keys])
                await self._index.remove(keys)
            if len(rows) < BUCKET_PAGE_KEYS:
                return Forgotten(blocks=0, answers=count, stored_bytes=stored_bytes)
            after = rows[-1][0]
        raise StoreUnavailable(f"{count} answers are done and more are left; send the same request again")

    def _facts_in_force(self, told: Facts) -> AnswerFacts | None:
        try:
            facts, expires_ms = facts_of(told)
        except (KeyError, ValueError):
            self.faults["answer_facts_damaged"] += 1
            return None
        return facts if self._clock.now_ms() < expires_ms else None

    async def _unpacked(self, body: Any, facts: AnswerFacts) -> bytes | None:
        if facts.body_bytes > ANSWER_MAX_BYTES:
            await body.cancel()
            raise StoreUnavailable("the kept answer is too large to unpack; accept brotli")
        try:
            packed = await in_time(js.Response.new(body).arrayBuffer(), BUCKET_TIMEOUT_MS, "the bucket")
        except JsException as error:
            raise StoreUnavailable("the bucket broke off an answer; try again") from error
        except DeadlineExceeded as error:
            raise StoreUnavailable(error.detail) from error
        try:
            return self._compression.decompress(Codec.BROTLI, python_bytes(packed), size=facts.body_bytes)
        except BlockDamaged:
            self.faults["answer_damaged"] += 1
            return None
