"""Pages of a whole site: reading them to their end, and what was read of them within one event.

Pages that are read to their end speak of every point of the site: who has no row in them has no sample. So a
few of them settle any number of points that a batch's 404 leaves open.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from math import inf
from typing import Final

from edgeseries.errors import (
    DeadlineExceeded,
    OriginContract,
    OriginGarbled,
    OriginOversize,
    OriginRefused,
    OriginUnconfirmed,
    OriginUnreachable,
)
from edgeseries.origins.ace import wire as ace
from edgeseries.origins.ace.calls import Calling
from edgeseries.origins.ace.limits import (
    SITE_READ_MS,
    SITE_READS,
    WITNESS_PAGES,
    WITNESS_ROWS,
    WITNESS_SHARE,
)
from edgeseries.origins.ace.rows import Asked, RowCollector
from edgeseries.series.timerange import TimeRange

SPOILT: Final = (
    DeadlineExceeded,
    OriginContract,
    OriginGarbled,
    OriginOversize,
    OriginRefused,
    OriginUnconfirmed,
    OriginUnreachable,
)
"""What may go wrong with pages of which nothing depends: points are asked by name then."""


class End(StrEnum):
    """How reading pages ended: at their end; at a bound, with more to come; by the vendor's word that there
    is no data, or by another's 404, before any page; by an error.
    """

    WHOLE = "whole"
    CUT = "cut"
    DENIED = "denied"
    REFUSED = "refused"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteRead:
    """Pages of a site in a range, as they were read at a moment, and the rows of all of its points."""

    site: str
    span: TimeRange
    read_ms: int
    end: End
    collector: RowCollector


class SiteReads:
    """The last SITE_READS reads of one event. None is older than SITE_READ_MS. `with_quiet` are sites where a
    batch of the event was 404: in others of its batches, too, maybe nobody has a sample.
    """

    def __init__(self) -> None:
        self._reads: list[SiteRead] = []
        self.with_quiet: set[str] = set()

    def add(self, read: SiteRead) -> None:
        """Remember a read."""
        self._reads = [*self._reads, read][-SITE_READS:]

    def find(self, site: str, span: TimeRange, *, now_ms: int) -> SiteRead | None:
        """The last read of the range, or of more."""
        for read in reversed(self._reads):
            inside = read.span.start_ms <= span.start_ms and span.end_ms <= read.span.end_ms
            if read.site == site and inside and now_ms - read.read_ms <= SITE_READ_MS:
                return read
        return None


async def read_pages(
    calling: Calling,
    site: str,
    span: TimeRange,
    *,
    take: Callable[[ace.Page], bool],
    most: int,
    as_sent: bool = False,
) -> End:
    """Read pages until their end, until `take` has enough (it returns whether it wants more), or `most` of
    them. An empty page with a cursor is followed.

    Raises OriginContract where a cursor was there before or announces what it does not lead to,
    OriginUnconfirmed for a 404 in the middle.
    """
    seen: set[str] = set()
    cursor: str | None = None
    rows = calling.sizes.page_rows
    for _ in range(most):
        path = ace.site_page_path(site, span, cursor, rows)
        try:
            answer = await calling.rows("GET", path, as_sent=as_sent, page_rows=rows)
        except OriginOversize:
            # Before any page has come smaller ones are asked. A cursor may depend on the size.
            if cursor is not None or calling.sizes.page_rows >= rows:
                raise
            rows = calling.sizes.page_rows
            continue
        if answer.denied and cursor is None:
            return End.DENIED if ace.denies_data(answer.message) else End.REFUSED
        page = answer.content()
        more = take(page)
        if page.cursor is None:
            return End.WHOLE
        if page.cursor in seen:
            raise OriginContract("the upstream's cursor repeats: its pages would never end")
        if not more:
            return End.CUT
        seen.add(page.cursor)
        cursor = page.cursor
    return End.CUT


async def site_read(
    calling: Calling, site: str, span: TimeRange, *, collector: RowCollector, now_ms: int
) -> tuple[End, float]:
    """A few pages of a site, its rows put into a collector of all its points, within a part of the time that
    is left. How it ended, and how many rows a millisecond the site has; infinite where there are no pages.
    """
    points = collector.points
    asked = Asked(points=points, span=span)
    pages = 0

    def take(page: ace.Page) -> bool:
        nonlocal pages
        pages += 1
        collector.add(page.rows, asked)
        extent = collector.extent()
        if extent is None:
            return True
        # Pages come in order of time: what they have reached by now says how many there are.
        likely = pages * span.duration_ms / max(1, extent.end_ms - span.start_ms)
        return collector.count < WITNESS_ROWS and likely <= WITNESS_PAGES

    left_ms = max(0, calling.deadline_ms - now_ms)
    shorter = replace(calling, deadline_ms=now_ms + left_ms // WITNESS_SHARE)
    try:
        end = await read_pages(
            shorter, site, span, take=take, most=WITNESS_PAGES, as_sent=bool(collector.texts)
        )
    except SPOILT:
        return End.FAILED, inf
    if end is End.REFUSED:
        return end, inf
    extent = collector.extent()
    rows_per_ms = collector.count / (span if end is not End.CUT or extent is None else extent).duration_ms
    if end is End.CUT:
        rows_per_ms = max(rows_per_ms, (pages + 1) * calling.sizes.page_rows / span.duration_ms)
    return end, rows_per_ms
