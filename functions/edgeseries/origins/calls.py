"""Single reads of an upstream: deadline, size, one more try, statuses as errors of the tree.

It owns what a status means where it means the same at every vendor's endpoints. Which calls are made, and
what a 400 or a 404 means at one endpoint, is the affair of the vendor's folder. It names no platform: calls
go through the Web port.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, Generic, TypeVar

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
from edgeseries.origins.call_sizes import SizeOutcome
from edgeseries.origins.learned_sizes import Asking, LearnedSizes, Served
from edgeseries.ports.clock import Clock
from edgeseries.ports.web import Web

TOO_MUCH: Final = frozenset({HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.REQUEST_URI_TOO_LONG})

BeforeCall = Callable[[], Awaitable[None]]
"""Awaited before a call leaves; raising, it keeps the call from leaving."""

PASSING: Final = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY})
"""Client errors that the same request may not get again."""

SIZE_FAULTS: Final = frozenset(
    {HTTPStatus.INTERNAL_SERVER_ERROR, HTTPStatus.BAD_GATEWAY, HTTPStatus.GATEWAY_TIMEOUT}
)
"""Statuses of servers that were asked for more than they can do, and of those that are down. 503 says itself
that it is the latter, or the number of calls."""

Content = TypeVar("Content")


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingNames:
    """What an operator has to set, as errors name it."""

    url: str = "upstreamUrl"
    credential: str = "upstreamToken"


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
            said = f": {self.message}" if self.message else ""
            raise OriginRefused(f"the upstream answered {self.status} to a read it should know{said}")
        return self.found


def unconfirmed() -> OriginUnconfirmed:
    """The error of a 404 that nothing confirms."""
    return OriginUnconfirmed(
        "the upstream answered 404, and nothing confirms that what was asked is not there; try again "
        "(if it goes on, the operator must look at what upstreamUrl leads to)"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizing(Generic[Content]):
    """What a read asks for, and the sizes that learn from how it is served. `rows_in` counts the rows of what
    was found.
    """

    sizes: LearnedSizes
    asking: Asking
    rows_in: Callable[[Content], int]


class UpstreamCalls:
    """Reads with one credential, a few at a time. `message_of` finds what the vendor says in the body of an
    error; `names` are the settings that errors speak of.
    """

    def __init__(
        self,
        *,
        base_url: str,
        headers: Mapping[str, str],
        web: Web,
        clock: Clock,
        max_body_bytes: int,
        message_of: Callable[[bytes], str | None],
        names: SettingNames | None = None,
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._headers = headers
        self._web = web
        self._clock = clock
        self._max_body_bytes = max_body_bytes
        self._message_of = message_of
        self._names = SettingNames() if names is None else names
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
        headers: Mapping[str, str] | None = None,
        sizing: Sizing[Content] | None = None,
    ) -> Answer[Content]:
        """One read, asked again once if the connection or the server spoilt it (every call only reads).

        Not at once where the upstream said how long to wait. `content_of` reads the body of a 200; where it
        raises OriginGarbled the connection has spoilt it. `headers` are added to the usual ones. `sizing`
        takes note of how each call was served.
        """
        for tries_left in range(UPSTREAM_RETRIES, -1, -1):
            began_ms = self._clock.now_ms()
            try:
                reply = await self.reply(method, path, deadline_ms, body, before=before, headers=headers)
                self._note_fault(sizing, reply)
                raise_failure(reply, self._names)
                found = content_of(reply.body) if reply.status == HTTPStatus.OK else None
            except OriginOversize:
                self._note(sizing, Served(outcome=SizeOutcome.TOO_LARGE))
                raise
            except DeadlineExceeded:
                given_ms = deadline_ms - began_ms
                self._note(sizing, Served(outcome=SizeOutcome.TIMED_OUT, given_ms=given_ms))
                raise
            except (OriginUnreachable, OriginGarbled) as error:
                if not tries_left or error.retry_after_s is not None:
                    raise
            else:
                if sizing is not None and found is not None:
                    self._note(sizing, self._served(reply, sizing.rows_in(found), began_ms))
                message = self._message_of(reply.body) if found is None else None
                return Answer(status=reply.status, found=found, message=message)
        raise AssertionError("the last try returns or raises")

    def _served(self, reply: HttpReply, rows: int, began_ms: int) -> Served:
        took_ms = reply.took_ms if reply.took_ms is not None else self._clock.now_ms() - began_ms
        return Served(rows=rows, size=len(reply.body), max_size=self._max_body_bytes, took_ms=took_ms)

    def _note_fault(self, sizing: Sizing[Content] | None, reply: HttpReply) -> None:
        if reply.status in SIZE_FAULTS:
            self._note(sizing, Served(outcome=SizeOutcome.FAULT))

    def _note(self, sizing: Sizing[Content] | None, served: Served) -> None:
        if sizing is not None:
            sizing.sizes.learn(sizing.asking, served, self._clock.now_ms())

    async def reply(
        self,
        method: str,
        path: str,
        deadline_ms: int,
        body: bytes | None = None,
        *,
        before: BeforeCall | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> HttpReply:
        """One call as it was answered, whatever its status. Raises DeadlineExceeded before it leaves."""
        async with self._turn:
            if before is not None:
                await before()
            timeout_ms = deadline_ms - self._clock.now_ms()
            if timeout_ms <= 0:
                raise DeadlineExceeded("the time for this answer is used up; ask for less, or try again")
            usual = self._headers if body is None else {**self._headers, "Content-Type": "application/json"}
            return await self._web.send(
                HttpCall(
                    method=method,
                    url=self._base_url + path,
                    timeout_ms=timeout_ms,
                    max_bytes=self._max_body_bytes,
                    headers=usual if headers is None else {**usual, **headers},
                    body=body,
                )
            )


def raise_failure(reply: HttpReply, names: SettingNames) -> None:
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
            f"the upstream refuses our credential ({status}): the operator must set {names.credential}"
        )
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        raise OriginContract(f"the upstream answered {status}, a redirect; the operator must set {names.url}")


def _retry_after_s(reply: HttpReply) -> int | None:
    """Retry-After in seconds, bounded; its date form, which nobody sends us, is unknown."""
    text = reply.headers.get("retry-after", "")
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(MAX_RETRY_AFTER_S))):
        return None
    return min(int(text), MAX_RETRY_AFTER_S)
