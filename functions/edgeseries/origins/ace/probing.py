"""What one ACE installation does where they differ: the shape of batches, rows on a page, ends of a range."""

from collections.abc import Sequence
from typing import Final

from edgeseries.origins.ace import wire as ace
from edgeseries.origins.ace.calls import Calling
from edgeseries.origins.ace.fetching import WRONG_SHAPE
from edgeseries.origins.ace.limits import PAGE_SIZES
from edgeseries.origins.ace.row_columns import Row
from edgeseries.origins.instants import times_of
from edgeseries.origins.ports.dialect import Finding
from edgeseries.series.timerange import TimeRange

PROBE_ROWS: Final = 1_000
"""Rows that are asked for on a page: enough to see whether the vendor keeps to it."""

assert PROBE_ROWS in PAGE_SIZES


async def probe_installation(calling: Calling, site: str, point: str, span: TimeRange) -> Finding:
    """Seen on a point that has samples at both ends of a range. Four calls at most."""
    return {
        "batch shape": await _batch_shape(calling, point, span),
        "rows on a page of a site": await _page_rows(calling, site, span),
        "the end of a range": await _end_of(calling, point, span),
    }


async def _batch_shape(calling: Calling, point: str, span: TimeRange) -> str:
    for shape in ace.BatchShape:
        answer = await calling.rows("POST", ace.batch_path(span), ace.batch_body([point], shape))
        if answer.denied:
            return "none: batches are answered by 404"
        if answer.status not in WRONG_SHAPE:
            answer.content()
            return str(shape)
    return "none: points are asked one by one"


async def _page_rows(calling: Calling, site: str, span: TimeRange) -> str:
    page = await _page(calling, ace.site_page_path(site, span, None, PROBE_ROWS))
    if page is None:
        return "not served"
    return f"{len(_rows(page))} of {PROBE_ROWS} asked for{'' if page.cursor is None else ', more follow'}"


async def _end_of(calling: Calling, point: str, span: TimeRange) -> str:
    """Whether a range holds a sample at its very end, as the vendor answers it."""
    last_ms = span.end_ms - 1
    if last_ms <= span.start_ms:
        return "not seen: there is one sample"
    path = ace.point_path(point, TimeRange(start_ms=span.start_ms, end_ms=last_ms))
    page = await _page(calling, path)
    if page is None:
        return "not seen: points are not served one by one"
    return "held" if last_ms in times_of([row.get("time") for row in _rows(page)]) else "not held"


async def _page(calling: Calling, path: str) -> ace.Page | None:
    """A page by its document; None for a 404."""
    answer = await calling.calls.read("GET", path, calling.deadline_ms, content_of=ace.document_of)
    return None if answer.denied else ace.page_of(answer.content())


def _rows(page: ace.Page) -> Sequence[Row]:
    assert isinstance(page.rows, Sequence)
    return page.rows
