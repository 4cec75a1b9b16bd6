"""The bucket of `bucket.py` over an R2 binding, and R2's streams for cached answers.

Every failure of the binding becomes StoreUnavailable; nothing waits longer than BUCKET_TIMEOUT_MS.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from pyodide.ffi import JsException

from edgeseries.errors import DeadlineExceeded, StoreUnavailable
from edgeseries.platform.ffi import (
    call_in_time,
    instant_of,
    js_bytes,
    js_object,
    python_bytes,
    text_pairs,
    whole_number,
)
from edgeseries.storage.bucket import Facts, Found, Listed, Page, Written
from edgeseries.storage.limits import BUCKET_PAGE_KEYS, BUCKET_TIMEOUT_MS

TOO_MANY_WRITES: Final = "(10058)"
"""R2's code for more than one write a second to a key."""

BEYOND_THE_END: Final = "(10039)"
"""R2's code for a range that begins past the end of an object."""

BILLED_AS: Final = {"put": "r2_class_a", "list": "r2_class_a", "get": "r2_class_b", "head": "r2_class_b"}
"""Operations by the names of `metrics/prices.py`. A put that loses is billed, too; a delete is free."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """An object whose body is still a stream of the platform."""

    body: Any
    facts: Facts
    stored_bytes: int


class R2Bucket:
    """One R2 bucket. `binding` is the platform's own object, without the SDK's wrapper; `meter` counts
    what is billed, and `calls` what this object has asked for.
    """

    def __init__(self, binding: Any, meter: Counter[str] | None = None) -> None:
        self.binding = self._binding = binding
        self._meter: Counter[str] = Counter() if meter is None else meter
        self.calls = 0

    async def get(self, key: str) -> Found | None:
        """See `Bucket`."""
        found = await self._call("get", key)
        return None if found is None else Found(content=await _bytes_of(found), version=_written(found))

    async def part(self, key: str, offset: int, size: int) -> bytes | None:
        """See `Bucket`."""
        options = js_object({"range": {"offset": offset, "length": size}})
        try:
            found = await self._race("get", key, options)
        except JsException as error:
            if BEYOND_THE_END in str(error):
                return b""
            raise StoreUnavailable("the bucket failed to get; try again") from error
        return None if found is None else await _bytes_of(found)

    async def open(self, key: str) -> Opened | None:
        """The object with its body as a stream, or None."""
        found = await self._call("get", key)
        if found is None:
            return None
        return Opened(
            body=found.body,
            facts=text_pairs(found.customMetadata),
            stored_bytes=whole_number(found.size, "the size of an object"),
        )

    async def put(self, key: str, content: bytes, facts: Facts) -> Written:
        """See `Bucket`."""
        options = js_object({"customMetadata": dict(facts)})
        try:
            put = await self._race("put", key, js_bytes(content), options)
        except JsException as error:
            if TOO_MANY_WRITES in str(error):
                # Somebody wrote the same bytes within this second.
                there = await self._call("head", key)
                if there is not None:
                    return _written(there)
            raise StoreUnavailable("the bucket refused to write; try again") from error
        return _written(put)

    async def put_encoded(self, key: str, content: bytes, facts: Facts, *, coding: str) -> None:
        """Write whatever is there, with what its bytes are coded by. Where somebody wrote within this second,
        theirs stays. Raises StoreUnavailable.
        """
        http = {"contentType": "application/json", "contentEncoding": coding}
        options = js_object({"httpMetadata": http, "customMetadata": dict(facts)})
        try:
            await self._race("put", key, js_bytes(content), options)
        except JsException as error:
            if TOO_MANY_WRITES not in str(error):
                raise StoreUnavailable("the bucket failed to put; try again") from error

    async def delete(self, keys: Sequence[str]) -> None:
        """See `Bucket`."""
        assert 0 < len(keys) <= BUCKET_PAGE_KEYS
        await self._call("delete", js_object(list(keys)))

    async def page(self, prefix: str, cursor: str | None, *, after: str = "") -> Page:
        """See `Bucket`."""
        options: dict[str, Any] = {"prefix": prefix, "limit": BUCKET_PAGE_KEYS, "include": ["customMetadata"]}
        if cursor is not None:
            options["cursor"] = cursor
        elif after:
            options["startAfter"] = after
        page = await self._call("list", js_object(options))
        return Page(
            objects=tuple(
                Listed(
                    key=str(one.key),
                    stored_bytes=whole_number(one.size, "the size of an object"),
                    facts=text_pairs(one.customMetadata),
                    version=_written(one),
                )
                for one in page.objects
            ),
            cursor=str(page.cursor) if page.truncated else None,
        )

    async def _call(self, verb: str, *arguments: Any) -> Any:
        try:
            return await self._race(verb, *arguments)
        except JsException as error:
            raise StoreUnavailable(f"the bucket failed to {verb}; try again") from error

    async def _race(self, verb: str, *arguments: Any) -> Any:
        self.calls += 1
        if verb in BILLED_AS:
            self._meter[BILLED_AS[verb]] += 1
        try:
            return await call_in_time(
                self._binding,
                verb,
                *arguments,
                timeout_ms=BUCKET_TIMEOUT_MS,
                what=f"the bucket ({verb})",
            )
        except DeadlineExceeded as error:
            raise StoreUnavailable(error.detail) from error


async def _bytes_of(found: Any) -> bytes:
    try:
        content = await call_in_time(found, "arrayBuffer", timeout_ms=BUCKET_TIMEOUT_MS, what="the bucket")
    except JsException as error:
        raise StoreUnavailable("the bucket broke off an object; try again") from error
    except DeadlineExceeded as error:
        raise StoreUnavailable(error.detail) from error
    return python_bytes(content)


def _written(version: Any) -> Written:
    return Written(etag=str(version.etag), uploaded_ms=instant_of(version.uploaded))
