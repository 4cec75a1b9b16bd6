"""ACE FlightDeck's wire format, as pure functions: paths, bodies of requests and of answers.

The shapes are those of the vendor's public Swagger description ("ACE Deploy API" 1.0). What rows hold is
`rows.py`. It sends nothing; `calls.py` does.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from urllib.parse import quote, urlencode

from edgeseries.errors import OriginContract, OriginGarbled
from edgeseries.origins.ace.limits import LIST_ROWS, PAGE_ROWS
from edgeseries.origins.ace.row_columns import Row, Rows, page_columns
from edgeseries.origins.ports.page_reader import PageReader
from edgeseries.origins.text_values import value_of
from edgeseries.series.json_text import TooDeep, parsed_rows
from edgeseries.series.points import Point, Site
from edgeseries.series.timerange import TimeRange, iso_instant

_NO_DATA: Final = re.compile(r"no data\b|points? (.* )?not found\b", re.IGNORECASE | re.DOTALL)
"""How the vendor's 404 begins where it speaks of data: "No data for time period", "Point x not found".
Flask says "The requested URL was not found", gateways "Not Found": no word on data."""

_NO_SITE: Final = re.compile(r"sites? (.* )?not found\b", re.IGNORECASE | re.DOTALL)

MESSAGE_MAX_CHARS: Final = 2_000
"""Of an error's message; the vendor's name a point, or a URL."""


Document = Mapping[str, object]
"""A JSON object."""


class BatchShape(StrEnum):
    """What the vendor takes as `points` in a batch call: its Swagger and its client disagree."""

    OBJECTS = "objects"
    STRINGS = "strings"


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page of rows, and the cursor of the next one if there is more."""

    rows: Rows
    cursor: str | None


def _range_query(span: TimeRange) -> dict[str, str]:
    return {"start_time": iso_instant(span.start_ms), "end_time": iso_instant(span.end_ms)}


def sites_path(page: int) -> str:
    """Path of one page (from 1) of the list of sites."""
    return f"/sites/?{urlencode({'page': page, 'per_page': LIST_ROWS})}"


def site_points_path(site: str, page: int) -> str:
    """Path of one page (from 1) of a site's list of points."""
    return f"/sites/{quote(site, safe='')}/points?{urlencode({'page': page, 'per_page': LIST_ROWS})}"


def site_page_path(site: str, span: TimeRange, cursor: str | None, rows: int = PAGE_ROWS) -> str:
    """Path of one page of all samples of a site, raw: the vendor's default is 5-minute buckets. `rows` is one
    of the sizes that the vendor allows.
    """
    query = {**_range_query(span), "page_size": str(rows), "raw_data": "true"}
    if cursor is not None:
        query["cursor"] = cursor
    return f"/sites/{quote(site, safe='')}/timeseries/paginated?{urlencode(query)}"


def point_path(point: str, span: TimeRange) -> str:
    """Path of one point's samples."""
    return f"/points/{quote(point, safe='')}/timeseries?{urlencode(_range_query(span))}"


def batch_path(span: TimeRange) -> str:
    """Path of a batch call for many points."""
    return f"/points/get_timeseries?{urlencode(_range_query(span))}"


def batch_body(points: Sequence[str], shape: BatchShape) -> bytes:
    """JSON body of a batch call in one of the two shapes."""
    wanted = list(points) if shape is BatchShape.STRINGS else [{"name": point} for point in points]
    return json.dumps({"points": wanted}, separators=(",", ":")).encode()


def document_of(body: bytes) -> Document:
    """The JSON object of an answer. Raises OriginGarbled if it is cut short or something else,
    OriginContract if it is nested as nothing of the vendor's is.
    """
    try:
        document = parsed_rows(body)
    except TooDeep as fault:
        raise OriginContract("the upstream's answer has brackets within brackets without end") from fault
    except ValueError as fault:
        raise OriginGarbled("the upstream's answer is not whole JSON; try again") from fault
    if not isinstance(document, dict):
        raise OriginGarbled("the upstream's answer is JSON but not an object; try again")
    return document


def message_of(body: bytes) -> str | None:
    """What the vendor says in the body of an error, `{"message": "..."}`; None if it is no such body: then
    it is of somebody else, such as a gateway.
    """
    try:
        message = document_of(body).get("message")
    except (OriginGarbled, OriginContract):
        return None
    return message[:MESSAGE_MAX_CHARS] if isinstance(message, str) else None


def denies_data(message: str | None) -> bool:
    """Whether a 404's message is the vendor's word that there is no data of what was asked."""
    return message is not None and _NO_DATA.match(message) is not None


def denies_site(message: str | None) -> bool:
    """Whether a 404's message is the vendor's word that there is no such site."""
    return message is not None and _NO_SITE.match(message) is not None


def page_in(body: bytes, reader: PageReader | None = None) -> Page:
    """The page that a body is; `reader` reads those that it can. Raises OriginGarbled, OriginContract."""
    read = None if reader is None else reader.read(body, value_of)
    if read is not None:
        return Page(rows=read, cursor=_cursor_of(read.next_cursor, read.has_more))
    found = page_columns(body)
    if found is None:
        return page_of(document_of(body))
    return Page(rows=found.rows, cursor=_cursor_of(found.next_cursor, found.has_more))


def page_as_sent(body: bytes) -> Page:
    """The page that a body is, its values as they were sent: no text has become a number. Raises
    OriginGarbled, OriginContract.
    """
    found = page_columns(body, numbers=False)
    if found is None:
        return page_of(document_of(body))
    return Page(rows=found.rows, cursor=_cursor_of(found.next_cursor, found.has_more))


def rows_of(page: Page) -> Rows:
    """The rows of an answer that has no pages. Raises OriginContract if there is more: nobody knows how to
    get it, and it would be taken as not there.
    """
    if page.cursor is not None:
        raise OriginContract("the upstream announces a further page of an answer that has none")
    return page.rows


def page_of(document: Document) -> Page:
    """One page of a paged read. It is the last where nothing more is announced; empty rows are no end.

    Raises OriginContract where more is announced and there is no cursor: what is missing would
    be taken as not there.
    """
    rows = _objects(document.get("point_samples"), "point_samples")
    return Page(rows=rows, cursor=_cursor_of(document.get("next_cursor"), document.get("has_more")))


def _cursor_of(cursor: object, more: object) -> str | None:
    if cursor in (None, ""):
        if more:
            raise OriginContract("the upstream announces more pages without a cursor to them")
        return None
    return None if more is False else str(cursor)


def listed(document: Document) -> tuple[Sequence[Row], bool]:
    """The items of one page of a list, and whether there is a page after it. Raises OriginContract."""
    page, pages = document.get("page"), document.get("pages")
    if not isinstance(page, int) or not isinstance(pages, int):
        raise OriginContract("the upstream answered a list without page and pages")
    return _objects(document.get("items"), "items"), page < pages


def _objects(value: object, what: str) -> Sequence[Row]:
    if not isinstance(value, list) or not set(map(type, value)) <= {dict}:
        raise OriginContract(f"the upstream answered without a list of objects in {what}")
    return value


def point_of(item: Document) -> Point:
    """One point of the vendor's list, with what we use of it. Raises OriginContract."""
    name, tags, kind = item.get("name"), item.get("kv_tags"), item.get("point_type")
    if not isinstance(name, str):
        raise OriginContract("the upstream lists a point without a name")
    unit = tags.get("unit") if isinstance(tags, dict) else None
    interval = item.get("collect_interval")
    return Point(
        name=name,
        unit=unit if isinstance(unit, str) and unit else None,
        kind=kind if isinstance(kind, str) and kind else None,
        interval_s=interval if isinstance(interval, int) and interval > 0 else None,
    )


def site_named_by(item: Document) -> str | None:
    """The site that an item of a list of points says it is of, if it does."""
    site = item.get("site")
    return site if isinstance(site, str) else None


def site_of(item: Document) -> Site:
    """One site of the vendor's list. Raises OriginContract."""
    name, title = item.get("name"), item.get("nice_name")
    if not isinstance(name, str):
        raise OriginContract("the upstream lists a site without a name")
    return Site(name=name, title=title if isinstance(title, str) and title else None)
