"""ACE FlightDeck's wire format, as pure functions: paths, bodies, and rows to samples.

The shapes are those of the vendor's public Swagger description ("ACE Deploy API" 1.0).
It owns how the vendor's texts become typed values. It sends nothing; `adapters/ace.py` does.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from urllib.parse import quote, urlencode

from edgeseries.core.errors import OriginContract, OriginGarbled
from edgeseries.core.limits import UPSTREAM_LIST_ROWS, UPSTREAM_PAGE_ROWS
from edgeseries.core.points import Point, Site
from edgeseries.core.samples import NO_SAMPLES, Samples, Value, in_order, plain_number, within
from edgeseries.core.timerange import TimeRange, instant_ms, iso_instant

NO_VALUE_TEXTS: Final = frozenset({"", "nan", "+nan", "-nan", "null", "none"})
"""Texts, lower case, that stand for "no value": the vendor turns every value into a string."""

TRUTHS: Final = {"true": True, "false": False}

PER_PAGE_SIZES: Final = (2, 10, 20, 30, 40, 50, 100, 500, 1_000, 5_000, 10_000, 100_000)
PAGE_SIZES: Final = (3, 10, 50, 100, 500, 1_000, 5_000, 10_000, 50_000, 100_000, 300_000, 500_000)
"""The vendor rejects any other number (its Swagger's enumerations)."""

assert UPSTREAM_LIST_ROWS in PER_PAGE_SIZES
assert UPSTREAM_PAGE_ROWS in PAGE_SIZES


class BatchShape(StrEnum):
    """What the vendor takes as `points` in a batch call: its Swagger and its client disagree."""

    OBJECTS = "objects"
    STRINGS = "strings"


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page of rows, and the cursor of the next one if there is more."""

    rows: Sequence[Mapping[str, object]]
    cursor: str | None


def _range_query(span: TimeRange) -> dict[str, str]:
    return {"start_time": iso_instant(span.start_ms), "end_time": iso_instant(span.end_ms)}


def sites_path(page: int) -> str:
    """Path of one page (from 1) of the list of sites."""
    return f"/sites/?{urlencode({'page': page, 'per_page': UPSTREAM_LIST_ROWS})}"


def site_points_path(site: str, page: int) -> str:
    """Path of one page (from 1) of a site's list of points."""
    return f"/sites/{quote(site, safe='')}/points?{urlencode({'page': page, 'per_page': UPSTREAM_LIST_ROWS})}"


def site_page_path(site: str, span: TimeRange, cursor: str | None) -> str:
    """Path of one page of all samples of a site, raw: the vendor's default is 5-minute buckets."""
    query = {**_range_query(span), "page_size": str(UPSTREAM_PAGE_ROWS), "raw_data": "true"}
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


def document_of(body: bytes) -> Mapping[str, object]:
    """The JSON object of an answer. Raises OriginGarbled if it is cut short or something else."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as fault:
        raise OriginGarbled("the upstream's answer is not whole JSON; try again") from fault
    if not isinstance(document, dict):
        raise OriginGarbled("the upstream's answer is JSON but not an object; try again")
    return document


def rows_of(document: Mapping[str, object]) -> Sequence[Mapping[str, object]]:
    """The rows of a time-series answer. Raises OriginContract if there is no list of rows."""
    rows = document.get("point_samples")
    if not isinstance(rows, list):
        raise OriginContract("the upstream answered without point_samples")
    return rows


def page_of(document: Mapping[str, object]) -> Page:
    """One page of a paged read. The end is where there is no more or no cursor, empty rows are no end."""
    cursor = document.get("next_cursor")
    more = document.get("has_more", cursor is not None)
    return Page(rows=rows_of(document), cursor=str(cursor) if more and cursor not in (None, "") else None)


def listed(document: Mapping[str, object]) -> tuple[Sequence[Mapping[str, object]], bool]:
    """The items of one page of a list, and whether there is a page after it."""
    items, page, pages = document.get("items"), document.get("page"), document.get("pages")
    if not isinstance(items, list) or not isinstance(page, int) or not isinstance(pages, int):
        raise OriginContract("the upstream answered a list without items, page and pages")
    return items, page < pages


def point_of(item: Mapping[str, object]) -> Point:
    """One point of the vendor's list, with what we use of it."""
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


def site_of(item: Mapping[str, object]) -> Site:
    """One site of the vendor's list."""
    name, title = item.get("name"), item.get("nice_name")
    if not isinstance(name, str):
        raise OriginContract("the upstream lists a site without a name")
    return Site(name=name, title=title if isinstance(title, str) and title else None)


def value_of(raw: object) -> Value:
    """A typed value of what the vendor sent: numbers and booleans in strings become themselves.

    "NaN", "null" and the empty text are null; a number that is not finite is null; any other
    text stays text, as it is.
    """
    if isinstance(raw, str):
        return _value_of_text(raw)
    if raw is None or isinstance(raw, bool):
        return raw
    if isinstance(raw, int | float):
        return plain_number(raw)
    raise OriginContract("the upstream sent a value that is no number, text, boolean or null")


def _value_of_text(text: str) -> Value:
    try:
        number = float(text)
    except ValueError:
        word = text.strip().lower()
        return None if word in NO_VALUE_TEXTS else TRUTHS.get(word, text)
    if "_" in text or not text.isascii():
        return text  # Python reads 1_000 and other scripts' digits as numbers; the vendor does not.
    if not number.is_integer() or abs(number) < 2**53:
        return plain_number(number)
    try:
        return plain_number(int(text))
    except ValueError:
        return number


def time_of(raw: object, known: dict[str, int]) -> int:
    """Epoch milliseconds of a row's time. `known` remembers texts: rows of many points share instants."""
    if not isinstance(raw, str):
        raise OriginContract("the upstream sent a row whose time is no text")
    at_ms = known.get(raw)
    if at_ms is None:
        try:
            moment = datetime.fromisoformat(raw)
        except ValueError as fault:
            raise OriginContract("the upstream sent a row whose time is not ISO-8601") from fault
        if moment.tzinfo is None:
            raise OriginContract("the upstream sent a row whose time has no zone")
        at_ms = known[raw] = instant_ms(moment)
    return at_ms


class Gathering:
    """Rows in order of delivery, sorted out by point: the wanted ones only, whatever else is sent."""

    def __init__(self, points: Iterable[str]) -> None:
        self._columns: dict[str, tuple[list[int], list[Value]]] = {point: ([], []) for point in points}
        self._known_times: dict[str, int] = {}
        self.count = 0

    def add(self, rows: Sequence[Mapping[str, object]], *, point: str | None = None) -> None:
        """Take rows; `point` names them where the answer is about one point and may leave the name out."""
        known = self._known_times
        columns = self._columns
        for row in rows:
            if not isinstance(row, dict):
                raise OriginContract("the upstream sent a row that is no object")
            column = columns.get(str(row.get("name", point)))
            if column is not None:
                column[0].append(time_of(row.get("time"), known))
                column[1].append(value_of(row.get("value")))
                self.count += 1

    def samples(self, point: str, span: TimeRange) -> Samples:
        """The point's samples in normal form, cut to the half-open range."""
        times_ms, values = self._columns[point]
        return within(in_order(times_ms, values), span) if times_ms else NO_SAMPLES
