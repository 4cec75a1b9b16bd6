"""Copies of cached answers in the cache of the location (colo) that a request came to.

Bytes lie there as they lie in the bucket, under an address of our own and without a
Content-Encoding, so that no cache unpacks or packs them again. A copy lives COLO_TTL_MS; after a purge nobody
asks for it any more. A cache that fails is a cache that misses.
"""

import json
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import js
from pyodide.ffi import JsException
from workers import import_from_javascript

from edgeseries.errors import DeadlineExceeded
from edgeseries.limits import SECOND_MS
from edgeseries.platform.ffi import call_in_time, in_time, js_object
from edgeseries.storage.bucket import Facts
from edgeseries.storage.limits import COLO_TIMEOUT_MS, COLO_TTL_MS

ADDRESS: Final = "https://answers.edgeseries.invalid/v1/"
"""Nobody can own a host of `.invalid` (RFC 2606), so nothing else is ever kept there."""

FACTS_HEADER: Final = "X-Answer-Facts"


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """A copy of a cached answer, its body still a stream of the platform."""

    body: Any
    facts: Facts


def copy_headers(facts: Facts) -> dict[str, str]:
    """The headers of a copy, by which the cache keeps it and its facts are found again."""
    return {
        "Cache-Control": f"public, max-age={COLO_TTL_MS // SECOND_MS}",
        "Content-Type": "application/octet-stream",
        FACTS_HEADER: json.dumps(dict(facts)),
    }


class ColoCache:
    """The location's default cache, as far as it is of the stack of this name. A zone has one cache: stacks
    whose hostnames lie in the same zone may be asked the same of sites of the same names, at other upstreams.
    """

    def __init__(self, stack: str) -> None:
        self._stack = stack

    def address_of(self, digest: str) -> str:
        """Where the copy of an answer lies."""
        return f"{ADDRESS}{self._stack}/{digest}"

    async def find(self, digest: str) -> Copy | None:
        """The copy of an answer, if there is one."""
        try:
            found = await call_in_time(
                _colo(),
                "match",
                self.address_of(digest),
                FACTS_HEADER,
                timeout_ms=COLO_TIMEOUT_MS,
                what="the colo cache",
            )
        except (JsException, DeadlineExceeded):
            return None
        return None if found is None else Copy(body=found.body, facts=json.loads(found.facts))

    async def forget(self, digests: list[str]) -> None:
        """Take copies out at this location."""
        addresses = [self.address_of(digest) for digest in digests]
        deletions = js_object([js.caches.default.delete(address) for address in addresses])
        try:
            await in_time(js.Promise.allSettled(deletions), COLO_TIMEOUT_MS, "the colo cache")
        except DeadlineExceeded:
            return


@cache
def _colo() -> Any:
    """The module beside this file. Imported in the isolate's first event: it needs a running one."""
    return import_from_javascript("./colo_cache.mjs")
