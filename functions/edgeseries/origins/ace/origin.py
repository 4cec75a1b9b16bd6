"""The Origin port over ACE FlightDeck. The wire format is in `wire.py`, single reads in `calls.py`.

It chooses calls: one batch call for many points, in the shape that this installation takes
(found out, and remembered in the catalogue); single-point calls where batches are not served;
pages for a whole site. It owns what the vendor's 404 means at each endpoint, the splitting of
answers that are too large, and the guards of page loops.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from typing import TypeVar

from edgeseries.access.grants import no_such_site
from edgeseries.bounded_gather import bounded_gather
from edgeseries.errors import AnswerTooLarge, OriginContract, OriginOversize, OriginRefused
from edgeseries.limits import (
    FORCED_DIRECT_MAX_SAMPLES,
    UPSTREAM_CONCURRENCY,
    UPSTREAM_MAX_BODY_BYTES,
    UPSTREAM_MAX_SPLITS,
)
from edgeseries.origins.ace import wire as ace
from edgeseries.origins.ace.calls import AceCalls, BeforeCall
from edgeseries.origins.ace.catalogue import Catalogue
from edgeseries.origins.ace.limits import BATCH_POINTS, CALL_SAMPLES, MAX_PAGES
from edgeseries.origins.ports.origin import Bulk
from edgeseries.planning.capabilities import Capabilities
from edgeseries.ports.clock import Clock
from edgeseries.ports.web import Web
from edgeseries.series.points import Point, PointSeries, Site
from edgeseries.series.samples import NO_SAMPLES
from edgeseries.series.timerange import TimeRange

WRONG_SHAPE = frozenset(
    {HTTPStatus.BAD_REQUEST, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.UNPROCESSABLE_ENTITY}
)
"""How a batch call is answered where its shape, or batches at all, are not taken."""

SITE_SHARE = 2
"""In the background a site's pages are read where one in so many of its points is wanted: half of what
they hold is of use then, and no list of names has to be taken by the vendor."""

Rows = Sequence[Mapping[str, object]]

Argument = TypeVar("Argument")

NO_SUCH_POINT = "the site has no point of this name"


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
        self._calls = AceCalls(
            base_url=base_url, token=token, web=web, clock=clock, max_body_bytes=max_body_bytes
        )
        self._clock = clock
        self._catalogue = catalogue

    @property
    def capabilities(self) -> Capabilities:
        """See the port."""
        return Capabilities(batch_points=BATCH_POINTS, call_samples=CALL_SAMPLES)

    async def sites(self, *, deadline_ms: int) -> tuple[Site, ...]:
        """See the port."""
        items = await self._list(ace.sites_path, deadline_ms)
        if items is None:
            raise OriginRefused("the upstream has no list of sites (404): the operator must set upstreamUrl")
        return tuple(sorted(map(ace.site_of, items), key=lambda site: site.name))

    async def points(self, site: str, *, deadline_ms: int) -> tuple[Point, ...]:
        """See the port. Read anew from the upstream at every call; the catalogue takes note."""
        return await self._points(site, deadline_ms, None)

    async def _points(self, site: str, deadline_ms: int, before: BeforeCall | None) -> tuple[Point, ...]:
        items = await self._list(partial(ace.site_points_path, site), deadline_ms, before)
        if items is None:
            raise no_such_site(site)
        points = tuple(sorted(map(ace.point_of, items), key=lambda point: point.name))
        self._catalogue.learn(site, (point.name for point in points), self._clock.now_ms())
        return points

    async def fetch(
        self, site: str, points: Sequence[str], span: TimeRange, *, deadline_ms: int, bulk: Bulk | None = None
    ) -> tuple[PointSeries, ...]:
        """See the port. A point of another site is never asked for: names alone select upstream."""
        before = None if bulk is None else bulk.before_call
        known = await self._known(site, points, deadline_ms, before)
        wanted = [point for point in points if point in known]
        fetching = _Fetching(collector=ace.RowCollector(points), deadline_ms=deadline_ms, bulk=bulk)
        if bulk is not None and SITE_SHARE * len(wanted) >= len(known) > 1:
            await self._gather_site(site, span, fetching)
        else:
            await self._gather_all(wanted, span, fetching)
        if fetching.silent and not self._catalogue.is_fresh(site, self._clock.now_ms()):
            # 404 for a single point: no data, or it is gone since the list was read.
            known = await self._reread(site, deadline_ms, before)
        return tuple(
            PointSeries(point=point, samples=fetching.collector.samples(point, span))
            if point in known
            else PointSeries(point=point, samples=NO_SAMPLES, error=NO_SUCH_POINT)
            for point in points
        )

    async def ping(self, *, deadline_ms: int) -> None:
        """See the port: the first page of the list of sites."""
        ace.listed((await self._calls.read("GET", ace.sites_path(1), deadline_ms)).content())

    async def _known(
        self, site: str, points: Iterable[str], deadline_ms: int, before: BeforeCall | None
    ) -> frozenset[str]:
        """The site's points: remembered, unless one of these is missing and the list is not fresh."""
        now_ms = self._clock.now_ms()
        names = self._catalogue.names(site, now_ms)
        if names is not None and (names.issuperset(points) or self._catalogue.is_fresh(site, now_ms)):
            return names
        return await self._reread(site, deadline_ms, before)

    async def _reread(self, site: str, deadline_ms: int, before: BeforeCall | None) -> frozenset[str]:
        return frozenset(point.name for point in await self._points(site, deadline_ms, before))

    async def _list(
        self, path_of: Callable[[int], str], deadline_ms: int, before: BeforeCall | None = None
    ) -> list[Mapping[str, object]] | None:
        """All items of a paged list; None if there is no such list."""
        found: list[Mapping[str, object]] = []
        for page in range(1, MAX_PAGES + 1):
            answer = await self._calls.read("GET", path_of(page), deadline_ms, before=before)
            if answer.status == HTTPStatus.NOT_FOUND and page == 1:
                return None
            items, more = ace.listed(answer.content())
            found += items
            if not more:
                return found
        raise OriginContract("the upstream's list has no end")

    async def _site_pages(
        self, site: str, span: TimeRange, deadline_ms: int, before: BeforeCall | None = None
    ) -> AsyncIterator[Rows]:
        """Rows of a whole site, page by page. An empty page with a cursor is followed.

        Raises OriginContract where the pages cannot be read to their end: a cursor that was there
        before, a 404 in the middle, more to come and no cursor to get it with.
        """
        seen: set[str] = set()
        cursor: str | None = None
        for _ in range(MAX_PAGES):
            path = ace.site_page_path(site, span, cursor)
            answer = await self._calls.read("GET", path, deadline_ms, before=before)
            if answer.status == HTTPStatus.NOT_FOUND and cursor is None:
                return  # No data in the whole range.
            page = ace.page_of(answer.content())
            yield page.rows
            if page.cursor is None:
                return
            if page.cursor in seen:
                raise OriginContract("the upstream's cursor repeats: its pages would never end")
            seen.add(page.cursor)
            cursor = page.cursor
        raise OriginContract(f"the upstream has more than {MAX_PAGES} pages; ask for a shorter range")

    async def _gather_site(self, site: str, span: TimeRange, fetching: "_Fetching") -> None:
        """Rows of the points out of pages of the whole site."""
        async for rows in self._site_pages(site, span, fetching.deadline_ms, fetching.before):
            fetching.take(rows)

    async def _gather_all(self, wanted: Sequence[str], span: TimeRange, fetching: "_Fetching") -> None:
        """Rows of the points, a batch at a time."""
        batches = [
            tuple(wanted[first : first + BATCH_POINTS]) for first in range(0, len(wanted), BATCH_POINTS)
        ]
        await _each(batches, lambda batch: self._gather(batch, span, fetching, splits=UPSTREAM_MAX_SPLITS))

    async def _gather(
        self, points: tuple[str, ...], span: TimeRange, fetching: "_Fetching", *, splits: int
    ) -> None:
        """Rows of up to a batch of points. What is too large is asked in halves: of points, then of time."""
        try:
            if await self._batch(points, span, fetching):
                return
        except OriginOversize:
            halves = span.halves()
            if not splits or (len(points) == 1 and halves is None):
                raise
            half = len(points) // 2
            parts = (
                [(points[:half], span), (points[half:], span)]
                if half
                else [(points, one) for one in halves or ()]
            )
            for some, part in parts:
                await self._gather(some, part, fetching, splits=splits - 1)
            return
        await _each(points, lambda point: self._single(point, span, fetching, splits=splits))

    async def _batch(self, points: Sequence[str], span: TimeRange, fetching: "_Fetching") -> bool:
        """Whether a batch call settled these points; if not they are asked one by one.

        A 404 settles nothing, however often batches were served before: it may mean no data, a
        point of the batch that is gone, or that batches are not served any more.
        """
        for shape in self._catalogue.batch_shapes(self._clock.now_ms()):
            body = ace.batch_body(points, shape)
            answer = await self._calls.read(
                "POST", ace.batch_path(span), fetching.deadline_ms, body, before=fetching.before
            )
            if answer.status in WRONG_SHAPE:
                self._catalogue.batch_shape_refused(shape, self._clock.now_ms())
            elif answer.status == HTTPStatus.NOT_FOUND:
                return False
            else:
                rows = ace.rows_of(answer.content())
                self._catalogue.batch_shape_taken(shape)
                fetching.take(rows)
                return True
        return False

    async def _single(self, point: str, span: TimeRange, fetching: "_Fetching", *, splits: int) -> None:
        try:
            answer = await self._calls.read(
                "GET", ace.point_path(point, span), fetching.deadline_ms, before=fetching.before
            )
        except OriginOversize:
            halves = span.halves()
            if not splits or halves is None:
                raise
            for half in halves:
                await self._single(point, half, fetching, splits=splits - 1)
            return
        if answer.status == HTTPStatus.NOT_FOUND:
            fetching.silent.add(point)
        else:
            fetching.take(ace.rows_of(answer.content()), point=point)


async def _each(arguments: Iterable[Argument], call: Callable[[Argument], Awaitable[None]]) -> None:
    """Calls a few at a time. The first failure is raised when those under way have ended."""
    _, error = await bounded_gather(arguments, call, at_once=UPSTREAM_CONCURRENCY)
    if error is not None:
        raise error


@dataclass(slots=True, kw_only=True)
class _Fetching:
    """One fetch under way: what was gathered, the points that the upstream answered 404 for, its bounds."""

    collector: ace.RowCollector
    deadline_ms: int
    bulk: Bulk | None
    silent: set[str] = field(default_factory=set)

    @property
    def before(self) -> BeforeCall | None:
        """What is awaited before every call."""
        return None if self.bulk is None else self.bulk.before_call

    def take(self, rows: Rows, *, point: str | None = None) -> None:
        """Gather rows. Raises AnswerTooLarge past the bound."""
        self.collector.add(rows, point=point)
        bound = FORCED_DIRECT_MAX_SAMPLES if self.bulk is None else self.bulk.max_samples
        if self.collector.count > bound:
            raise AnswerTooLarge(
                f"the answer has more than {bound} samples, "
                "too many to be answered at once; ask for a shorter range or fewer points",
                estimated_samples=self.collector.count,
            )
