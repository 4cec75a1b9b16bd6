"""Single reads of an ACE installation: deadline, size, one more try, statuses as errors of the tree.

It owns what a status means where it means the same at every endpoint. Which calls are made, and
what a 400 or a 404 means at one endpoint, is `origins/ace/origin.py`. It names no platform: calls go
through the Web port.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Generic, TypeVar

from edgeseries.errors import (
    DeadlineExceeded,
    OriginContract,
    OriginGarbled,
    OriginOversize,
    OriginRefused,
    OriginThrottled,
    OriginUnconfirmed,
    OriginUnreachable,
)
from edgeseries.http.messages import HttpCall, HttpReply
from edgeseries.limits import MAX_RETRY_AFTER_S, UPSTREAM_CONCURRENCY, UPSTREAM_RETRIES
from edgeseries.origins.ace import wire as ace
from edgeseries.ports.clock import Clock
from edgeseries.ports.web import Web

TOO_MUCH = frozenset({HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.REQUEST_URI_TOO_LONG})

BeforeCall = Callable[[], Awaitable[None]]
"""Awaited before a call leaves; raising, it keeps the call from leaving."""

PASSING = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY})
"""Client errors that the same request may not get again."""


Content = TypeVar("Content")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer(Generic[Content]):
    """A read that ended well, or with a status that the caller of it has to judge (400, 404, ...).

    `found` is what the body of a 200 holds, `message` what the vendor says of any other status; None if the
    body is not the vendor's.
    """

    status: int
    found: Content | None = None
    message: str | None = None

    @property
    def denied(self) -> bool:
        """Whether something is said not to be there."""
        return self.status == HTTPStatus.NOT_FOUND

    def content(self) -> Content:
        """What a 200 holds. Raises OriginRefused or OriginUnconfirmed: this call cannot have another
        status.
        """
        if self.denied:
            raise unconfirmed()
        if self.found is None:
            raise OriginRefused(f"the upstream answered {self.status} to a read it should know")
        return self.found


def unconfirmed() -> OriginUnconfirmed:
    """The error of a 404 that nothing confirms."""
    return OriginUnconfirmed(
        "the upstream answered 404, and nothing confirms that what was asked is not there; try again "
        "(if it goes on, the operator must look at what upstreamUrl leads to)"
    )


class AceCalls:
    """Reads with one credential, a few at a time."""

    def __init__(self, *, base_url: str, token: str, web: Web, clock: Clock, max_body_bytes: int) -> None:
        self._base_url = base_url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        self._web = web
        self._clock = clock
        self._max_body_bytes = max_body_bytes
        self._turn = asyncio.Semaphore(UPSTREAM_CONCURRENCY)

    async def read(
        self,
        method: str,
        path: str,
        deadline_ms: int,
        body: bytes | None = None,
        *,
        content_of: Callable[[bytes], Content],
        before: BeforeCall | None = None,
    ) -> Answer[Content]:
        """One read, asked again once if the connection or the server spoilt it (every call only reads).

        Not at once where the upstream said how long to wait. `content_of` reads the body of a 200; where it
        raises OriginGarbled the connection has spoilt it.
        """
        for tries_left in range(UPSTREAM_RETRIES, -1, -1):
            try:
                reply = await self._send(method, path, deadline_ms, body, before)
                found = content_of(reply.body) if reply.status == HTTPStatus.OK else None
            except (OriginUnreachable, OriginGarbled) as error:
                if not tries_left or error.retry_after_s is not None:
                    raise
            else:
                message = ace.message_of(reply.body) if found is None else None
                return Answer(status=reply.status, found=found, message=message)
        raise AssertionError("the last try returns or raises")

    async def _send(
        self, method: str, path: str, deadline_ms: int, body: bytes | None, before: BeforeCall | None
    ) -> HttpReply:
        async with self._turn:
            if before is not None:
                await before()
            timeout_ms = deadline_ms - self._clock.now_ms()
            if timeout_ms <= 0:
                raise DeadlineExceeded("the time for this answer is used up; ask for less, or try again")
            headers = self._headers if body is None else {**self._headers, "Content-Type": "application/json"}
            reply = await self._web.send(
                HttpCall(
                    method=method,
                    url=self._base_url + path,
                    timeout_ms=timeout_ms,
                    max_bytes=self._max_body_bytes,
                    headers=headers,
                    body=body,
                )
            )
        raise_failure(reply)
        return reply


def raise_failure(reply: HttpReply) -> None:
    """Raises what a status means, if it means the same at every endpoint: OriginThrottled, OriginRefused,
    OriginUnreachable, OriginOversize or OriginContract.
    """
    status = reply.status
    retry_after_s = _retry_after_s(reply)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        raise OriginThrottled("the upstream answered 429: too many requests", retry_after_s=retry_after_s)
    if status in TOO_MUCH:
        raise OriginOversize(f"the upstream answered {status}: the request or its answer is too large")
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in PASSING:
        raise OriginUnreachable(f"the upstream answered {status}; try again", retry_after_s=retry_after_s)
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        raise OriginRefused(
            f"the upstream refuses our credential ({status}): the operator must set upstreamToken"
        )
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        raise OriginContract(f"the upstream answered {status}, a redirect; the operator must set upstreamUrl")


def _retry_after_s(reply: HttpReply) -> int | None:
    """Retry-After in seconds, bounded; its date form, which nobody sends us, is unknown."""
    text = reply.headers.get("retry-after", "")
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(MAX_RETRY_AFTER_S))):
        return None
    return min(int(text), MAX_RETRY_AFTER_S)
