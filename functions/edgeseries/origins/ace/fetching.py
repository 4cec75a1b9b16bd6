"""One fetch of an ACE installation: the calls that bring rows of points, and what their silence means.

One batch call for many points, in the shape that this installation takes (found out, and remembered in
the catalogue); single-point calls; pages of a whole site. It owns what the vendor's 404 means at each
endpoint, and the splitting of answers that are too large. Which batches are asked is `by_name.py`.

That a point has no samples is believed of a 200 that covers it without rows; of a 404 only in the vendor's
own words, and only if a second witness says the same: the pages of the site and a batch of its points, or a
single call and the list of points read anew (which `origins/ace/origin.py` does for all `denied`).
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import TypeVar

from edgeseries.bounded_gather import bounded_gather
from edgeseries.errors import AnswerTooLarge, OriginContract, OriginOversize
from edgeseries.limits import UPSTREAM_CONCURRENCY, UPSTREAM_MAX_SPLITS
from edgeseries.origins.ace import wire as ace
from edgeseries.origins.ace.calls import Calling
from edgeseries.origins.ace.catalogue import Catalogue
from edgeseries.origins.ace.limits import BATCH_POINTS, MAX_PAGES, WITNESS_PAGES
from edgeseries.origins.ace.other_rows import OtherRows
from edgeseries.origins.ace.row_columns import Rows
from edgeseries.origins.ace.rows import Asked, RowCollector
from edgeseries.origins.ace.site_pages import End, SiteRead, SiteReads, read_pages, site_read
from edgeseries.origins.calls import unconfirmed
from edgeseries.origins.ports.surplus import Surplus
from edgeseries.ports.clock import Clock
from edgeseries.series.timerange import TimeRange

WRONG_SHAPE = frozenset(
    {HTTPStatus.BAD_REQUEST, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.UNPROCESSABLE_ENTITY}
)
"""How a batch call is answered where its shape, or batches at all, are not taken."""

Argument = TypeVar("Argument")


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Points that are asked together in a range, perhaps beside one that has samples (`companion`). `splits`
    is how often it may still be halved where its answer is too large.
    """

    points: tuple[str, ...]
    span: TimeRange
    companion: str | None = None
    splits: int = UPSTREAM_MAX_SPLITS


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """A batch that settled none of its points. `in_words`: by a 404 in the vendor's words."""

    batch: Batch
    in_words: bool


@dataclass(slots=True, kw_only=True)
class Fetch:
    """One fetch under way, of points of a site in a range. `known` are all points of the site. `denied` are
    points that the vendor says it has nothing of, which the list of points has to confirm. `max_samples`
    bounds what it may bring. `surplus` takes what pages bring of other points.
    """

    site: str
    span: TimeRange
    known: frozenset[str]
    calling: Calling
    catalogue: Catalogue
    clock: Clock
    collector: RowCollector
    site_reads: SiteReads
    max_samples: int
    surplus: Surplus | None = None
    denied: set[str] = field(default_factory=set)
    _pages_denied: bool = False

    @property
    def site_denied(self) -> bool:
        """Whether the pages of the site said, in the vendor's words, that there is no data, and nothing came
        of it all the same: one witness.
        """
        return self._pages_denied and not self.collector.count

    async def whole_site(self, points: Sequence[str]) -> bool:
        """Rows of the points out of pages of the whole site, read to their end.

        Returns whether there are pages; a site's 404 says something of all its points, and is no more than
        one witness (`site_denied`). Raises OriginContract where the pages have no end, OriginUnconfirmed for
        a 404 in the middle.
        """
        asked = Asked(points=points, span=self.span, along=self.known)
        others = self._others(points)

        def take(page: ace.Page) -> bool:
            self._take(page.rows, asked)
            others.add(page.rows)
            return True

        end = await read_pages(
            self.calling, self.site, self.span, take=take, most=MAX_PAGES, as_sent=bool(self.collector.texts)
        )
        if end is End.CUT:
            raise OriginContract(f"the upstream has more than {MAX_PAGES} pages; ask for a shorter range")
        if end is End.WHOLE:
            others.give_to(self.surplus)
        else:
            self._remember(end, RowCollector(()))
        return end is End.WHOLE

    def _others(self, points: Sequence[str]) -> OtherRows:
        """What is gathered of other points, as far as it is wanted and rows are read as theirs have to be."""
        if self.surplus is None:
            return OtherRows((), self.span, max_rows=0)
        texts = self.catalogue.texts(self.site, self.known)
        unread = frozenset() if self.collector.texts else texts
        others = self.known.difference(points, self.surplus.besides, unread)
        return OtherRows(others, self.span, max_rows=self.surplus.samples_left, along=self.known, texts=texts)

    async def from_pages(self, points: Sequence[str], *, only_read: bool = False) -> bool:
        """Whether pages of the whole site settled the points: those that this event has read already, or
        else (not if `only_read`) a few that are read now, if they are likely to be all.
        """
        read = self.site_reads.find(self.site, self.span, now_ms=self.clock.now_ms())
        if read is None and not only_read:
            pages = self.catalogue.activity.pages(self.site, self.span, now_ms=self.clock.now_ms())
            if pages is None or pages <= WITNESS_PAGES:
                read = await self._read_pages()
        if read is None:
            return False
        self._pages_denied = read.end is End.DENIED
        if read.end is not End.WHOLE:
            return False
        self.collector.take_over(read.collector, points, self.span)
        self._check_bound()
        return True

    async def ask_all(self, batches: Iterable[Batch]) -> list[Open]:
        """Ask batches, a few at a time; those that a 404 left open."""
        left: list[Open] = []
        await each(batches, lambda batch: self._ask(batch, left))
        return left

    async def ask_alone(self, batch: Batch) -> None:
        """Ask each point of a batch by itself."""
        await each([replace(batch, points=(point,)) for point in batch.points], self._single)

    async def _ask(self, batch: Batch, left: list[Open]) -> None:
        """Rows of a batch. What is too large is asked in parts; what a 404 leaves open is put to `left`."""
        try:
            found = await self._answered(batch)
        except OriginOversize:
            parts = _parts(batch)
            if not parts:
                raise
            for part in parts:
                await self._ask(part, left)
            return
        if isinstance(found, Open):
            left.append(found)
            return
        unsettled = tuple(point for point in batch.points if point not in found)
        await self.ask_alone(replace(batch, points=unsettled))

    async def _answered(self, batch: Batch) -> set[str] | Open:
        """The points that a batch call settled, or that it left all of them open.

        A 404 settles nothing, however often batches were served before: it may mean no data, a
        point of the batch that is gone, or that batches are not served any more. Unless the pages of the
        whole site have said the same.
        """
        along = frozenset() if batch.companion is None else frozenset((batch.companion,))
        for shape in self.catalogue.batch_shapes(self.clock.now_ms()):
            body = ace.batch_body((*batch.points, *along), shape)
            path = ace.batch_path(batch.span)
            count = len(batch.points) + len(along)
            answer = await self.calling.rows(
                "POST", path, body, as_sent=bool(self.collector.texts), points=count
            )
            if answer.status in WRONG_SHAPE and count > BATCH_POINTS:
                # More names than any installation is known to take, and no word on its shape.
                self.calling.too_many(count, self.clock.now_ms())
                raise OriginOversize(f"the upstream takes no {count} points in a call")
            if answer.status in WRONG_SHAPE:
                self.catalogue.batch_shape_refused(shape, self.clock.now_ms())
            elif answer.denied:
                in_words = ace.denies_data(answer.message)
                if in_words and self.site_denied:
                    self.denied.update(batch.points)
                    return set(batch.points)
                return Open(batch=batch, in_words=in_words)
            else:
                rows = ace.rows_of(answer.content())
                self.catalogue.batch_shape_taken(shape)
                return self._take(rows, Asked(points=batch.points, span=batch.span, along=along))
        return Open(batch=batch, in_words=False)

    async def _single(self, batch: Batch) -> None:
        """Rows of the one point of a batch."""
        (point,) = batch.points
        try:
            path = ace.point_path(point, batch.span)
            answer = await self.calling.rows("GET", path, as_sent=bool(self.collector.texts))
        except OriginOversize:
            parts = _parts(replace(batch, companion=None))
            if not parts:
                raise
            for part in parts:
                await self._single(part)
            return
        if not answer.denied:
            asked = Asked(points=batch.points, span=batch.span)
            if not self._take(ace.rows_of(answer.content()), asked, point=point):
                raise OriginContract("the upstream answered about another point than it was asked")
        elif ace.denies_data(answer.message):
            self.denied.add(point)
        else:
            raise unconfirmed()

    async def _read_pages(self) -> SiteRead:
        collector = RowCollector(self.known, texts=self.catalogue.texts(self.site, self.known))
        end, rows_per_ms = await site_read(
            self.calling, self.site, self.span, collector=collector, now_ms=self.clock.now_ms()
        )
        activity, now_ms = self.catalogue.activity, self.clock.now_ms()
        activity.learn_pages(self.site, rows_per_ms, now_ms=now_ms)
        read_span = collector.extent() if end is End.CUT else None
        activity.learn(self.site, read_span or self.span, heard=collector.heard(self.known), now_ms=now_ms)
        self.collector.dropped.update(collector.dropped)
        if self.surplus is not None and end is End.WHOLE:
            others = self.known.difference(self.collector.points)
            self.surplus.add(self.span, collector.series(others))
        return self._remember(end, collector)

    def _remember(self, end: End, collector: RowCollector) -> SiteRead:
        self._pages_denied = end is End.DENIED
        read = SiteRead(
            site=self.site, span=self.span, read_ms=self.clock.now_ms(), end=end, collector=collector
        )
        self.site_reads.add(read)
        return read

    def _take(self, rows: Rows, asked: Asked, *, point: str | None = None) -> set[str]:
        """Gather rows; the points that they settle. Raises AnswerTooLarge past the bound."""
        settled = self.collector.add(rows, asked, point=point)
        self._check_bound()
        return settled

    def _check_bound(self) -> None:
        if self.collector.count > self.max_samples:
            raise AnswerTooLarge(
                f"the answer has more than {self.max_samples} samples, "
                "too many to be answered at once; ask for a shorter range or fewer points",
                estimated_samples=self.collector.count,
            )


def _parts(batch: Batch) -> list[Batch]:
    """A batch whose answer is too large: without its companion, in halves of points, then of time. None where
    it cannot be cut any further.
    """
    if batch.companion is not None:
        return [replace(batch, companion=None)]
    half = len(batch.points) // 2
    halves = batch.span.halves()
    if not batch.splits or (not half and halves is None):
        return []
    smaller = replace(batch, splits=batch.splits - 1)
    if half:
        return [replace(smaller, points=batch.points[:half]), replace(smaller, points=batch.points[half:])]
    return [replace(smaller, span=one) for one in halves or ()]


async def each(arguments: Iterable[Argument], call: Callable[[Argument], Awaitable[None]]) -> None:
    """Calls a few at a time. The first failure is raised when those under way have ended."""
    _, error = await bounded_gather(arguments, call, at_once=UPSTREAM_CONCURRENCY)
    if error is not None:
        raise error
