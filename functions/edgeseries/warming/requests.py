"""What a caller sends to have something fetched ahead once: a saved set by its name, or points and days.

It knows no HTTP: fields of JSON come in, relative times as instants.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from edgeseries.errors import Fault, InvalidRequest
from edgeseries.limits import DAY_MS, EARLIEST_MS, MAX_ID_CHARS
from edgeseries.planning.query import END_TIME, START_TIME, TimeseriesQuery, query_from_json
from edgeseries.series.days import day_of
from edgeseries.series.timerange import TimeRange
from edgeseries.warming.saved_sets import SavedSet, days_of, faults_of_fields

TIMES: Final = (START_TIME.name, END_TIME.name)
FIELDS: Final = ("set", "site", "points", "days", *TIMES)
SCHEDULE: Final = ("hours", "weekdays")


@dataclass(frozen=True, slots=True, kw_only=True)
class WarmRequest:
    """One of both: the name of a saved set, or what is to be fetched. `days` are those before today that the
    caller names beside a set, None for the set's own.
    """

    set_name: str = ""
    days: int | None = None
    query: TimeseriesQuery | None = None


def warm_request_of(body: object, *, now_ms: int) -> WarmRequest:
    """The request of the JSON of `POST /api/warm`. Raises InvalidRequest with every fault."""
    if not isinstance(body, Mapping):
        detail = 'must be a JSON object, for instance {"site": "hq", "points": ["a"], "days": 7}'
        raise InvalidRequest((Fault(parameter="body", detail=detail),))
    scheduled = [name for name in SCHEDULE if name in body]
    found = faults_of_fields({name: None for name in body if name not in SCHEDULE}, FIELDS)
    if scheduled:
        detail = "a schedule is of a saved set: PUT site, points, days and hours to /api/warm/<name>"
        found.append(Fault(parameter=scheduled[0], detail=detail))
    days = days_of(body, found)
    if "days" in body and any(name in body for name in TIMES):
        detail = f"send days, or {' and '.join(TIMES)}, not both"
        found.append(Fault(parameter="days", detail=detail))
    if "set" in body:
        name = body["set"]
        others = [one for one in ("site", "points", *TIMES) if one in body]
        if others:
            found.append(Fault(parameter="set", detail=f"goes without {others[0]}: the set has its own"))
        if not isinstance(name, str) or not 0 < len(name) <= MAX_ID_CHARS:
            detail = "must be the name of a saved set; GET /api/warm lists them"
            found.append(Fault(parameter="set", detail=detail))
        if found:
            raise InvalidRequest(tuple(found))
        return WarmRequest(set_name=str(name), days=days if "days" in body else None)
    return WarmRequest(query=_query_of(body, days, found, now_ms))


def _query_of(body: Mapping[str, object], days: int, found: list[Fault], now_ms: int) -> TimeseriesQuery:
    fields = {name: body[name] for name in ("site", "points", *TIMES) if name in body}
    if not any(name in body for name in TIMES):
        span = span_before(days, now_ms=now_ms)
        fields |= dict(zip(TIMES, (span.start_ms, span.end_ms), strict=True))
    try:
        query = query_from_json(fields)
    except InvalidRequest as error:
        raise InvalidRequest((*found, *error.faults)) from None
    if found:
        raise InvalidRequest(tuple(found))
    return query


def span_before(days: int, *, now_ms: int) -> TimeRange:
    """So many UTC days before today."""
    end_ms = day_of(now_ms) * DAY_MS
    return TimeRange(start_ms=max(EARLIEST_MS, end_ms - days * DAY_MS), end_ms=end_ms)


def query_of_set(one: SavedSet, days: int | None, *, now_ms: int) -> TimeseriesQuery:
    """What a saved set has fetched now."""
    span = span_before(one.days if days is None else days, now_ms=now_ms)
    return TimeseriesQuery(site=one.of.site, points=one.of.points, span=span)
