"""The Origin port over ACE FlightDeck. The wire format is in `core/ace.py`, single reads in `ace_calls.py`.

It chooses calls: one batch call for many points, in the shape that this installation takes
(found out, and remembered in the catalogue); single-point calls where batches are not served;
pages for a whole site. It owns what the vendor's 404 means at each endpoint, the splitting of
answers that are too large, and the guards of page loops.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from functools import partial
from http import HTTPStatus

from edgeseries.adapters.ace_calls import AceCalls, side_by_side
from edgeseries.adapters.catalogue import Catalogue
from edgeseries.core import ace
from edgeseries.core.errors import AnswerTooLarge, NotFound, OriginContract, OriginOversize, OriginRefused
from edgeseries.core.limits import (
    FORCED_DIRECT_MAX_SAMPLES,
    UPSTREAM_BATCH_POINTS,
    UPSTREAM_MAX_BODY_BYTES,
    UPSTREAM_MAX_PAGES,
    UPSTREAM_MAX_SPLITS,
    UPSTREAM_PAGE_ROWS,
)
from edgeseries.core.points import Point, PointSeries, Site
from edgeseries.core.samples import NO_SAMPLES, Samples
from edgeseries.core.timerange import TimeRange
from edgeseries.ports.clock import Clock
from edgeseries.ports.origin import Boundary, Capabilities
from edgeseries.ports.web import Web

WRONG_SHAPE = frozenset(
    {HTTPStatus.BAD_REQUEST, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.UNPROCESSABLE_ENTITY}
)
"""How a batch call is answered where its shape, or batches at all, are not taken."""

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
        """Points can be chosen in batches; a whole site can be read in pages by cursor."""
        return Capabilities(
            selects_points=True,
            batch_points=UPSTREAM_BATCH_POINTS,
            page_rows=UPSTREAM_PAGE_ROWS,
            pages_by_cursor=True,
            boundary=Boundary.START_INCLUSIVE,
        )

    async def sites(self, *, deadline_ms: int) -> tuple[Site, ...]:
        """See the port."""
        items = await self._list(ace.sites_path, deadline_ms)
        if items is None:
            raise OriginRefused("the upstream has no list of sites (404): the operator must set upstreamUrl")
        return tuple(sorted(map(ace.site_of, items), key=lambda site: site.name))

    async def points(self, site: str, *, deadline_ms: int) -> tuple[Point, ...]:
        """See the port. Read anew from the upstream at every call; the catalogue takes note."""
        items = await self._list(partial(ace.site_points_path, site), deadline_ms)
        if items is None:
            raise NotFound(f"the upstream has no site {site!r}; GET /api/sites lists the sites")
        points = tuple(sorted(map(ace.point_of, items), key=lambda point: point.name))
        self._catalogue.learn(site, (point.name for point in points), self._clock.now_ms())
        return points

    async def fetch(
        self, site: str, points: Sequence[str], span: TimeRange, *, deadline_ms: int
    ) -> tuple[PointSeries, ...]:
        """See the port. A point of another site is never asked for: names alone select upstream."""
        known = await self._known(site, points, deadline_ms)
        gathering = ace.Gathering(points)
        silent = await self._gather_all(
            [point for point in points if point in known], span, gathering, deadline_ms
        )
        if silent and not self._catalogue.is_fresh(site, self._clock.now_ms()):
            # 404 for a single point: no data, or it is gone since the list was read.
            known = await self._reread(site, deadline_ms)
        return tuple(
            PointSeries(point=point, samples=gathering.samples(point, span))
            if point in known
            else PointSeries(point=point, samples=NO_SAMPLES, error=NO_SUCH_POINT)
            for point in points
        )

    async def pages(
        self, site: str, span: TimeRange, *, deadline_ms: int
    ) -> AsyncIterator[Mapping[str, Samples]]:
        """See the port. An empty page with a cursor is followed.

        Raises OriginContract where the pages cannot be read to their end: a cursor that was there
        before, a 404 in the middle, more to come and no cursor to get it with.
        """
        seen: set[str] = set()
        cursor: str | None = None
        for _ in range(UPSTREAM_MAX_PAGES):
            answer = await self._calls.read("GET", ace.site_page_path(site, span, cursor), deadline_ms)
            if answer.status == HTTPStatus.NOT_FOUND and cursor is None:
                return  # No data in the whole range.
            page = ace.page_of(answer.content())
            gathering = ace.Gathering(ace.names_of(page.rows))
            gathering.add(page.rows)
            yield {name: gathering.samples(name, span) for name in gathering.names}
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
        ace.listed((await self._calls.read("GET", ace.sites_path(1), deadline_ms)).content())

    async def _known(self, site: str, points: Iterable[str], deadline_ms: int) -> frozenset[str]:
        """The site's points: remembered, unless one of these is missing and the list is not fresh."""
        now_ms = self._clock.now_ms()
        names = self._catalogue.names(site, now_ms)
        if names is not None and (names.issuperset(points) or self._catalogue.is_fresh(site, now_ms)):
            return names
        return await self._reread(site, deadline_ms)

    async def _reread(self, site: str, deadline_ms: int) -> frozenset[str]:
        return frozenset(point.name for point in await self.points(site, deadline_ms=deadline_ms))

    async def _list(
        self, path_of: Callable[[int], str], deadline_ms: int
    ) -> list[Mapping[str, object]] | None:
        """All items of a paged list; None if there is no such list."""
        found: list[Mapping[str, object]] = []
        for page in range(1, UPSTREAM_MAX_PAGES + 1):
            answer = await self._calls.read("GET", path_of(page), deadline_ms)
            if answer.status == HTTPStatus.NOT_FOUND and page == 1:
                return None
            items, more = ace.listed(answer.content())
            found += items
            if not more:
                return found
        raise OriginContract("the upstream's list has no end")

    async def _gather_all(
        self, wanted: Sequence[str], span: TimeRange, gathering: ace.Gathering, deadline_ms: int
    ) -> frozenset[str]:
        """Rows of the points, a batch at a time; returns the points that the upstream answered 404 for."""
        silent: set[str] = set()
        batches = [
            list(wanted[first : first + UPSTREAM_BATCH_POINTS])
            for first in range(0, len(wanted), UPSTREAM_BATCH_POINTS)
        ]
        await side_by_side(
            [
                partial(self._gather, batch, span, gathering, silent, deadline_ms, UPSTREAM_MAX_SPLITS)
                for batch in batches
            ]
        )
        return frozenset(silent)

    async def _gather(  # noqa: PLR0917 - a recursion that hands everything on
        self,
        points: list[str],
        span: TimeRange,
        gathering: ace.Gathering,
        silent: set[str],
        deadline_ms: int,
        splits: int,
    ) -> None:
        """Rows of up to a batch of points. What is too large is asked in halves: of points, then of time."""
        try:
            if await self._batch(points, span, gathering, deadline_ms):
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
                await self._gather(some, part, gathering, silent, deadline_ms, splits - 1)
            return
        await side_by_side(
            [partial(self._single, point, span, gathering, silent, deadline_ms, splits) for point in points]
        )

    async def _batch(
        self, points: list[str], span: TimeRange, gathering: ace.Gathering, deadline_ms: int
    ) -> bool:
        """Whether a batch call settled these points; if not they are asked one by one.

        A 404 settles nothing, however often batches were served before: it may mean no data, a
        point of the batch that is gone, or that batches are not served any more.
        """
        for shape in self._catalogue.batch_shapes(self._clock.now_ms()):
            body = ace.batch_body(points, shape)
            answer = await self._calls.read("POST", ace.batch_path(span), deadline_ms, body)
            if answer.status in WRONG_SHAPE:
                self._catalogue.batch_shape_refused(shape, self._clock.now_ms())
            elif answer.status == HTTPStatus.NOT_FOUND:
                return False
            else:
                rows = ace.rows_of(answer.content())
                self._catalogue.batch_shape_taken(shape)
                _take(rows, gathering)
                return True
        return False

    async def _single(  # noqa: PLR0917 - a recursion that hands everything on
        self,
        point: str,
        span: TimeRange,
        gathering: ace.Gathering,
        silent: set[str],
        deadline_ms: int,
        splits: int,
    ) -> None:
        try:
            answer = await self._calls.read("GET", ace.point_path(point, span), deadline_ms)
        except OriginOversize:
            halves = span.halves()
            if not splits or halves is None:
                raise
            for half in halves:
                await self._single(point, half, gathering, silent, deadline_ms, splits - 1)
            return
        if answer.status == HTTPStatus.NOT_FOUND:
            silent.add(point)
        else:
            _take(ace.rows_of(answer.content()), gathering, point=point)


def _take(
    rows: Sequence[Mapping[str, object]], gathering: ace.Gathering, *, point: str | None = None
) -> None:
    gathering.add(rows, point=point)
    if gathering.count > FORCED_DIRECT_MAX_SAMPLES:
        raise AnswerTooLarge(
            f"the answer has more than {FORCED_DIRECT_MAX_SAMPLES} samples, "
            "too many to be answered at once; ask for a shorter range or fewer points",
            estimated_samples=gathering.count,
        )
