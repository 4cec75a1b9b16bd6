"""One fetch of an ACE installation: which calls bring the rows of some points, and what their silence means.

One batch call for many points, in the shape that this installation takes (found out, and remembered in
the catalogue); single-point calls where batches are not served; pages for a whole site. It owns what the
vendor's 404 means at each endpoint, the splitting of answers that are too large, and the guards of page
loops.

That a point has no samples is believed of a 200 that covers it without rows; of a 404 only in the vendor's
own words, and only if a second witness says the same: the pages of the site and a batch of its points, or a
single call and the list of points read anew (which `origins/ace/origin.py` does for all `denied`).
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TypeVar

from edgeseries.bounded_gather import bounded_gather
from edgeseries.errors import AnswerTooLarge, OriginContract, OriginOversize
from edgeseries.limits import FORCED_DIRECT_MAX_SAMPLES, UPSTREAM_CONCURRENCY, UPSTREAM_MAX_SPLITS
from edgeseries.origins.ace import wire as ace
from edgeseries.origins.ace.catalogue import Catalogue
from edgeseries.origins.ace.limits import BATCH_POINTS, MAX_PAGES
from edgeseries.origins.ace.row_columns import Rows
from edgeseries.origins.ace.rows import Asked, RowCollector
from edgeseries.origins.calls import BeforeCall, UpstreamCalls, unconfirmed
from edgeseries.origins.ports.origin import Bulk
from edgeseries.origins.ports.page_reader import PageReader
from edgeseries.ports.clock import Clock
from edgeseries.series.timerange import TimeRange

WRONG_SHAPE = frozenset(
    {HTTPStatus.BAD_REQUEST, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.UNPROCESSABLE_ENTITY}
)
"""How a batch call is answered where its shape, or batches at all, are not taken."""

Argument = TypeVar("Argument")


@dataclass(slots=True, kw_only=True)
class Fetch:
    """One fetch under way. `denied` are points that the vendor says it has nothing of, which the list of
    points has to confirm.
    """

    calls: UpstreamCalls
    catalogue: Catalogue
    clock: Clock
    collector: RowCollector
    deadline_ms: int
    bulk: Bulk | None
    page_reader: PageReader | None
    denied: set[str] = field(default_factory=set)
    site_denied: bool = False

    @property
    def before(self) -> BeforeCall | None:
        """What is awaited before every call."""
        return None if self.bulk is None else self.bulk.before_call

    async def whole_site(
        self, site: str, points: Sequence[str], known: frozenset[str], span: TimeRange
    ) -> bool:
        """Rows of the points out of pages of the whole site. An empty page with a cursor is followed.

        Returns whether there are pages; a site's 404 says something of all its points, and is no more than
        one witness (`site_denied`). Raises OriginContract where the pages cannot be read to their end: a
        cursor that was there before, more to come and no cursor to get it with; OriginUnconfirmed for a 404
        in the middle.
        """
        asked = Asked(points=points, span=span, along=known)
        seen: set[str] = set()
        cursor: str | None = None
        for _ in range(MAX_PAGES):
            path = ace.site_page_path(site, span, cursor)
            answer = await self.calls.read(
                "GET", path, self.deadline_ms, content_of=self._page_in, before=self.before
            )
            if answer.denied and cursor is None:
                self.site_denied = ace.denies_data(answer.message)
                return False
            page = answer.content()
            self._take(page.rows, asked)
            if page.cursor is None:
                return True
            if page.cursor in seen:
                raise OriginContract("the upstream's cursor repeats: its pages would never end")
            seen.add(page.cursor)
            cursor = page.cursor
        raise OriginContract(f"the upstream has more than {MAX_PAGES} pages; ask for a shorter range")

    async def by_name(self, points: Sequence[str], span: TimeRange) -> None:
        """Rows of the points, a batch at a time."""
        batches = [
            tuple(points[first : first + BATCH_POINTS]) for first in range(0, len(points), BATCH_POINTS)
        ]
        await _each(batches, lambda batch: self._gather(batch, span, splits=UPSTREAM_MAX_SPLITS))

    async def _gather(self, points: tuple[str, ...], span: TimeRange, *, splits: int) -> None:
        """Rows of up to a batch of points. What is too large is asked in halves: of points, then of time."""
        try:
            settled = await self._batch(points, span)
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
                await self._gather(some, part, splits=splits - 1)
            return
        left = [point for point in points if point not in settled]
        await _each(left, lambda point: self._single(point, span, splits=splits))

    async def _batch(self, points: Sequence[str], span: TimeRange) -> set[str]:
        """The points that a batch call settled; the others are asked one by one.

        A 404 settles nothing, however often batches were served before: it may mean no data, a
        point of the batch that is gone, or that batches are not served any more. Unless the pages of the
        whole site have said the same.
        """
        for shape in self.catalogue.batch_shapes(self.clock.now_ms()):
            body = ace.batch_body(points, shape)
            answer = await self.calls.read(
                *("POST", ace.batch_path(span), self.deadline_ms, body),
                content_of=self._page_in,
                before=self.before,
            )
            if answer.status in WRONG_SHAPE:
                self.catalogue.batch_shape_refused(shape, self.clock.now_ms())
            elif answer.denied:
                if not (self.site_denied and ace.denies_data(answer.message)):
                    return set()
                self.denied.update(points)
                return set(points)
            else:
                rows = ace.rows_of(answer.content())
                self.catalogue.batch_shape_taken(shape)
                return self._take(rows, Asked(points=points, span=span))
        return set()

    async def _single(self, point: str, span: TimeRange, *, splits: int) -> None:
        try:
            path = ace.point_path(point, span)
            answer = await self.calls.read(
                "GET", path, self.deadline_ms, content_of=self._page_in, before=self.before
            )
        except OriginOversize:
            halves = span.halves()
            if not splits or halves is None:
                raise
            for half in halves:
                await self._single(point, half, splits=splits - 1)
            return
        if not answer.denied:
            asked = Asked(points=(point,), span=span)
            if not self._take(ace.rows_of(answer.content()), asked, point=point):
                raise OriginContract("the upstream answered about another point than it was asked")
        elif ace.denies_data(answer.message):
            self.denied.add(point)
        else:
            raise unconfirmed()

    def _page_in(self, body: bytes) -> ace.Page:
        if self.collector.texts:
            return ace.page_as_sent(body)
        return ace.page_in(body, self.page_reader)

    def _take(self, rows: Rows, asked: Asked, *, point: str | None = None) -> set[str]:
        """Gather rows; the points that they settle. Raises AnswerTooLarge past the bound."""
        settled = self.collector.add(rows, asked, point=point)
        bound = FORCED_DIRECT_MAX_SAMPLES if self.bulk is None else self.bulk.max_samples
        if self.collector.count > bound:
            raise AnswerTooLarge(
                f"the answer has more than {bound} samples, "
                "too many to be answered at once; ask for a shorter range or fewer points",
                estimated_samples=self.collector.count,
            )
        return settled


async def _each(arguments: Iterable[Argument], call: Callable[[Argument], Awaitable[None]]) -> None:
    """Calls a few at a time. The first failure is raised when those under way have ended."""
    _, error = await bounded_gather(arguments, call, at_once=UPSTREAM_CONCURRENCY)
    if error is not None:
        raise error
