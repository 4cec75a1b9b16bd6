"""The Origin port over ACE FlightDeck. The wire format is in `core/ace.py`.

It chooses calls: one batch call for many points (in the shape that this installation takes,
found out once and remembered), single-point calls where batches are not served. It owns
deadlines, the one retry of a read, splitting of answers that are too large, and the guards
of page loops. It names no platform: calls go through the Web port.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Any

from edgeseries.adapters.catalogue import Catalogue
from edgeseries.core import ace
from edgeseries.core.errors import (
    DeadlineExceeded,
    NotFound,
    OriginContract,
    OriginGarbled,
    OriginOversize,
    OriginRefused,
    OriginThrottled,
    OriginUnreachable,
    TooLarge,
)
from edgeseries.core.http import HttpCall, HttpReply
from edgeseries.core.limits import (
    FORCED_DIRECT_MAX_SAMPLES,
    UPSTREAM_BATCH_POINTS,
    UPSTREAM_CONCURRENCY,
    UPSTREAM_MAX_BODY_BYTES,
    UPSTREAM_MAX_PAGES,
    UPSTREAM_MAX_SPLITS,
    UPSTREAM_PAGE_ROWS,
    UPSTREAM_RETRIES,
)
from edgeseries.core.points import Point, PointSeries, Site
from edgeseries.core.samples import NO_SAMPLES, Samples
from edgeseries.core.timerange import TimeRange
from edgeseries.ports.clock import Clock
from edgeseries.ports.origin import Capabilities
from edgeseries.ports.web import Web

WRONG_SHAPE = frozenset(
    {HTTPStatus.BAD_REQUEST, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.UNPROCESSABLE_ENTITY}
)
"""How a batch call is answered where its shape, or batches at all, are not taken."""

TOO_MUCH = frozenset({HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.REQUEST_URI_TOO_LONG})

NO_SUCH_POINT = "the site has no point of this name"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A read that ended well or with a status that the caller of it has to judge (400, 404, ...)."""

    status: int
    document: Mapping[str, object] | None

    def content(self) -> Mapping[str, object]:
        """The JSON object of a 200; any other status is one that this call cannot have."""
        if self.document is None:
            raise OriginRefused(f"the upstream answered {self.status} to a read it should know")
        return self.document


class AceOrigin:
    """One ACE installation with one credential. `catalogue` is shared by the isolate's requests."""

    def __init__(
        self,
        *,
        base_url: str,
        token: str,
        web: Web,
        clock: Clock,
        catalogue: Catalogue,
        max_body_bytes: int = UPSTREAM_MAX_BODY_BYTES,
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        self._web = web
        self._clock = clock
        self._catalogue = catalogue
        self._max_body_bytes = max_body_bytes
        self._turn = asyncio.Semaphore(UPSTREAM_CONCURRENCY)

    @property
    def capabilities(self) -> Capabilities:
        """Points can be chosen in batches; a whole site can be read in pages by cursor."""
        return Capabilities(
            selects_points=True,
            batch_points=UPSTREAM_BATCH_POINTS,
            page_rows=UPSTREAM_PAGE_ROWS,
            pages_by_cursor=True,
        )

    async def sites(self, *, deadline_ms: int) -> tuple[Site, ...]:
        """See the port."""
        items = await self._list(ace.sites_path, "sites", deadline_ms)
        return tuple(sorted(map(ace.site_of, items), key=lambda site: site.name))

    async def points(self, site: str, *, deadline_ms: int) -> tuple[Point, ...]:
        """See the port. Read anew from the upstream at every call; the catalogue takes note."""
        items = await self._list(lambda page: ace.site_points_path(site, page), f"site {site!r}", deadline_ms)
        points = tuple(sorted(map(ace.point_of, items), key=lambda point: point.name))
        self._catalogue.learn(site, (point.name for point in points), self._clock.now_ms())
        return points

    async def fetch(
        self, site: str, points: Sequence[str], span: TimeRange, *, deadline_ms: int
    ) -> tuple[PointSeries, ...]:
        """See the port. A point of another site is never asked for: names alone select upstream."""
        known = self._catalogue.names(site, self._clock.now_ms())
        if known is None or not known.issuperset(points):
            known = frozenset(point.name for point in await self.points(site, deadline_ms=deadline_ms))
        wanted = [point for point in points if point in known]
        batches = [
            wanted[first : first + UPSTREAM_BATCH_POINTS]
            for first in range(0, len(wanted), UPSTREAM_BATCH_POINTS)
        ]
        gathering = ace.Gathering(wanted)
        await _side_by_side(
            [
                partial(self._gather, batch, span, gathering, deadline_ms, UPSTREAM_MAX_SPLITS)
                for batch in batches
            ]
        )
        return tuple(
            PointSeries(point=point, samples=gathering.samples(point, span))
            if point in known
            else PointSeries(point=point, samples=NO_SAMPLES, error=NO_SUCH_POINT)
            for point in points
        )

    async def pages(
        self, site: str, span: TimeRange, *, deadline_ms: int
    ) -> AsyncIterator[Mapping[str, Samples]]:
        """See the port. An empty page with a cursor is followed; a cursor seen before ends the read."""
        seen: set[str] = set()
        cursor: str | None = None
        for _ in range(UPSTREAM_MAX_PAGES):
            answer = await self._read("GET", ace.site_page_path(site, span, cursor), deadline_ms)
            if answer.status == HTTPStatus.NOT_FOUND:
                return
            page = ace.page_of(answer.content())
            names = {str(row.get("name")) for row in page.rows}
            gathering = ace.Gathering(names)
            gathering.add(page.rows)
            yield {name: gathering.samples(name, span) for name in sorted(names)}
            if page.cursor is None:
                return
            if page.cursor in seen:
                raise OriginContract("the upstream's cursor repeats: its pages would never end")
            seen.add(page.cursor)
            cursor = page.cursor
        raise OriginContract(
            f"the upstream has more than {UPSTREAM_MAX_PAGES} pages; ask for a shorter range"
        )

    async def ping(self, *, deadline_ms: int) -> None:
        """See the port: the first page of the list of sites."""
        ace.listed((await self._read("GET", ace.sites_path(1), deadline_ms)).content())

    async def _list(
        self, path_of: Callable[[int], str], what: str, deadline_ms: int
    ) -> list[Mapping[str, object]]:
        found: list[Mapping[str, object]] = []
        for page in range(1, UPSTREAM_MAX_PAGES + 1):
            answer = await self._read("GET", path_of(page), deadline_ms)
            if answer.status == HTTPStatus.NOT_FOUND:
                raise NotFound(f"the upstream has no {what}; GET /api/sites lists the sites")
            items, more = ace.listed(answer.content())
            found += items
            if not more:
                return found
        raise OriginContract(f"the upstream's list of {what} has no end")

    async def _gather(
        self, points: list[str], span: TimeRange, gathering: ace.Gathering, deadline_ms: int, splits: int
    ) -> None:
        """Rows of up to a batch of points; halves the range where an answer would be too large."""
        try:
            await self._batch(points, span, gathering, deadline_ms)
        except OriginOversize:
            halves = span.halves()
            if not splits or halves is None:
                raise
            for half in halves:
                await self._gather(points, half, gathering, deadline_ms, splits - 1)

    async def _batch(
        self, points: list[str], span: TimeRange, gathering: ace.Gathering, deadline_ms: int
    ) -> None:
        for shape in self._catalogue.batch_shapes():
            answer = await self._read(
                "POST", ace.batch_path(span), deadline_ms, ace.batch_body(points, shape)
            )
            if answer.status in WRONG_SHAPE:
                self._catalogue.batch_shape_refused(shape)
            elif answer.status == HTTPStatus.NOT_FOUND:
                if self._catalogue.batch_shape_known():
                    return  # No data for any of them.
                break  # No data, or no such endpoint: single-point calls tell which, and nothing is lost.
            else:
                rows = ace.rows_of(answer.content())
                self._catalogue.batch_shape_taken(shape)
                self._take(rows, gathering)
                return
        await _side_by_side([partial(self._single, point, span, gathering, deadline_ms) for point in points])

    async def _single(self, point: str, span: TimeRange, gathering: ace.Gathering, deadline_ms: int) -> None:
        answer = await self._read("GET", ace.point_path(point, span), deadline_ms)
        if answer.status != HTTPStatus.NOT_FOUND:
            self._take(ace.rows_of(answer.content()), gathering, point=point)

    def _take(
        self, rows: Sequence[Mapping[str, object]], gathering: ace.Gathering, *, point: str | None = None
    ) -> None:
        gathering.add(rows, point=point)
        if gathering.count > FORCED_DIRECT_MAX_SAMPLES:
            raise TooLarge(
                f"the answer has more than {FORCED_DIRECT_MAX_SAMPLES} samples, "
                "too many to be answered at once; ask for a shorter range or fewer points"
            )

    async def _read(self, method: str, path: str, deadline_ms: int, body: bytes | None = None) -> Answer:
        """One read, asked again once if the connection or the server spoilt it (every call only reads)."""
        for tries_left in range(UPSTREAM_RETRIES, -1, -1):
            try:
                return await self._read_once(method, path, deadline_ms, body)
            except (OriginUnreachable, OriginGarbled):
                if not tries_left:
                    raise
        raise AssertionError("the last try returns or raises")

    async def _read_once(self, method: str, path: str, deadline_ms: int, body: bytes | None) -> Answer:
        async with self._turn:
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
        _raise_failure(reply)
        return Answer(
            status=reply.status,
            document=ace.document_of(reply.body) if reply.status == HTTPStatus.OK else None,
        )


def _raise_failure(reply: HttpReply) -> None:
    """Statuses that mean the same at every endpoint, as errors of the tree."""
    status = reply.status
    retry_after_s = _retry_after_s(reply)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        raise OriginThrottled("the upstream answered 429: too many requests", retry_after_s=retry_after_s)
    if status in TOO_MUCH:
        raise OriginOversize(f"the upstream answered {status}: the request or its answer is too large")
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise OriginUnreachable(f"the upstream answered {status}; try again", retry_after_s=retry_after_s)
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        raise OriginRefused(
            f"the upstream refuses our credential ({status}): the operator must set upstreamToken"
        )
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        raise OriginContract(f"the upstream answered {status}, a redirect; the operator must set upstreamUrl")


def _retry_after_s(reply: HttpReply) -> int | None:
    """Retry-After in seconds; its date form, which no upstream we know sends, is taken as unknown."""
    text = reply.headers.get("retry-after", "")
    return int(text) if text.isascii() and text.isdigit() else None


async def _side_by_side(calls: Sequence[Callable[[], Coroutine[Any, Any, None]]]) -> None:
    """Run calls a few at a time. Each group is awaited to its end, also when one fails: a task left
    pending spoils later events of the isolate. The first failure is raised and ends the rest.
    """
    for first in range(0, len(calls), UPSTREAM_CONCURRENCY):
        group = calls[first : first + UPSTREAM_CONCURRENCY]
        outcomes = await asyncio.gather(*(call() for call in group), return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome
