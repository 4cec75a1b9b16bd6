"""ACE FlightDeck's wire format, as pure functions: paths, bodies, and rows to samples.

The shapes are those of the vendor's public Swagger description ("ACE Deploy API" 1.0).
It owns how the vendor's texts become typed values. It sends nothing; `origins/ace/origin.py` does.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from math import isfinite
from operator import itemgetter
from typing import Final, cast
from urllib.parse import quote, urlencode

from edgeseries.errors import OriginContract, OriginGarbled
from edgeseries.origins.ace.limits import LIST_ROWS, PAGE_ROWS
from edgeseries.series.points import Point, Site
from edgeseries.series.samples import NO_SAMPLES, Samples, Value, in_order, plain_number, within
from edgeseries.series.timerange import TimeRange, instant_ms, iso_instant

NO_VALUE_WORDS: Final = frozenset({"", "null", "none"})
"""Words, lower case and without blanks around, that stand for "no value": the vendor turns every
value into a string. "NaN" and infinities are numbers that are not finite, and null like these."""

EXACT_INTEGERS: Final = 2**53
"""Below this every integer is a float64 of its own (IEEE 754)."""

TRUTHS: Final = {"true": True, "false": False}

_FIELDS: Final = itemgetter("name", "time", "value")


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
    return f"/sites/?{urlencode({'page': page, 'per_page': LIST_ROWS})}"


def site_points_path(site: str, page: int) -> str:
    """Path of one page (from 1) of a site's list of points."""
    return f"/sites/{quote(site, safe='')}/points?{urlencode({'page': page, 'per_page': LIST_ROWS})}"


def site_page_path(site: str, span: TimeRange, cursor: str | None) -> str:
    """Path of one page of all samples of a site, raw: the vendor's default is 5-minute buckets."""
    query = {**_range_query(span), "page_size": str(PAGE_ROWS), "raw_data": "true"}
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
    """The rows of a time-series answer. Raises OriginContract if there is no list of objects."""
    return _objects(document.get("point_samples"), "point_samples")


def page_of(document: Mapping[str, object]) -> Page:
    """One page of a paged read. It is the last where nothing more is announced; empty rows are no end.

    Raises OriginContract where more is announced and there is no cursor: what is missing would
    be taken as not there.
    """
    cursor, more = document.get("next_cursor"), document.get("has_more")
    if cursor in (None, ""):
        if more:
            raise OriginContract("the upstream announces more pages without a cursor to them")
        return Page(rows=rows_of(document), cursor=None)
    return Page(rows=rows_of(document), cursor=None if more is False else str(cursor))


def listed(document: Mapping[str, object]) -> tuple[Sequence[Mapping[str, object]], bool]:
    """The items of one page of a list, and whether there is a page after it."""
    page, pages = document.get("page"), document.get("pages")
    if not isinstance(page, int) or not isinstance(pages, int):
        raise OriginContract("the upstream answered a list without page and pages")
    return _objects(document.get("items"), "items"), page < pages


def _objects(value: object, what: str) -> Sequence[Mapping[str, object]]:
    if not isinstance(value, list) or not set(map(type, value)) <= {dict}:
        raise OriginContract(f"the upstream answered without a list of objects in {what}")
    return value


def _name_of(row: Mapping[str, object], point: str | None) -> str:
    """The point a row is of. In an answer about one point the name may be left out, but not differ."""
    name = row.get("name")
    if name is None and point is not None:
        return point
    if not isinstance(name, str):
        raise OriginContract("the upstream sent a row whose name is no text")
    if point is not None and name != point:
        raise OriginContract("the upstream answered about another point than it was asked")
    return name


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


def values_of(raws: Sequence[object]) -> list[Value]:
    """Typed values of a column. Plain decimal texts, which most columns are made of, are read at once."""
    if set(map(type, raws)) == {str}:
        texts = cast("Sequence[str]", raws)
        together = "".join(texts)
        if together.isascii() and "_" not in together:
            try:
                numbers = list(map(float, texts))
            except ValueError:
                return list(map(_value_of_text, texts))
            if all(map(isfinite, numbers)) and max(map(abs, numbers)) < EXACT_INTEGERS:
                return list(numbers)
        return list(map(_value_of_text, texts))
    return list(map(value_of, raws))


def value_of(raw: object) -> Value:
    """A typed value of what the vendor sent. The rule for texts is in `docs/formats/answer.md`."""
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
        return None if word in NO_VALUE_WORDS else TRUTHS.get(word, text)
    if "_" in text or not text.isascii():
        return text  # Python reads 1_000 and other scripts' digits as numbers; the vendor does not.
    if abs(number) < EXACT_INTEGERS:
        return number
    # From here a float may not be the integer that was sent; `int` refuses what is no integer text.
    try:
        return plain_number(int(text))
    except ValueError:
        return plain_number(number)


def times_of(raws: Sequence[object], known: dict[object, int]) -> list[int]:
    """Epoch milliseconds of a column of times. `known` remembers texts: points share instants."""
    for raw in {*raws} - known.keys() if set(map(type, raws)) == {str} else raws:
        known[raw] = _time_of(raw)
    return [known[raw] for raw in raws]


def _time_of(raw: object) -> int:
    if not isinstance(raw, str):
        raise OriginContract("the upstream sent a row whose time is no text")
    try:
        moment = datetime.fromisoformat(raw)
    except ValueError as fault:
        raise OriginContract("the upstream sent a row whose time is not ISO-8601") from fault
    if moment.tzinfo is None:
        raise OriginContract("the upstream sent a row whose time has no zone")
    return instant_ms(moment)


def _triples(
    rows: Sequence[Mapping[str, object]], point: str | None
) -> Iterable[tuple[object, object, object]]:
    """Name, time and value of each row. Rows mostly have all three, and their names are texts."""
    try:
        triples: list[tuple[object, object, object]] = list(map(_FIELDS, rows))
        names = {name for name, _, _ in triples}
    except (KeyError, TypeError):  # a field is missing, or a name is an array
        pass
    else:
        if set(map(type, names)) <= {str} and (point is None or names <= {point}):
            return triples
    return [(_name_of(row, point), row.get("time"), row.get("value")) for row in rows]


class RowCollector:
    """Rows in order of delivery, sorted out by point: the wanted ones only, whatever else is sent.

    `count` is how many rows were taken.
    """

    def __init__(self, points: Iterable[str]) -> None:
        self._columns: dict[str, tuple[list[int], list[Value]]] = {point: ([], []) for point in points}
        self._known_times: dict[object, int] = {}
        self.count = 0

    @property
    def names(self) -> tuple[str, ...]:
        """The wanted points, sorted."""
        return tuple(sorted(self._columns))

    def add(self, rows: Sequence[Mapping[str, object]], *, point: str | None = None) -> None:
        """Take rows; `point` names them where the answer is about one point and may leave the name out."""
        gathered: dict[object, tuple[list[object], list[object]]] = {name: ([], []) for name in self._columns}
        takers = {name: (times.append, values.append) for name, (times, values) in gathered.items()}
        for name, at, value in _triples(rows, point):
            taker = takers.get(name)
            if taker is not None:
                taker[0](at)
                taker[1](value)
        for known_name, column in self._columns.items():
            raw_times, raw_values = gathered[known_name]
            if raw_times:
                column[0].extend(times_of(raw_times, self._known_times))
                column[1].extend(values_of(raw_values))
                self.count += len(raw_times)

    def samples(self, point: str, span: TimeRange) -> Samples:
        """The point's samples in normal form, cut to the half-open range."""
        times_ms, values = self._columns[point]
        return within(in_order(times_ms, values), span) if times_ms else NO_SAMPLES
