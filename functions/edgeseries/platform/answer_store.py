"""The Answers port over R2, with copies in the colo cache and rows in the index.

Bodies lie in the bucket packed with brotli and leave as they lie: no byte goes through Python,
unless a client does not take brotli. Every byte is checked on its way out, wherever it came from: a
small body before it leaves, a large one as it passes (`sound_body.mjs`). What is damaged is taken out, so
that it is made anew. Format: `docs/formats/storage.md`.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import js
from pyodide.ffi import JsException
from workers import import_from_javascript

from edgeseries.blocks.adapters.answer_facts import BROTLI, StoredFacts, expiry_ms, facts_of, metadata_of
from edgeseries.blocks.adapters.block_index import AnswerRow, BlockIndex
from edgeseries.blocks.codecs import Codec
from edgeseries.blocks.ports.answers import AnswerFacts, CachedAnswer
from edgeseries.blocks.ports.compression import Compression
from edgeseries.errors import DeadlineExceeded, StoreUnavailable
from edgeseries.http.messages import BodyStream
from edgeseries.platform.colo_cache import ColoCache, copy_headers
from edgeseries.platform.ffi import (
    call_in_time,
    in_time,
    js_bytes,
    js_object,
    js_references,
    present,
    python_bytes,
    whole_number,
)
from edgeseries.platform.r2 import R2Bucket
from edgeseries.ports.clock import Clock
from edgeseries.storage.bucket import Facts
from edgeseries.storage.database import Database
from edgeseries.storage.limits import (
    ANSWER_MAX_BYTES,
    ANSWER_QUALITY,
    ANSWER_TTL_MS,
    BUCKET_TIMEOUT_MS,
    CHECKED_AHEAD_BYTES,
    COLO_MAX_BYTES,
)
from edgeseries.storage.object_keys import Used, answer_key, content_digest, nobody_counts


@dataclass(frozen=True, slots=True, kw_only=True)
class _Source:
    """A cached answer as it was found: its body still a stream of the platform, and where it lies."""

    body: Any
    stored: StoredFacts
    metadata: Facts
    copied: bool


class AnswerStore:
    """Cached answers of the stack of this name. `wait_until` is the event's; `faults` counts what was found
    wrong, by name; `used` is called with the keys that were given.
    """

    def __init__(
        self,
        *,
        stack: str,
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
        self._colo = ColoCache(stack)

    async def find(self, digest: str, *, accepts_brotli: bool) -> CachedAnswer | None:
        """See the port."""
        for look in (self._copied, self._in_bucket):
            source = await look(digest)
            if source is None:
                continue
            if accepts_brotli:
                answer = await self._streamed(digest, source)
            else:
                answer = await self._unpacked(digest, source)
            if answer is not None:
                self._used([answer_key(digest)], self._clock.now_ms())
                return answer
        return None

    async def store(self, digest: str, body: bytes, facts: AnswerFacts) -> None:
        """See the port."""
        packed = self._compression.compress(body, quality=ANSWER_QUALITY)
        stored = StoredFacts(
            facts=facts,
            expires_ms=expiry_ms(facts, self._ttl_ms),
            stored_bytes=len(packed),
            digest=content_digest(packed),
        )
        key = answer_key(digest)
        await self._bucket.put_encoded(key, packed, metadata_of(stored), coding=BROTLI)
        await self._index.record_answer(
            AnswerRow(
                key=key,
                site=facts.site,
                sample_count=facts.sample_count,
                raw_bytes=len(body),
                stored_bytes=len(packed),
                codec=BROTLI,
                created_ms=facts.created_ms,
                expires_ms=stored.expires_ms,
            )
        )
        await self._colo.forget([digest])

    async def _copied(self, digest: str) -> _Source | None:
        copy = await self._colo.find(digest)
        return None if copy is None else await self._source(copy.body, copy.facts, copied=True)

    async def _in_bucket(self, digest: str) -> _Source | None:
        opened = await self._bucket.open(answer_key(digest))
        return None if opened is None else await self._source(opened.body, opened.facts, copied=False)

    async def _source(self, body: Any, metadata: Facts, *, copied: bool) -> _Source | None:
        """What was found, if it can be read and is in force."""
        try:
            stored = facts_of(metadata)
        except (KeyError, ValueError):
            self.faults["answer_facts_damaged"] += 1
            stored = None
        if stored is None or self._clock.now_ms() >= stored.expires_ms:
            await body.cancel()
            return None
        return _Source(body=body, stored=stored, metadata=metadata, copied=copied)

    async def _streamed(self, digest: str, source: _Source) -> CachedAnswer | None:
        """The answer as it lies, checked; None if it is known to be damaged before it leaves."""
        stored = source.stored
        copies = not source.copied and stored.stored_bytes <= COLO_MAX_BYTES
        try:
            checked = await call_in_time(
                _soundness(),
                "checked",
                source.body,
                stored.digest,
                stored.stored_bytes,
                CHECKED_AHEAD_BYTES,
                js_references(
                    bucket=None if source.copied else self._bucket.binding,
                    key=answer_key(digest),
                    address=self._colo.address_of(digest),
                ),
                js_object(copy_headers(source.metadata)) if copies else None,
                timeout_ms=BUCKET_TIMEOUT_MS,
                what="the bucket",
            )
        except JsException as error:
            raise StoreUnavailable("the bucket broke off an answer; try again") from error
        except DeadlineExceeded as error:
            raise StoreUnavailable(error.detail) from error
        earlier = whole_number(checked.earlier, "a count")
        if earlier:
            self.faults["answer_damaged"] += earlier
        body = present(checked.body)
        if body is None:
            await self._drop(digest, source)
            return None
        if copies:
            self._wait_until(checked.copying)
        return CachedAnswer(facts=stored.facts, stream=BodyStream(body), content_encoding=BROTLI)

    async def _drop(self, digest: str, source: _Source) -> None:
        """Take a damaged answer out where it was found."""
        self.faults["answer_damaged"] += 1
        await self._colo.forget([digest])
        if source.copied:
            return
        try:
            await self._bucket.delete([answer_key(digest)])
        except StoreUnavailable:
            self.faults["answer_not_dropped"] += 1

    async def _unpacked(self, digest: str, source: _Source) -> CachedAnswer | None:
        facts = source.stored.facts
        if facts.body_bytes > ANSWER_MAX_BYTES:
            await source.body.cancel()
            raise StoreUnavailable("the cached answer is too large to unpack; accept brotli")
        try:
            read = await in_time(js.Response.new(source.body).arrayBuffer(), BUCKET_TIMEOUT_MS, "the bucket")
        except JsException as error:
            raise StoreUnavailable("the bucket broke off an answer; try again") from error
        except DeadlineExceeded as error:
            raise StoreUnavailable(error.detail) from error
        packed = python_bytes(read)
        if content_digest(packed) != source.stored.digest:
            await self._drop(digest, source)
            return None
        plain = self._compression.decompress(Codec.BROTLI, packed, size=facts.body_bytes)
        stream = BodyStream(js.Response.new(js_bytes(plain)).body)
        return CachedAnswer(facts=facts, stream=stream, content_encoding="")


@cache
def _soundness() -> Any:
    """The module beside this file. Imported in the isolate's first event: it needs a running one."""
    return import_from_javascript("./sound_body.mjs")
